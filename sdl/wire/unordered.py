"""Finds where a protocol goes through a set: its order is another one in each process.

A text's hash is salted anew whenever Python starts, and so is the order of a set of texts. A
protocol that follows it does other things after a restart, and its record cannot be resumed. As
``forbidden``, this is a fence: it knows a set where it is written, named, or said in an annotation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

_MAKERS = ("set", "frozenset")
_SET_METHODS = ("union", "intersection", "difference", "symmetric_difference", "copy")
_VIEWS = ("keys", "items")
_OPERATORS = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)
_ORDER_FREE = (*_MAKERS, "sorted", "any", "all", "len", "min", "max", "sum")
"""What gives the same for any order of what it is given."""
_IN_ORDER = ("list", "tuple", "iter", "enumerate", "zip", "map", "filter", "str", "repr")
_IN_ORDER_METHODS = ("join", "extend", "fromkeys")

_WHY = "a set has another order in each process, so a resumed run would go another way"


class Unordered:
    """Looks for it in one function, class or constant."""

    def __init__(
        self,
        node: ast.AST,
        *,
        full: Callable[[ast.expr], str],
        values: Mapping[str, ast.expr],
        functions: Mapping[str, ast.AST],
    ) -> None:
        """``full``: the dotted name that an expression means, empty for a local one.

        ``values`` and ``functions``: constants and functions of the file, by name.
        """
        self._node = node
        self._full = full
        self._values = values
        self._functions = functions
        self._local: dict[str, list[tuple[tuple[int, int], bool]]] = {}
        """Per local name: where it was given a value, in the order of the file; whether a set."""
        self._note_names()

    def found(self) -> Iterator[tuple[int, str]]:
        """Line and message of each place that takes the order of a set."""
        free: set[int] = set()
        for part in ast.walk(self._node):
            if isinstance(part, ast.Call) and self._full(part.func) in _ORDER_FREE:
                free.update(map(id, part.args))
            if id(part) in free:
                continue
            for taken in self._taken(part):
                if self._is_set(taken):
                    said = ast.unparse(taken)
                    message = f"takes the order of {said}: {_WHY}. Write sorted({said})"
                    yield taken.lineno, message

    def _taken(self, part: ast.AST) -> Iterator[ast.expr]:
        """What is gone through, where that order can be seen from outside."""
        match part:
            case ast.For() | ast.AsyncFor():
                yield part.iter
            case ast.ListComp() | ast.DictComp() | ast.GeneratorExp():
                yield from (each.iter for each in part.generators)
            case ast.Await(value=ast.Call(func=ast.Attribute()) as call):  # it travels as a list
                yield from (*call.args, *(keyword.value for keyword in call.keywords))
            case ast.Starred(ctx=ast.Load()) | ast.YieldFrom() | ast.FormattedValue():
                yield part.value
            case ast.Assign(targets=[ast.Tuple() | ast.List(), *_]):
                yield part.value
            case ast.Call():
                yield from self._taken_by_call(part)
            case _:
                pass

    def _taken_by_call(self, call: ast.Call) -> Iterator[ast.expr]:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if self._full(call.func) in _IN_ORDER or method in _IN_ORDER_METHODS:
            yield from call.args
        elif isinstance(call.func, ast.Attribute) and method == "pop" and not call.args:
            yield call.func.value

    def _note_names(self) -> None:
        """A name is a set from where it is given one until it is given something else."""
        given: list[tuple[tuple[int, int], str, ast.expr | None]] = []
        known: set[int] = set()
        for part in ast.walk(self._node):
            match part:
                case ast.Assign(targets=[ast.Name() as name], value=value):
                    given.append((_end(part), name.id, value))
                case ast.AnnAssign(target=ast.Name() as name, annotation=annotation, value=value):
                    is_said = _says_set(annotation)
                    given.append((_end(part), name.id, ast.Set([]) if is_said else value))
                case ast.NamedExpr(target=name, value=value):
                    given.append((_end(part), name.id, value))
                case ast.AugAssign(target=ast.Name() as name):
                    pass  # it stays what it was
                case ast.arg(annotation=annotation):
                    is_said = annotation is not None and _says_set(annotation)
                    given.append((_end(part), part.arg, ast.Set([]) if is_said else None))
                    continue
                case _:
                    continue
            known.add(id(name))
        given += [
            (_end(part), part.id, None)
            for part in ast.walk(self._node)
            if isinstance(part, ast.Name)
            and isinstance(part.ctx, ast.Store)
            and id(part) not in known
        ]
        for place, name_, value in sorted(given, key=lambda each: each[0]):
            is_set = value is not None and self._is_set(value)
            self._local.setdefault(name_, []).append((place, is_set))

    def _is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name():
                return self._names_set(node)
            case ast.NamedExpr(value=value):
                return self._is_set(value)
            case ast.IfExp(body=body, orelse=other):
                return self._is_set(body) or self._is_set(other)
            case ast.BoolOp(values=values):
                return any(map(self._is_set, values))
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
                return any(self._is_set(side) or _is_view(side) for side in (left, right))
            case ast.Call():
                return self._calls_set(node)
            case _:
                return False

    def _calls_set(self, call: ast.Call) -> bool:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _SET_METHODS:
            return self._is_set(call.func.value)
        if isinstance(call.func, ast.Name):
            called = self._functions.get(call.func.id)
            if isinstance(called, ast.FunctionDef) and called.returns is not None:
                return _says_set(called.returns)
        return self._full(call.func) in _MAKERS

    def _names_set(self, name: ast.Name) -> bool:
        if name.id not in self._local:
            value = self._values.get(name.id)
            return value is not None and value is not self._node and self._is_set(value)
        here = (name.lineno, name.col_offset)
        before = [is_set for place, is_set in self._local[name.id] if place <= here]
        return bool(before) and before[-1]


def _end(node: ast.stmt | ast.expr | ast.arg) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _is_view(node: ast.expr) -> bool:
    """Whether it is a view of a table, whose union or difference with another is a set."""
    match node:
        case ast.Call(func=ast.Attribute(attr=attr), args=[]):
            return attr in _VIEWS
        case _:
            return False


def _says_set(annotation: ast.expr) -> bool:
    said = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return ast.unparse(said).rpartition(".")[2] in (*_MAKERS, "Set", "AbstractSet", "FrozenSet")
