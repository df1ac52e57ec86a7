"""A device on a real node in this process, with an orchestrator that tries to make it err."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sdl.capabilities import Device
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab, Limit
from sdl.shell.bench import Bench
from sdl.shell.clock import WallClock
from sdl.shell.crash import hook
from sdl.shell.local_bus import LocalBroker
from sdl.shell.node import Node
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.testing.hosted import Seen, hosted
from sdl.wire.mqtt import (
    Birth,
    Body,
    CommandMessage,
    Control,
    EventMessage,
    Heartbeat,
    State,
    decode,
    digest,
    encode,
)
from sdl.wire.topics import Topics, kind_in

NAME = "device"
ENDS = ("done", "failed", "unknown")
BEAT_S = 2.0
TICK_S = 0.005
"""Wall seconds between two looks at the loop's lag."""

_TOPICS = Topics("contract")


class ContractBench:
    """One device on one node, over as many lives of the node as a check needs."""

    def __init__(self, device: Device, limits: Mapping[str, Limit], patience_s: float) -> None:
        self.device = device
        self.seen = Seen()
        self.events: list[EventMessage] = []
        self.status = ""
        """What the instrument does, by the last word of this life of the node."""
        self.worst_lag_s = 0.0
        """How late the loop was at worst since this was last set to 0."""
        self._patience_s = patience_s
        self._broker = LocalBroker()
        self._journal = MemoryJournal("contract")
        instrument = Instrument(name=NAME, driver="device", simulated=False, limits=limits)
        self._lab = Lab(name="contract", instruments=(instrument,))
        self._bus = self._broker.client("orchestrator")
        self._births: list[Birth] = []
        self._numbers = itertools.count(1)
        self.died = False
        """Whether this life of the node is over."""
        self._line = self._broker.client("node")
        self._node: Node | None = None
        self._ours: set[asyncio.Task[None]] = set()
        self.cid = ""
        """Of the last command."""

    async def open(self) -> None:
        """Start to listen, and bring the node to life."""
        topics = (_TOPICS.event("+"), _TOPICS.birth("+"), _TOPICS.state("+"))
        await self._bus.subscribe(*topics)
        await self._bus.connect()
        for work in (self._listen(), self._beat(), self._measure()):
            self._ours.add(asyncio.create_task(work))
        await self.boot()

    async def boot(self) -> None:
        """A new life of the node over the same journal and the same device."""
        self._line = self._broker.client("node")
        self._births.clear()
        self.died, self.status = False, ""
        self._node = Node(
            lab=self._lab,
            folder=Path(),
            bus=self._line,
            clock=WallClock(),
            bench=Bench.instant(),
            journal=self._journal,
            heartbeat_s=None,
            build=lambda *_: hosted(self.device, self.seen),
        )
        await self._node.start()
        await self.until(lambda: bool(self._births), "the node's birth")

    async def kill(self) -> None:
        """End the node as ``kill -9`` would: nothing more of it reaches the world."""
        self._end()
        leftovers = asyncio.all_tasks() - self._ours - {asyncio.current_task()}
        for task in leftovers:
            task.cancel()
        if leftovers:
            await asyncio.wait(leftovers, timeout=self._patience_s)
        with suppress(Exception):  # what the operating system does for a dead process
            await self.device.disconnect()

    async def close(self) -> None:
        """End everything."""
        hook(None)
        await self.kill()
        for task in self._ours:
            task.cancel()
        if self._ours:
            await asyncio.wait(self._ours)

    def die_at(self, point: str) -> None:
        """Let this life of the node end when it passes a crash point."""

        def passing(name: str) -> None:
            if name == point:
                self._end()

        hook(passing)

    def die_in(self, action: str) -> None:
        """Let this life of the node end when it calls the driver for an action."""
        self.seen.on_entry[action] = self._end

    async def greet(self) -> None:
        """Let the node begin, and say again all that its journal holds."""
        birth = self._births[-1]
        await self.control("greet", boot=birth.boot, memory=birth.memory, from_seq=1)

    async def control(self, op: str, **fields: object) -> None:
        """Send a control message."""
        told = {"id": f"control-{next(self._numbers)}", "op": op, "epoch": 1, "journal": "contract"}
        await self._send(_TOPICS.control(NAME), Control.model_validate({**told, **fields}))

    async def send(self, operation: Operation, args: Mapping[str, JsonValue]) -> bytes:
        """Ask for an action; the message, to be sent again."""
        cid = f"try-{next(self._numbers)}"
        body = CommandMessage(
            journal="contract",
            memory=self._births[-1].memory,
            cid=cid,
            dev=NAME,
            op=operation.name,
            effect=operation.effect,
            args=dict(args),
            args_sha256=digest(dict(args)),
            run="run",
            step="step",
            attempt=1,
            epoch=1,
            issued_at=time.time(),
        )
        payload = encode(body)
        self.cid = cid
        await self.again(payload)
        return payload

    async def again(self, payload: bytes) -> None:
        """Deliver a command once more."""
        await self._bus.publish(_TOPICS.command(NAME), payload)

    def of(self, cid: str, *stages: str) -> list[EventMessage]:
        """What was heard of a command, those of some stages."""
        return [each for each in self.events if each.cid == cid and each.st in stages]

    async def end_of(self, cid: str, within_s: float | None = None) -> EventMessage:
        """Wait for the last word about a command."""
        await self.until(lambda: bool(self.of(cid, *ENDS)), "the end of the action", within_s)
        return self.of(cid, *ENDS)[-1]

    async def until(
        self, holds: Callable[[], bool], what: str, within_s: float | None = None
    ) -> None:
        """Wait for something. AssertionError if it does not come."""
        end = time.monotonic() + (within_s or self._patience_s)
        while not holds():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come in {within_s or self._patience_s:g} s")
            await asyncio.sleep(0.001)

    def _end(self) -> None:
        """Nothing of this life of the node reaches the world any more."""
        self.died = True
        self._line.drop()
        if self._node is not None:
            self._node.kill()

    async def _listen(self) -> None:
        async for message in self._bus.messages():
            match kind_in(message.topic):
                case "evt":
                    self.events.append(decode(EventMessage, message.payload))
                case "birth":
                    self._births.append(decode(Birth, message.payload))
                case "state":
                    self.status = decode(State, message.payload).status

    async def _beat(self) -> None:
        for number in itertools.count(1):
            beat = Heartbeat(boot="orchestrator", seq=number, monotonic=time.monotonic())
            await self._send(_TOPICS.orchestrator_heartbeat(), beat)
            await asyncio.sleep(BEAT_S)

    async def _measure(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK_S)
            self.worst_lag_s = max(self.worst_lag_s, time.monotonic() - before - TICK_S)

    async def _send(self, topic: str, body: Body) -> None:
        await self._bus.publish(topic, encode(body))


@asynccontextmanager
async def contract_bench(
    device: Device,
    *,
    patience_s: float,
    limits: Mapping[str, Limit] | None = None,
    greeted: bool = True,
) -> AsyncIterator[ContractBench]:
    """A node with this device; all ended with the block."""
    bench = ContractBench(device, limits or {}, patience_s)
    try:
        await bench.open()
        if greeted:
            await bench.greet()
        yield bench
    finally:
        await bench.close()
