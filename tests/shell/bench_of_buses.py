"""Buses and a caller for the tests of nodes."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sdl.model.action import Effect
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab, Limit
from sdl.shell.bench import Bench
from sdl.shell.bus import Bus, Message
from sdl.shell.clock import Clock
from sdl.shell.node import Node
from sdl.shell.node_journal import NodeJournal
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.testing.servers import SBIN, find_program, server
from sdl.wire.mqtt import (
    Birth,
    CommandMessage,
    Control,
    EventMessage,
    Heartbeat,
    State,
    decode,
    digest,
    encode,
)
from sdl.wire.topics import Topics, kind_in, name_in

FOLDER = Path(__file__).parent
ENDS = ("done", "failed", "unknown", "not_seen", "conflict", "stale")
PATIENCE_S = 60.0
BOOT = "boot-1"
EFFECTS: dict[str, Effect] = {"look": "pure", "move": "idempotent"}
"""Of actions of the probe that are not *once*."""
JOURNAL = "journal-1"


def probe_lab(name: str, *names: str, speed: float = 1.0, log: Path | None = None) -> Lab:
    """A lab of probes, ``probe`` alone if no names are given.

    ``log``: file in which they leave a line for each thing that they do to the world.
    """
    return Lab(
        name=name,
        speed=speed,
        instruments=tuple(
            Instrument(
                name=each,
                driver="./probe_device.py:Probe",
                simulated=True,
                options={} if log is None else {"log": str(log)},
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
        effect=EFFECTS.get(op, "once"),
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

    def __init__(self, bus: Bus, lab: str, *, greets: bool = True) -> None:
        """``greets``: takes up with every instrument that is announced, as an orchestrator does."""
        self.bus = bus
        self.greets = greets
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
            self.topics.node_heartbeat("+"),
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
                if kind_in(message.topic) == "birth" and self.greets:
                    await self.greet(decode(Birth, message.payload))
            self._news.set()

    async def greet(
        self, birth: Birth, *, from_seq: int | None = None, epoch: int = 1, journal: str = JOURNAL
    ) -> None:
        """Let an instrument begin, and say again all words from a number on."""
        greeting = Control(
            id="greet",
            op="greet",
            epoch=epoch,
            boot=birth.boot,
            from_seq=from_seq,
            memory=birth.memory,
            journal=journal,
        )
        await self.control(greeting, birth.dev)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Return when something is true that arrives on the bus."""
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                self._news.clear()
                await self._news.wait()

    async def ready(self, *devs: str) -> None:
        """Return when instruments wait for nothing but commands."""
        await self.until(lambda: all(self.status_of(dev) == "idle" for dev in devs or ("probe",)))

    def status_of(self, dev: str = "probe") -> str:
        """What an instrument's last state told; empty if there was none."""
        states = [decode(State, message.payload) for message in self.of("state", dev)]
        return states[-1].status if states else ""

    async def birth_of(self, dev: str, count: int = 1) -> Birth:
        """The latest birth of an instrument, once it was announced so many times."""
        await self.until(lambda: len(self.births(dev)) >= count)
        return self.births(dev)[-1]

    def births(self, dev: str) -> list[Birth]:
        """How an instrument was announced, in order."""
        return [decode(Birth, message.payload) for message in self.of("birth", dev)]

    async def send(self, message: CommandMessage) -> None:
        """Publish a command."""
        await self.bus.publish(self.topics.command(message.dev), encode(message))

    async def query(self, cid: str, dev: str = "probe", journal: str = JOURNAL) -> None:
        """Ask what became of a command."""
        await self.control(Control(id="q", op="query", journal=journal, cid=cid, epoch=1), dev)

    async def control(self, message: Control, dev: str = "probe") -> None:
        """Publish a control message."""
        await self.bus.publish(self.topics.control(dev), encode(message))

    async def heartbeat(self) -> None:
        """Show that an orchestrator is there."""
        beat = Heartbeat(boot="orchestrator", seq=1, monotonic=0.0)
        await self.bus.publish(self.topics.orchestrator_heartbeat(), encode(beat), qos=0)

    def stages(self, cid: str) -> list[str]:
        """What was told about a command, in order."""
        return [event.st for event in self.events if event.cid == cid]

    def ended(self) -> dict[str, EventMessage]:
        """The last word about each command that has one."""
        return {each.cid: each for each in self.events if each.st in {"done", "failed", "unknown"}}

    def of(self, kind: str, name: str = "") -> list[Message]:
        """Messages that are no events, by the last level of their topic, and the name in it."""
        found = [message for message in self.others if kind_in(message.topic) == kind]
        return [message for message in found if name in ("", name_in(message.topic))]

    async def told(self, cid: str, *stages: str) -> None:
        """Return when these are the last words about a command."""
        await self.until(lambda: tuple(self.stages(cid)[-len(stages) :]) == stages)

    async def more_than(self, count: int) -> None:
        """Return when more words have come than so many."""
        await self.until(lambda: len(self.events) > count)

    async def heard(self, event: EventMessage, times: int) -> None:
        """Return when one and the same word has come so many times."""
        await self.until(lambda: self.events.count(event) >= times)

    async def end(self, cid: str) -> EventMessage:
        """How a command ended."""
        await self.until(lambda: any(stage in ENDS for stage in self.stages(cid)))
        return next(event for event in self.events if event.cid == cid and event.st in ENDS)

    async def run(self, message: CommandMessage) -> EventMessage:
        """Send a command and wait for its end."""
        await self.send(message)
        return await self.end(message.cid)


def new_node(
    lab: Lab,
    bus: Bus,
    clock: Clock,
    *,
    boot: str = BOOT,
    journal: NodeJournal | None = None,
    bench_file: Path | None = None,
    heartbeat_s: float | None = None,
    silence_s: float | None = None,
) -> Node:
    """A node that has not started."""
    return Node(
        lab=lab,
        folder=FOLDER,
        bus=bus,
        clock=clock,
        bench=Bench(clock=clock, seed=lab.seed, lab=lab),
        boot=boot,
        journal=journal or MemoryJournal(BOOT),
        bench_file=bench_file,
        heartbeat_s=heartbeat_s,
        silence_s=silence_s,
    )


@asynccontextmanager
async def running_node(
    lab: Lab,
    bus: Bus,
    clock: Clock,
    *,
    boot: str = BOOT,
    journal: NodeJournal | None = None,
    bench_file: Path | None = None,
    heartbeat_s: float | None = None,
) -> AsyncIterator[Node]:
    """A node that has started, and is closed at the end."""
    node = new_node(
        lab,
        bus,
        clock,
        boot=boot,
        journal=journal,
        bench_file=bench_file,
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
