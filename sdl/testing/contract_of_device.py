"""What a device keeps by itself: its life cycle, and that it refuses nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from inspect import isfunction

from sdl.capabilities import Device
from sdl.errors import SdlError
from sdl.model.action import Operation
from sdl.testing.arguments import nonsense
from sdl.testing.hosted import methods_of

PATIENCE_S = 10.0
"""Wall seconds for any one call."""


async def check_life_cycle(make: Callable[[], Device]) -> None:
    """It can be connected, disconnected and made safe twice and in any order."""
    device = make()
    await _in_time(device, "make_safe before connect", device.make_safe)
    await _in_time(device, "disconnect before connect", device.disconnect)
    for step in ("connect", "connect again after a disconnect"):
        await _in_time(device, step, device.connect)
        await _in_time(device, f"{step}, twice", device.connect)
        await _in_time(device, "make_safe", device.make_safe)
        await _in_time(device, "make_safe, twice", device.make_safe)
        await _in_time(device, "disconnect", device.disconnect)
        await _in_time(device, "disconnect, twice", device.disconnect)
    await _in_time(device, "make_safe after disconnect", device.make_safe)


async def check_nonsense(make: Callable[[], Device], operations: Mapping[str, Operation]) -> None:
    """What no instrument can do is refused with an error of ours, and hurts nobody."""
    device = make()
    await device.connect()
    try:
        for operation in operations.values():
            arguments = nonsense(operation)
            if arguments is not None:
                await _check_refused(device, operation.name, arguments)
    finally:
        await device.disconnect()


async def _in_time(device: Device, what: str, call: Callable[[], Awaitable[None]]) -> None:
    try:
        await asyncio.wait_for(call(), PATIENCE_S)
    except Exception as error:
        raise AssertionError(f"{_name(device)}: {what}: {type(error).__name__}: {error}") from error


async def _check_refused(device: Device, name: str, arguments: Mapping[str, object]) -> None:
    method = methods_of(type(device))[name]
    assert isfunction(method)
    what = f"{_name(device)}.{name}({arguments})"
    try:
        result = await asyncio.wait_for(method(device, **arguments), PATIENCE_S)
    except SdlError:
        return
    except Exception as error:
        raise AssertionError(
            f"{what} raised {type(error).__name__}: {error}; raise a DriverFault that says why"
        ) from error
    raise AssertionError(f"{what} returned {result!r}; it must be refused")


def _name(device: Device) -> str:
    return type(device).__name__
