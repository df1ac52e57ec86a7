"""A protocol function to its schema: roles, inputs and measures, read from the signature alone."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import inspect
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sdl.authoring import policy_of
from sdl.errors import Place, ProtocolMistake
from sdl.model.action import Capability, operations_of
from sdl.model.data import InputValue
from sdl.model.labware import Plate, Well
from sdl.model.policy import Rule
from sdl.model.protocol import Input, ProtocolSignature, Role, in_python
from sdl.wire.policy import faults_of, idle, unfit
from sdl.wire.toml_table import did_you_mean

_KINDS: dict[object, Literal["float", "int", "str"]] = {float: "float", int: "int", str: "str"}

ProtocolFunction = Callable[..., Any]


class Source:
    """Where a protocol function stands: its file, its text and its syntax tree."""

    def __init__(self, function: ProtocolFunction) -> None:
        if not inspect.iscoroutinefunction(function):
            raise ProtocolMistake(f"{function!r} is no protocol; write '@protocol async def ...'")
        self.function = function
        self.name = function.__name__
        self.file = inspect.getsourcefile(function) or "<unknown>"
        try:
            self.text = Path(self.file).read_bytes()
        except OSError as error:
            message = f"the source of {self.name} cannot be read; a protocol needs its file"
            raise ProtocolMistake(message, Place(self.file)) from error

    @cached_property
    def module(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def node(self) -> ast.AsyncFunctionDef:
        """The function's own part of the tree."""
        first = self.function.__code__.co_firstlineno
        for node in ast.walk(self.module):
            if isinstance(node, ast.AsyncFunctionDef) and node.name == self.name:
                lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
                if first in lines:
                    return node
        raise ProtocolMistake(
            f"{self.name} is not where its file says; save the file and load it again",
            Place(self.file, first),
        )

    def mistake(self, message: str, line: int | None = None) -> ProtocolMistake:
        """A mistake at a line of the file; at the function's ``def`` if none is given."""
        return ProtocolMistake(message, Place(self.file, line or self.node.lineno))

    def line_of(self, parameter: str) -> int:
        """The line of one parameter."""
        given = self.node.args
        for one in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
            if one is not None and one.arg == parameter:
                return one.lineno
        return self.node.lineno


def read_signature(
    function: ProtocolFunction, quantities: AbstractSet[str] = frozenset()
) -> ProtocolSignature:
    """The schema of a protocol. ProtocolMistake, with file and line, if it is not one.

    ``quantities``: inputs and measures as a campaign names them: of those that are words of Python,
    such as ``yield``, the protocol has an underscore behind them.
    """
    said = {in_python(name): name for name in quantities}
    source = Source(function)
    hints = _hints(source)
    roles, inputs, samples = _parameters(source, hints)
    measures = _measures(source, _result(source, hints.get("return"), samples))
    return ProtocolSignature(
        name=source.name,
        roles=roles,
        inputs=tuple(dataclasses.replace(one, name=said.get(one.name, one.name)) for one in inputs),
        measures=tuple(said.get(name, name) for name in measures),
        source_sha256=hashlib.sha256(source.text).hexdigest(),
        policy=_policy(source, roles),
        samples=samples,
    )


def read_roles(function: ProtocolFunction) -> tuple[Role, ...]:
    """The roles of a protocol. ProtocolMistake, with file and line, if it has none."""
    source = Source(function)
    return _parameters(source, _hints(source))[0]


def check_recovery(function: ProtocolFunction, of: ProtocolSignature) -> None:
    """ProtocolMistake, with file and line, unless a protocol can mend the bench of another.

    It needs some of the other's roles, with no more actions than they have there, and no inputs.
    """
    source = Source(function)
    roles, inputs, _ = _parameters(source, _hints(source))
    if inputs:
        line = source.line_of(inputs[0].name)
        message = f"{source.name} is a recovery, and gets no inputs; remove {inputs[0].name!r}"
        raise source.mistake(message, line)
    known = {role.name: role for role in of.roles}
    for role in roles:
        line = source.line_of(role.name)
        if role.name not in known:
            hint = did_you_mean(role.name, known)
            raise source.mistake(f"{of.name} has no role {role.name!r} to mend with; {hint}", line)
        missing = sorted(set(role.actions) - set(known[role.name].actions))
        is_other = (role.is_labware, role.is_list) != (
            known[role.name].is_labware,
            known[role.name].is_list,
        )
        if missing or is_other:
            raise source.mistake(
                f"{role.name} is a {role.capability} here and a {known[role.name].capability} in "
                f"{of.name}; give it the same type in both",
                line,
            )


def _hints(source: Source) -> dict[str, object]:
    try:
        return get_type_hints(source.function)
    except NameError as error:
        raise source.mistake(
            f"{source.name}: the type {error.name!r} is not known when the file runs; "
            "import it at the top, outside TYPE_CHECKING"
        ) from error
    except TypeError as error:
        raise source.mistake(f"{source.name}: a type cannot be read: {error}") from error


def _parameters(
    source: Source, hints: dict[str, object]
) -> tuple[tuple[Role, ...], tuple[Input, ...], str]:
    """Roles, inputs, and the input that takes the samples of a batch (empty if none does)."""
    roles: list[Role] = []
    inputs: list[Input] = []
    samples: list[inspect.Parameter] = []
    for parameter in inspect.signature(source.function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise _parameter(source, parameter, "roles and inputs must be named one by one")
        if parameter.name not in hints:
            raise _parameter(source, parameter, "has no type; annotate it")
        if parameter.kind is not parameter.KEYWORD_ONLY:
            roles.append(_role(source, parameter, hints[parameter.name]))
        elif _is_of_samples(hints[parameter.name]):
            samples.append(parameter)
        else:
            inputs.append(_input(source, parameter, hints[parameter.name]))
    if not roles:
        raise source.mistake(
            f"{source.name} has no role: nothing to command; name an instrument before the '*'"
        )
    if not samples:
        return tuple(roles), tuple(inputs), ""
    if len(samples) > 1:
        raise _parameter(source, samples[1], "a protocol has one list of samples at most")
    fields = _fields(source, samples[0], hints[samples[0].name])
    of_run = [dataclasses.replace(one, of_run=True) for one in inputs]
    twice = {one.name for one in fields} & {one.name for one in of_run}
    if twice:
        message = f"{', '.join(sorted(twice))} is an input of each sample and of the whole run too"
        raise _parameter(source, samples[0], message)
    return tuple(roles), (*fields, *of_run), samples[0].name


def _is_of_samples(hint: object) -> bool:
    """Whether a type is a list of dataclasses that are no labware."""
    (of,) = get_args(hint) if get_origin(hint) is list else (None,)
    return isinstance(of, type) and dataclasses.is_dataclass(of) and of not in (Well, Plate)


def _fields(source: Source, parameter: inspect.Parameter, hint: object) -> list[Input]:
    """The fields of a sample are the inputs of a batch protocol."""
    (sample,) = get_args(hint)
    if parameter.default is not parameter.empty:
        raise _parameter(source, parameter, "the samples have no default: a campaign gives them")
    if not sample.__dataclass_params__.frozen:
        raise _parameter(
            source, parameter, f"write @dataclass(frozen=True) above {sample.__name__}"
        )
    hints = get_type_hints(sample)
    fields = inspect.signature(sample).parameters.values()
    if not fields:
        raise _parameter(source, parameter, f"{sample.__name__} has no field to search")
    return [_input(source, field, hints[field.name]) for field in fields]


def _result(source: Source, hint: object, samples: str) -> object:
    """The type of what one sample gives."""
    is_list = get_origin(hint) is list
    if not samples:
        if is_list:
            raise source.mistake(
                f"{source.name} returns a list of results and takes no list of samples; "
                "add samples: list[Sample] behind the '*'"
            )
        return hint
    if not is_list:
        raise source.mistake(
            f"{source.name} takes a list of samples; annotate '->' with list[Result], one for each"
        )
    (result,) = get_args(hint)
    if get_origin(result) in (Union, UnionType):
        kinds = [kind for kind in get_args(result) if kind is not NoneType]
        return kinds[0] if len(kinds) == 1 else result
    return result


def _policy(source: Source, roles: tuple[Role, ...]) -> tuple[Rule, ...]:
    rules = policy_of(source.function)
    several = {role.name: ("one", "another") for role in roles}  # whom, a campaign decides
    for number, rule in enumerate(rules, start=1):
        if not isinstance(rule, Rule):
            raise source.mistake(f"{source.name}: policy[{number}] is {rule!r}; write Rule(...)")
        for key, message in (*faults_of(rule), *unfit(rule, roles, several)):
            raise source.mistake(f"{source.name}: policy[{number}].{key}: {message}")
    for place, key, message in idle(rules):
        raise source.mistake(f"{source.name}: policy[{place + 1}].{key}: {message}")
    return rules


def _parameter(source: Source, parameter: inspect.Parameter, message: str) -> ProtocolMistake:
    line = source.line_of(parameter.name)
    return source.mistake(f"{source.name}({parameter}): {message}", line)


def _role(source: Source, parameter: inspect.Parameter, hint: object) -> Role:
    if parameter.default is not parameter.empty:
        message = "a role has no default: a campaign binds it"
        raise _parameter(source, parameter, message)
    if hint is Well:
        return Role(name=parameter.name, capability="Well")
    if hint == list[Well]:
        return Role(name=parameter.name, capability="Wells")
    if hint is Plate:
        message = "a plate plays no part by itself; ask for a Well and write well.plate"
        raise _parameter(source, parameter, message)
    if hint in _KINDS or get_origin(hint) is Literal:
        message = "an input stands after the '*'; before it stand roles (instruments and wells)"
        raise _parameter(source, parameter, message)
    if not isinstance(hint, type) or Capability not in hint.__mro__ or not operations_of(hint):
        message = (
            "is no role; use Well, list[Well], or a capability with actions such as LiquidHandler"
        )
        raise _parameter(source, parameter, message)
    return Role(
        name=parameter.name, capability=hint.__name__, actions=tuple(sorted(operations_of(hint)))
    )


def _input(source: Source, parameter: inspect.Parameter, hint: object) -> Input:
    options: tuple[InputValue, ...] = ()
    if get_origin(hint) is Literal:
        options = get_args(hint)
        kinds = {type(option) for option in options}
        hint = kinds.pop() if len(kinds) == 1 else None
    kind = _KINDS.get(hint)
    if kind is None:
        message = "is no input; use float, int, str, or a Literal of one of them"
        if hint in (Well, Plate, list[Well]) or (
            isinstance(hint, type) and Capability in hint.__mro__
        ):
            message = "a role stands before the '*'; after it stand inputs"
        raise _parameter(source, parameter, message)
    default = None if parameter.default is parameter.empty else parameter.default
    if default is not None and not _fits(default, kind, options):
        raise _parameter(source, parameter, f"the default {default!r} does not fit its type")
    if parameter.default is None:
        raise _parameter(source, parameter, "None is no value; leave the default out")
    return Input(name=parameter.name, kind=kind, options=options, default=default)


def _fits(value: object, kind: str, options: tuple[InputValue, ...]) -> bool:
    if options:
        return value in options
    if isinstance(value, bool):
        return False
    allowed = {"float": (float, int), "int": (int,), "str": (str,)}[kind]
    return isinstance(value, allowed)


def _measures(source: Source, result: object) -> tuple[str, ...]:
    if not isinstance(result, type) or not dataclasses.is_dataclass(result):
        said = "has no result type" if result is None else f"returns {result!r}"
        raise source.mistake(
            f"{source.name} {said}; annotate '->' with a dataclass whose fields are the measures"
        )
    hints = get_type_hints(result)
    names = [field.name for field in dataclasses.fields(result)]
    if not names:
        raise source.mistake(f"{result.__name__} has no field; a run must measure something")
    for name in names:
        if hints[name] not in (float, int):
            raise source.mistake(
                f"{result.__name__}.{name} is {hints[name]!r}; a measure is a float or an int"
            )
    return tuple(names)
