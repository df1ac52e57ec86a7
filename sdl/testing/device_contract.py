"""What every driver and simulator has to keep, as one call in a lab's own test file.

Run it against a simulator, or a driver on a fake line: it calls every action with nonsense.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping

from sdl.capabilities import BUILT_IN, Device
from sdl.errors import SdlError
from sdl.model.action import Operation, operations_of
from sdl.model.labware import Well

PATIENCE_S = 10.0
"""Wall seconds for any one call."""


async def device_contract(make: Callable[[], Device]) -> None:
    """Raise AssertionError with what is broken, for a device made afresh by ``make``.

    It can be made safe and disconnected at any time, connected twice and again after a
    disconnect; its actions have the types of their capability; nonsense is refused with an error
    of ours, and the device still answers afterwards.
    """
    await _check_life_cycle(make)
    offered = offered_by(type(make()))
    assert offered, f"{_name(make())} offers no action: it fits none of the capabilities"
    device = make()
    await device.connect()
    try:
        for operation in offered.values():
            await _check_nonsense_is_refused(device, operation)
    finally:
        await device.disconnect()


def offered_by(kind: type) -> Mapping[str, Operation]:
    """The actions of a driver class: its own ``@action`` methods and those of the capabilities it fits.

    AssertionError if a method has an action's name but not its arguments and result.
    """
    found = dict(operations_of(kind))
    for capability in BUILT_IN:
        operations = operations_of(capability)
        if all(inspect.iscoroutinefunction(vars(kind).get(name)) for name in operations):
            for name, operation in operations.items():
                _check_signature(kind, capability, operation)
                found.setdefault(name, operation)
    return found


def _check_signature(kind: type, capability: type, operation: Operation) -> None:
    method = vars(kind)[operation.name]
    annotations = inspect.get_annotations(method, eval_str=True)
    result = annotations.pop("return", None)
    wanted = f"{capability.__name__}.{operation.name} in sdl.capabilities"
    assert annotations == dict(operation.parameters), (
        f"{kind.__name__}.{operation.name} takes {annotations}, unlike {wanted}"
    )
    assert result == operation.returns, (
        f"{kind.__name__}.{operation.name} returns {result}, unlike {wanted}"
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
    method = vars(type(device))[operation.name]
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
