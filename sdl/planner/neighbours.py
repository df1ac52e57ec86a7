"""Points around a promising one, for inputs that are real numbers; without torch."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sdl.model.campaign import Parameter
from sdl.model.data import InputValue
from sdl.model.planning import Problem
from sdl.model.space import Point, equalities, feasible, is_levelled, is_searched, named, number
from sdl.planner.sobol import from_unit, to_unit

REACHES = (0.1, 0.03, 0.01)
"""Standard deviations of the steps around the best point, in widths of the ranges."""

NEIGHBOURS = 256
"""Points that are drawn for each reach."""


def neighbours(
    problem: Problem, centre: Point, reach: float, chance: random.Random, count: int = NEIGHBOURS
) -> Iterator[Point]:
    """Feasible points around ``centre``, itself not among them, ``count`` at most.

    Only real inputs that are searched there are moved: some or all of them, those of a sum that has
    to be met in pairs, of which one takes what the other gives. Under other constraints half of the
    points are made by a step that keeps them all, and ends on the first that it comes to.
    """
    steps = count // 2 if _has_other_sums(problem) else 0
    for values in _drawn(problem, centre, reach, chance, count - steps):
        if values != centre and feasible(problem, named(problem.space, values)):
            yield values
    if steps:
        yield from _together(problem, centre, reach, chance, steps)


def _has_other_sums(problem: Problem) -> bool:
    """Whether real inputs have to keep more than sums that are met, each of inputs of its own."""
    met = len(equalities(problem))
    summed = {name for one in problem.constraints for name in one.weights}
    is_real = any(p.name in summed and not is_levelled(p) for p in problem.space)
    return is_real and len(problem.constraints) > met


def _together(
    problem: Problem, centre: Point, reach: float, chance: random.Random, count: int
) -> Iterator[Point]:
    """Points with the inputs of constraints moved along what these allow, the others one by one."""
    from sdl.planner.narrow import nudged

    summed = {name for one in problem.constraints for name in one.weights}
    other = replace(problem, constraints=())
    drawn = [
        tuple(
            there if p.name in summed else moved
            for p, there, moved in zip(problem.space, centre, values, strict=True)
        )
        for values in _drawn(other, centre, reach, chance, count)
    ]
    found = nudged(problem, drawn, reach, chance.getrandbits(32))
    yield from (values for values in found if values != centre)


def _drawn(
    problem: Problem, centre: Point, reach: float, chance: random.Random, count: int
) -> Iterator[Point]:
    """Points around another one, whatever inequalities say."""
    inputs = named(problem.space, centre)
    may_move = [is_searched(parameter, inputs) for parameter in problem.space]
    sums = list(real_sums(problem))
    bound = {term.at for terms in sums for term in terms}
    for _ in range(count):
        share = chance.random()
        values = [
            _moved(p, value, chance.gauss(0.0, reach))
            if may_move[index] and index not in bound and chance.random() < share
            else value
            for index, (p, value) in enumerate(zip(problem.space, centre, strict=True))
        ]
        for terms in sums:
            exchange(terms, values, reach, chance)
        yield tuple(values)


@dataclass(frozen=True, slots=True)
class Term:
    """A real input of a sum, by its place in the space."""

    at: int
    weight: float
    low: float
    high: float


def real_sums(problem: Problem) -> Iterator[list[Term]]:
    """Of each sum that has to be met, the real inputs."""
    places = {p.name: at for at, p in enumerate(problem.space)}
    met = {one.indices for one in equalities(problem)}
    for one in problem.constraints:
        terms = {places[name]: weight for name, weight in one.weights.items()}
        if one.equals is not None and frozenset(terms) in met:
            yield [
                Term(at, weight, p.low, p.high)
                for at, weight in terms.items()
                if (p := problem.space[at]).kind == "range" and not p.integer
            ]


def exchange(
    terms: Sequence[Term], values: list[InputValue], reach: float, chance: random.Random
) -> None:
    """Some inputs of a sum give to others, as far as their ranges let them; ``values`` changes.

    ``reach``: standard deviation of what is given, in widths of the giver's range.
    """
    order = chance.sample(terms, len(terms))
    for giver, taker in list(itertools.pairwise(order))[: chance.randint(0, len(order))]:
        here, there = number(values[giver.at]), number(values[taker.at])
        factor = giver.weight / taker.weight
        room = sorted((there - end) / factor for end in (taker.low, taker.high))
        step = chance.gauss(0.0, reach) * (giver.high - giver.low)
        step = min(max(step, giver.low - here, room[0]), giver.high - here, room[1])
        values[giver.at] = _within(giver, here + step)
        values[taker.at] = _within(taker, there - factor * step)


def _within(term: Term, value: float) -> float:
    return min(max(value, term.low), term.high)


def _moved(parameter: Parameter, value: InputValue, step: float) -> InputValue:
    if parameter.kind == "choice" or parameter.integer:
        return value
    return from_unit(parameter, min(max(to_unit(parameter, value) + step, 0.0), 1.0))
