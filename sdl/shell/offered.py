"""What a driver's class offers: its own ``@action`` methods, and the contracts that it fits."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

from sdl.capabilities import BUILT_IN
from sdl.errors import UserMistake
from sdl.model.action import Declared, Operation, operation_of, operations_of
from sdl.model.lab import Instrument, Limit
from sdl.wire.mqtt import OfferedAction


@lru_cache(maxsize=256)  # a lab may have a thousand instruments of one kind
def offered_by(kind: type) -> Mapping[str, Operation]:
    """All actions of a driver's class, by name.

    A class without marks of its own offers each built-in contract all of whose methods it has;
    effect and time-out are then the contract's, the types the driver's own where it has them.
    """
    methods = {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}
    found: dict[str, Operation] = {}
    for contract in BUILT_IN:
        wanted = operations_of(contract)
        if all(callable(methods.get(name)) for name in wanted):
            found.update({name: _own(methods[name], each) for name, each in wanted.items()})
    return {**found, **operations_of(kind)}


def _own(method: object, contract: Operation) -> Operation:
    if not callable(method):
        return contract
    try:
        own = operation_of(method, Declared(contract.effect, contract.timeout_s))
    except (UserMistake, NameError, TypeError):  # not annotated, or for type checkers only
        return contract
    return own if set(own.parameters) == set(contract.parameters) else contract


def offered_action(operation: Operation) -> OfferedAction:
    """An action as the birth document tells it."""
    return OfferedAction(
        name=operation.name,
        effect=operation.effect,
        probe=bool(operation.probe),
        timeout_s=operation.timeout_s,
        arguments={
            "type": "object",
            "properties": operation.argument_schemas,
            "required": [name for name in operation.parameters if name in operation.required],
            "additionalProperties": False,
        },
    )


def check_probes(kind: type, operations: Mapping[str, Operation]) -> None:
    """UserMistake if an action names a probe that its driver does not have, or needs none."""
    methods = {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}
    for operation in operations.values():
        if not operation.probe:
            continue
        where = f"{kind.__name__}.{operation.name}: probe={operation.probe!r}"
        if operation.effect != "once":
            raise UserMistake(
                f"{where}: an action that is {operation.effect} is simply done again; leave it out"
            )
        if not inspect.iscoroutinefunction(methods.get(operation.probe)):
            raise UserMistake(
                f"{where} names no method; write 'async def {operation.probe}(self, interrupted: "
                "Interrupted) -> Finding'"
            )


def check_limits(instrument: Instrument, operations: Mapping[str, Operation]) -> None:
    """UserMistake if a limit names an action or an argument that the driver does not have."""
    known = [
        f"{operation.name}.{name}"
        for operation in operations.values()
        for name in operation.parameters
    ]
    for name in instrument.limits:
        if name not in known:
            raise UserMistake(
                f"instrument {instrument.name!r}: the limit {name!r} names no argument of its "
                f"driver {instrument.driver!r}; there are: {', '.join(known) or 'none'}"
            )


def breach(
    operation: Operation, arguments: Mapping[str, object], limits: Mapping[str, Limit]
) -> str | None:
    """Why these arguments are not allowed, in a sentence; None if they are."""
    for name, value in arguments.items():
        where = f"{operation.name}.{name}"
        found = _outside(where, value, limits.get(where, Limit()))
        if found is not None:
            return found
    return None


def _outside(where: str, value: object, limit: Limit) -> str | None:
    """Search mappings and lists value by value."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_outside(where, value, limit)
    inside: Sequence[tuple[str, object]] = ()
    if isinstance(value, Mapping):
        inside = [(f"{where}[{key!r}]", each) for key, each in value.items()]
    elif isinstance(value, list | tuple):
        inside = [(f"{where}[{index}]", each) for index, each in enumerate(value)]
    for place, each in inside:
        found = _outside(place, each, limit)
        if found is not None:
            return found
    return None


def _number_outside(where: str, value: float, limit: Limit) -> str | None:
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float can hold
        return f"{where} is too large a number"
    if not finite:
        return f"{where} = {value} is not a finite number"
    if limit.low is not None and value < limit.low:
        return f"{where} = {value} is below the limit {limit.low} of lab.toml"
    if limit.high is not None and value > limit.high:
        return f"{where} = {value} is above the limit {limit.high} of lab.toml"
    return None


def not_finite(where: str, value: object) -> str | None:
    """Which number of a result is NaN or infinite, in a sentence; None if all are finite."""
    return _outside(where, value, Limit())
