"""Spaces of which constraints leave next to nothing are searched like any other."""

from __future__ import annotations

import itertools
import random
import statistics

import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import (
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Objective,
    Parameter,
    RangeParameter,
)
from sdl.model.data import Inputs, Trial
from sdl.model.planning import Problem
from sdl.model.space import feasible, named, number, point, violations
from sdl.planner.chance import RandomPlanner
from sdl.planner.contract import Planner
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.neighbours import neighbours
from sdl.planner.sobol import PROBE, SobolPlanner, feasible_sequence

X = tuple(RangeParameter(name=f"x{n}", low=0.0, high=1.0) for n in range(5))
HEAT = RangeParameter(name="heat_c", low=20.0, high=80.0)


def total(at_most: float | None, at_least: float | None = None, first: int = 0) -> LinearConstraint:
    weights = {one.name: 1.0 for one in X[first:]}
    return LinearConstraint(weights=weights, at_most=at_most, at_least=at_least)


def space(*constraints: LinearConstraint, more: tuple[Parameter, ...] = ()) -> Problem:
    objective = Objective(measure="y", goal="maximise")
    return Problem(space=(*X, *more), objective=objective, constraints=constraints)


SMALL = space(total(0.1))
BAND = space(total(1.001, 0.999))
TWO_SUMS = space(
    total(1.0, 1.0), LinearConstraint(weights={"x0": 1.0, "x1": -2.0}, at_least=0.0, at_most=0.0)
)
LEVELS = space(
    LinearConstraint(weights={"x0": 1.0, "x1": 1.0, "salt": 1.0}, at_least=0.3, at_most=0.3005),
    more=(ChoiceParameter(name="salt", options=(0.0, 0.1, 0.2)),),
)
RESTING = space(
    total(0.05),
    more=(
        ChoiceParameter(name="kind", options=("wet", "dry")),
        RangeParameter(
            name="water",
            low=0.0,
            high=1.0,
            only_if=(Condition(input="kind", values=("wet",)),),
            otherwise=0.0,
        ),
    ),
)
ALL = [SMALL, BAND, TWO_SUMS, LEVELS, RESTING]
NAMES = ["small", "band", "two sums", "levels", "resting"]


@pytest.mark.parametrize("problem", ALL, ids=NAMES)
def test_points_are_found_and_keep_every_constraint(problem: Problem) -> None:
    found = list(itertools.islice(feasible_sequence(problem, 3), 300))
    assert len(set(found)) == 300, "seed 3"
    assert all(feasible(problem, named(problem.space, one)) for one in found), "seed 3"
    again = list(itertools.islice(feasible_sequence(problem, 3), 300))
    assert again == found, "seed 3"


def test_they_cover_what_is_allowed_evenly() -> None:
    found = list(itertools.islice(feasible_sequence(SMALL, 1), 2000))
    # Of five numbers whose sum is 0.1 at most, each is 0.1 / 6 in the mean.
    for column in zip(*found, strict=True):
        assert statistics.fmean(map(number, column)) == pytest.approx(0.1 / 6, rel=0.1), "seed 1"


def test_of_what_other_inputs_are_nothing_is_lost() -> None:
    found = list(itertools.islice(feasible_sequence(LEVELS, 1), 600))
    assert {one[5] for one in found} == {0.0, 0.1, 0.2}, "seed 1"
    kinds = [one[5] for one in itertools.islice(feasible_sequence(RESTING, 1), 600)]
    assert 100 < kinds.count("wet") < 500, "seed 1"


def test_a_space_of_which_enough_is_left_is_drawn_as_before() -> None:
    wide = space(total(2.5))
    drawn = space()
    found = list(itertools.islice(feasible_sequence(wide, 2), PROBE))
    plain = (one for one in feasible_sequence(drawn, 2) if feasible(wide, named(wide.space, one)))
    assert found == list(itertools.islice(plain, PROBE)), "seed 2"


@pytest.mark.parametrize("problem", ALL, ids=NAMES)
def test_around_a_point_there_are_others(problem: Problem) -> None:
    centre = next(iter(feasible_sequence(problem, 5)))
    for reach in (0.1, 0.01):
        found = list(neighbours(problem, centre, reach, random.Random(5), 100))
        assert len(found) >= 45, f"reach {reach}, seed 5"
        assert all(feasible(problem, named(problem.space, one)) for one in found), "seed 5"


def test_some_of_them_are_as_far_as_a_constraint_lets_them() -> None:
    centre = next(iter(feasible_sequence(SMALL, 5)))
    found = neighbours(SMALL, centre, 0.1, random.Random(5), 100)
    sums = [sum(map(number, one)) for one in found]
    assert sum(one == pytest.approx(0.1, abs=1e-9) for one in sums) > 10, "seed 5"


@pytest.mark.parametrize("planner", [SobolPlanner(), RandomPlanner()], ids=["sobol", "random"])
@pytest.mark.parametrize("problem", ALL, ids=NAMES)
def test_planners_without_a_model_find_their_points(planner: Planner, problem: Problem) -> None:
    found = planner.suggest(problem, (), 4, 7)
    assert not violations(problem, found, 4), "seed 7"


def value(inputs: Inputs) -> float:
    """Best at a point that keeps both sums: 0.4, 0.2, 0.2, 0.1, 0.1."""
    aim = (0.4, 0.2, 0.2, 0.1, 0.1)
    return -sum((number(inputs[one.name]) - best) ** 2 for one, best in zip(X, aim, strict=True))


def test_the_best_recipe_under_two_sums_that_share_inputs_is_found() -> None:
    trials: list[Trial] = []
    for _ in range(16):
        (one,) = EnsemblePlanner().suggest(TWO_SUMS, tuple(trials), 1, 4)
        assert not violations(TWO_SUMS, [one], 1, trials), "seed 4"
        trials.append(
            Trial(inputs=one.inputs, status="measured", measures={"y": value(one.inputs)})
        )
    assert max(trial.measures["y"] for trial in trials) > -0.01, "seed 4"
    assert len({point(TWO_SUMS.space, trial.inputs) for trial in trials}) == 16, "seed 4"


def test_where_no_point_is_that_is_told_soon() -> None:
    none = space(
        total(1.0, 1.0),
        LinearConstraint(weights={"x0": 1.0}, at_least=0.8),
        LinearConstraint(weights={"x1": 1.0}, at_least=0.8),
    )
    with pytest.raises(PlannerFault, match="loosen the constraints"):
        SobolPlanner().suggest(none, (), 1, 1)
