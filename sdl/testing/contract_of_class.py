"""What a driver's class alone tells: types, schemas, probes."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import get_type_hints

from pydantic.errors import PydanticSchemaGenerationError

from sdl.capabilities import BUILT_IN
from sdl.errors import UserMistake
from sdl.model.action import Operation, declared_on, operations_of
from sdl.model.probe import Finding, Interrupted
from sdl.shell import foresight
from sdl.shell.foresight import AFTER, PREFIX
from sdl.shell.offered import check_probes, offered_by
from sdl.testing.arguments import TryOut, schema_of
from sdl.testing.hosted import methods_of


def check_class(kind: type, try_out: TryOut) -> Mapping[str, Operation]:
    """All actions of a driver's class. AssertionError if one is not well declared."""
    _check_types(kind)
    try:
        offered = offered_by(kind)
        check_probes(kind, offered)
    except UserMistake as mistake:
        raise AssertionError(str(mistake)) from mistake
    assert offered, f"{kind.__name__} offers no action: it fits none of the capabilities"
    unknown = sorted(set(try_out) - set(offered))
    assert not unknown, f"try_out: {kind.__name__} has no action {', '.join(unknown)}"
    for operation in offered.values():
        _check_operation(kind, operation)
    _check_predictions(kind, offered)
    return offered


def _check_types(kind: type) -> None:
    """A method that has an action's name has its arguments and its result as well."""
    methods = methods_of(kind)
    for contract in BUILT_IN:
        operations = operations_of(contract)
        if any(name not in methods for name in operations) or _is_another(methods, operations):
            continue
        for name in operations:
            method = methods[name]
            assert inspect.iscoroutinefunction(method), f"{kind.__name__}.{name} is no 'async def'"
            own, wanted = get_type_hints(method), get_type_hints(vars(contract)[name])
            assert own == wanted, (
                f"{kind.__name__}.{name} has the types {own}, "
                f"unlike {contract.__name__}.{name} in sdl.capabilities: {wanted}"
            )


def _is_another(methods: Mapping[str, object], operations: Mapping[str, Operation]) -> bool:
    """Whether a class means something else by these names, and says so by marks of its own."""
    own = [methods[name] for name in operations]
    return all(declared_on(method) for method in own) and any(
        set(get_type_hints(methods[name])) - {"return"} != set(operation.parameters)
        for name, operation in operations.items()
    )


def _check_operation(kind: type, operation: Operation) -> None:
    where = f"{kind.__name__}.{operation.name}"
    method = methods_of(kind)[operation.name]
    assert inspect.iscoroutinefunction(method), f"{where} is no 'async def'"
    assert 0.0 < operation.timeout_s < math.inf, (
        f"{where}: timeout_s = {operation.timeout_s}; give the seconds after which it cannot "
        "be still at work"
    )
    for name, argument in operation.parameters.items():
        try:
            schema = schema_of(argument)
        except (PydanticSchemaGenerationError, ValueError) as error:
            raise AssertionError(
                f"{where}: the argument {name} is {argument!r}, which cannot travel as JSON; use "
                "numbers, text, lists, mappings or a dataclass of these"
            ) from error
        assert schema, (
            f"{where}: the argument {name} may be anything; give it a type that says more"
        )
    if operation.probe:
        _check_probe(kind, operation)


def _check_predictions(kind: type, offered: Mapping[str, Operation]) -> None:
    """What a simulator says beforehand is said of an action that it has, with its arguments."""
    said = [
        (prefix, name, method)
        for prefix in (PREFIX, AFTER)
        for name, method in foresight.methods_of(kind, prefix).items()
    ]
    for prefix, name, method in said:
        where = f"{kind.__name__}.{prefix}{name}"
        assert name in offered, f"{where}: there is no action {name}"
        assert not inspect.iscoroutinefunction(method), f"{where} must not be an 'async def'"
        told = [each for each in inspect.signature(method).parameters if each != "self"]
        wanted = list(offered[name].parameters)
        assert told == wanted, f"{where} takes {told}; the action takes {wanted}"


def _check_probe(kind: type, operation: Operation) -> None:
    method = methods_of(kind)[operation.probe]
    assert inspect.isfunction(method)
    hints = get_type_hints(method)
    arguments = [name for name in inspect.signature(method).parameters if name != "self"]
    wanted: dict[str, object] = {**dict.fromkeys(arguments[:1], Interrupted), "return": Finding}
    assert (len(arguments), hints) == (1, wanted), (
        f"{kind.__name__}.{operation.probe}, the probe of {operation.name}, has to be "
        "'async def (self, interrupted: Interrupted) -> Finding'; both are in sdl.authoring"
    )
