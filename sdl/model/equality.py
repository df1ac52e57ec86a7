"""Sums that have to be met exactly, such as the fractions of a mixture, and the points that do.

A point that keeps an equality is never found by drawing at random, so points are made to keep it:
term after term takes a share of what is left that the others can still make up. Pure and without
numpy, because the engine lists the points of a space with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sdl.model.campaign import ChoiceParameter, LinearConstraint, Parameter, RangeParameter
from sdl.model.data import InputValue

ROOM = 1e-9
"""A sum is met if it is to this share of its largest term; so much is left to rounding."""


@dataclass(frozen=True, slots=True)
class Term:
    """One input of a sum: what it can add to it."""

    index: int
    """Of the input in the space."""
    weight: float
    low: float
    """Of weight times value, as ``high``."""
    high: float
    levels: Sequence[InputValue] | None
    """A tuple or a range; None of a range of real numbers."""


def bounds(constraint: LinearConstraint, space: Sequence[Parameter]) -> tuple[float, float]:
    """The least and the largest that a sum can be. Errors as of ``equality_of``.

    Where an input has conditions, it may also be what it is where it is not searched.
    """
    least = most = 0.0
    for term in _terms(constraint, space):
        rests = space[term.index].otherwise
        ends = [term.low, term.high, *([] if rests is None else [term.weight * _number(rests)])]
        least, most = least + min(ends), most + max(ends)
    return least, most


def equality_of(constraint: LinearConstraint, space: Sequence[Parameter]) -> Equality:
    """The same one for the same sum, for what it has counted is dear.

    ``constraint``: an equality with one weight or more, none of which is 0. KeyError if it names
    an input that is not in the space, TypeError if that one has names.
    """
    total = constraint.equals
    assert total is not None
    return _equality(tuple(_terms(constraint, space)), total)


@lru_cache(maxsize=16)
def _equality(terms: tuple[Term, ...], total: float) -> Equality:
    return Equality(terms, total)


class Equality:
    """One sum that has to be met, over a space; it remembers what it has counted."""

    def __init__(self, terms: Sequence[Term], total: float) -> None:
        """``terms``: one or more, each of another input."""
        self._total = total
        # Those with levels first: what they leave over, real numbers can make up.
        self._terms = sorted(terms, key=lambda term: term.levels is None)
        self.indices = frozenset(term.index for term in self._terms)
        """Of its inputs in the space."""
        self.has_levels = all(term.levels is not None for term in self._terms)
        """Whether finitely many points keep it, others inputs left aside."""
        self._scale = max(max(abs(term.low), abs(term.high)) for term in self._terms) or 1.0
        self._ways: dict[tuple[int, int], int] = {}

    def count(self) -> int:
        """In how many ways it is met, if all of its inputs have levels; else 1 if it can be met."""
        return self._count(0, self._total)

    def points(self) -> Iterator[dict[int, InputValue]]:
        """All values of its inputs, by index in the space, that meet it; all have levels."""
        yield from self._walk(0, self._total)

    def met(
        self, values: Sequence[InputValue], units: Sequence[float]
    ) -> tuple[InputValue, ...] | None:
        """``values`` with those of its inputs made to meet it; None if nothing does.

        ``units``: a number, 0 to 1, for each input of the space. Evenly spread ones give points
        that are evenly spread over all that meet it, but where bounds cut off some of a simplex.
        """
        found, left = list(values), self._total
        for start, term in enumerate(self._terms):
            value = self._chosen(start, left, units[term.index])
            if value is None:
                return None
            found[term.index] = value
            left -= term.weight * _number(value)
        return tuple(found)

    def _chosen(self, start: int, left: float, unit: float) -> InputValue | None:
        if self._terms[start].levels is None:
            return self._share(start, left, unit)
        steps = [(level, self._count(start + 1, rest)) for level, rest in self._steps(start, left)]
        aim, passed = unit * sum(ways for _, ways in steps), 0
        for level, ways in steps:
            passed += ways
            if aim < passed:
                return level
        return steps[-1][0] if steps else None

    def _walk(self, start: int, left: float) -> Iterator[dict[int, InputValue]]:
        if start == len(self._terms):
            yield {}
            return
        for level, rest in self._steps(start, left):
            for more in self._walk(start + 1, rest):
                yield {self._terms[start].index: level, **more}

    def _steps(self, start: int, left: float) -> list[tuple[InputValue, float]]:
        """The levels of a term after which the others can make up the rest, and that rest."""
        term = self._terms[start]
        rests = [(level, left - term.weight * _number(level)) for level in term.levels or ()]
        return [(level, rest) for level, rest in rests if self._count(start + 1, rest)]

    def _count(self, start: int, left: float) -> int:
        """In how many ways the terms from ``start`` on make up ``left``; 1 if real numbers can."""
        rounded = round(left / self._scale / ROOM)
        known = self._ways.get((start, rounded))
        if known is None:
            known = self._ways[start, rounded] = self._counted(start, left)
        return known

    def _counted(self, start: int, left: float) -> int:
        rest, room = self._terms[start:], 10.0 * ROOM * self._scale
        least, most = sum(term.low for term in rest), sum(term.high for term in rest)
        if not least - room <= left <= most + room:
            return 0
        if not rest or rest[0].levels is None:
            return 1
        term = rest[0]
        return sum(
            self._count(start + 1, left - term.weight * _number(level))
            for level in term.levels or ()
        )

    def _share(self, start: int, left: float, unit: float) -> float | None:
        """A real term's value: what is left if it is the last, else a share of what it may take."""
        term, others = self._terms[start], self._terms[start + 1 :]
        low = max(term.low, left - sum(other.high for other in others))
        high = min(term.high, left - sum(other.low for other in others))
        if low > high + 10.0 * ROOM * self._scale:
            return None
        # Of k numbers that share 1, the first is above x with the chance (1 - x) ** (k - 1).
        share = 1.0 - (1.0 - unit) ** (1.0 / max(len(others), 1))
        part = left if not others else low + max(high - low, 0.0) * share
        ends = sorted((term.low / term.weight, term.high / term.weight))
        return min(max(part / term.weight, ends[0]), ends[1])


def _terms(constraint: LinearConstraint, space: Sequence[Parameter]) -> list[Term]:
    places = {parameter.name: index for index, parameter in enumerate(space)}
    return [
        _term(places[name], weight, space[places[name]])
        for name, weight in constraint.weights.items()
    ]


def _term(index: int, weight: float, parameter: Parameter) -> Term:
    levels: Sequence[InputValue] | None = None
    if isinstance(parameter, ChoiceParameter):
        levels = tuple(dict.fromkeys(parameter.options))
    elif parameter.integer:
        levels = range(math.ceil(parameter.low), math.floor(parameter.high) + 1)
    elif parameter.low == parameter.high:
        levels = (parameter.low,)
    if levels is None:
        assert isinstance(parameter, RangeParameter)
        numbers = [parameter.low, parameter.high]
    elif isinstance(levels, range):
        numbers = [levels[0], levels[-1]] if levels else [0.0]
    else:
        numbers = [_number(level) for level in levels]
    ends = [weight * number for number in numbers]
    return Term(index, weight, min(ends), max(ends), levels)


def _number(value: InputValue) -> float:
    if isinstance(value, str):
        raise TypeError(f"{value!r} is a name, not a number")
    return float(value)
