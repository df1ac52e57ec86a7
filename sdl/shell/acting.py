"""The one call of a driver that an instrument may be about, its end, and what was given up on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sdl.authoring import Underway
from sdl.capabilities import Device
from sdl.shell.action_call import CANCEL_S, Outcome, call
from sdl.shell.clock import Clock
from sdl.shell.job import Job
from sdl.shell.node_journal_pen import Pen

FINISH_S = 2.0
"""Loop seconds that an action under way may take to end after everything was made safe."""
LAST_WORDS_S = 2.0
"""Loop seconds that a stop waits for the journal, where that cannot be written."""


class Acting:
    """At most one action at a time."""

    def __init__(self, device: Callable[[], Device], clock: Clock, pen: Pen) -> None:
        self._device = device
        self._clock = clock
        self._pen = pen
        self._over = asyncio.Event()
        self._over.set()
        self._leftover: asyncio.Task[object] | None = None

    @property
    def is_going(self) -> bool:
        """Whether a driver is at it."""
        return not self._over.is_set()

    @property
    def is_left(self) -> bool:
        """Whether one that was given up on may still go on."""
        return self._leftover is not None and not self._leftover.done()

    async def do(self, job: Job) -> Outcome:
        """Have the driver do it; what became of that."""
        assert job.operation is not None, f"{job.id.cid} was not understood"
        now = Underway(job.key, partial(self._pen.note, job.id))
        self._over.clear()
        try:
            outcome = await call(self._device(), job.operation, job.arguments, self._clock, now)
        finally:
            self._over.set()
        if self._pen.dead:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        while task is not None and task.cancelling():  # that was for the action, and is done
            task.uncancel()
        self._leftover = outcome.leftover
        return outcome

    async def end(self, worker: asyncio.Task[None] | None) -> None:
        """Let it end, or have it given up. ``worker`` does it, and then tells of it."""
        if worker is None:
            return
        with suppress(TimeoutError):  # not for its word: it waits behind those of a full queue
            async with asyncio.timeout(FINISH_S):
                await self._over.wait()
        if self.is_going:
            worker.cancel()
            await asyncio.wait((worker,), timeout=CANCEL_S + LAST_WORDS_S)
