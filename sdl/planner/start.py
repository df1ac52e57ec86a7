"""The first points, before there is anything to model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, free_points, is_enumerable, named, settled
from sdl.planner.axes import columns_of
from sdl.planner.chains import LEAST
from sdl.planner.design import designed
from sdl.planner.listing import listed
from sdl.planner.sobol import from_unit, sobol_points
from sdl.planner.spread import far_points


def start_points(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int, fall_back: str = ""
) -> tuple[Suggestion, ...]:
    """Spread points: as far apart as can be in a finite space, else the centre and then Sobol.

    ``fall_back``: the reason, if a model was to make them. PlannerFault if no point is left.
    """
    if is_enumerable(problem) and free_points(problem, trials):
        found = [(values, "maximin") for values in _far_points(problem, trials, count, seed)]
    else:
        middle = tuple(from_unit(parameter, 0.5) for parameter in problem.space)
        centre = settled(problem.space, middle)
        found = []
        if not trials and feasible(problem, named(problem.space, centre)):
            found = [(centre, "centre")]
        if len(found) < count:
            # Where inputs rest, a point of the sequence may be the centre.
            there = [values for values, _ in found]
            rest = sobol_points(problem, trials, count - len(found), seed, beside=there)
            found += [(values, "sobol") for values in rest]
    return tuple(
        designed(problem, values, origin, seed, number, fall_back)
        for number, (values, origin) in enumerate(found, start=len(trials) + 1)
    )


def _far_points(problem: Problem, trials: Sequence[Trial], count: int, seed: int) -> list[Point]:
    """Free points, each as far as possible from all before it; the first and ties by chance."""
    every, free = listed(problem), set(free_points(problem, trials))
    points = list(zip(*every.columns.values(), strict=True))
    there = [one.inputs for one in trials if one.status != "abandoned" and not one.is_hint]
    columns = columns_of(there, list(every.columns))
    places = far_points(
        every.coded,
        every.first & np.array([values in free for values in points]),
        every.axes.coded(columns, len(there)),
        count,
        np.random.default_rng([seed, 7, len(there)]),
    )
    return [points[place] for place in places]


def measured(trials: Sequence[Trial]) -> int:
    """How many of them are."""
    return sum(trial.status == "measured" for trial in trials)


def no_model(trials: Sequence[Trial]) -> str:
    """Why a model is missing where one was due; empty while results are only to come."""
    failed = sum(trial.status == "failed" for trial in trials)
    if not failed:
        return ""
    return (
        f"no model: {failed} of {len(trials)} trials failed, {measured(trials)} are measured, "
        f"it needs {LEAST}"
    )
