"""An instrument that does nothing but say when: what is left is the runtime's own time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sdl import Capability, action, protocol, together
from sdl.sim import Bench

STEPS = 20


class Ticker(Capability, Protocol):
    """Says when its action started."""

    @action("once")
    async def tick(self) -> float:
        """Seconds on the machine's monotonic clock, which all processes share."""
        ...


class SimulatedTicker:
    """Acts in no time at all."""

    def __init__(self, *, name: str, bench: Bench) -> None:
        self.name = name
        self.bench = bench

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing moves."""

    @action("once")
    async def tick(self) -> float:
        return time.monotonic()


@dataclass(frozen=True)
class Ticks:
    """What a run of chains gives."""

    steps: float


async def chain(ticker: Ticker) -> None:
    """Twenty steps, each asked for when the last one is done."""
    for _ in range(STEPS):
        await ticker.tick()


@protocol
async def one_chain(t0: Ticker, *, x: int) -> Ticks:
    """One chain on one instrument."""
    await chain(t0)
    return Ticks(float(STEPS + 0 * x))


async def side_by_side(tickers: Sequence[Ticker]) -> Ticks:
    """A chain on each instrument at once."""
    await together(*(chain(ticker) for ticker in tickers))
    return Ticks(float(STEPS * len(tickers)))


@protocol
async def ten_chains(
    t0: Ticker,
    t1: Ticker,
    t2: Ticker,
    t3: Ticker,
    t4: Ticker,
    t5: Ticker,
    t6: Ticker,
    t7: Ticker,
    t8: Ticker,
    t9: Ticker,
    *,
    x: int,
) -> Ticks:
    """Ten chains on ten instruments."""
    assert x >= 0
    return await side_by_side((t0, t1, t2, t3, t4, t5, t6, t7, t8, t9))
