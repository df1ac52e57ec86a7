"""An instrument that does nothing but say when: what is left is the runtime's own time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sdl import Capability, action, settle, together
from sdl.sim import Bench


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """What a run of chains gives."""

    steps: float


async def chain(ticker: Ticker, steps: int, pause_s: float, phase: float = 0.0) -> None:
    """Steps one after the other, each asked for when the last one is done, or a pause later.

    ``phase``: part of a pause by which it begins later than others.
    """
    if pause_s * phase > 0.0:
        await settle(pause_s * phase)
    for _ in range(steps):
        await ticker.tick()
        if pause_s > 0.0:
            await settle(pause_s)


async def side_by_side(tickers: Sequence[Ticker], steps: int, pause_s: float) -> Ticks:
    """A chain on each instrument at once; where they pause, spread over the first pause."""
    count = len(tickers)
    if count == 1:
        await chain(tickers[0], steps, pause_s)
    else:
        chains = (chain(t, steps, pause_s, number / count) for number, t in enumerate(tickers))
        await together(*chains)
    return Ticks(steps=float(steps * len(tickers)))
