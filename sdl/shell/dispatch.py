"""The engine's commands on their way out: what is sent to nodes, and again until it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.lab_state import PieceState
from sdl.shell.bus import Bus
from sdl.shell.clock import LoopedClock
from sdl.shell.crash import crash_point
from sdl.wire import mqtt
from sdl.wire.topics import Topics

UNHEARD_S = (2.0, 5.0, 10.0)
"""Loop seconds without a word of a sent command before it is sent again; the last one repeats."""
QUIET_S = (10.0, 20.0, 30.0, 30.0, 30.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""The same once it is known to have arrived, before the node is asked how it stands: an end that
got lost is found within half a minute, and an action of hours fills no journal."""
HALT_AGAIN_S = 10.0
"""Loop seconds without a word of an instrument that was told to stop, before it is told again."""

RELEASE_AGAIN_S = (2.0, 5.0, 10.0, 30.0)
"""The same for one that was released, until it shows that it obeys; a release names what it lifts,
so that it does no harm later."""

Vouch: TypeAlias = Callable[[], Awaitable[None]]
"""Returns if we are still the one who leads, and raises LeaseLost if not."""


async def alone() -> None:
    """Vouch for an orchestrator that can be the only one: in a simulation."""


class Dispatch:
    """What one orchestrator has sent, and how patient it is with each answer."""

    def __init__(
        self,
        *,
        bus: Bus,
        clock: LoopedClock,
        topics: Topics,
        post: Callable[[ev.Event], None],
        spawn: Callable[[Awaitable[None]], None],
        vouch: Vouch,
    ) -> None:
        """``post``: the way back to the engine. ``spawn`` makes tasks of the owner's."""
        self._bus = bus
        self._clock = clock
        self._topics = topics
        self._post = post
        self._spawn = spawn
        self._vouch = vouch
        self._sent: dict[str, do.Perform] = {}
        self._unheard: dict[str, asyncio.TimerHandle] = {}
        self._tries: dict[str, tuple[tuple[float, ...], int]] = {}
        """How patient we are with each open command, and how often we have been."""
        self._halting: dict[str, tuple[str, asyncio.TimerHandle]] = {}
        """By instrument: the order to stop that has no answer yet, and when it is told again."""
        self._releasing: dict[str, tuple[tuple[str, ...], asyncio.TimerHandle]] = {}
        """By instrument: what a release lifts that shows no effect yet, and when it is repeated."""
        self._stops: dict[str, list[str]] = {}
        """By instrument: ids of the orders to stop that we know of, since it was released."""
        self._met: set[str] = set()
        """Instruments that were greeted."""
        self._placed = 0
        """Number of the last word about labware that virtual benches were told of."""
        self.epoch = 0
        self.journal = ""

    def remember(self, perform: do.Perform) -> None:
        """Know a command that an earlier process sent, so that it can be asked about."""
        self._sent[perform.cid] = perform

    def close(self) -> None:
        """Wait for nothing any more."""
        told = (*self._halting.values(), *self._releasing.values())
        for handle in (*self._unheard.values(), *(each for _, each in told)):
            handle.cancel()

    async def perform(self, perform: do.Perform) -> None:
        """Send a command for the first time."""
        self._sent[perform.cid] = perform
        await self._send(perform)

    async def resend(self, cid: str) -> None:
        """Send it again, unless it has ended by now."""
        if cid in self._sent:
            await self._send(self._sent[cid])

    async def query(self, cid: str) -> None:
        """Ask what became of it, unless that is known by now."""
        if cid in self._sent:
            control = mqtt.Control(
                id=f"query/{cid}", op="query", cid=cid, epoch=self.epoch, journal=self.journal
            )
            await self._control(self._sent[cid].instrument, control)
            self._listen_for(cid, QUIET_S)

    async def greet(self, instrument: str, boot: str, after: int | None, memory: str) -> None:
        """Take up with a node, or ask it again for all that it wrote ``after`` a number.

        ``memory``: its journal in which that number counts.
        """
        self._met.add(instrument)
        control = mqtt.Control(
            id=f"greet/{boot}",
            op="greet",
            epoch=self.epoch,
            journal=self.journal,
            boot=boot,
            from_seq=None if after is None else after + 1,
            memory=memory,
        )
        await self._control(instrument, control)

    async def halt(self, id_: str, instrument: str) -> None:
        """Make an instrument safe; told again until it says that it is."""
        self._calm_halt(instrument)
        self._calm_release(instrument)
        loop = asyncio.get_running_loop()
        handle = loop.call_later(HALT_AGAIN_S, self._halt_again, id_, instrument)
        self._halting[instrument] = id_, handle
        self._note_stop(instrument, id_)
        await self._vouch()
        if self._halting.get(instrument, ("", None))[0] != id_:
            return  # answered, or lifted, while nobody knew if we still lead
        control = mqtt.Control(id=id_, op="stop", epoch=self.epoch, journal=self.journal)
        await self._control(instrument, control)

    def _halt_again(self, id_: str, instrument: str) -> None:
        self._spawn(self._halt_unless_answered(id_, instrument))

    async def _halt_unless_answered(self, id_: str, instrument: str) -> None:
        if self._halting.get(instrument, ("", None))[0] == id_:
            await self.halt(id_, instrument)

    async def release(self, instrument: str, lifts: tuple[str, ...] = ()) -> None:
        """Let an instrument that was stopped obey again.

        ``lifts``: ids of the orders to stop that stand no more; empty for all that we know of.
        """
        known = self._stops.pop(instrument, [])
        lifts = lifts or tuple(known)
        self._stops[instrument] = [each for each in known if each not in lifts]
        await self._release(instrument, lifts, RELEASE_AGAIN_S)

    async def _release(
        self, instrument: str, lifts: tuple[str, ...], again_s: tuple[float, ...]
    ) -> None:
        self._calm_halt(instrument)
        self._calm_release(instrument)
        if again_s:
            handle = asyncio.get_running_loop().call_later(
                again_s[0], self._release_again, instrument, lifts, again_s[1:]
            )
            self._releasing[instrument] = lifts, handle
        id_ = f"release/{instrument}"
        control = mqtt.Control(id=id_, op="release", epoch=self.epoch, lifts=lifts)
        await self._control(instrument, control)

    def _release_again(
        self, instrument: str, lifts: tuple[str, ...], again_s: tuple[float, ...]
    ) -> None:
        self._spawn(self._release_unless_obeyed(instrument, lifts, again_s))

    async def _release_unless_obeyed(
        self, instrument: str, lifts: tuple[str, ...], again_s: tuple[float, ...]
    ) -> None:
        if self._releasing.get(instrument, ((), None))[0] == lifts:
            await self._release(instrument, lifts, again_s)

    async def tell_placed(self, pieces: Iterable[PieceState], *, anew: bool) -> None:
        """Tell virtual benches where people have set labware down, if there is news.

        ``anew``: all of it, to a node that may have missed it.
        """
        placed = [each for each in pieces if each.placed]
        last = max((each.placed for each in placed), default=0)
        if not placed or (last <= self._placed and not anew):
            return
        self._placed = last
        await self._vouch()
        said = (
            mqtt.Placement(number=each.placed, labware=each.name, site=each.stands, kind=each.kind)
            for each in placed
        )
        message = mqtt.Placed(journal=self.journal, epoch=self.epoch, labware=tuple(said))
        await self._bus.publish(self._topics.placed(), mqtt.encode(message))

    async def stop_all(self, id_: str, by: str, note: str) -> None:
        """Tell every node to stop everything; not even a lost lease stands in the way."""
        self.stopped(id_)
        message = mqtt.StopAll(id=id_, by=by, note=note)
        await self._bus.publish(self._topics.stop_all(), mqtt.encode(message))

    def stopped(self, id_: str) -> None:
        """Somebody told everything to stop; a release has to lift that, too."""
        for instrument in self._met:
            self._note_stop(instrument, id_)

    def _note_stop(self, instrument: str, id_: str) -> None:
        stops = self._stops.setdefault(instrument, [])
        if id_ not in stops:
            stops.append(id_)

    def heard(self, event: ev.Event) -> None:
        """The engine took an event in: be patient, or content, with what it is about.

        That a node has not seen a command may be an old word of it: patience goes on.
        """
        match event:
            case ev.CommandAccepted(cid=cid) | ev.CommandStarted(cid=cid) if cid in self._sent:
                self._tries.pop(cid, None)  # there was word of it: patience begins anew
                self._listen_for(cid, QUIET_S)
                if isinstance(event, ev.CommandStarted):
                    self._calm_release(self._sent[cid].instrument)
            case ev.CommandUnknown(cid=cid):  # it may still be asked about
                self._calm(cid)
                self._tries.pop(cid, None)
            case ev.CommandDone(cid=cid) | ev.CommandFailed(cid=cid):
                self._calm(cid)
                self._sent.pop(cid, None)
                self._tries.pop(cid, None)
            case ev.InstrumentMadeSafe(instrument=name, halt=halt):
                if name in self._halting and self._halting[name][0] == halt:
                    self._calm_halt(name)
            case ev.InstrumentOnline(instrument=name, stopped=stopped, stops=stops):
                lifts, _ = self._releasing.get(name, ((), None))
                if not stopped or (stops and not set(stops) & set(lifts)):
                    self._calm_release(name)
            case ev.InstrumentLost(instrument=name):
                self._calm_halt(name)
                self._calm_release(name)
            case _:
                pass

    async def _control(self, instrument: str, control: mqtt.Control) -> None:
        await self._vouch()
        await self._bus.publish(self._topics.control(instrument), mqtt.encode(control))
        crash_point("orchestrator.command.published")

    async def _send(self, perform: do.Perform) -> None:
        await self._vouch()
        try:
            message = mqtt.command_message(
                perform, epoch=self.epoch, issued_at=self._clock.now(), journal=self.journal
            )
            payload = mqtt.encode(message)
        except ValueError as error:  # the engine looks for this too; a campaign must not end by it
            self._refuse(perform.cid, f"no message can carry it: {error}")
            return
        # Past its window the command must not start, so there is no use in sending it any more.
        ttl_s = message.ttl_s
        expiry_s = None if ttl_s is None else self._clock.loop_s(ttl_s)
        topic = self._topics.command(perform.instrument)
        await self._bus.publish(topic, payload, expiry_s=expiry_s)
        crash_point("orchestrator.command.published")
        self._listen_for(perform.cid, UNHEARD_S)

    def _refuse(self, cid: str, why: str) -> None:
        """Say of a command that cannot be sent that it has not started."""
        self._post(
            ev.CommandFailed(
                at=self._clock.now(), cid=cid, phase="before_start", kind="refused", reason=why
            )
        )

    def _listen_for(self, cid: str, patience_s: tuple[float, ...]) -> None:
        """Wake the engine if no word of a command comes; later and later, if it stays so."""
        self._calm(cid)
        former, tries = self._tries.get(cid, (patience_s, 0))
        tries = tries if former == patience_s else 0
        self._tries[cid] = (patience_s, tries + 1)
        delay_s = patience_s[min(tries, len(patience_s) - 1)]
        self._unheard[cid] = asyncio.get_running_loop().call_later(delay_s, self._miss, cid)

    def _miss(self, cid: str) -> None:
        del self._unheard[cid]
        self._post(ev.CommandUnheard(at=self._clock.now(), cid=cid))

    def _calm(self, cid: str) -> None:
        handle = self._unheard.pop(cid, None)
        if handle is not None:
            handle.cancel()

    def _calm_release(self, instrument: str) -> None:
        _, handle = self._releasing.pop(instrument, ((), None))
        if handle is not None:
            handle.cancel()

    def _calm_halt(self, instrument: str) -> None:
        _, handle = self._halting.pop(instrument, ("", None))
        if handle is not None:
            handle.cancel()
