"""Constraints that are written as text, such as ``a + 2*b <= 3``, as a problem has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sdl.errors import PlannerFault
from sdl.model.campaign import LinearConstraint, Parameter
from sdl.model.equality import ROOM, bounds, equality_of

_SIGN = re.compile(r"(==|<=|>=|=|<|>)")
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WORD = r"[A-Za-z_]\w*"


def sums_of(texts: Iterable[str], space: Sequence[Parameter]) -> tuple[LinearConstraint, ...]:
    """All of them. PlannerFault as of ``sum_of``, or if two cannot be met together."""
    found: list[LinearConstraint] = []
    real = {one.name for one in space if one.kind == "range" and one.low < one.high}
    met: set[str] = set()
    for text in texts:
        one = sum_of(text, space)
        found.append(one)
        if one.equals is None:
            continue
        twice = sorted(met & one.weights.keys())
        if twice and not real.isdisjoint(one.weights):
            raise PlannerFault(
                f"the constraint {text!r} has {twice[0]}, which stands in another sum that has to "
                "be met; put both into one, or give the points that there are as a pool"
            )
        met |= one.weights.keys()
    return tuple(found)


def sum_of(text: str, space: Sequence[Parameter]) -> LinearConstraint:
    """One of them: numbers times inputs on either side of ``==``, ``<=`` or ``>=``.

    A number stands before its input or after it (``2*a``, ``2 a``, ``a*2``); names of inputs are
    taken as they are, with spaces, too. PlannerFault if it is not that, names what is no number, or
    can never be kept.
    """
    left, *rest = _SIGN.split(text)
    if len(rest) != 2 or rest[0] in {"<", ">"}:  # noqa: PLR2004 - a sign and the other side
        found = "more than one sign" if len(rest) > 2 else "no sign"  # noqa: PLR2004 - as above
        raise PlannerFault(
            f"the constraint {text!r} has {found} of ==, <= and >=; write one line for each bound, "
            "such as a + 2*b <= 3"
        )
    sign, right = rest
    weights: dict[str, float] = {}
    bound = 0.0
    for side, part in ((1.0, left), (-1.0, right)):
        for value, name in _terms(part, text, space):
            if name:
                weights[name] = weights.get(name, 0.0) + side * value
            else:
                bound -= side * value
    found_sum = LinearConstraint(
        weights={name: weight for name, weight in weights.items() if weight},
        at_most=None if sign == ">=" else bound,
        at_least=None if sign == "<=" else bound,
    )
    _check(found_sum, text, space)
    return found_sum


def _terms(part: str, text: str, space: Sequence[Parameter]) -> Iterator[tuple[float, str]]:
    """Numbers, and the inputs that they stand at; no name where a number stands alone."""
    # The longest first, so that of "acid" and "acid ratio" the latter is found.
    known = sorted((re.escape(one.name) for one in space), key=len, reverse=True)
    name = "|".join([*(rf"{one}(?!\w)" for one in known), _WORD])
    term = re.compile(
        rf"((?:\s*[+-])*)\s*(?:({name})(?:\s*\*\s*([+-]?{_NUMBER}))?"
        rf"|({_NUMBER})(?:\s*\*?\s*({name}))?)\s*"
    )
    at = 0
    while at < len(part) or not at:
        found = term.match(part, at)
        if found is None or (at and not found[1]):
            raise PlannerFault(
                f"the constraint {text!r} is not a sum of numbers times inputs at "
                f"{part[at:].strip()!r}; write it such as a + 2*b <= 3"
            )
        turn = -1.0 if found[1].count("-") % 2 else 1.0
        yield turn * float(found[3] or found[4] or 1.0), found[2] or found[5] or ""
        at = found.end()


def _check(one: LinearConstraint, text: str, space: Sequence[Parameter]) -> None:
    """PlannerFault if a name is none of an input with numbers, or the sum can never be kept."""
    every = {parameter.name: parameter for parameter in space}
    for name in one.weights:
        if name not in every:
            raise PlannerFault(
                f"the constraint {text!r} names {name}, which is no parameter; "
                f"there are {', '.join(every)}"
            )
        parameter = every[name]
        if parameter.kind == "choice" and not parameter.ordered:
            raise PlannerFault(
                f"the constraint {text!r} names {name}, which has named options; "
                "a sum needs numbers"
            )
    if not one.weights:
        raise PlannerFault(f"the constraint {text!r} bounds no parameter; leave it out")
    least, most = bounds(one, space)
    room = ROOM * max(abs(least), abs(most))
    if not (
        (one.at_most is None or least - room <= one.at_most)
        and (one.at_least is None or one.at_least <= most + room)
    ):
        raise PlannerFault(
            f"the constraint {text!r} can never be kept: its inputs' part of it lies between "
            f"{least:g} and {most:g}; correct it, or widen the ranges"
        )
    if one.equals is not None and not equality_of(one, space).count():
        raise PlannerFault(
            f"the constraint {text!r} can never be kept: no levels of its inputs add up to "
            f"{one.equals:g}; correct it or the levels"
        )
