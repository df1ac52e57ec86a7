"""Vendor code that blocks: in a thread, or in a process of its own that may die.

A driver lives in the node's event loop together with all others. A call that blocks it for long
stops everything, heartbeats too; so blocking libraries are called through these.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import ParamSpec, TypeVar, cast

from sdl.errors import DriverFault, OutcomeUnknown, said

P = ParamSpec("P")
T = TypeVar("T")

GRACE_S = 1.0
"""Wall seconds that a vendor's process may take to end by itself."""


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what blocks, in a thread of its own, and return what it returns.

    A thread cannot be ended from outside. Where this is cancelled it goes on until the call is
    over, so that the node knows that the instrument may still be moving. OutcomeUnknown if the
    call wants to end the whole process.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever called
            done.set_exception(error)

    # Not the loop's pool: that would wait at the end for a call which never returns.
    threading.Thread(target=run, name=f"vendor-{_name(function)}", daemon=True).start()
    waiting = asyncio.wrap_future(done)
    cancelled = False
    while not waiting.done():
        try:
            await asyncio.wait((waiting,))
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        waiting.exception()
        raise asyncio.CancelledError
    error = waiting.exception()
    if error is not None and not isinstance(error, Exception):
        raise OutcomeUnknown(
            f"{_name(function)} ended with {type(error).__name__} in its thread; "
            "nobody can say whether it had acted"
        ) from error
    return waiting.result()


class VendorProcess:
    """One child process in which a vendor's library lives; its calls come one after the other.

    What crashes, leaks or hangs there does not reach the node. Functions are named, so they have
    to stand at the top of a module; what they keep between calls they keep in that module.
    """

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None
        self._turn = asyncio.Lock()

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call it there. The process is started at the first call, and again after its death.

        Raises what the function raises; DriverFault where that cannot travel. OutcomeUnknown if
        the process dies meanwhile, or is ended because this was cancelled in mid-call.
        """
        async with self._turn:
            line, loop = self._started(), asyncio.get_running_loop()
            answer: asyncio.Future[tuple[bool, object]] = loop.create_future()
            number = line.fileno()
            loop.add_reader(number, _read, line, answer)
            try:
                line.send((function, args, kwargs))
                ended, value = await answer
            except (EOFError, OSError) as error:
                self._end()
                raise OutcomeUnknown(
                    f"the process that called {_name(function)} died; "
                    "nobody can say whether it had acted"
                ) from error
            except asyncio.CancelledError:
                self._end()
                raise
            finally:
                loop.remove_reader(number)
        if ended:
            return cast("T", value)
        raise cast("Exception", value)

    async def aclose(self) -> None:
        """End the process; safe to call twice."""
        self._end()

    def _started(self) -> Connection:
        if self._line is None:
            context = multiprocessing.get_context("spawn")
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._line

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.join(GRACE_S)
        self._line = self._process = None


def _read(line: Connection, answer: asyncio.Future[tuple[bool, object]]) -> None:
    if answer.done():
        return
    try:
        answer.set_result(line.recv())
    except (EOFError, OSError) as error:
        answer.set_exception(error)


def _serve(line: Connection) -> None:
    """The child's side: do what is asked until the line closes."""
    while True:
        try:
            function, args, kwargs = line.recv()
        except (EOFError, OSError):
            return
        line.send(_answered(function, args, kwargs))


def _answered(
    function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[bool, object]:
    """Whether it returned, and what; else what it raised."""
    try:
        return True, function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever called
        if type(error).__module__ in {"builtins", "sdl.errors"}:
            return False, error
        return False, DriverFault(f"{type(error).__name__}: {said(error)}")


def _name(function: Callable[..., object]) -> str:
    if isinstance(function, FunctionType | MethodType | BuiltinFunctionType):
        return function.__qualname__
    return type(function).__name__
