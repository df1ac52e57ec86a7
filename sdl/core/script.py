"""A protocol ready to be driven: its function, its schema and handles for its roles."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast, get_args, get_type_hints

from sdl.authoring import Act, Ask
from sdl.errors import DriverFault, ProtocolMistake, UserMistake
from sdl.model.action import Operation, operations_of
from sdl.model.data import Arguments, Inputs, Measures
from sdl.model.labware import Wells, several
from sdl.model.protocol import ProtocolSignature, Role, in_python

ProtocolFunction: TypeAlias = Callable[..., Coroutine[object, object, object]]


@dataclass(frozen=True, slots=True)
class Script:
    """A protocol function with everything the engine needs to know about it."""

    function: ProtocolFunction
    signature: ProtocolSignature
    operations: Mapping[str, Mapping[str, Operation]]
    """By role, then by action; empty for labware."""
    recoveries: Mapping[str, ProtocolFunction] = field(default_factory=dict)
    """By the name in the rules of the error policy: protocols that mend the bench. Each has some of
    the roles, under the same names, and no inputs."""
    sample: type | None = None
    """Of a batch protocol: the class of its samples."""
    _handles: dict[str, type] = field(default_factory=dict, repr=False, compare=False)
    """Made on first use; to make a class takes longer than all the rest of beginning a run."""

    @classmethod
    def of(
        cls,
        function: ProtocolFunction,
        signature: ProtocolSignature,
        recoveries: Mapping[str, ProtocolFunction] | None = None,
    ) -> Script:
        """Look the actions of each role up in the function's own annotations."""
        recoveries = recoveries or {}
        functions = (function, *recoveries.values())
        hints = [get_type_hints(each) for each in functions]
        operations: dict[str, dict[str, Operation]] = {role.name: {} for role in signature.roles}
        for role in signature.roles:
            for each in hints:
                if not role.is_labware and role.name in each:
                    operations[role.name].update(operations_of(each[role.name]))
        of_samples = get_args(hints[0].get(signature.samples)) or (None,)
        return cls(function, signature, operations, recoveries, of_samples[0])

    def begin(
        self, inputs: Arguments, wells: Mapping[str, Wells]
    ) -> Coroutine[object, object, object]:
        """A fresh coroutine of one run; ``wells`` by labware role."""
        roles = [self._player(role, wells) for role in self.signature.roles]
        given: dict[str, object] = {in_python(name): each for name, each in inputs.items()}
        if self.sample is not None:
            samples = cast("Sequence[Inputs]", inputs[self.signature.samples])
            given[self.signature.samples] = [
                self.sample(**{in_python(name): each for name, each in one.items()})
                for one in samples
            ]
        return self.function(*roles, **given)

    def recover(self, name: str, wells: Mapping[str, Wells]) -> Coroutine[object, object, object]:
        """A fresh coroutine of a recovery, with those roles of the run that it asks for."""
        function = self.recoveries.get(name)
        if function is None:
            raise UserMistake(
                f"the error policy names the recovery {name!r}, which is not loaded; "
                "put its file back, and check the campaign"
            )
        roles = {role.name: role for role in self.signature.roles}
        parameters = inspect.signature(function).parameters
        return function(*(self._player(roles[each], wells) for each in parameters))

    def _player(self, role: Role, wells: Mapping[str, Wells]) -> object:
        if role.is_labware:
            played = wells[role.name]
            return list(several(played)) if role.is_list else played
        kind = self._handles.get(role.name)
        if kind is None:
            kind = self._handles[role.name] = _handle(role.name, self.operations[role.name])
        return kind()

    def results(self, returned: object, count: int) -> list[Measures | Exception | None]:
        """What each of ``count`` samples gave: numbers, why there are none, or nothing.

        Raises what is wrong with the whole of it; where a run is of one sample, with that one.
        """
        if not self.signature.samples:
            return [self.measures(returned)]
        if not isinstance(returned, list | tuple) or len(returned) != count:
            told = f"{len(returned)} results" if isinstance(returned, list | tuple) else "no list"
            raise ProtocolMistake(
                f"protocol {self.signature.name} returned {told} for {count} samples; "
                "return one result for each, in their order, or None"
            )
        return [None if one is None else self._result(one) for one in returned]

    def _result(self, returned: object) -> Measures | Exception:
        try:
            return self.measures(returned)
        except (DriverFault, ProtocolMistake) as error:
            return error

    def measures(self, result: object) -> Measures:
        """The numbers in a protocol's result. DriverFault if one of them is not finite."""
        if not dataclasses.is_dataclass(result) or isinstance(result, type):
            raise ProtocolMistake(
                f"protocol {self.signature.name} returned {result!r}; return its result dataclass"
            )
        fields = dataclasses.asdict(result)
        names = self.signature.measures
        return {name: self._number(name, fields[in_python(name)]) for name in names}

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProtocolMistake(
                f"protocol {self.signature.name} returned {name} = {value!r}; give a number"
            )
        if not math.isfinite(value):
            raise DriverFault(f"{name} is {value}, which is no measurement")
        return float(value)


def _handle(role: str, operations: Mapping[str, Operation]) -> type:
    """A class with one method per action, each of which asks the trampoline."""
    methods: dict[str, object] = {
        name: _method(role, operation) for name, operation in operations.items()
    }
    methods["__repr__"] = lambda _: f"<role {role}>"  # no address: the same in every replay
    return type(f"Role_{role}", (), methods)


def _method(role: str, operation: Operation) -> Callable[..., Coroutine[object, object, object]]:
    async def perform(_self: object, *args: object, **kwargs: object) -> object:
        arguments = operation.dump_arguments(operation.bind(args, kwargs))
        return await Ask(Act(role, operation.name, arguments))

    return perform
