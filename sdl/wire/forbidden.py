"""Finds, without running it, what a protocol must not do: read clocks, roll dice, open files.

A protocol is replayed after a crash: between its awaits it must do the same again. The scan is
static and so only a fence: it looks at the protocol, and at what it uses by name in the same file.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field

from sdl.errors import ProtocolMistake
from sdl.wire.signature import ProtocolFunction, Source, read_roles
from sdl.wire.toml_table import did_you_mean
from sdl.wire.unordered import Unordered

_CLOCK = "reads a clock; a replay would see another time. Use settle(seconds) and within(seconds)"
_CHANCE = "rolls dice; a replay would see other numbers. Make it an input of the protocol"
_WORLD = (
    "touches files, processes or the network; a replay would do it again. Use a driver's action"
)
_LOOP = "works past the engine; use together, settle and within of sdl"
_HIDDEN = "runs code that cannot be checked; write it out"

FORBIDDEN = {
    "time": _CLOCK,
    "datetime.datetime.now": _CLOCK,
    "datetime.datetime.utcnow": _CLOCK,
    "datetime.datetime.today": _CLOCK,
    "datetime.date.today": _CLOCK,
    "asyncio": _LOOP,
    "anyio": _LOOP,
    "trio": _LOOP,
    "threading": _LOOP,
    "multiprocessing": _LOOP,
    "concurrent": _LOOP,
    "random": _CHANCE,
    "uuid": _CHANCE,
    "secrets": _CHANCE,
    "numpy.random": _CHANCE,
    "open": _WORLD,
    "input": _WORLD,
    "os": _WORLD,
    "io": _WORLD,
    "shutil": _WORLD,
    "socket": _WORLD,
    "subprocess": _WORLD,
    "pathlib": _WORLD,
    "tempfile": _WORLD,
    "requests": _WORLD,
    "httpx": _WORLD,
    "urllib": _WORLD,
    "http": _WORLD,
    "eval": _HIDDEN,
    "exec": _HIDDEN,
    "__import__": _HIDDEN,
    "importlib": _HIDDEN,
}
"""Dotted name to why; whatever lies below a name is meant too."""

_AWAITED = ("together", "settle")


@dataclass(frozen=True, slots=True)
class _File:
    """What names mean at the top of the protocol's file."""

    imports: dict[str, str] = field(default_factory=dict)
    """Local name to full dotted name."""
    functions: dict[str, ast.AST] = field(default_factory=dict)
    """Functions and classes, by name."""
    values: dict[str, ast.expr] = field(default_factory=dict)
    """Constants of the file, by name."""


def forbidden(function: ProtocolFunction) -> list[ProtocolMistake]:
    """All that the protocol must not do, each with file and line; empty if it is sound.

    ProtocolMistake is raised where there is nothing to scan: no source, or no protocol.
    """
    source = Source(function)
    roles = {role.name: role.actions for role in read_roles(function)}
    names = _names(source.module)
    found: dict[tuple[int, str], ProtocolMistake] = {}
    for node in _reached(source.node, names):
        of_protocol = node is source.node
        scan = _Scan(names, roles if of_protocol else {}, source.node if of_protocol else None)
        for line, message in scan.of(node):
            found.setdefault((line, message), source.mistake(message, line))
    return [found[key] for key in sorted(found)]


def _names(module: ast.Module) -> _File:
    file = _File()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                full = alias.name if alias.asname else alias.name.partition(".")[0]
                file.imports[alias.asname or full] = full
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                file.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            file.functions[node.name] = node
        elif isinstance(node, ast.Assign):
            targets = [target for target in node.targets if isinstance(target, ast.Name)]
            file.values.update({target.id: node.value for target in targets})
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            file.values[node.target.id] = node.value
    return file


def _reached(start: ast.AST, names: _File) -> Iterator[ast.AST]:
    """The protocol, and every function, class and constant of its file that it uses by name."""
    waiting, seen = [start], {id(start)}
    while waiting:
        node = waiting.pop()
        yield node
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                used = names.functions.get(part.id) or names.values.get(part.id)
                if used is not None and id(used) not in seen:
                    seen.add(id(used))
                    waiting.append(used)


class _Scan:
    """Looks at one function, class or constant."""

    def __init__(
        self,
        names: _File,
        roles: dict[str, tuple[str, ...]],
        protocol: ast.AsyncFunctionDef | None,
    ) -> None:
        self._names = names
        self._roles = roles
        given = [] if protocol is None else protocol.args.kwonlyargs
        self._inputs = {argument.arg for argument in given}
        self._local: set[str] = set()

    def of(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        """What is forbidden in it: line and message."""
        passed = set(_annotations(node))
        self._local = {
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        } | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
        values, functions = self._names.values, self._names.functions
        yield from Unordered(node, full=self._full, values=values, functions=functions).found()
        for part in ast.walk(node):
            if id(part) in passed:
                continue
            if isinstance(part, ast.Name | ast.Attribute):
                faults = list(self._name(part))
                yield from faults
                if faults and isinstance(part, ast.Attribute):  # said once, for the whole name
                    passed.update(map(id, ast.walk(part.value)))
            elif isinstance(part, ast.Await):
                yield from self._await(part)
            elif isinstance(part, ast.Expr):
                yield from self._lost(part)
            elif isinstance(part, ast.AsyncWith):
                yield from self._async_with(part)

    def _name(self, node: ast.Name | ast.Attribute) -> Iterator[tuple[int, str]]:
        full = self._full(node)
        for name, why in FORBIDDEN.items():
            if full == name or full.startswith(f"{name}."):
                yield node.lineno, f"{ast.unparse(node)} {why}"

    def _full(self, node: ast.expr) -> str:
        """The dotted name that an expression means; empty if it is none, or a local one."""
        if isinstance(node, ast.Attribute):
            owner = self._full(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        if not isinstance(node, ast.Name) or node.id in self._local:
            return ""
        if node.id in self._names.imports:
            return self._names.imports[node.id]
        is_builtin = node.id in vars(builtins) and node.id not in self._names.functions
        return node.id if is_builtin else ""

    def _await(self, node: ast.Await) -> Iterator[tuple[int, str]]:
        awaited = node.value
        said = ast.unparse(awaited)
        if isinstance(awaited, ast.Name | ast.IfExp | ast.Attribute | ast.Subscript):
            return  # a value made elsewhere: the trampoline looks at it when it comes
        if not isinstance(awaited, ast.Call):
            yield node.lineno, f"awaits {said}, which is no action of a role"
        elif isinstance(awaited.func, ast.Name):
            name = awaited.func.id
            full = self._full(awaited.func)
            known = name in self._names.functions or name in self._local or not full
            strange = not known and full.rpartition(".")[2] not in _AWAITED and "." not in full
            if strange:
                yield (
                    node.lineno,
                    (
                        f"awaits {name}(...), which is no action of a role; "
                        "await actions, together(...) or settle(...)"
                    ),
                )
        elif isinstance(awaited.func, ast.Attribute):
            yield from self._action(awaited.func)

    def _action(self, call: ast.Attribute) -> Iterator[tuple[int, str]]:
        if not isinstance(call.value, ast.Name):
            return
        owner = call.value.id
        if owner in self._inputs or self._roles.get(owner) == ():
            kind = "an input" if owner in self._inputs else "a well"
            yield call.lineno, f"awaits {owner}.{call.attr}(...), but {owner} is {kind}"
        elif owner in self._roles and call.attr not in self._roles[owner]:
            hint = did_you_mean(call.attr, self._roles[owner])
            yield call.lineno, f"{owner} has no action {call.attr!r}; {hint}"

    def _lost(self, node: ast.Expr) -> Iterator[tuple[int, str]]:
        call = node.value
        if not isinstance(call, ast.Call):
            return
        func = call.func
        is_action = (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.attr in self._roles.get(func.value.id, ())
        )
        is_ours = self._full(func).startswith("sdl.") and self._full(func).endswith(_AWAITED)
        if is_action or is_ours:
            yield node.lineno, f"{ast.unparse(func)}(...) is not awaited; write 'await' before it"

    def _async_with(self, node: ast.AsyncWith) -> Iterator[tuple[int, str]]:
        for item in node.items:
            expression = item.context_expr
            if not isinstance(expression, ast.Call):
                said = ast.unparse(expression)
                yield node.lineno, f"'async with {said}' is not offered; use within(seconds)"


def _annotations(node: ast.AST) -> Iterator[int]:
    """Ids of all nodes inside annotations: naming a type is no use of it."""
    for part in ast.walk(node):
        noted: list[ast.expr | None] = []
        if isinstance(part, ast.arg | ast.AnnAssign):
            noted = [part.annotation]
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            noted = [part.returns]
        for annotation in noted:
            if annotation is not None:
                yield from map(id, ast.walk(annotation))
