"""Actions: what an instrument can be asked to do, declared once on a typed ``async def``."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import (
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from sdl.errors import UserMistake
from sdl.model.data import JsonValue
from sdl.model.labware import Plate, Well
from sdl.model.stock import Move

Effect = Literal["pure", "idempotent", "once"]
"""*pure*: only looks. *idempotent*: twice does the same as once. *once*: never by itself again."""

Lid = Literal["", "on", "off"]
"""How the lids of an action's plates have to be; empty: either way. Plates without one are open."""

P = ParamSpec("P")
T = TypeVar("T")

Moves: TypeAlias = Callable[..., tuple[Move, ...]]
"""Of an action's arguments: which volumes it moves from where to where, in order."""

_DECLARED = "__sdl_action__"


class Capability(Protocol):
    """Marks a class of ``@action`` methods as a contract that protocols want and drivers keep."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What ``@action`` wrote on a method."""

    effect: Effect
    timeout_s: float
    probe: str = ""
    moves: Moves | None = None
    lid: Lid = ""


def action(
    effect: Effect,
    *,
    timeout_s: float = 3600.0,
    probe: str = "",
    moves: Moves | None = None,
    lid: Lid = "",
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Declare an action of an instrument.

    ``timeout_s``: lab seconds after which the node gives the action up: its outcome is then
    unknown, not failed, unless it is pure. ``probe``: of a *once* action, the name of the driver's
    method that finds out whether an interrupted one happened: ``async def (self, interrupted:
    Interrupted) -> Finding``. ``moves``: what it does to the contents of wells and sources, once it
    is done: a pure function with the same arguments, ``def (well: Well, volume_ul: float) ->
    tuple[Transfer, ...]``, or of ``Wash`` and ``Pieces``; None where it does nothing to them.
    ``lid``: how the lids of its plates have to be; the runtime sees to that before it begins.
    """

    def declare(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        setattr(method, _DECLARED, Declared(effect, timeout_s, probe, moves, lid))
        return method

    return declare


@dataclass(frozen=True)
class Operation:
    """One action as data: its name, what it does to the world, its arguments and its result."""

    name: str
    effect: Effect
    timeout_s: float
    parameters: Mapping[str, object]
    """Argument name to type, in order."""
    required: frozenset[str]
    returns: object
    probe: str = ""
    """Name of the driver's method that finds out whether an interrupted one happened, if any."""
    moves: Moves | None = None
    """What it does to the contents of wells and sources; None: nothing."""
    lid: Lid = ""
    """How the lids of its plates have to be."""

    def transfers(self, arguments: Mapping[str, JsonValue]) -> tuple[Move, ...]:
        """What this action does to contents. Raises whatever the function it declares raises."""
        return () if self.moves is None else self.moves(**self.load_arguments(arguments))

    @cached_property
    def _argument_adapters(self) -> Mapping[str, TypeAdapter[object]]:
        return {name: _adapter(kind) for name, kind in self.parameters.items()}

    @cached_property
    def argument_schemas(self) -> dict[str, JsonValue]:
        """JSON Schema of each argument. Made once, as a node tells it at each greeting."""
        adapters = self._argument_adapters.items()
        return {name: cast("JsonValue", adapter.json_schema()) for name, adapter in adapters}

    @cached_property
    def _result_adapter(self) -> TypeAdapter[object]:
        return _adapter(self.returns)

    def bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Arguments of a call by name. TypeError, as Python says it, if they do not fit."""
        if not (args or kwargs or self.required):
            return {}
        names = list(self.parameters)
        if len(args) > len(names):
            raise TypeError(f"{self.name}() takes {len(names)} arguments, {len(args)} were given")
        bound = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in self.parameters:
                raise TypeError(
                    f"{self.name}() has no argument {name!r}; it has {', '.join(names)}"
                )
            if name in bound:
                raise TypeError(f"{self.name}() got {name!r} twice")
            bound[name] = value
        missing = sorted(self.required - bound.keys())
        if missing:
            raise TypeError(f"{self.name}() needs {', '.join(missing)}")
        return bound

    def dump_arguments(self, arguments: Mapping[str, object]) -> dict[str, JsonValue]:
        """Arguments as plain JSON. TypeError names the argument whose type is wrong."""
        dumped: dict[str, JsonValue] = {}
        for name, value in arguments.items():
            adapter = self._argument_adapters[name]
            try:
                checked = adapter.validate_python(value)
            except ValidationError as error:
                raise TypeError(f"{self.name}({name}=...): {_first(error)}") from error
            plain = cast("JsonValue", adapter.dump_python(checked, mode="json"))
            if not _finite(plain):
                raise TypeError(f"{self.name}({name}={value!r}): a number in it is not finite")
            dumped[name] = plain
        return dumped

    def load_arguments(self, dumped: Mapping[str, JsonValue]) -> dict[str, object]:
        """The inverse of ``dump_arguments``; TypeError on an unknown, missing or wrong one."""
        loaded: dict[str, object] = {}
        for name, value in self.bind((), dumped).items():
            try:
                loaded[name] = self._argument_adapters[name].validate_python(value)
            except ValidationError as error:
                raise TypeError(f"{self.name}({name}=...): {_first(error)}") from error
        return loaded

    @cached_property
    def _of_labware(self) -> tuple[str, ...]:
        """The arguments in which wells or plates may stand, by their types."""
        return tuple(name for name, kind in self.parameters.items() if _mentions_labware(kind))

    @property
    def is_about_labware(self) -> bool:
        """Whether wells or plates may stand in its arguments."""
        return bool(self._of_labware)

    def labware_of(self, arguments: Mapping[str, object]) -> tuple[str, ...]:
        """Names of the labware that the arguments' wells and plates belong to, in their order.

        By type: a ``Well``, a ``Plate``, and lists and mappings of them; a text counts for
        nothing. ``arguments``: Python values or plain JSON. TypeError if one does not fit.
        """
        given = {name: arguments[name] for name in self._of_labware if name in arguments}
        found: dict[str, None] = {}
        for name, value in given.items():
            try:
                loaded = self._argument_adapters[name].validate_python(value)
            except ValidationError as error:
                raise TypeError(f"{self.name}({name}=...): {_first(error)}") from error
            found.update(dict.fromkeys(_labware_in(loaded)))
        return tuple(found)

    def dump_result(self, result: object) -> JsonValue:
        """A driver's result as plain JSON. TypeError if it is not of the declared type."""
        try:
            checked = self._result_adapter.validate_python(result, strict=True)
        except ValidationError as error:
            raise TypeError(f"{self.name}() returned {result!r}: {_first(error)}") from error
        return cast("JsonValue", self._result_adapter.dump_python(checked, mode="json"))

    def load_result(self, dumped: JsonValue) -> object:
        """The typed value that the protocol receives. TypeError if it does not fit."""
        try:
            # As JSON and strictly: "0.8" and true are no numbers, {"a": 1} may be a dataclass.
            return self._result_adapter.validate_json(to_json(dumped), strict=True)
        except ValidationError as error:
            raise TypeError(f"{self.name}() answered {dumped!r}: {_first(error)}") from error


def _finite(plain: JsonValue) -> bool:
    """Whether every number in a piece of JSON is finite: NaN would be lost on the way."""
    if isinstance(plain, float):
        return math.isfinite(plain)
    if isinstance(plain, dict):
        return all(_finite(each) for each in plain.values())
    return not isinstance(plain, list) or all(_finite(each) for each in plain)


def _mentions_labware(kind: object) -> bool:
    if kind in (Well, Plate):
        return True
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return any(_mentions_labware(each) for each in get_type_hints(kind).values())
    return any(_mentions_labware(each) for each in get_args(kind))


def _labware_in(value: object) -> Iterator[str]:
    """Names of the labware that a typed value is about."""
    if isinstance(value, Well | Plate):
        yield value.labware
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _labware_in(key)
            yield from _labware_in(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _labware_in(each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _labware_in(attrgetter(field.name)(value))


def _adapter(kind: object) -> TypeAdapter[object]:
    return TypeAdapter(cast("type[object]", kind))


def _first(error: ValidationError) -> str:
    details = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in details["loc"])
    return f"{where}: {details['msg']}" if where else str(details["msg"])


def operation_of(method: Callable[..., object], declared: Declared) -> Operation:
    """The action that a method's signature describes. UserMistake if a type is missing."""
    hints = get_type_hints(method, include_extras=True)
    signature = inspect.signature(method)
    names = [name for name in signature.parameters if name != "self"]
    untyped = [name for name in [*names, "return"] if name not in hints]
    if untyped:
        raise UserMistake(
            f"action {method.__qualname__} has no type for {', '.join(untyped)}; annotate it"
        )
    unordered = [name for name in names if _has_set(hints[name])]
    if unordered:
        raise UserMistake(
            f"action {method.__qualname__} takes a set for {', '.join(unordered)}, whose order is "
            "another one in each process, so that a replay would differ; take a tuple or a list"
        )
    return Operation(
        name=method.__name__,
        effect=declared.effect,
        timeout_s=declared.timeout_s,
        parameters={name: hints[name] for name in names},
        required=frozenset(
            name for name in names if signature.parameters[name].default is inspect.Parameter.empty
        ),
        returns=hints["return"],
        probe=declared.probe,
        moves=declared.moves,
        lid=declared.lid,
    )


def _has_set(hint: object) -> bool:
    """Whether a type is, or holds, one of sets."""
    kind = get_origin(hint) or hint
    is_set = isinstance(kind, type) and issubclass(kind, AbstractSet)
    return is_set or any(_has_set(each) for each in get_args(hint))


def declared_on(method: object) -> Declared | None:
    """What ``@action`` wrote on this method; None if it is not an action."""
    found = vars(method).get(_DECLARED) if inspect.isfunction(method) else None
    return found if isinstance(found, Declared) else None


@lru_cache(maxsize=256)
def operations_of(kind: type) -> Mapping[str, Operation]:
    """All methods of a class that carry ``@action``, its parents' included, by name."""
    found: dict[str, Operation] = {}
    for parent in reversed(kind.__mro__):
        for name, method in vars(parent).items():
            declared = declared_on(method)
            if declared is not None:
                found[name] = operation_of(method, declared)
    return found
