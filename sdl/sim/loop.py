"""Virtual time: an event loop whose clock jumps to the next moment at which something is due.

No socket, thread or signal takes part, so the order of everything follows from the program alone
and hours pass in milliseconds. Each step belongs to a ``Life``: those of the dead are left out,
those of the frozen wait.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import Context
from typing import TypeVar, TypeVarTuple

from sdl.errors import Bug
from sdl.sim.life import Life, life_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Nothing(selectors.SelectSelector):
    """Watches nothing."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        del timeout
        return []


class _Timer(asyncio.TimerHandle):
    """Of two that are due at one moment, the one that was asked for first comes first.

    In asyncio's own heap their order depends on what else is in it, and so, by the timers of what
    only a person sees, on the wall clock.
    """

    __slots__ = ("due", "number")

    due: float
    number: int

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Timer):
            return NotImplemented
        return (self.due, self.number) < (other.due, other.number)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time; starts at 0 seconds."""

    # What asyncio's own loop keeps there, and type stubs do not tell.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool

    def __init__(self) -> None:
        self._now = 0.0
        self._number = 0
        """Timers so far."""
        super().__init__(_Nothing())
        self.tasks: list[asyncio.Task[object]] = []
        """All that were ever made: a dead life's code must not run, not even to be tidied up."""
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]

    @classmethod
    def running(cls) -> VirtualLoop:
        """The loop that runs this code. Bug if it is a real one."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, cls):
            raise Bug("this works in virtual time only")
        return loop

    def time(self) -> float:
        return self._now

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        self._number += 1
        timer.due, timer.number = when, self._number
        heapq.heappush(self._scheduled, timer)
        return timer

    def thaw(self, life: Life) -> None:
        """Let a frozen life go on with all that was due meanwhile."""
        self._ready.extend(life.thaw())

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Done at once, in this very thread: what takes wall time takes no virtual time."""
        del executor
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is whoever waits for it that must know
            done.set_exception(error)
        return done

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[object, object, T],
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        task = asyncio.Task(work, loop=loop, context=context)
        self.tasks.append(task)
        return task

    def _run_once(self) -> None:
        """One round: what is due now, in the order in which it came to be."""
        ready, scheduled = self._ready, self._scheduled
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)
        if not ready and not self._stopping:
            if not scheduled:
                raise Bug("everything waits and nothing is due: the simulation stands still")
            self._now = max(self._now, scheduled[0].when())
        while scheduled and scheduled[0].when() <= self._now:
            ready.append(heapq.heappop(scheduled))
        for _ in range(len(ready)):
            handle = ready.popleft()
            life = life_of(handle._context)  # type: ignore[attr-defined]  # noqa: SLF001
            if handle.cancelled() or (life is not None and life.dead):
                continue
            if life is not None and life.frozen:
                life.held.append(handle)
            else:
                handle._run()  # noqa: SLF001


def run_virtually(work: Coroutine[object, object, T]) -> T:
    """Run to the end in virtual time, then cancel what is left over."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def run_and_forget(work: Coroutine[object, object, T]) -> T:
    """Run to the end in virtual time, then throw the rest away as it stands.

    For what has dead lives in it: not one line of theirs runs, not even to tidy up.
    """
    loop = VirtualLoop()
    gc.disable()  # it would close coroutines of the dead
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work)
    finally:
        _forget(loop)
        gc.enable()


def _forget(loop: VirtualLoop) -> None:
    loop.set_exception_handler(lambda _loop, _context: None)
    for task in loop.tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
        if not task.done():
            with suppress(BaseException):
                task.get_coro().close()
        elif not task.cancelled():
            task.exception()
    asyncio.set_event_loop(None)
    loop.close()
