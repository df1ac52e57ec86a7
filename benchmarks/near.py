"""The orchestrator's end of the bus with nobody who decides: greets nodes, sends, and listens."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sdl.core.commands import Perform
from sdl.model.data import JsonValue
from sdl.shell.broker import write_secret
from sdl.shell.clock import WallClock
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_child import node_child
from sdl.wire import mqtt
from sdl.wire.toml import open_lab
from sdl.wire.topics import Topics, kind_in, name_in

PATIENCE_S = 60.0
"""Wall seconds without a word from the node after which it is not coming."""
HEARTBEAT_S = 2.0
EPOCH = 1


class Near:
    """One lab's instruments, as whoever commands them sees them."""

    def __init__(self, bus: MqttBus, topics: Topics, journal: str) -> None:
        self.bus = bus
        self.topics = topics
        self.journal = journal
        self.clock = WallClock()
        self._memories: dict[str, str] = {}
        self._boot = secrets.token_hex(8)
        self._beating: asyncio.Task[None] | None = None

    async def open(self, instruments: list[str]) -> None:
        """Connect, say that there is an orchestrator, and greet every instrument."""
        await self.bus.subscribe(self.topics.birth("+"), self.topics.event("+"))
        await self.bus.connect()
        status = mqtt.Status(boot=self._boot, epoch=EPOCH, online=True, at=self.clock.now())
        await self.bus.publish(self.topics.orchestrator_status(), mqtt.encode(status), retain=True)
        self._beating = asyncio.create_task(self._beat())
        async with asyncio.timeout(PATIENCE_S):
            async for message in self.bus.messages():
                if kind_in(message.topic) == "birth":
                    await self._greet(mqtt.decode(mqtt.Birth, message.payload))
                if self._memories.keys() >= set(instruments):
                    return

    async def _greet(self, birth: mqtt.Birth) -> None:
        self._memories[birth.dev] = birth.memory
        await self.control(birth.dev, "greet", boot=birth.boot)

    async def control(self, instrument: str, op: str, boot: str = "") -> None:
        """Send a control message: ``greet``, ``stop``, ``release``."""
        message = mqtt.Control.model_validate(
            {"id": secrets.token_hex(4), "op": op, "epoch": EPOCH, "boot": boot}
        )
        await self.bus.publish(self.topics.control(instrument), mqtt.encode(message))

    def perform(self, instrument: str, step: str, operation: str, **args: JsonValue) -> Perform:
        """A command of class *once*, as an engine would decide on it."""
        return Perform(
            cid=f"{step}/try-1",
            step=step,
            attempt=1,
            memory=self._memories[instrument],
            instrument=instrument,
            operation=operation,
            effect="once",
            args=args,
            not_after=None,
        )

    async def send(self, perform: Perform) -> None:
        """Command it."""
        message = mqtt.command_message(
            perform, epoch=EPOCH, issued_at=self.clock.now(), journal=self.journal
        )
        await self.bus.publish(self.topics.command(perform.instrument), mqtt.encode(message))

    async def heard(self) -> AsyncIterator[tuple[str, mqtt.EventMessage]]:
        """What instruments say, with their names."""
        async for message in self.bus.messages():
            if kind_in(message.topic) == "evt":
                yield name_in(message.topic), mqtt.decode(mqtt.EventMessage, message.payload)

    async def aclose(self) -> None:
        """Close the line."""
        if self._beating is not None:
            self._beating.cancel()
        await self.bus.aclose()

    async def _beat(self) -> None:
        seq = 0
        while True:
            seq += 1
            beat = mqtt.Heartbeat(boot=self._boot, seq=seq, monotonic=time.monotonic())
            await self.bus.publish(self.topics.orchestrator_heartbeat(), mqtt.encode(beat), qos=0)
            await asyncio.sleep(HEARTBEAT_S)


@asynccontextmanager
async def near(folder: Path, url: str, name: str) -> AsyncIterator[Near]:
    """A node process for the lab in ``folder``, and this end of its bus, greeted.

    ``name``: of the journal that its commands stand in, and of the folder for its files.
    """
    lab = open_lab(folder / "lab.toml").lab
    async with AsyncExitStack() as stack:
        secret = folder / f"{name}.url"
        write_secret(secret, url)
        node = node_child(lab, folder, run_folder=folder / name, broker_file=secret)
        stack.push_async_callback(node.stop)
        await node.start()
        end = Near(MqttBus(url, f"bench-{name}"), Topics(lab.name), name)
        stack.push_async_callback(end.aclose)
        await end.open([instrument.name for instrument in lab.instruments])
        yield end
