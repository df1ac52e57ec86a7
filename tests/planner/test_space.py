"""The search space as a set, and the check of a planner's answer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdl.model.campaign import (
    ChoiceParameter,
    LinearConstraint,
    Objective,
    Parameter,
    RangeParameter,
)
from sdl.model.data import Inputs, Prediction, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import (
    exhausted,
    free_points,
    grid_points,
    is_enumerable,
    is_finite,
    size,
    violations,
)

REAL = RangeParameter(name="dye", low=0.0, high=1.0)
WHOLE = RangeParameter(name="drops", low=1, high=4, integer=True)
NAMES = ChoiceParameter(name="solvent", options=("water", "ethanol"))
LEVELS = ChoiceParameter(name="heat_c", options=(20, 37.5))


def problem(*space: Parameter, at_most: float | None = None) -> Problem:
    weights = {p.name: 1.0 for p in space if p is not NAMES}
    limit = () if at_most is None else (LinearConstraint(weights=weights, at_most=at_most),)
    return Problem(
        space=space, objective=Objective(measure="m", goal="maximise"), constraints=limit
    )


def suggested(**inputs: float | str) -> Suggestion:
    return Suggestion(inputs=inputs, origin="test", predicted={})


def trial(status: str, **inputs: float | str) -> Trial:
    if status == "measured":
        return Trial(inputs=inputs, status="measured", measures={"m": 1.0})
    if status == "abandoned":
        return Trial(inputs=inputs, status="abandoned", measures={})
    return Trial(inputs=inputs, status="failed" if status == "failed" else "pending", measures={})


def test_the_size_counts_points_and_only_real_ranges_are_endless() -> None:
    assert size(problem(WHOLE, NAMES, LEVELS)) == 16
    assert size(problem(REAL, NAMES)) is None
    assert not is_finite(problem(REAL))
    assert is_finite(problem(RangeParameter(name="fixed", low=2.0, high=2.0)))
    assert not is_enumerable(problem(RangeParameter(name="n", low=0, high=1e9, integer=True)))


def test_grid_points_keep_the_constraints_and_the_last_parameter_runs_fastest() -> None:
    points = list(grid_points(problem(WHOLE, LEVELS, at_most=23.0)))
    assert points == [(1, 20), (2, 20), (3, 20)]
    assert list(grid_points(problem(WHOLE, NAMES)))[:3] == [
        (1, "water"),
        (1, "ethanol"),
        (2, "water"),
    ]


def test_failed_points_are_free_only_when_nothing_else_is() -> None:
    space = problem(NAMES)
    failed = trial("failed", solvent="water")
    assert free_points(space, [failed]) == [("ethanol",)]
    assert free_points(space, [failed, trial("pending", solvent="ethanol")]) == [("water",)]
    assert not exhausted(space, [failed, trial("pending", solvent="ethanol")])
    both = [trial("measured", solvent="water"), trial("pending", solvent="ethanol")]
    assert exhausted(space, both)
    assert free_points(space, both) == []


@pytest.mark.parametrize(
    "inputs, complaint",
    [
        ({"dye": 1.5, "drops": 2}, "dye = 1.5 is outside 0 to 1"),
        ({"dye": math.nan, "drops": 2}, "dye = nan is not finite"),
        ({"dye": -math.inf, "drops": 2}, "dye = -inf is not finite"),
        ({"dye": "much", "drops": 2}, "dye = 'much' is not a number"),
        ({"dye": True, "drops": 2}, "dye = True is not a number"),
        ({"dye": 0.5, "drops": 2.5}, "drops = 2.5 is not a whole number"),
        ({"dye": 0.5}, "has no value for drops"),
        ({"dye": 0.5, "drops": 2, "salt": 1}, "has salt, which the campaign does not search"),
        ({"dye": 1.0, "drops": 4}, "breaks dye + drops <= 4.5 by 0.5"),
    ],
)
def test_a_wrong_point_is_named_with_its_fault(inputs: Inputs, complaint: str) -> None:
    answer = [Suggestion(inputs=inputs, origin="test", predicted={})]
    (said,) = violations(problem(REAL, WHOLE, at_most=4.5), answer, 1)
    assert said.startswith(f"suggestion 1 of 1: {complaint}"), said


def test_an_unknown_option_is_named_with_the_options_that_exist() -> None:
    (said,) = violations(problem(NAMES), [suggested(solvent="oil")], 1)
    assert said == "suggestion 1 of 1: solvent = 'oil' is none of 'water', 'ethanol'"


def test_a_wrong_count_is_said() -> None:
    one = suggested(dye=0.5)
    assert violations(problem(REAL), [one], 2) == ["1 suggestions came, 2 were asked for"]
    assert violations(problem(REAL), [one, one], 1) == ["2 suggestions came, 1 were asked for"]
    assert violations(problem(REAL), [], 1) == ["0 suggestions came, 1 were asked for"]


def test_fewer_points_are_right_where_fewer_are_left() -> None:
    measured = [trial("measured", solvent="water")]
    last = [suggested(solvent="ethanol")]
    assert violations(problem(NAMES), last, 3, measured) == []
    assert violations(problem(NAMES), last, 3) == ["1 suggestions came, 3 were asked for"]


def test_where_few_points_are_left_those_that_failed_may_come_again_or_not() -> None:
    task = problem(WHOLE)
    trials = [trial("measured", drops=1), trial("failed", drops=2)]
    untried = [suggested(drops=3), suggested(drops=4)]
    assert violations(task, untried, 5, trials) == []
    assert violations(task, [*untried, suggested(drops=2)], 5, trials) == []
    assert violations(task, untried[:1], 5, trials) == ["1 suggestions came, 5 were asked for"]


def test_a_point_of_a_finite_space_does_not_come_again() -> None:
    water = suggested(solvent="water")
    for status in ("measured", "pending"):
        assert violations(problem(NAMES), [water], 1, [trial(status, solvent="water")])
    assert violations(problem(NAMES), [water, water], 2)
    assert violations(problem(NAMES), [water], 1, [trial("failed", solvent="water")]) == []
    assert violations(problem(REAL), [suggested(dye=0.5)], 1, [trial("measured", dye=0.5)]) == []


def test_a_prediction_that_is_not_a_number_is_nonsense() -> None:
    bad = Suggestion(
        inputs={"dye": 0.5}, origin="test", predicted={"m": Prediction(mean=math.nan, sd=1.0)}
    )
    (said,) = violations(problem(REAL), [bad], 1)
    assert "predicts m as nan" in said
    worse = Suggestion(inputs={"dye": 0.5}, origin="test", predicted={}, acquisition=math.inf)
    assert violations(problem(REAL), [worse], 1)


ANYTHING = st.one_of(st.floats(), st.integers(), st.text(max_size=3))


@given(st.dictionaries(st.sampled_from(["dye", "drops", "solvent", "salt"]), ANYTHING))
def test_the_check_agrees_with_a_plain_reading_of_the_rules(inputs: dict[str, float | str]) -> None:
    said = violations(problem(REAL, WHOLE, NAMES), [suggested(**inputs)], 1)
    dye, drops = inputs.get("dye"), inputs.get("drops")
    right = (
        inputs.keys() == {"dye", "drops", "solvent"}
        and not isinstance(dye, str)
        and dye is not None
        and 0 <= dye <= 1
        and drops in {1, 2, 3, 4}
        and isinstance(drops, int)
        and inputs["solvent"] in {"water", "ethanol"}
    )
    assert (not said) == right, f"{inputs}: {said}"


def test_an_abandoned_point_is_as_good_as_not_tried() -> None:
    task = problem(LEVELS)
    trials = (trial("abandoned", heat_c=20), trial("measured", heat_c=37.5))
    assert free_points(task, trials) == [(20,)]
    assert not exhausted(task, trials)
    again = suggested(heat_c=20)
    assert violations(task, (again,), 1, trials) == []
    assert violations(task, (again,), 1, (*trials, trial("pending", heat_c=20))) != []
