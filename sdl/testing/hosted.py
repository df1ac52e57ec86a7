"""A device as a node has it in a test: every call is counted."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from types import FunctionType
from typing import cast

from sdl.capabilities import Device
from sdl.shell.plugins import Loaded

Method = Callable[..., Coroutine[object, object, object]]


def methods_of(kind: type) -> dict[str, object]:
    """All that stands in a class and its parents, by name."""
    return {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}


class Seen:
    """What was seen of one device, over all lives of its node."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        """Times that the driver was called, by method."""
        self.running: Counter[str] = Counter()
        """Calls that have not ended."""
        self.raised: list[tuple[str, BaseException]] = []
        self.entered = asyncio.Event()
        """Set when a method is called."""
        self.on_entry: dict[str, Callable[[], None]] = {}
        """What to do when a method is called, by its name."""

    async def watch(self, name: str, call: Awaitable[object]) -> object:
        """Await a call of the driver, and count it."""
        self.calls[name] += 1
        self.running[name] += 1
        self.entered.set()
        if name in self.on_entry:
            self.on_entry.pop(name)()
        try:
            return await call
        except Exception as error:
            self.raised.append((name, error))
            raise
        finally:
            self.running[name] -= 1


def hosted(device: Device, seen: Seen) -> tuple[Device, Loaded]:
    """A stand-in that passes every call on; its class offers what the device's own offers."""
    kind = type(device)
    members: dict[str, object] = {
        name: _through(name, cast("Method", method), device, seen)
        for name, method in methods_of(kind).items()
        if isinstance(method, FunctionType) and inspect.iscoroutinefunction(method)
    }
    stand_in = cast("Device", type(kind.__name__, (), members)())
    return stand_in, Loaded(reference=kind.__name__, value=type(stand_in), sha256="", version="")


def _through(name: str, method: Method, device: Device, seen: Seen) -> Method:
    @wraps(method)
    async def call(_: object, *args: object, **kwargs: object) -> object:
        return await seen.watch(name, method(device, *args, **kwargs))

    return call
