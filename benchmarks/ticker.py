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


def spread_s(pause_s: float, number: int, step: int) -> float:
    """A pause between half and one and a half of ``pause_s``, another one for each chain and step.

    Chains that all pause equally long are soon in step: whatever delays some of them once makes
    them come together for ever.
    """
    return pause_s * (0.5 + (0.618034 * number + 0.754878 * step) % 1.0)


async def chain(ticker: Ticker, steps: int, pause_s: float) -> None:
    """Steps one after the other, each asked for when the last one is done, or a pause later."""
    for _ in range(steps):
        await ticker.tick()
        if pause_s > 0.0:
            await settle(pause_s)


async def taking_turns(ticker: Ticker, number: int, steps: int, pause_s: float) -> None:
    """A chain among many of them, with pauses of its own; ``number``: which of them it is."""
    for step in range(steps):
        await settle(spread_s(pause_s, number, step))
        await ticker.tick()


async def side_by_side(tickers: Sequence[Ticker], steps: int, pause_s: float) -> Ticks:
    """A chain on each instrument at once."""
    if len(tickers) == 1:
        await chain(tickers[0], steps, pause_s)
    elif pause_s > 0.0:
        turns = (taking_turns(each, n, steps, pause_s) for n, each in enumerate(tickers))
        await together(*turns)
    else:
        await together(*(chain(each, steps, pause_s) for each in tickers))
    return Ticks(steps=float(steps * len(tickers)))
