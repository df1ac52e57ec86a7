"""The same commands without an engine: bus, node and journals alone, as a floor for the whole.

Each instrument gets its next command when its last result was heard. What is written is what a
campaign writes: intent before it is published, the words of the node after it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from near import PATIENCE_S, Near, near
from sdl.core.events import Event
from sdl.shell.record import Record
from sdl.shell.writer import Writer
from sdl.wire import mqtt
from sdl.wire.journal import Chain, Line
from sdl.wire.toml import open_lab
from ticker import spread_s

JOURNAL = "floor"


class Floor:
    """Chains of ticks with nobody who decides."""

    def __init__(self, end: Near, writer: Writer, pause_s: float) -> None:
        """``pause_s``: before each command."""
        self._end = end
        self._writer = writer
        self._pause_s = pause_s
        self._chain = Chain(JOURNAL)
        self._heard: dict[str, asyncio.Queue[list[Event]]] = {}
        self.answered_s: list[float] = []

    async def run(self, instruments: list[str], steps: int) -> float:
        """Commands per second of all of them together. ``steps``: of each instrument."""
        self._heard = {name: asyncio.Queue() for name in instruments}
        listening = asyncio.create_task(self._listen())
        began = time.perf_counter()
        await asyncio.gather(
            *(self._tick(name, number, steps) for number, name in enumerate(instruments))
        )
        rate = len(self.answered_s) / (time.perf_counter() - began)
        listening.cancel()
        return rate

    async def _tick(self, name: str, place: int, steps: int) -> None:
        words: list[Event] = []
        clock = self._end.clock
        for number in range(1, steps + 1):
            if self._pause_s > 0.0:
                await asyncio.sleep(spread_s(self._pause_s, place, number))
            perform = self._end.perform(name, f"floor/{name}/step-{number}", "tick")
            began = clock.now()
            await self._writer.append([*self._lines(words), self._chain.add(perform, began)])
            await self._end.send(perform)
            async with asyncio.timeout(PATIENCE_S):
                words = await self._heard[name].get()
            self.answered_s.append(words[-1].at - began)
        await self._writer.append(self._lines(words))

    def _lines(self, words: list[Event]) -> list[Line]:
        return [self._chain.add(word, word.at) for word in words]

    async def _listen(self) -> None:
        words: dict[str, list[Event]] = {name: [] for name in self._heard}
        async for name, heard in self._end.heard():
            words[name].append(mqtt.core_event(heard, self._end.clock.now()))
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
        end = await stack.enter_async_context(near(folder, url, JOURNAL))
        floor = Floor(end, writer, pause_s)
        rate = await floor.run([instrument.name for instrument in lab.instruments], steps)
    return rate, floor.answered_s[len(floor.answered_s) // 10 :]
