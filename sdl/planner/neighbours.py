"""Points around a promising one, for inputs that are real numbers; without numpy and torch."""

from __future__ import annotations

import random
from collections.abc import Iterator

from sdl.model.campaign import Parameter
from sdl.model.data import InputValue
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, named
from sdl.planner.sobol import from_unit, to_unit

REACHES = (0.1, 0.03, 0.01)
"""Standard deviations of the steps around the best point, in widths of the ranges."""

NEIGHBOURS = 256
"""Points that are drawn for each reach."""


def neighbours(
    problem: Problem, centre: Point, reach: float, chance: random.Random
) -> Iterator[Point]:
    """Feasible points around ``centre``, itself not among them; only real inputs are moved."""
    for _ in range(NEIGHBOURS):
        values = tuple(
            _moved(p, value, chance.gauss(0.0, reach))
            for p, value in zip(problem.space, centre, strict=True)
        )
        if feasible(problem, named(problem.space, values)):
            yield values


def _moved(parameter: Parameter, value: InputValue, step: float) -> InputValue:
    if parameter.kind == "choice" or parameter.integer:
        return value
    return from_unit(parameter, min(max(to_unit(parameter, value) + step, 0.0), 1.0))
