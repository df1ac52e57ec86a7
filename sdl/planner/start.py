"""The first points, before there is anything to model."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sdl.model.campaign import Parameter
from sdl.model.data import InputValue, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, free_points, is_enumerable, levels, named, point
from sdl.planner.design import designed
from sdl.planner.sobol import from_unit, sobol_points, to_unit


def start_points(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int, fall_back: str = ""
) -> tuple[Suggestion, ...]:
    """Spread points: as far apart as can be in a finite space, else the centre and then Sobol.

    ``fall_back``: the reason, if a model was to make them. PlannerFault if no point is left.
    """
    if is_enumerable(problem) and free_points(problem, trials):
        found = [(values, "maximin") for values in _far_points(problem, trials, count, seed)]
    else:
        centre = tuple(from_unit(parameter, 0.5) for parameter in problem.space)
        found = []
        if not trials and feasible(problem, named(problem.space, centre)):
            found = [(centre, "centre")]
        if len(found) < count:
            rest = sobol_points(problem, trials, count - len(found), seed)
            found += [(values, "sobol") for values in rest]
    return tuple(
        designed(problem, values, origin, seed, number, fall_back)
        for number, (values, origin) in enumerate(found, start=len(trials) + 1)
    )


def _far_points(problem: Problem, trials: Sequence[Trial], count: int, seed: int) -> list[Point]:
    """Free points, each as far as possible from all before it; the first and ties by chance."""
    free = free_points(problem, trials)
    random.Random(seed).shuffle(free)
    places = {values: _place(problem.space, values) for values in free}
    near = dict.fromkeys(free, float("inf"))
    for trial in trials:
        if trial.status == "abandoned":
            continue
        _approach(near, places, _place(problem.space, point(problem.space, trial.inputs)))
    found: list[Point] = []
    while near and len(found) < count:
        best = max(near, key=lambda values: near[values])
        del near[best]
        found.append(best)
        _approach(near, places, places[best])
    return found


def _approach(
    near: dict[Point, float],
    places: dict[Point, tuple[float | str, ...]],
    new: tuple[float | str, ...],
) -> None:
    for values, distance in near.items():
        near[values] = min(distance, _distance(places[values], new))


def _place(space: Sequence[Parameter], values: Point) -> tuple[float | str, ...]:
    """Levels by rank within 0 to 1, names as they are."""
    return tuple(_coordinate(p, value) for p, value in zip(space, values, strict=True))


def _coordinate(parameter: Parameter, value: InputValue) -> float | str:
    if isinstance(value, str):
        return value
    if parameter.kind == "range":
        return to_unit(parameter, value)
    steps = sorted(levels(parameter), key=float)
    return steps.index(value) / max(len(steps) - 1, 1)


def _distance(one: tuple[float | str, ...], other: tuple[float | str, ...]) -> float:
    """Euclidean; two different names are as far apart as two ends of a range."""
    return sum(
        float(a != b) if isinstance(a, str) or isinstance(b, str) else (a - b) ** 2
        for a, b in zip(one, other, strict=True)
    )
