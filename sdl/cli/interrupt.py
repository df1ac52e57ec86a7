"""Ctrl-C: once to stop in good order, twice to leave at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType
from typing import TypeVar

from sdl.cli.console import tell

T = TypeVar("T")


def run_until_stopped(work: Coroutine[object, object, T], stop: asyncio.Event, first: str) -> T:
    """Run ``work``; the first Ctrl-C sets ``stop`` and says ``first``, the second cancels it.

    The word to end (SIGTERM) counts as the first. KeyboardInterrupt after the second.
    """
    return asyncio.run(_supervised(work, stop, first))


async def _supervised(work: Coroutine[object, object, T], stop: asyncio.Event, first: str) -> T:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    hurried = False

    def asked() -> None:
        nonlocal hurried
        if not stop.is_set():
            tell(first)
            stop.set()
            return
        hurried = True
        task.cancel()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(asked)

    former = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        return await task
    except asyncio.CancelledError:
        if hurried:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, before in former.items():
            signal.signal(number, before)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
