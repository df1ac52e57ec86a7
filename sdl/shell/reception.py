"""What comes in at a node: who is meant, whether it may be believed, and when it was sent."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping

from pydantic_core import from_json

from sdl.shell.bus import Message
from sdl.shell.clock import Clock
from sdl.shell.node_journal import CommandId
from sdl.shell.node_journal_pen import Epoch
from sdl.shell.station import NODE_FAILED, Station
from sdl.wire.mqtt import (
    CID_CAP,
    PAYLOAD_CAP,
    CommandMessage,
    Control,
    Heartbeat,
    Placed,
    Status,
    StopAll,
    Unreadable,
    decode,
)
from sdl.wire.topics import Topics, kind_in, name_in

AT_A_TIME = 16
"""Messages taken in before others get their turn: the line, so that a stop is read, and commits."""
DRIFT = 1e-4
"""How much faster or slower two clocks may run."""
STEADY_S = 10.0
"""Two messages sent so far apart are not held up by the very same time: a clock stood still."""
JUMP_S = 30.0
"""Less than that is never taken for a clock that stood still."""
ALIKE_S = 0.1
"""How much the time that two messages take may differ, to count as the same."""

_LOG = logging.getLogger("sdl.node")


class Delay:
    """How long messages were on their way, at the least.

    Two clocks that nobody has set alike differ by a constant, which the quickest message shows. A
    clock that stood still, as while its machine slept, has another constant from then on.
    """

    def __init__(self) -> None:
        self._epoch = -1
        self._least_s = math.inf
        self._at = 0.0
        self._last = (-math.inf, math.inf)
        """When the message was sent that the next is compared with, and how long that took."""

    def of(self, epoch: int, sent_at: float, now: float) -> float:
        """Lab seconds that a message surely took. ``sent_at``: by the clock of its sender."""
        if epoch > self._epoch:  # another process, and so another clock
            self._epoch, self._least_s = epoch, math.inf
            self._last = (-math.inf, math.inf)
        took_s = now - sent_at
        least_s = self._least_s + DRIFT * (now - self._at)
        is_steady = took_s - least_s > JUMP_S and self._is_steady(sent_at, took_s)
        if took_s < least_s or is_steady:
            self._least_s, self._at = took_s, now
            return 0.0
        return took_s - least_s

    def _is_steady(self, sent_at: float, took_s: float) -> bool:
        """Whether this message took as long as one before it that was sent some time ago."""
        before, last_s = self._last
        if abs(took_s - last_s) > ALIKE_S:
            self._last = sent_at, took_s
            return False
        return sent_at - before >= STEADY_S


class Reception:
    """Hands each message to the station that it is meant for."""

    def __init__(
        self,
        *,
        topics: Topics,
        stations: Mapping[str, Station],
        epoch: Epoch,
        clock: Clock,
        boot: str,
        own_status: str,
        put_back: Callable[[Station, str], Awaitable[None]],
        announce: Callable[[str], Coroutine[object, object, None]],
        announce_all: Callable[[], Coroutine[object, object, None]],
        placed: Callable[[Placed], None],
        spawn: Callable[[Coroutine[object, object, None]], asyncio.Task[None]],
    ) -> None:
        """``put_back`` is called with the name of a journal that is older than it should be.

        ``announce`` tells once more what an instrument is, ``announce_all`` what all are.
        ``placed`` hears where people have set labware down.
        ``own_status``: topic on which this node, and any copy of it, says that it comes and goes.
        """
        self._topics = topics
        self._stations = stations
        self._epoch = epoch
        self._clock = clock
        self._boot = boot
        self._put_back = put_back
        self._announce = announce
        self._announce_all = announce_all
        self._placed = placed
        self._own_status = own_status
        self._spawn = spawn
        self._delay = Delay()
        self._stop_all, self._placed_topic = topics.stop_all(), topics.placed()
        self._orchestrator = (topics.orchestrator_status(), topics.orchestrator_heartbeat())
        self._present = asyncio.Event()
        self._heard = 0.0
        """When the last sign of life of an orchestrator came, by the loop's clock."""

    @property
    def commands(self) -> tuple[str, ...]:
        """Topics that may wait for one another."""
        return tuple(self._topics.command(name) for name in self._stations)

    @property
    def at_once(self) -> tuple[str, ...]:
        """Topics that nothing may delay."""
        controls = (self._topics.control(name) for name in self._stations)
        lab_wide = (self._stop_all, self._placed_topic, self._own_status, *self._orchestrator)
        return (*lab_wide, *controls)

    async def silence(self, silence_s: float) -> None:
        """Return when an orchestrator was heard, and then for so many loop seconds none."""
        await self._present.wait()
        loop = asyncio.get_running_loop()
        while (left_s := self._heard + silence_s - loop.time()) > 0.0:  # noqa: ASYNC110
            await asyncio.sleep(left_s)
        self._present.clear()

    async def contact(self) -> None:
        """Return when an orchestrator is heard."""
        await self._present.wait()

    async def obey(self, messages: AsyncIterator[Message]) -> None:
        """Take messages in until there are no more."""
        count = 0
        async for message in messages:
            try:
                self._take(message)
            except Exception:  # noqa: BLE001 -- whatever it holds, the node goes on
                _LOG.exception("a message on %s could not be handled", message.topic)
                message.ack()
            count += 1
            if count % AT_A_TIME == 0:
                await asyncio.sleep(0)

    def _take(self, message: Message) -> None:
        station = self._stations.get(name_in(message.topic))
        if station is not None and kind_in(message.topic) == "cmd":
            self._command(station, message)
            return
        message.ack()
        try:
            if message.topic in self._orchestrator:
                self._sign_of_life(message)
            elif message.topic == self._own_status and not message.retain:
                self._another_leaves(decode(Status, message.payload))
            elif message.topic == self._stop_all:
                self._stop_everything(decode(StopAll, message.payload), message)
            elif message.topic == self._placed_topic:
                self._hear_placed(decode(Placed, message.payload), message)
            elif station is not None and kind_in(message.topic) == "ctl":
                self._control(station, decode(Control, message.payload), message)
        except Unreadable as error:
            _LOG.warning("%s: dropped: %s", message.topic, error)

    def _command(self, station: Station, message: Message) -> None:
        try:
            self._read(station, message)
        except Exception:  # noqa: BLE001 -- whatever one message holds, the node goes on
            _LOG.exception("%s: a command could not be handled", station.instrument.name)
            self._drop(station, message, NODE_FAILED)

    def _read(self, station: Station, message: Message) -> None:
        try:
            command = decode(CommandMessage, message.payload)
        except Unreadable as error:
            self._drop(station, message, str(error))
            return
        if command.dev != station.instrument.name:
            self._drop(station, message, f"it is meant for {command.dev!r}")
            return
        if message.retain and command.memory == station.memory:
            self._drop(station, message, "a retained command is never obeyed")
            return
        if command.epoch >= self._epoch.seen:
            self._is_heard()
        now = self._clock.now()
        age_s = self._delay.of(command.epoch, command.issued_at, now)
        station.command(command, message.payload, ack=message.ack, age_s=age_s)

    def _drop(self, station: Station, message: Message, why: str) -> None:
        _LOG.warning("%s: command dropped: %s", station.instrument.name, why)
        command = _id_in(message.payload)
        if command is None:
            message.ack()
        else:
            station.drop(command, message.payload[:PAYLOAD_CAP], why, message.ack)

    def _sign_of_life(self, message: Message) -> None:
        if message.topic == self._orchestrator[1]:
            decode(Heartbeat, message.payload)
            self._is_heard()
            return
        status = decode(Status, message.payload)
        if status.online and status.epoch >= self._epoch.seen and not message.retain:
            self._delay.of(status.epoch, status.at, self._clock.now())
            self._is_heard()

    def _another_leaves(self, status: Status) -> None:
        """Another start of us is gone, or a copy; what the broker kept may be of that one."""
        if status.boot != self._boot and not status.online:
            self._spawn(self._announce_all())

    def _is_heard(self) -> None:
        self._heard = asyncio.get_running_loop().time()
        self._present.set()

    def _stop_everything(self, stop: StopAll, message: Message) -> None:
        if message.retain:  # it was for whoever was there then
            return
        why = f"everything was stopped by {stop.by}" + (f": {stop.note}" if stop.note else "")
        for station in self._stations.values():
            station.halt(why, answers=stop.id)

    def _hear_placed(self, placed: Placed, message: Message) -> None:
        if not message.retain and not self._epoch.is_stale(placed.epoch, remember=False):
            self._placed(placed)

    def _control(self, station: Station, control: Control, message: Message) -> None:
        if message.retain:
            return
        command = CommandId(control.journal, control.cid or "")
        if control.op == "stop":  # from whomever
            by = f"it was stopped by {control.by}" if control.by else "it was stopped"
            journal = control.journal[:CID_CAP]
            if station.safety.is_over(control.id, journal):
                _LOG.warning("%s: %s was lifted since", station.instrument.name, control.id)
                return
            station.halt(by, journal=journal, answers=control.id)
            return
        if self._epoch.is_stale(control.epoch, remember=control.op == "greet"):
            self._spawn(station.pen.mention(command, "stale"))
            return
        self._is_heard()
        match control.op:
            case "query":
                station.query(command)
            case "cancel":
                station.cancel(command)
            case "release":
                station.safety.release(control.lifts)
            case "greet" if control.boot == self._boot:
                self._greet(station, control)
            case "greet":
                # A node's folder that was copied, with its journal, gives two nodes of which each
                # would do every command: the one that was greeted last is to act, alone.
                _LOG.warning("%s: a greeting for another start of it", station.instrument.name)
                station.pass_over()

    def _greet(self, station: Station, control: Control) -> None:
        """Begin, if it knows which journal we have: what it has heard of another is no use here."""
        if control.memory not in ("", station.memory):
            _LOG.warning("%s: a greeting for another journal", station.instrument.name)
            self._spawn(self._announce(station.instrument.name))
            return
        meeting = station.meet(control.journal, control.epoch)
        self._spawn(self._greeted(station, control, meeting, station.memory))

    async def _greeted(self, station: Station, control: Control, meeting: int, memory: str) -> None:
        await station.pen.keep_epoch()
        if station.memory == memory and not await station.greet(control.from_seq, meeting):
            _LOG.error(
                "%s: the orchestrator has heard more than the journal holds, so that was put back "
                "to an older state; it goes on under a new name",
                station.instrument.name,
            )
            await self._put_back(station, memory)


def _id_in(payload: bytes) -> CommandId | None:
    """Which command an unreadable one is, if that much can be read."""
    try:
        body = from_json(payload)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    journal, cid = body.get("journal"), body.get("cid")
    if not isinstance(cid, str) or not isinstance(journal, str):
        return None
    return CommandId(journal[:CID_CAP], cid[:CID_CAP])
