"""A node: hosts the drivers or simulators of a lab's instruments on a bus."""

from __future__ import annotations

import asyncio
import heapq
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from sdl.capabilities import Device
from sdl.errors import DriverFault, LimitReached, SdlError, UserMistake, said
from sdl.model.action import Operation
from sdl.model.lab import Instrument, Lab
from sdl.shell.bench_file import BenchFile, Remembering
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import Clock
from sdl.shell.node_journal import Booted, NodeJournal, Pruned, Remembered, Renewed
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.node_journal_pen import Epoch, Pen
from sdl.shell.offered import check_limits, check_probes, offered_action, offered_by
from sdl.shell.plugins import Loaded, construct
from sdl.shell.reception import Reception
from sdl.shell.station import Station
from sdl.wire.mqtt import Birth, Heartbeat, Placed, Status, birth_digest, encode
from sdl.wire.topics import Topics

HEARTBEAT_S = 2.0
"""Wall seconds between heartbeats; with three missed, a node counts as lost."""
SILENCE_S = 30.0
"""Loop seconds without a sign of life of an orchestrator after which its instruments rest."""
PATIENCE_S = 4.0
"""Loop seconds that an orchestrator which is heard again has to greet us by itself."""
STATES = 50
"""Instruments whose new state is told with one heartbeat, where nobody is in a hurry to know."""

Build = Callable[[Instrument, Path, object], tuple[Device, Loaded]]
"""Makes a driver, from the folder of ``lab.toml`` and the bench of simulators."""

_LOG = logging.getLogger("sdl.node")


class Node:
    """Drivers of one lab, on one bus, in one process."""

    def __init__(
        self,
        *,
        lab: Lab,
        folder: Path,
        bus: Bus,
        clock: Clock,
        bench: Remembering,
        name: str = "node",
        only: tuple[str, ...] = (),
        boot: str | None = None,
        journal: NodeJournal | None = None,
        bench_file: Path | None = None,
        heartbeat_s: float | None = HEARTBEAT_S,
        silence_s: float | None = SILENCE_S,
        build: Build = construct,
    ) -> None:
        """``folder``: that of ``lab.toml``. ``only``: host these instruments, all if empty.

        ``boot``: id of this start, random if None. ``journal``: what it keeps in mind over a
        restart; one that lives as long as the node if None. ``bench_file``: keeps the bench over a
        restart; None keeps it in memory alone. ``heartbeat_s`` None: no heartbeats, for virtual
        time. ``silence_s``: how long an orchestrator may be silent; None: for ever. ``build``:
        makes the driver of an instrument. UserMistake if an instrument or one of its options does
        not exist.
        """
        self.lab = lab
        self.name = name
        self.boot = boot or secrets.token_hex(8)
        self._bus = bus
        self._clock = clock
        self._topics = Topics(lab.name)
        self._heartbeat_s = heartbeat_s
        self._silence_s = silence_s
        self._journal = journal if journal is not None else MemoryJournal(secrets.token_hex(8))
        self._epoch = Epoch()
        self._bench = bench
        self._bench_file = None if bench_file is None else BenchFile(bench, bench_file)
        if self._bench_file is not None:
            self._bench_file.restore()
        self._tasks: set[asyncio.Task[None]] = set()
        self._obeying: asyncio.Task[None] | None = None
        self._renewing = asyncio.Lock()
        self._dead = self._leaving = self._closing = False
        self.stations: dict[str, Station] = {}
        self._births: dict[str, Birth] = {}
        self._shown: dict[str, tuple[int, str]] = {}
        """By instrument: number of the heartbeat with which its state was told, and the state."""
        for instrument in _chosen(lab, only):
            self._take_in(instrument, *build(instrument, folder, bench))
        self._reception = Reception(
            topics=self._topics,
            stations=self.stations,
            epoch=self._epoch,
            clock=clock,
            boot=self.boot,
            own_status=self._topics.node_status(name),
            put_back=self._renew,
            announce=self._send_birth,
            announce_all=self._announce,
            placed=self._set_down,
            spawn=self._spawn,
        )

    @property
    def memory(self) -> str:
        """Name of its journal."""
        return self._journal.memory

    async def start(self) -> None:
        """Connect to the instruments and to the bus, and begin to obey.

        DriverFault or LabFault names the instrument that does not answer, or the broker;
        RecordFault says that the node's journal cannot be read or written.
        """
        unfinished = await self._recall()
        await self._connect_devices()
        for name, commands in unfinished.items():
            self._spawn(self.stations[name].recover(commands))
        await self._bus.subscribe(*self._reception.commands)
        await self._bus.subscribe(*self._reception.at_once, at_once=True)
        try:
            await self._bus.connect(will=self._status(online=False), on_connect=self._announce)
        except BaseException:
            await self._close_stations()
            raise
        self._obeying = self._spawn(self._reception.obey(self._bus.messages()))
        if self._heartbeat_s is not None:
            self._spawn(self._beat(self._heartbeat_s))
        if self._silence_s is not None:
            self._spawn(self._watch(self._silence_s))

    async def serve(self, stop: asyncio.Event, finish: asyncio.Event | None = None) -> None:
        """Return when ``stop`` is set; raise whatever ended this node's work before that.

        When ``finish`` is set it begins nothing more, and returns once nothing is in hand.
        """
        assert self._obeying is not None, "the node was not started"
        stopped = asyncio.create_task(stop.wait())
        finished = asyncio.create_task(self._finish(finish or asyncio.Event()))
        ends = (stopped, finished, self._obeying)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, finished):
            task.cancel()
        if self._obeying.done():
            self._obeying.result()

    async def aclose(self) -> None:
        """Say good-bye, make everything safe, and close the lines to instruments and bus."""
        if not self._dead:
            await self._say_good_bye()
            self._closing = True
            await self._close_stations()
        for task in tuple(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._bus.aclose()

    async def _finish(self, told: asyncio.Event) -> None:
        """Once told: end what is in hand. A stop is obeyed meanwhile, as always."""
        await told.wait()
        ends = (station.finish() for station in self.stations.values())
        await asyncio.gather(self._say_good_bye(), *ends)

    async def _say_good_bye(self) -> None:
        """Before anything is refused: or whoever leads would send it again at once, in vain."""
        if not self._leaving:
            self._leaving = True
            await self._send(self._status(online=False))

    def kill(self) -> None:
        """End at once, as in a crash: nothing more is written, told or begun. For simulations.

        What a driver does now is cancelled. The bus and the journal are left as they are.
        """
        self._dead = True
        for station in self.stations.values():
            station.pen.dead = True
        for task in tuple(self._tasks):
            task.cancel()

    def _take_in(self, instrument: Instrument, device: Device, loaded: Loaded) -> None:
        operations = offered_by(type(device))
        if not operations:
            raise UserMistake(
                f"instrument {instrument.name!r}: {type(device).__name__} offers no action; mark "
                "its methods with @action, or give it all methods of a contract"
            )
        check_limits(instrument, operations)
        check_probes(type(device), operations)
        name = instrument.name
        changed = partial(self._tell_state, name)
        self.stations[name] = Station(
            instrument=instrument,
            device=device,
            operations=operations,
            clock=self._clock,
            boot=self.boot,
            journal=self._journal,
            epoch=self._epoch,
            pen=Pen(
                device=name,
                boot=self.boot,
                journal=self._journal,
                epoch=self._epoch,
                clock=self._clock,
                publish=partial(self._send_event, self._topics.event(name)),
                changed=changed,
            ),
            settled=self._settled,
            changed=changed,
            spawn=self._spawn,
        )
        self._births[name] = self._birth(instrument, operations, loaded)

    def _birth(
        self, instrument: Instrument, operations: Mapping[str, Operation], loaded: Loaded
    ) -> Birth:
        birth = Birth(
            dev=instrument.name,
            node=self.name,
            boot=self.boot,
            memory=self._journal.memory,
            driver=instrument.driver,
            driver_version=loaded.version,
            driver_sha256=loaded.sha256,
            simulated=instrument.simulated,
            actions=tuple(offered_action(operation) for operation in operations.values()),
            limits=dict(instrument.limits),
            sha256="",
        )
        return birth.model_copy(update={"sha256": birth_digest(birth.model_dump(mode="json"))})

    def _status(self, *, online: bool) -> Message:
        status = Status(boot=self.boot, epoch=self._epoch.seen, online=online, at=self._clock.now())
        return Message(self._topics.node_status(self.name), encode(status), retain=True)

    async def _recall(self) -> dict[str, Sequence[Remembered]]:
        """Go on where the journal ends; what is unfinished there, by instrument."""
        recalled = self._journal.recall(tuple(self.stations))
        if recalled.put_back:
            _LOG.error(
                "the node's journal was put back to an older state, or its folder was copied; it "
                "gets a new name, and what was open is asked at a person. Of two nodes with one "
                "folder's copies, stop one"
            )
            await self._journal.commit((Renewed(), Booted(boot=self.boot)))
            recalled = self._journal.recall(tuple(self.stations))
        else:
            now = self._clock.now()
            old = [Pruned(device=name, now=now) for name in self.stations]
            await self._journal.commit((Booted(boot=self.boot), *old))
        self._epoch.seen = self._epoch.durable = recalled.epoch
        for name, station in self.stations.items():
            station.take_up(recalled.devices[name])
        return {
            name: device.unfinished
            for name, device in recalled.devices.items()
            if device.unfinished
        }

    async def _renew(self, station: Station, memory: str) -> None:
        """The journal of this name was put back: go on under another one, and announce it."""
        async with self._renewing:
            if memory != self._journal.memory:
                return  # another greeting has told already
            await station.pen.keep(Renewed())
            for each in self.stations.values():
                each.forget_waiting()
        await self._announce()

    async def _connect_devices(self) -> None:
        done: list[Device] = []
        for name, station in self.stations.items():
            try:
                await station.device.connect()
            except Exception as error:
                for device in done:
                    with suppress(Exception):
                        await device.disconnect()
                if isinstance(error, SdlError):
                    raise type(error)(f"instrument {name!r} cannot be reached: {error}") from error
                raise DriverFault(
                    f"instrument {name!r} cannot be reached: its driver raised "
                    f"{type(error).__name__}: {said(error)}"
                ) from error
            done.append(station.device)

    async def _announce(self) -> None:
        """After every connection, for a broker may have forgotten all that it kept."""
        if self._leaving:
            await self._send(self._status(online=False))
            return
        await self._send(self._status(online=True))
        for name in self.stations:
            await self._send_birth(name)
            await self._send_state(name)

    async def _beat(self, heartbeat_s: float) -> None:
        seq = 0
        topic = self._topics.node_heartbeat(self.name)
        while True:
            await asyncio.sleep(heartbeat_s)
            if self._leaving:  # a sign of life would outweigh the good-bye
                return
            seq += 1
            beat = Heartbeat(boot=self.boot, seq=seq, monotonic=time.monotonic())
            await self._bus.publish(topic, encode(beat), qos=0)
            changed = (
                (*self._shown[name], name)
                for name, station in self.stations.items()
                if station.status != self._shown[name][1]
            )
            for _, _, name in heapq.nsmallest(STATES, changed):
                await self._send_state(name, seq)

    async def _watch(self, silence_s: float) -> None:
        """Let the instruments rest when the orchestrator falls silent; each time once."""
        while True:
            await self._reception.silence(silence_s)
            _LOG.warning(
                "no orchestrator for %g s: what runs is finished, then all rests", silence_s
            )
            for station in self.stations.values():
                station.rest()
            await self._reception.contact()
            await asyncio.sleep(PATIENCE_S)
            if any(station.status == "waiting" for station in self.stations.values()):
                # As after a restart: whoever is there again does not know that it has to greet us.
                await self._send(self._status(online=False))
                await self._announce()

    def _tell_state(self, name: str) -> None:
        if not self._dead:
            self._spawn(self._send_state(name))

    async def _send_state(self, name: str, seq: int | None = None) -> None:
        if self._closing:  # that all stops now is no stop that lasts
            return
        station = self.stations[name]
        birth = self._births[name]
        if (station.safety.stopped, station.safety.orders) != (birth.stopped, birth.stops):
            await self._send_birth(name)  # for whoever comes later
        self._shown[name] = (seq or self._shown.get(name, (0, ""))[0], station.status)
        await self._send(Message(self._topics.state(name), encode(station.state), retain=True))

    async def _send_birth(self, name: str) -> None:
        safety = self.stations[name].safety
        memory = self._journal.memory
        now = {"memory": memory, "stopped": safety.stopped, "stops": safety.orders}
        birth = self._births[name] = self._births[name].model_copy(update=now)
        await self._send(Message(self._topics.birth(name), encode(birth), retain=True))

    async def _send_event(self, topic: str, payload: bytes) -> None:
        await self._send(Message(topic, payload))

    async def _send(self, message: Message) -> None:
        if self._dead:
            return
        try:
            await self._bus.publish(message.topic, message.payload, retain=message.retain)
        except LimitReached as error:  # a greeting brings back what is lost here
            _LOG.error("%s was not sent: %s", message.topic, error)
        except Exception:  # noqa: BLE001 -- whatever it was, the instrument's work goes on
            _LOG.exception("%s was not sent", message.topic)

    def _set_down(self, placed: Placed) -> None:
        """People have moved labware; what collides on the virtual bench is only written down."""
        said = [(each.number, each.labware, each.site, each.kind) for each in placed.labware]
        for wrong in self._bench.set_down(placed.journal, said):
            _LOG.warning("on the virtual bench %s", wrong)
        self._settled()

    def _settled(self) -> None:
        if self._bench_file is None:
            return
        try:
            self._bench_file.save()
        except OSError:  # what an instrument answered is worth more than a simulation's bench
            _LOG.exception("the bench's state could not be kept")

    async def _close_stations(self) -> None:
        await asyncio.gather(*(station.close() for station in self.stations.values()))
        self._settled()

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            _LOG.error("a task of node %s failed", self.name, exc_info=error)


def _chosen(lab: Lab, only: tuple[str, ...]) -> tuple[Instrument, ...]:
    names = [instrument.name for instrument in lab.instruments]
    for name in only:
        if name not in names:
            raise UserMistake(
                f"lab {lab.name!r} has no instrument {name!r}; it has {', '.join(names)}"
            )
    return tuple(each for each in lab.instruments if not only or each.name in only)
