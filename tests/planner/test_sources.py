"""What earlier campaigns on something like it are worth to one that begins."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sdl.model.campaign import ChoiceParameter, Objective
from sdl.model.data import Inputs, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.planner.axes import axes_of, columns_of
from sdl.planner.belief import Sense
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.scale import Scale
from sdl.planner.sources import MOST, Source, Sources

OPTIONS = {
    "base": tuple(f"base {letter}" for letter in "abcdef"),
    "ligand": tuple(f"ligand {letter}" for letter in "abcde"),
    "salt": tuple(f"salt {letter}" for letter in "abcd"),
}
POINTS: list[Inputs] = [
    dict(zip(OPTIONS, row, strict=True)) for row in itertools.product(*OPTIONS.values())
]
PROBLEM = Problem(
    space=tuple(ChoiceParameter(name=name, options=each) for name, each in OPTIONS.items()),
    objective=Objective(measure="yield", goal="maximise"),
    hints=("earlier",),
)


def yields(seed: int) -> dict[int, float]:
    """By point, of a substrate: main effects and, for a third, what pairs add to them."""
    chance = np.random.default_rng([seed, 31])
    main = {option: chance.normal() for each in OPTIONS.values() for option in each}
    pair = {
        both: chance.normal() for both in itertools.product(OPTIONS["base"], OPTIONS["ligand"])
    }
    return {
        at: 40.0
        + 10.0 * sum(main[str(value)] for value in point.values())
        + 6.0 * pair[str(point["base"]), str(point["ligand"])]
        for at, point in enumerate(POINTS)
    }


def hints(values: Sequence[float], name: str = "earlier") -> tuple[Trial, ...]:
    """Every second point of a shuffled list, with these values."""
    order = np.random.default_rng(5).permutation(len(POINTS))[::2]
    return tuple(
        Trial(
            inputs=POINTS[at],
            status="measured",
            measures={"yield": values[at]},
            prior=name,
            is_hint=True,
        )
        for at in map(int, order)
    )


def played(
    here: Sequence[float], known: tuple[Trial, ...], budget: int, seed: int
) -> tuple[list[float], Suggestion]:
    """What a campaign measures, one at a time, and the suggestion after that."""
    problem = PROBLEM if known else replace(PROBLEM, hints=())
    trials, found = known, []
    while True:
        (next_,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
        if len(found) == budget:
            return found, next_
        found.append(here[POINTS.index(dict(next_.inputs))])
        new = Trial(inputs=next_.inputs, status="measured", measures={"yield": found[-1]})
        trials = (*trials, new)


def firsts(values: Sequence[float], known: tuple[Trial, ...], seed: int) -> int:
    """Experiments until one of the three best, of 31 where 30 do not find it."""
    good = sorted(values)[-3]
    found, _ = played(values, known, 30, seed)
    return next((at for at, value in enumerate(found, start=1) if value >= good), 31)


def substrate(seed: int) -> list[float]:
    return list(yields(seed).values())


def test_a_source_guides_the_first_point_and_halves_the_experiments() -> None:
    """Another scale, another level and a disturbance of its own do not hide what is alike."""
    cold, warm = [], []
    for seed in range(4):
        here = substrate(seed)
        other = np.random.default_rng([seed, 77]).normal(size=len(here))
        there = [0.4 * value + 3.0 + 1.5 * o for value, o in zip(here, other, strict=True)]
        known = hints(there)
        (first,) = EnsemblePlanner().suggest(PROBLEM, known, 1, seed)
        assert first.origin == "sources"
        assert here[POINTS.index(dict(first.inputs))] > np.quantile(here, 0.8), f"seed {seed}"
        cold.append(firsts(here, (), seed))
        warm.append(firsts(here, known, seed))
    assert sum(warm) <= 0.5 * sum(cold), f"{warm} with, {cold} without"


def test_a_source_that_says_nothing_true_costs_little() -> None:
    cold, warm = [], []
    for seed in range(4):
        here = substrate(seed)
        cold.append(firsts(here, (), seed))
        warm.append(firsts(here, hints(substrate(seed + 50)), seed))
    assert sum(warm) <= 1.3 * sum(cold), f"{warm} with, {cold} without"
