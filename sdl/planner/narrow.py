"""Points of a space of which constraints leave little: drawn, moved inside, and spread from there.

To draw until a point keeps every constraint finds few or none where a sum is narrow, and none where
two sums that have to be met share an input. Here the real inputs of sums are moved by projections
in turn to where all of them hold, and go along random chords of what is allowed from there.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdl.model.campaign import LinearConstraint, Parameter, RangeParameter
from sdl.model.data import InputValue
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, is_levelled, is_searched, named, number, settled
from sdl.planner.axes import Bools, Floats

ROUNDS = 500
"""Projections onto all sums in turn, at most."""
CLOSE = 1e-11
"""A sum holds if it is to this share of all that its inputs can change in it."""
INSIDE = 0.02
"""Share of the room between two bounds by which a projected point is taken off the nearer one."""
CHORDS = 40
"""Along so many of them a point goes; they leave little of where it began."""
FAR = 1e3
_STILL = 1e-12


def inside(problem: Problem, points: Sequence[Point], seed: int) -> Iterator[Point]:
    """Those of the points for which that can be, moved to where every constraint holds.

    What a real input is that some constraint names is drawn anew; all else stays as it is.
    """
    chance = np.random.default_rng(seed)
    for sums, some in _grouped(problem, points):
        at, holds = sums.projected(sums.shares(some))
        moved = sums.walked(at, chance)
        sound = [one for one, held in zip(sums.points(some, moved), holds, strict=True) if held]
        yield from _kept(problem, sound)


def nudged(problem: Problem, points: Sequence[Point], reach: float, seed: int) -> Iterator[Point]:
    """Points that keep every constraint, each moved by a small step that keeps them too.

    ``reach``: standard deviation of the step, in widths of the ranges.
    """
    chance = np.random.default_rng(seed)
    for sums, some in _grouped(problem, points):
        moved = sums.nudged(sums.shares(some), reach, chance)
        yield from _kept(problem, sums.points(some, moved))


def _kept(problem: Problem, points: Iterable[Point]) -> Iterator[Point]:
    return (values for values in points if feasible(problem, named(problem.space, values)))


def _grouped(problem: Problem, points: Sequence[Point]) -> Iterator[tuple[_Sums, list[Point]]]:
    """Points by which of their inputs may be moved; what is not searched there rests."""
    groups: dict[tuple[int, ...], list[Point]] = defaultdict(list)
    for values in points:
        found = settled(problem.space, values)
        groups[_movable(problem, found)].append(found)
    return ((_Sums.of(problem, some, places), some) for places, some in groups.items())


def _movable(problem: Problem, values: Point) -> tuple[int, ...]:
    """Places of the real inputs that some constraint names, and that are searched at a point."""
    inputs = named(problem.space, values)
    summed = {name for one in problem.constraints for name in one.weights}
    return tuple(
        place
        for place, parameter in enumerate(problem.space)
        if parameter.name in summed
        and not is_levelled(parameter)
        and is_searched(parameter, inputs)
    )


@dataclass(frozen=True)
class _Sums:
    """All constraints over some real inputs, in units of 0 to 1 of their ranges."""

    places: tuple[int, ...]
    """Of those inputs in the space."""
    ranges: tuple[RangeParameter, ...]
    weights: Floats
    """(m, r); the absolute values of each row sum up to 1."""
    lows: Floats
    """(B, m), without what the other inputs add at each point; ``highs`` likewise."""
    highs: Floats

    @classmethod
    def of(cls, problem: Problem, points: Sequence[Point], places: tuple[int, ...]) -> _Sums:
        """Of points of which all other inputs stay as they are."""
        space = problem.space
        ranges = tuple(one for place in places if (one := space[place]).kind == "range")
        weights = np.array([[_slope(one, each) for each in ranges] for one in problem.constraints])
        weights = weights.reshape(len(problem.constraints), len(ranges))
        sizes = np.abs(weights).sum(axis=1)
        sizes[sizes == 0.0] = 1.0
        lowest = [_at_lowest(space, values, ranges) for values in points]
        rest = np.array([[_sum(one, each) for one in problem.constraints] for each in lowest])
        lows = [-math.inf if one.at_least is None else one.at_least for one in problem.constraints]
        highs = [math.inf if one.at_most is None else one.at_most for one in problem.constraints]
        return cls(
            places=places,
            ranges=ranges,
            weights=weights / sizes[:, None],
            lows=(np.array(lows) - rest) / sizes,
            highs=(np.array(highs) - rest) / sizes,
        )

    def shares(self, points: Sequence[Point]) -> Floats:
        """(B, r) where in its range each input is."""
        rows = [
            [(number(values[place]) - one.low) / (one.high - one.low) for place, one in self._pairs]
            for values in points
        ]
        return np.array(rows).reshape(len(points), len(self.places))

    def points(self, points: Sequence[Point], at: Floats) -> Iterator[Point]:
        """The points with these shares."""
        for values, row in zip(points, at.tolist(), strict=True):
            found = list(values)
            for (place, one), share in zip(self._pairs, row, strict=True):
                found[place] = min(max(one.low + share * (one.high - one.low), one.low), one.high)
            yield tuple(found)

    @property
    def _pairs(self) -> Sequence[tuple[int, RangeParameter]]:
        return list(zip(self.places, self.ranges, strict=True))

    def projected(self, at: Floats) -> tuple[Floats, Bools]:
        """(B, r) moved to where all sums hold, and for which of them that was found, (B,)."""
        with np.errstate(invalid="ignore"):
            room = self.highs - self.lows
        room = np.where(np.isfinite(room), room, 1.0)
        lows, highs = self.lows + INSIDE * room, self.highs - INSIDE * room
        sizes = (self.weights**2).sum(axis=1)
        held = np.zeros(self.lows.shape, dtype=bool)
        for _ in range(ROUNDS):
            for row in np.flatnonzero(sizes):
                total = at @ self.weights[row]
                wanted = np.minimum(np.maximum(total, lows[:, row]), highs[:, row])
                at = at + np.outer((wanted - total) / sizes[row], self.weights[row])
            at = np.minimum(np.maximum(at, 0.0), 1.0)
            totals = at @ self.weights.T
            held = (totals >= self.lows - CLOSE) & (totals <= self.highs + CLOSE)
            if held.all():
                break
        return at, np.asarray(held.all(axis=1))

    def walked(self, at: Floats, chance: np.random.Generator) -> Floats:
        """(B, r) along chords of what is allowed."""
        for _ in range(CHORDS):
            way = self._ways(len(at), chance)
            back, forth = self._chord(at, way)
            at = at + (back + chance.random(len(at)) * (forth - back))[:, None] * way
        return at

    def nudged(self, at: Floats, reach: float, chance: np.random.Generator) -> Floats:
        """(B, r) a step away, or to the end of what is allowed on the way there."""
        way = reach * self._ways(len(at), chance)
        _, forth = self._chord(at, way)
        return at + np.minimum(forth, 1.0)[:, None] * way

    def _ways(self, count: int, chance: np.random.Generator) -> Floats:
        """Directions that change no sum that has to be met, (B, r)."""
        return np.asarray(chance.standard_normal((count, len(self._free))) @ self._free)

    @cached_property
    def _equal(self) -> Bools:
        return np.asarray((self.lows == self.highs).all(axis=0))

    @cached_property
    def _free(self) -> Floats:
        """(k, r), orthogonal to each other."""
        rows = self.weights[self._equal]
        if not len(rows):
            return np.eye(rows.shape[1])
        _, sizes, ways = np.linalg.svd(rows)
        return np.asarray(ways[int((sizes > _STILL).sum()) :])

    def _chord(self, at: Floats, way: Floats) -> tuple[Floats, Floats]:
        """How far each row can go along its way, back and forth, for all that is allowed."""
        rows = self.weights[~self._equal]
        back, forth = _within(at, way, np.zeros_like(at), np.ones_like(at))
        ends = _within(
            at @ rows.T, way @ rows.T, self.lows[:, ~self._equal], self.highs[:, ~self._equal]
        )
        return np.minimum(np.maximum(back, ends[0]), 0.0), np.maximum(
            np.minimum(forth, ends[1]), 0.0
        )


def _slope(one: LinearConstraint, parameter: RangeParameter) -> float:
    """What the whole range of an input changes in a sum."""
    return one.weights.get(parameter.name, 0.0) * (parameter.high - parameter.low)


def _sum(one: LinearConstraint, inputs: dict[str, InputValue]) -> float:
    return math.fsum(weight * number(inputs[name]) for name, weight in one.weights.items())


def _at_lowest(
    space: Sequence[Parameter], values: Point, ranges: Sequence[RangeParameter]
) -> dict[str, InputValue]:
    """A point with some inputs at the lower end of their ranges."""
    return {**named(space, values), **{one.name: one.low for one in ranges}}


def _within(at: Floats, way: Floats, lows: Floats, highs: Floats) -> tuple[Floats, Floats]:
    """How far each row can go along its way within bounds, back and forth."""
    moves = np.abs(way) > _STILL
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (lows - at) / way, (highs - at) / way
    back = np.where(moves, np.minimum(one, other), -FAR)
    forth = np.where(moves, np.maximum(one, other), FAR)
    return back.max(axis=1, initial=-FAR), forth.min(axis=1, initial=FAR)
