"""A node: hosts the drivers or simulators of a lab's instruments on a bus."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic_core import from_json

from sdl.capabilities import Device
from sdl.errors import DriverFault, LimitReached, SdlError, UserMistake
from sdl.model.action import Operation
from sdl.model.lab import Instrument, Lab
from sdl.shell.bench_file import BenchFile, Remembering
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import Clock
from sdl.shell.offered import check_limits, offered_action, offered_by
from sdl.shell.plugins import Loaded, construct
from sdl.shell.station import NODE_FAILED, CommandId, Station
from sdl.wire.mqtt import (
    CID_CAP,
    Birth,
    CommandMessage,
    Control,
    Heartbeat,
    Status,
    Unreadable,
    birth_digest,
    decode,
    encode,
)
from sdl.wire.topics import Topics, kind_in, name_in

HEARTBEAT_S = 2.0
"""Wall seconds between heartbeats; with three missed, a node counts as lost."""

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
        memory: Path | None = None,
        heartbeat_s: float | None = HEARTBEAT_S,
    ) -> None:
        """``folder``: that of ``lab.toml``. ``only``: host these instruments, all if empty.

        ``boot``: id of this start, random if None. ``memory``: file that keeps the bench over a
        restart; None keeps it in memory alone. ``heartbeat_s`` None: no heartbeats, for virtual
        time. UserMistake if an instrument or one of its options does not exist.
        """
        self.lab = lab
        self.name = name
        self.boot = boot or secrets.token_hex(8)
        self._bus = bus
        self._clock = clock
        self._topics = Topics(lab.name)
        self._heartbeat_s = heartbeat_s
        self._bench_file = None if memory is None else BenchFile(bench, memory)
        if self._bench_file is not None:
            self._bench_file.restore()
        self.stations: dict[str, Station] = {}
        self._births: dict[str, bytes] = {}
        for instrument in _chosen(lab, only):
            self._take_in(instrument, folder, bench)
        self._tasks: set[asyncio.Task[None]] = set()
        self._obeying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect to the instruments and to the bus, and begin to obey.

        DriverFault or LabFault names the instrument that does not answer, or the broker.
        """
        await self._connect_devices()
        for name in self.stations:
            await self._bus.subscribe(self._topics.command(name), self._topics.control(name))
        try:
            await self._bus.connect(will=self._status(online=False), on_connect=self._announce)
        except BaseException:
            await self._close_stations()
            raise
        self._obeying = self._spawn(self._obey())
        if self._heartbeat_s is not None:
            self._spawn(self._beat(self._heartbeat_s))

    async def serve(self, stop: asyncio.Event) -> None:
        """Return when ``stop`` is set; raise whatever ended this node's work before that."""
        assert self._obeying is not None, "the node was not started"
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((stopped, self._obeying), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._obeying.done():
            self._obeying.result()

    async def aclose(self) -> None:
        """Make everything safe, say good-bye, and close the lines to instruments and bus."""
        await self._close_stations()
        await self._send(self._status(online=False))
        for task in tuple(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._bus.aclose()

    def _take_in(self, instrument: Instrument, folder: Path, bench: object) -> None:
        device, loaded = construct(instrument, folder, bench)
        operations = offered_by(type(device))
        if not operations:
            raise UserMistake(
                f"instrument {instrument.name!r}: {type(device).__name__} offers no action; mark "
                "its methods with @action, or give it all methods of a contract"
            )
        check_limits(instrument, operations)
        self.stations[instrument.name] = Station(
            instrument=instrument,
            device=device,
            operations=operations,
            clock=self._clock,
            boot=self.boot,
            publish=self._event_line(instrument.name),
            settled=self._settled,
        )
        self._births[instrument.name] = encode(self._birth(instrument, operations, loaded))

    def _birth(
        self, instrument: Instrument, operations: Mapping[str, Operation], loaded: Loaded
    ) -> Birth:
        birth = Birth(
            dev=instrument.name,
            node=self.name,
            boot=self.boot,
            memory=self.boot,
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
        status = Status(boot=self.boot, epoch=0, online=online, at=self._clock.now())
        return Message(self._topics.node_status(self.name), encode(status), retain=True)

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
                    f"{type(error).__name__}: {error}"
                ) from error
            done.append(station.device)

    async def _announce(self) -> None:
        """After every connection, for a broker may have forgotten all that it kept."""
        await self._send(self._status(online=True))
        for name, birth in self._births.items():
            await self._send(Message(self._topics.birth(name), birth, retain=True))
            await self._send_state(name)

    async def _obey(self) -> None:
        async for message in self._bus.messages():
            station = self.stations.get(name_in(message.topic))
            if station is None:
                continue
            if kind_in(message.topic) == "cmd":
                await self._command(station, message)
            else:
                self._control(station, message)

    async def _command(self, station: Station, message: Message) -> None:
        try:
            await self._obey_one(station, message)
        except Exception:  # noqa: BLE001 -- whatever one message holds, the node goes on
            _LOG.exception("%s: a command could not be handled", station.instrument.name)
            await self._drop(station, message, NODE_FAILED)

    async def _obey_one(self, station: Station, message: Message) -> None:
        try:
            command = decode(CommandMessage, message.payload)
        except Unreadable as error:
            await self._drop(station, message, str(error))
            return
        if command.dev != station.instrument.name:
            await self._drop(station, message, f"it is meant for {command.dev!r}")
        elif message.retain and command.memory == self.boot:
            await self._drop(station, message, "a retained command is never obeyed")
        else:
            await station.command(command)

    def _control(self, station: Station, message: Message) -> None:
        try:
            control = decode(Control, message.payload)
        except Unreadable as error:
            _LOG.warning("%s: control message dropped: %s", station.instrument.name, error)
            return
        if not message.retain:
            self._spawn(_guarded(station, control))  # apart: make_safe may take its time

    async def _drop(self, station: Station, message: Message, why: str) -> None:
        _LOG.warning("%s: command dropped: %s", station.instrument.name, why)
        command = _id_in(message.payload)
        if command is not None and not station.knows(command):  # else it is told already
            await station.refuse(command, why)

    async def _beat(self, heartbeat_s: float) -> None:
        seq, shown = 0, dict.fromkeys(self.stations, "")
        while True:
            await asyncio.sleep(heartbeat_s)
            seq += 1
            beat = encode(Heartbeat(boot=self.boot, seq=seq, monotonic=time.monotonic()))
            for name, station in self.stations.items():
                await self._bus.publish(self._topics.heartbeat(name), beat, qos=0)
                state = station.state.model_dump_json(exclude={"at"})
                if state != shown[name]:
                    shown[name] = state
                    await self._send_state(name)

    async def _send_state(self, name: str) -> None:
        state = encode(self.stations[name].state)
        await self._send(Message(self._topics.state(name), state, retain=True))

    async def _send(self, message: Message) -> None:
        try:
            await self._bus.publish(message.topic, message.payload, retain=message.retain)
        except LimitReached as error:  # a query brings back what is lost here
            _LOG.error("%s was not sent: %s", message.topic, error)
        except Exception:  # noqa: BLE001 -- whatever it was, the instrument's work goes on
            _LOG.exception("%s was not sent", message.topic)

    def _event_line(self, name: str) -> Callable[[bytes], Awaitable[None]]:
        topic = self._topics.event(name)

        async def send(payload: bytes) -> None:
            await self._send(Message(topic, payload))

        return send

    def _settled(self) -> None:
        if self._bench_file is not None:
            self._bench_file.save()

    async def _close_stations(self) -> None:
        await asyncio.gather(*(station.close() for station in self.stations.values()))
        self._settled()

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _chosen(lab: Lab, only: tuple[str, ...]) -> tuple[Instrument, ...]:
    names = [instrument.name for instrument in lab.instruments]
    for name in only:
        if name not in names:
            raise UserMistake(
                f"lab {lab.name!r} has no instrument {name!r}; it has {', '.join(names)}"
            )
    return tuple(each for each in lab.instruments if not only or each.name in only)


async def _guarded(station: Station, control: Control) -> None:
    try:
        await station.control(control)
    except Exception:  # noqa: BLE001 -- whatever it was, the node goes on
        _LOG.exception("%s: %s failed", station.instrument.name, control.op)


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
