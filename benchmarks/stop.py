"""From *stop everything* to every driver's ``make_safe``, with 1,000 commands before it.

A real node process with ten instruments on a real Mosquitto, its journal on. Each instrument is
sent 100 commands, of which the first one never ends by itself. Then the whole lab is told to stop,
on its own topic: once all commands are accepted and wait at the node, or right behind the last of
them, while the broker and the node are still busy with their load. Measured to the last of the ten
drivers' ``make_safe``, by the machine's monotonic clock, and to the last word that it was done.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypedDict

from common import arguments, beside, machine, percentile, say, write_json
from near import Near, near
from sdl.testing.servers import mosquitto
from sdl.wire import mqtt

HOLDER = Path(__file__).with_name("holder.py")
INSTRUMENTS, QUEUED = 10, 100
AIM = {"safe_p99_ms": 100.0}
PATIENCE_S = 60.0
LAB = '[lab]\nname = "holders"\nbroker = "{url}"\n'
INSTRUMENT = '[instruments.{name}]\nsimulator = "{holder}:SimulatedHolder"\ntold = "{told}"\n'
TERMINAL = {"done", "failed", "unknown"}


class Result(TypedDict):
    """One way to come behind 1,000 commands."""

    when: str
    tries: int
    safe_p50_ms: float
    safe_p99_ms: float
    safe_max_ms: float
    told_p50_ms: float
    told_p99_ms: float


class Holders:
    """Fills a node with commands, and stops it."""

    def __init__(self, end: Near, names: list[str], told: Path) -> None:
        """``told``: what the drivers write into when they are made safe."""
        self._end = end
        self._names = names
        self._told = told
        self._heard: AsyncIterator[tuple[str, mqtt.EventMessage]] = end.heard()
        self._number = 0

    async def stop_once(self, *, at_rest: bool) -> tuple[float, float]:
        """Seconds from the stop until the last driver was called, and until the last word of it.

        ``at_rest``: the commands are all accepted before; else they are still coming in.
        """
        self._told.write_text("", encoding="utf-8")
        cids = await self._fill()
        ended: set[str] = set()
        if at_rest:
            await self._until_accepted(set(cids), ended)
        began = time.monotonic()
        stop = mqtt.StopAll(id=f"stop-{self._number}", by="benchmark")
        await self._end.bus.publish(self._end.topics.stop_all(), mqtt.encode(stop))
        told = await self._until_safe(cids, ended)
        moments = [float(line.split()[1]) for line in self._told.read_text().splitlines()]
        assert len(moments) >= len(self._names), "not every driver was made safe"
        for name in self._names:
            await self._end.control(name, "release")
        return max(moments) - began, told - began

    async def _fill(self) -> set[str]:
        self._number += 1
        cids = set()
        for place in range(QUEUED):
            for name in self._names:
                step = f"stop-{self._number}/{name}/step-{place}"
                perform = self._end.perform(name, step, "hold")
                await self._end.send(perform)
                cids.add(perform.cid)
        return cids

    async def _until_accepted(self, cids: set[str], ended: set[str]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            async for _, word in self._heard:
                cids.discard(word.cid)
                if word.st in TERMINAL:
                    ended.add(word.cid)
                if not cids:
                    return

    async def _until_safe(self, cids: set[str], ended: set[str]) -> float:
        """When the last instrument said that it is safe; returns once every command has an end."""
        safe: dict[str, float] = {}
        async with asyncio.timeout(PATIENCE_S):
            async for name, word in self._heard:
                if word.st == "made_safe":
                    safe.setdefault(name, time.monotonic())
                elif word.st in TERMINAL:
                    ended.add(word.cid)
                if len(safe) == len(self._names) and ended >= cids:
                    break
        return max(safe.values())


async def measure(folder: Path, url: str, tries: int, *, at_rest: bool) -> Result:
    """Stop a node so many times."""
    names, told = [f"h{number}" for number in range(INSTRUMENTS)], folder / "told.txt"
    instruments = [INSTRUMENT.format(name=name, holder=HOLDER, told=told) for name in names]
    (folder / "lab.toml").write_text("\n".join((LAB.format(url=url), *instruments)))
    safe_ms, told_ms = [], []
    async with near(folder, url, "at-rest" if at_rest else "behind") as end:
        holders = Holders(end, names, told)
        for _ in range(tries):
            safe_s, told_s = await holders.stop_once(at_rest=at_rest)
            safe_ms.append(1e3 * safe_s)
            told_ms.append(1e3 * told_s)
    return Result(
        when="1,000 commands wait at the node" if at_rest else "right behind 1,000 commands",
        tries=tries,
        safe_p50_ms=percentile(safe_ms, 50),
        safe_p99_ms=percentile(safe_ms, 99),
        safe_max_ms=max(safe_ms),
        told_p50_ms=percentile(told_ms, 50),
        told_p99_ms=percentile(told_ms, 99),
    )


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--tries", type=int, default=100)
    chosen = parser.parse_args()
    before, results = machine(), []
    for at_rest in (True, False):
        with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as url:
            say("at rest ..." if at_rest else "behind them ...")
            results.append(asyncio.run(measure(Path(name), url, chosen.tries, at_rest=at_rest)))
    if chosen.json:
        write_json({"machine": before, "aim": AIM, "results": results})
        return
    print(before)
    for one in results:
        aim = beside(one["safe_p99_ms"], "at most", AIM["safe_p99_ms"])
        print(f"{one['when']}; {one['tries']} tries")
        print(
            f"  to the last make_safe  p50 {one['safe_p50_ms']:.1f} ms  "
            f"p99 {one['safe_p99_ms']:.1f} ms {aim}  worst {one['safe_max_ms']:.1f} ms"
        )
        print(
            f"  to the last word of it p50 {one['told_p50_ms']:.1f} ms  "
            f"p99 {one['told_p99_ms']:.1f} ms"
        )


if __name__ == "__main__":
    main()
