"""A protocol ready to be driven: its function, its schema and handles for its roles."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_type_hints

from sdl.authoring import Act, Ask
from sdl.errors import DriverFault, ProtocolMistake
from sdl.model.action import Operation, operations_of
from sdl.model.data import Inputs, Measures
from sdl.model.labware import Well
from sdl.model.protocol import ProtocolSignature

ProtocolFunction: TypeAlias = Callable[..., Coroutine[object, object, object]]


@dataclass(frozen=True, slots=True)
class Script:
    """A protocol function with everything the engine needs to know about it."""

    function: ProtocolFunction
    signature: ProtocolSignature
    operations: Mapping[str, Mapping[str, Operation]]
    """By role, then by action; empty for labware."""

    @classmethod
    def of(cls, function: ProtocolFunction, signature: ProtocolSignature) -> Script:
        """Look the actions of each role up in the function's own annotations."""
        hints = get_type_hints(function)
        return cls(
            function,
            signature,
            {
                role.name: {} if role.is_labware else operations_of(hints[role.name])
                for role in signature.roles
            },
        )

    def begin(self, inputs: Inputs, wells: Mapping[str, Well]) -> Coroutine[object, object, object]:
        """A fresh coroutine of one run; ``wells`` by labware role."""
        positional = [
            wells[role.name] if role.is_labware else _handle(role.name, self.operations[role.name])
            for role in self.signature.roles
        ]
        return self.function(*positional, **inputs)

    def measures(self, result: object) -> Measures:
        """The numbers in a protocol's result. DriverFault if one of them is not finite."""
        if not dataclasses.is_dataclass(result) or isinstance(result, type):
            raise ProtocolMistake(
                f"protocol {self.signature.name} returned {result!r}; return its result dataclass"
            )
        fields = dataclasses.asdict(result)
        return {name: self._number(name, fields[name]) for name in self.signature.measures}

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProtocolMistake(
                f"protocol {self.signature.name} returned {name} = {value!r}; give a number"
            )
        if not math.isfinite(value):
            raise DriverFault(f"{name} is {value}, which is no measurement")
        return float(value)


def _handle(role: str, operations: Mapping[str, Operation]) -> object:
    """An object with one method per action, each of which asks the trampoline."""
    methods: dict[str, object] = {
        name: _method(role, operation) for name, operation in operations.items()
    }
    methods["__repr__"] = lambda _: f"<role {role}>"  # no address: the same in every replay
    return type(f"Role_{role}", (), methods)()


def _method(role: str, operation: Operation) -> Callable[..., Coroutine[object, object, object]]:
    async def perform(_self: object, *args: object, **kwargs: object) -> object:
        arguments = operation.dump_arguments(operation.bind(args, kwargs))
        return await Ask(Act(role, operation.name, arguments))

    return perform
