"""The clock of the lab, in seconds since 1970 (UTC): real, sped up, or virtual."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Lab time. All that waits in the runtime, a node or a simulator waits on one of these."""

    def now(self) -> float:
        """Lab seconds since 1970 (UTC); never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that many lab seconds."""
        ...


class LoopedClock(Clock, Protocol):
    """A clock that can say how its seconds relate to the event loop's."""

    def loop_s(self, seconds: float) -> float:
        """How long that many lab seconds are on the event loop's own clock."""
        ...


class WallClock:
    """Real time, or real time sped up for a lab in which everything is simulated."""

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        """``speed``: lab seconds per wall second. ``start``: lab time now; the wall's if None."""
        self.speed = speed
        self._start = time.time() if start is None else start
        self._origin = _awake_or_asleep()

    def now(self) -> float:
        return self._start + (_awake_or_asleep() - self._origin) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.loop_s(seconds))

    def loop_s(self, seconds: float) -> float:
        return seconds / self.speed


def _awake_or_asleep() -> float:
    """Wall seconds that nobody can set; on Linux those count in which the machine was asleep."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    else:  # noqa: RET505 -- a type checker sees the other branch on the other systems
        return time.monotonic()


class LoopClock:
    """The running loop's own time: with a virtual loop, hours pass in milliseconds."""

    def __init__(self, loop_time: Callable[[], float], start: float = 0.0) -> None:
        self._loop_time = loop_time
        self._start = start

    def now(self) -> float:
        return self._start + self._loop_time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def loop_s(self, seconds: float) -> float:
        return seconds
