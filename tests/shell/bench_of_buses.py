"""Buses and a caller for the tests of nodes."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab, Limit
from sdl.shell.bench import Bench
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import Clock
from sdl.shell.node import Node
from sdl.testing.servers import SBIN, find_program, server
from sdl.wire.mqtt import Birth, CommandMessage, Control, EventMessage, decode, digest, encode
from sdl.wire.topics import Topics, kind_in

FOLDER = Path(__file__).parent
ENDS = ("done", "failed", "unknown", "not_seen")
PATIENCE_S = 10.0
BOOT = "boot-1"
JOURNAL = "journal-1"


def probe_lab(name: str, *names: str, speed: float = 1.0) -> Lab:
    """A lab of probes, ``probe`` alone if no names are given."""
    return Lab(
        name=name,
        speed=speed,
        instruments=tuple(
            Instrument(
                name=each,
                driver="./probe_device.py:Probe",
                simulated=True,
                limits={
                    "pour.volumes_ul": Limit(low=0.0, high=300.0),
                    "pour.speed": Limit(high=2.0),
                },
            )
            for each in names or ("probe",)
        ),
    )


def command(cid: str, op: str, dev: str = "probe", /, **args: JsonValue) -> CommandMessage:
    """A command as the orchestrator would send it to a node of these tests."""
    return CommandMessage(
        journal=JOURNAL,
        memory=BOOT,
        cid=cid,
        dev=dev,
        op=op,
        effect="once",
        args=args,
        args_sha256=digest(args),
        run="c/run-1",
        step=cid.rpartition("/")[0],
        attempt=1,
        epoch=1,
        issued_at=0.0,
    )


class Caller:
    """The orchestrator's end of a bus: sends commands, keeps what comes back."""

    def __init__(self, bus: Bus, lab: str) -> None:
        self.bus = bus
        self.topics = Topics(lab)
        self.events: list[EventMessage] = []
        self.others: list[Message] = []
        self._news = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.bus.subscribe(
            self.topics.event("+"),
            self.topics.birth("+"),
            self.topics.node_status("+"),
            self.topics.state("+"),
            self.topics.heartbeat("+"),
        )
        await self.bus.connect()
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.bus.aclose()
        assert self._listening is not None
        await self._listening

    async def _listen(self) -> None:
        async for message in self.bus.messages():
            if kind_in(message.topic) == "evt":
                self.events.append(decode(EventMessage, message.payload))
            else:
                self.others.append(message)
            self._news.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Return when something is true that arrives on the bus."""
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                self._news.clear()
                await self._news.wait()

    async def boot_of(self, dev: str) -> str:
        """The boot that an instrument's latest birth tells."""
        await self.until(lambda: bool(self._births(dev)))
        return self._births(dev)[-1].boot

    def _births(self, dev: str) -> list[Birth]:
        births = [decode(Birth, message.payload) for message in self.of("birth")]
        return [birth for birth in births if birth.dev == dev]

    async def send(self, message: CommandMessage) -> None:
        """Publish a command."""
        await self.bus.publish(self.topics.command(message.dev), encode(message))

    async def query(self, cid: str, dev: str = "probe", journal: str = JOURNAL) -> None:
        """Ask what became of a command."""
        await self.control(Control(id="q", op="query", journal=journal, cid=cid, epoch=1), dev)

    async def control(self, message: Control, dev: str = "probe") -> None:
        """Publish a control message."""
        await self.bus.publish(self.topics.control(dev), encode(message))

    def stages(self, cid: str) -> list[str]:
        """What was told about a command, in order."""
        return [event.st for event in self.events if event.cid == cid]

    def of(self, kind: str) -> list[Message]:
        """Messages that are no events, by the last level of their topic."""
        return [message for message in self.others if kind_in(message.topic) == kind]

    async def end(self, cid: str) -> EventMessage:
        """How a command ended."""
        await self.until(lambda: any(stage in ENDS for stage in self.stages(cid)))
        return next(event for event in self.events if event.cid == cid and event.st in ENDS)

    async def run(self, message: CommandMessage) -> EventMessage:
        """Send a command and wait for its end."""
        await self.send(message)
        return await self.end(message.cid)


@asynccontextmanager
async def running_node(
    lab: Lab,
    bus: Bus,
    clock: Clock,
    *,
    boot: str = BOOT,
    memory: Path | None = None,
    heartbeat_s: float | None = None,
) -> AsyncIterator[Node]:
    """A node that has started, and is closed at the end."""
    bench = Bench(clock=clock, seed=lab.seed, labware=lab.labware)
    node = Node(
        lab=lab,
        folder=FOLDER,
        bus=bus,
        clock=clock,
        bench=bench,
        boot=boot,
        memory=memory,
        heartbeat_s=heartbeat_s,
    )
    await node.start()
    try:
        yield node
    finally:
        await node.aclose()


@contextmanager
def open_mosquitto(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Mosquitto on a port of our choice, that a test may kill. It forgets all when it ends."""
    program = find_program("mosquitto", *SBIN)
    assert program is not None, "a test that uses this asks for the fixture 'mosquitto' too"
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    with server([program, "-c", str(config)], port, folder / "mosquitto.log") as process:
        yield process
