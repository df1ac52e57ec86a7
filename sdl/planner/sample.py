"""A sample that stands for a space which cannot be listed; without numpy and torch."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from sdl.model.campaign import Parameter
from sdl.model.data import Inputs, InputValue, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, free_points, is_enumerable, is_searched, point, taken
from sdl.planner.neighbours import exchange, real_sums
from sdl.planner.sobol import feasible_sequence, from_unit

SAMPLE = 2048
"""Sobol points of it."""

BEST = 5
VARIANTS = 100
"""To those come, for each of the ``BEST`` points so far, so many with one or two inputs changed."""
FAR = 0.3
"""Standard deviation of what inputs of a sum give to others there, in widths of their ranges."""


def candidates(problem: Problem, trials: Sequence[Trial], seed: int) -> list[Point]:
    """Free points to choose from: all of a listed space, else a sample and variants of the best."""
    if is_enumerable(problem):
        return free_points(problem, trials)
    found = dict.fromkeys(itertools.islice(feasible_sequence(problem, seed), SAMPLE))
    found.update(dict.fromkeys(_variants(problem, trials, seed)))
    used = taken(problem, trials, failed=True)
    return [values for values in found if values not in used]


def _variants(problem: Problem, trials: Sequence[Trial], seed: int) -> list[Point]:
    """The best points so far with one or two of their inputs drawn anew.

    Those of a sum that has to be met give to one another instead.
    """
    chance = random.Random(seed)
    objective = problem.objective
    measured = [trial for trial in trials if trial.status == "measured"]
    measured.sort(key=lambda trial: objective.loss(trial.measures[objective.measure]))
    found: list[Point] = []
    sums = {term.at: terms for terms in real_sums(problem) for term in terms}
    for trial in measured[:BEST]:
        for _ in range(VARIANTS):
            values = list(point(problem.space, trial.inputs))
            for index in chance.choices(range(len(values)), k=2):
                if index in sums:
                    exchange(sums[index], values, FAR, chance)
                else:
                    values[index] = from_unit(problem.space[index], chance.random())
            inputs = _in_force(problem.space, trial.inputs, values, chance)
            if feasible(problem, inputs):
                found.append(point(problem.space, inputs))
    return found


def _in_force(
    space: Sequence[Parameter], before: Inputs, values: Sequence[InputValue], chance: random.Random
) -> dict[str, InputValue]:
    """Changed values, of which what is not searched now rests; what rested is drawn."""
    found: dict[str, InputValue] = {}
    for parameter, value in zip(space, values, strict=True):
        found[parameter.name] = value
        if not is_searched(parameter, found) and parameter.otherwise is not None:
            found[parameter.name] = parameter.otherwise
        elif not is_searched(parameter, before):
            found[parameter.name] = from_unit(parameter, chance.random())
    return found
