"""What every driver and simulator has to keep, as one call in a lab's own test file.

Run it against a simulator, or a driver on a fake line: it calls every action with nonsense.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import get_type_hints

from sdl.capabilities import BUILT_IN, Device
from sdl.errors import SdlError
from sdl.model.action import Operation, operations_of
from sdl.model.labware import Well
from sdl.shell.offered import offered_by

PATIENCE_S = 10.0
"""Wall seconds for any one call."""


async def device_contract(make: Callable[[], Device]) -> None:
    """Raise AssertionError with what is broken, for a device made afresh by ``make``.

    It can be made safe and disconnected at any time, connected twice and again after a
    disconnect; its actions have the types of their capability; nonsense is refused with an error
    of ours, and the device still answers afterwards.
    """
    await _check_life_cycle(make)
    kind = type(make())
    _check_signatures(kind)
    offered = offered_by(kind)
    assert offered, f"{kind.__name__} offers no action: it fits none of the capabilities"
    device = make()
    await device.connect()
    try:
        for operation in offered.values():
            if not operation.parameters:
                continue  # nothing to refuse
            await _check_nonsense_is_refused(device, operation)
    finally:
        await device.disconnect()


def _methods(kind: type) -> dict[str, object]:
    return {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}


def _check_signatures(kind: type) -> None:
    """A method that has an action's name has its arguments and its result as well."""
    methods = _methods(kind)
    for contract in BUILT_IN:
        operations = operations_of(contract)
        for name in operations if all(name in methods for name in operations) else ():
            method = methods[name]
            assert inspect.iscoroutinefunction(method), f"{kind.__name__}.{name} is no 'async def'"
            own, wanted = get_type_hints(method), get_type_hints(vars(contract)[name])
            assert own == wanted, (
                f"{kind.__name__}.{name} has the types {own}, "
                f"unlike {contract.__name__}.{name} in sdl.capabilities: {wanted}"
            )


async def _check_life_cycle(make: Callable[[], Device]) -> None:
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


async def _in_time(device: Device, what: str, call: Callable[[], Awaitable[None]]) -> None:
    try:
        await asyncio.wait_for(call(), PATIENCE_S)
    except Exception as error:
        raise AssertionError(f"{_name(device)}: {what}: {type(error).__name__}: {error}") from error


async def _check_nonsense_is_refused(device: Device, operation: Operation) -> None:
    method = _methods(type(device))[operation.name]
    assert inspect.isfunction(method)
    arguments = {name: _nonsense(kind) for name, kind in operation.parameters.items()}
    what = f"{_name(device)}.{operation.name}({arguments})"
    try:
        result = await asyncio.wait_for(method(device, **arguments), PATIENCE_S)
    except SdlError:
        return
    except Exception as error:
        raise AssertionError(
            f"{what} raised {type(error).__name__}: {error}; raise a DriverFault that says why"
        ) from error
    raise AssertionError(f"{what} returned {result!r}; it must be refused")


def _nonsense(kind: object) -> object:
    """A value of the right type that no instrument can make sense of."""
    values: dict[object, object] = {
        Well: Well("no-such-plate", "Z99"),
        float: float("nan"),
        int: -1,
        str: "no such thing",
    }
    return values.get(kind, {"no-such-thing": -1.0})


def _name(device: Device) -> str:
    return type(device).__name__
