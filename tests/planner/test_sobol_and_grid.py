"""Sobol points and full factorials."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.errors import PlannerFault
from sdl.model.campaign import (
    ChoiceParameter,
    LinearConstraint,
    Objective,
    Parameter,
    RangeParameter,
)
from sdl.model.data import JsonValue, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import feasible, size, violations
from sdl.planner.contract import Planner
from sdl.planner.grid import GridPlanner
from sdl.planner.sobol import SobolPlanner, from_unit, to_unit

X = RangeParameter(name="x", low=0.0, high=1.0)
Y = RangeParameter(name="y", low=0.0, high=1.0)
KIND = ChoiceParameter(name="kind", options=("a", "b", "c"))


def problem(
    *space: Parameter,
    constraints: tuple[LinearConstraint, ...] = (),
    options: dict[str, JsonValue] | None = None,
) -> Problem:
    return Problem(
        space=space,
        objective=Objective(measure="m", goal="maximise"),
        constraints=constraints,
        options=options or {},
    )


def pending(suggestions: tuple[Suggestion, ...]) -> tuple[Trial, ...]:
    return tuple(Trial(inputs=s.inputs, status="pending", measures={}) for s in suggestions)


def one_by_one(planner: Planner, task: Problem, count: int, seed: int) -> tuple[Suggestion, ...]:
    found: tuple[Suggestion, ...] = ()
    for _ in range(count):
        found += planner.suggest(task, pending(found), 1, seed)
    return found


@given(st.integers(-(2**40), 2**70), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_sobol_asked_one_by_one_gives_the_same_points_as_at_once(seed: int, count: int) -> None:
    for planner in (SobolPlanner(), GridPlanner()):
        task = problem(X, KIND)
        together = planner.suggest(task, (), count, seed)
        assert one_by_one(planner, task, count, seed) == together, f"seed {seed}"
        assert len({str(s.inputs) for s in together}) == count, f"seed {seed}"


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_sobol_points_lie_evenly(seed: int) -> None:
    found = SobolPlanner().suggest(problem(X, Y), (), 16, seed)
    cells = {(int(float(s.inputs["x"]) * 4), int(float(s.inputs["y"]) * 4)) for s in found}
    assert len(cells) == 16, f"seed {seed}: 16 points of a net fill each of 4 x 4 cells once"


def test_another_seed_gives_other_sobol_points() -> None:
    task = problem(X)
    assert SobolPlanner().suggest(task, (), 4, 1) != SobolPlanner().suggest(task, (), 4, 2)


@given(st.floats(1e-6, 1e3), st.floats(1.0, 1e6), st.booleans(), st.booleans(), st.floats(0.0, 1.0))
def test_a_share_of_a_range_stays_within_its_bounds(
    low: float,
    factor: float,
    log: bool,
    integer: bool,
    unit: float,
) -> None:
    if integer:
        low = float(math.ceil(low))
    range_ = RangeParameter(name="x", low=low, high=low * factor, log=log, integer=integer)
    value = from_unit(range_, unit)
    assert not isinstance(value, str)
    assert range_.low <= value <= range_.high
    assert isinstance(value, int) or not integer
    if not integer and factor > 1.001:
        assert to_unit(range_, value) == pytest.approx(unit, abs=1e-6)


def test_sobol_uses_every_point_of_a_finite_space_once_and_then_says_so() -> None:
    drops = RangeParameter(name="drops", low=1, high=7, integer=True, log=True)
    task = problem(drops, KIND)
    found = one_by_one(SobolPlanner(), task, 21, seed=5)
    assert len({str(s.inputs) for s in found}) == size(task) == 21
    with pytest.raises(PlannerFault, match="nothing left to suggest"):
        SobolPlanner().suggest(task, pending(found), 1, 5)


def test_sobol_keeps_a_narrow_constraint_or_says_that_it_cannot() -> None:
    corner = LinearConstraint(weights={"x": 1.0, "y": 1.0}, at_most=0.05)
    task = problem(X, Y, constraints=(corner,))
    found = SobolPlanner().suggest(task, (), 5, 1)
    assert all(feasible(task, s.inputs) for s in found)
    nowhere = LinearConstraint(weights={"x": 1.0}, at_most=-1.0)
    with pytest.raises(PlannerFault, match="only 0 keep the constraints and are new"):
        SobolPlanner().suggest(problem(X, Y, constraints=(nowhere,)), (), 1, 1)


def test_sobol_passes_over_points_that_others_tried() -> None:
    first, second = SobolPlanner().suggest(problem(X), (), 2, 7)
    (found,) = SobolPlanner().suggest(problem(X), pending((second,)), 1, 7)
    assert found.inputs not in (first.inputs, second.inputs)


def test_a_grid_goes_through_a_lattice_and_a_range_beside_it() -> None:
    share = (0.0, 0.5, 1.0)
    parts = tuple(ChoiceParameter(name=name, options=share) for name in ("a", "b"))
    whole = LinearConstraint(weights={"a": 1.0, "b": 1.0}, at_least=1.0, at_most=1.0)
    task = problem(*parts, X, constraints=(whole,), options={"levels": {"x": 2}})
    found = GridPlanner().suggest(task, (), 6, 0)
    assert [tuple(s.inputs.values()) for s in found] == [
        (a, 1.0 - a, x) for a in share for x in (0.0, 1.0)
    ]


def test_the_grid_runs_in_order_with_ends_included() -> None:
    dose = RangeParameter(name="dose", low=0.01, high=100.0, log=True)
    task = problem(KIND, dose, options={"levels": {"dose": 3}})
    found = GridPlanner().suggest(task, (), 9, 0)
    assert [s.inputs["kind"] for s in found] == list("aaabbbccc")
    assert [s.inputs["dose"] for s in found[:3]] == pytest.approx([0.01, 1.0, 100.0])
    assert {s.origin for s in found} == {"grid"}


def test_the_grid_says_when_it_is_used_up_and_marks_what_is_not_its_own() -> None:
    task = problem(X, options={"levels": 4})
    three = GridPlanner().suggest(task, (), 3, 0)
    last = GridPlanner().suggest(task, pending(three), 2, 0)
    assert [s.fall_back for s in last] == ["", "the grid had only 1 points left"]
    assert not violations(task, last, 2, pending(three))
    with pytest.raises(PlannerFault, match="every feasible point of the grid"):
        GridPlanner().suggest(task, pending(three + last), 1, 0)


@pytest.mark.parametrize(
    "levels, complaint",
    [
        (0, "levels for x is 0"),
        ("many", "levels for x is 'many'"),
        ({"z": 3}, "names z, which is no range of this campaign; its ranges are x"),
        (10**7, "levels for x is 10000000"),
    ],
)
def test_levels_that_make_no_sense_are_refused(levels: JsonValue, complaint: str) -> None:
    with pytest.raises(PlannerFault, match=complaint):
        GridPlanner().suggest(problem(X, options={"levels": levels}), (), 1, 0)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
@settings(deadline=None)
def test_the_grid_covers_the_full_factorial(one: int, other: int, count: int) -> None:
    task = problem(X, Y, options={"levels": {"x": one, "y": other}})
    found: tuple[Suggestion, ...] = ()
    while len(found) < one * other:
        found += GridPlanner().suggest(task, pending(found), count, 1)
    own = {tuple(s.inputs.values()) for s in found if not s.fall_back}
    assert len(own) == one * other


def test_a_grid_of_too_many_points_is_refused() -> None:
    space = [RangeParameter(name=f"x{index}", low=0.0, high=1.0) for index in range(20)]
    with pytest.raises(PlannerFault, match="the grid has 95367431640625 points, more than 1000000"):
        GridPlanner().suggest(problem(*space), (), 1, 0)


def test_a_grid_takes_up_again_what_was_abandoned() -> None:
    task = problem(KIND)
    first, second, third = one_by_one(GridPlanner(), task, 3, seed=1)
    trials = (
        Trial(inputs=first.inputs, status="measured", measures={"m": 1.0}),
        Trial(inputs=second.inputs, status="abandoned", measures={}),
        Trial(inputs=third.inputs, status="failed", measures={}),
    )
    (again,) = GridPlanner().suggest(task, trials, 1, 1)
    assert again.inputs == second.inputs
