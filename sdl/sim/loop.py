"""Virtual time: an event loop whose clock jumps to the next moment at which something is due.

No socket, thread or signal takes part, so the order of everything follows from the program alone
and hours pass in milliseconds.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

from sdl.errors import Bug

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Waits for nothing: where a real selector would sleep, it moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Bug("everything waits and nothing is due: the simulation stands still")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time; starts at 0 seconds."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._clock_resolution = 1e-9

    @classmethod
    def running(cls) -> VirtualLoop:
        """The loop that runs this code. Bug if it is a real one."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, cls):
            raise Bug("this works in virtual time only")
        return loop

    def time(self) -> float:
        return self._jump.now


def run_virtually(work: Coroutine[object, object, T]) -> T:
    """Run to the end in virtual time, then cancel what is left over."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
