"""What the planner believes is left to be gained, and whether that can be relied on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sdl.model.campaign import ChoiceParameter, Goal, Objective, OutcomeConstraint, RangeParameter
from sdl.model.data import Trial
from sdl.model.planning import Problem
from sdl.model.reason import Left
from sdl.planner.aim import Aim
from sdl.planner.ensemble import Learner
from sdl.planner.listing import made_of
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.remaining import left_of

LEVELS = tuple(range(25))
PROBLEM = Problem(
    space=tuple(ChoiceParameter(name=name, options=LEVELS[:7]) for name in ("x", "y")),
    objective=Objective(measure="gain", goal="maximise"),
    left=True,
)


def value(x: int, y: int) -> float:
    return 30.0 - (x - 4.0) ** 2 - 0.5 * (y - 2.0) ** 2 + 0.4 * x * y


EVERY = [(x, y) for x in LEVELS[:7] for y in LEVELS[:7]]


def asked(problem: Problem, count: int, seed: int, without: tuple[int, int] | None = None) -> Left:
    """After ``count`` measured points, drawn by chance."""
    order = np.random.default_rng([seed, 9]).permutation(len(EVERY))
    points = [EVERY[at] for at in order if EVERY[at] != without][:count]
    trials = tuple(
        Trial(inputs={"x": x, "y": y}, status="measured", measures={"gain": value(x, y)})
        for x, y in points
    )
    (found,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
    assert found.reason is not None
    assert found.reason.left is not None
    return found.reason.left


BEST = max(EVERY, key=lambda point: value(*point))


@pytest.mark.parametrize("seed", range(3))
def test_while_the_best_point_is_not_measured_a_gain_is_expected_of_its_size(seed: int) -> None:
    second = sorted(value(*point) for point in EVERY)[-2]
    left = asked(PROBLEM, 40, seed, without=BEST)
    assert left.chance > 0.5, f"seed {seed}: {left}"
    assert 0.5 < left.gain / (value(*BEST) - second) < 4.0, f"seed {seed}: {left}"


@pytest.mark.parametrize("seed", range(3))
def test_once_it_is_measured_little_is_left_and_less_with_each_measurement(seed: int) -> None:
    few, many = asked(PROBLEM, 8, seed), asked(PROBLEM, 48, seed)
    assert many.gain < 0.2 < few.gain, f"seed {seed}"
    assert many.chance < few.chance, f"seed {seed}"


def test_a_gain_is_in_the_unit_of_the_measure_and_the_same_for_a_mirrored_one() -> None:
    up = asked(PROBLEM, 20, 1)
    target = replace(PROBLEM, objective=Objective(measure="gain", goal="target", target=100.0))
    assert asked(target, 20, 1).gain == pytest.approx(up.gain, rel=1.0)
    assert asked(target, 20, 1).gain > 0.0


def test_points_that_will_not_count_are_no_gain() -> None:
    order = np.random.default_rng([2, 9]).permutation(len(EVERY))[:20]
    most = max(value(*EVERY[at]) for at in order)
    limited = replace(PROBLEM, outcomes=(OutcomeConstraint(measure="gain", at_most=most),))
    assert asked(limited, 20, 2).gain < 0.7 * asked(PROBLEM, 20, 2).gain


@pytest.mark.parametrize("goal", ["maximise", "minimise"])
def test_nothing_is_said_while_all_results_are_the_same(goal: Goal) -> None:
    problem = replace(PROBLEM, objective=Objective(measure="gain", goal=goal))
    for last, is_told in ((0.0, False), (0.1, True)):
        trials = tuple(
            Trial(inputs={"x": x, "y": 1}, status="measured", measures={"gain": last * (x == 4)})
            for x in range(5)
        )
        (found,) = EnsemblePlanner().suggest(problem, trials, 1, 0)
        assert found.reason is not None
        assert (found.reason.left is not None) == is_told


def test_nothing_is_said_where_it_was_not_asked_for() -> None:
    trials = tuple(
        Trial(inputs={"x": x, "y": 1}, status="measured", measures={"gain": value(x, 1)})
        for x in range(5)
    )
    (found,) = EnsemblePlanner().suggest(replace(PROBLEM, left=False), trials, 1, 0)
    assert found.reason is not None
    assert found.reason.left is None


def test_what_lies_at_measured_points_is_no_gain_whichever_of_them_is_the_best() -> None:
    rows = [(x,) for x in (0.0, 0.4, 0.5, 0.6, 1.0)]
    space = (RangeParameter(name="x", low=0.0, high=1.0),)
    problem = Problem(space=space, objective=Objective(measure="gain", goal="maximise"))
    every = made_of(problem, rows)
    values = {"gain": [0.0, 1.0, 0.7, 1.05, 0.1]}
    measures = [{"gain": one} for one in values["gain"]]
    aim = Aim(problem, every.coded, measures, lambda _: Learner(every.axes, 3))
    beliefs = aim.beliefs()
    left = left_of(
        aim.acquisition(beliefs, every.coded.take(slice(0))),
        beliefs["gain"],
        problem.objective,
        aim.counted(),
        every.coded,
        np.ones(len(rows), dtype=bool),
        3,
    )
    assert left.gain < 1e-3, left
