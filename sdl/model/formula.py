"""A formula of inputs, as a scientist writes it: read by its grammar, never run as a program."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from sdl.model.data import Inputs

LONGEST = 500
"""Characters of a formula at most."""
DEEPEST = 50
"""Operations within each other at most."""
FUNCTIONS = ("exp", "log", "sqrt")
"""Of one argument; the logarithm is the natural one."""
_SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Generic[Value]):
    """How one kind of value is reckoned with: numbers, or arrays of them."""

    number: Callable[[float], Value]
    one: Mapping[str, Callable[[Value], Value]]
    """Of one value: ``-`` and the functions."""
    two: Mapping[str, Callable[[Value, Value], Value]]
    """Of two, by their sign."""


_FLOATS: Arithmetic[float] = Arithmetic(
    number=float,
    one={"-": operator.neg, "exp": math.exp, "log": math.log, "sqrt": math.sqrt},
    two={
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "**": math.pow,  # which has no complex results
    },
)


@dataclass(frozen=True, slots=True)
class Formula:
    """One that was found to be in order."""

    root: ast.expr

    @property
    def inputs(self) -> frozenset[str]:
        """The inputs that it speaks of."""
        names = {node.id for node in ast.walk(self.root) if isinstance(node, ast.Name)}
        return frozenset(names.difference(FUNCTIONS))

    def at(self, inputs: Inputs) -> float | None:
        """Its value at a point; None where it has none, as in a division by zero.

        KeyError if an input is missing, ValueError if one is a name.
        """
        numbers = {name: float(inputs[name]) for name in self.inputs}
        try:
            found = self.by(_FLOATS, numbers)
        except (ArithmeticError, ValueError):
            return None
        return found if math.isfinite(found) else None

    def by(self, arithmetic: Arithmetic[Value], inputs: Mapping[str, Value]) -> Value:
        """Its value for values of any kind."""
        return _worked_out(self.root, arithmetic, inputs)


def _worked_out(node: ast.expr, by: Arithmetic[Value], inputs: Mapping[str, Value]) -> Value:
    match node:
        case ast.Name(id=name):
            return inputs[name]
        case ast.Call(func=ast.Name(id=name), args=[inner]):
            return by.one[name](_worked_out(inner, by, inputs))
        case ast.UnaryOp(op=sign, operand=inner):
            found = _worked_out(inner, by, inputs)
            return by.one["-"](found) if isinstance(sign, ast.USub) else found
        case ast.BinOp(left=left, op=sign, right=right):
            pair = _worked_out(left, by, inputs), _worked_out(right, by, inputs)
            return by.two[_SIGNS[type(sign)]](*pair)
        case _:
            assert isinstance(node, ast.Constant)
            assert isinstance(node.value, (int, float))
            return by.number(float(node.value))


@lru_cache(maxsize=64)
def read(text: str) -> Formula:
    """Read a formula: numbers, inputs, ``+ - * / **``, parentheses, exp, log and sqrt.

    ValueError with what is wrong.
    """
    if len(text) > LONGEST:
        message = f"has {len(text)} characters; use {LONGEST} at most"
        raise ValueError(message)
    try:
        root = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, MemoryError, RecursionError):
        message = f'{text!r} is no formula; write one such as "2 * exp(-3 * x)"'
        raise ValueError(message) from None
    _check(root, 1)
    return Formula(root)


def _check(node: ast.expr, depth: int) -> None:
    if depth > DEEPEST:
        message = f"has more than {DEEPEST} operations within each other; simplify it"
        raise ValueError(message)
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            _check_number(value)
        case ast.Name(id=name) if name not in FUNCTIONS:
            pass
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in FUNCTIONS:
            _check(inner, depth + 1)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            _check(inner, depth + 1)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
            _check(left, depth + 1)
            _check(right, depth + 1)
        case _:
            raise ValueError(_not_understood(node))


def _check_number(value: float) -> None:
    try:
        is_finite = math.isfinite(float(value))
    except OverflowError:
        is_finite = False
    if not is_finite:
        message = "holds a number that is too large to reckon with"
        raise ValueError(message)


def _not_understood(node: ast.expr) -> str:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
        return f"{ast.unparse(node)!r} is not understood; a power is written x ** 2"
    return (
        f"{ast.unparse(node)!r} is not understood; "
        "use numbers, inputs, + - * / **, parentheses, exp(x), log(x) and sqrt(x)"
    )
