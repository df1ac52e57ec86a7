"""The same commands without an engine: bus, node and journal alone, as a floor for the whole.

Each instrument gets its next command when its last result was heard. What is written is what a
campaign writes: intent before it is published, the words of the node after it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from sdl.core.commands import Perform
from sdl.core.events import Event
from sdl.shell.broker import write_secret
from sdl.shell.clock import WallClock
from sdl.shell.mqtt_bus import MqttBus
from sdl.shell.node_process import node_child
from sdl.shell.record import Record
from sdl.shell.writer import Writer
from sdl.wire import mqtt
from sdl.wire.journal import Chain, Line
from sdl.wire.toml import open_lab
from sdl.wire.topics import Topics, kind_in, name_in

JOURNAL = "floor"
PATIENCE_S = 10.0
"""Wall seconds without a word from the node after which it is not coming."""


class Floor:
    """Chains of ticks with nobody who decides."""

    def __init__(self, bus: MqttBus, writer: Writer, topics: Topics, pause_s: float) -> None:
        """``pause_s``: before each command."""
        self._bus = bus
        self._writer = writer
        self._topics = topics
        self._pause_s = pause_s
        self._clock = WallClock()
        self._chain = Chain(JOURNAL)
        self._boots: dict[str, asyncio.Future[str]] = {}
        self._heard: dict[str, asyncio.Queue[list[Event]]] = {}
        self.answered_s: list[float] = []

    async def run(self, instruments: list[str], steps: int) -> float:
        """Commands per second of all of them together. ``steps``: of each instrument."""
        loop = asyncio.get_running_loop()
        self._heard = {name: asyncio.Queue() for name in instruments}
        self._boots = {name: loop.create_future() for name in instruments}
        await self._bus.subscribe(self._topics.birth("+"), self._topics.event("+"))
        listening = asyncio.create_task(self._listen())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self._boots.values())
        began = time.perf_counter()
        await asyncio.gather(*(self._tick(name, steps) for name in instruments))
        rate = len(self.answered_s) / (time.perf_counter() - began)
        listening.cancel()
        return rate

    async def _tick(self, name: str, steps: int) -> None:
        words: list[Event] = []
        for number in range(1, steps + 1):
            if self._pause_s > 0.0:
                await asyncio.sleep(self._pause_s)
            step = f"floor/{name}/step-{number}"
            perform = Perform(
                cid=f"{step}/try-1",
                step=step,
                attempt=1,
                memory=self._boots[name].result(),
                instrument=name,
                operation="tick",
                effect="once",
                args={},
                not_after=None,
            )
            began = self._clock.now()
            await self._writer.append([*self._lines(words), self._chain.add(perform, began)])
            message = mqtt.command_message(
                perform, epoch=1, issued_at=self._clock.now(), journal=JOURNAL
            )
            await self._bus.publish(self._topics.command(name), mqtt.encode(message))
            async with asyncio.timeout(PATIENCE_S):
                words = await self._heard[name].get()
            self.answered_s.append(words[-1].at - began)
        await self._writer.append(self._lines(words))

    def _lines(self, words: list[Event]) -> list[Line]:
        return [self._chain.add(word, word.at) for word in words]

    async def _listen(self) -> None:
        words: dict[str, list[Event]] = {name: [] for name in self._heard}
        async for message in self._bus.messages():
            name = name_in(message.topic)
            if kind_in(message.topic) == "birth":
                self._boots[name].set_result(mqtt.decode(mqtt.Birth, message.payload).boot)
                continue
            heard = mqtt.decode(mqtt.EventMessage, message.payload)
            words[name].append(mqtt.core_event(heard, self._clock.now()))
            if heard.st not in {"accepted", "started"}:
                self._heard[name].put_nowait(words[name])
                words[name] = []


async def run_floor(
    folder: Path, url: str, steps: int, pause_s: float
) -> tuple[float, list[float]]:
    """Commands per second, and the seconds from each intent to its result.

    ``folder`` holds the lab of tickers; ``steps``: of each instrument. ``pause_s``: before each
    command.
    """
    lab = open_lab(folder / "lab.toml").lab
    async with AsyncExitStack() as stack:
        record = Record.open(f"sqlite:///{folder / 'floor.sqlite'}")
        stack.callback(record.close)
        writer = Writer(record)
        stack.callback(writer.close)
        secret = folder / "floor.url"
        write_secret(secret, url)
        node = node_child(lab, folder, run_folder=folder / "floor", broker_file=secret)
        stack.push_async_callback(node.stop)
        await node.start()
        bus = MqttBus(url, "bench-floor")
        stack.push_async_callback(bus.aclose)
        await bus.connect()
        floor = Floor(bus, writer, Topics(lab.name), pause_s)
        rate = await floor.run([instrument.name for instrument in lab.instruments], steps)
    return rate, floor.answered_s[len(floor.answered_s) // 10 :]
