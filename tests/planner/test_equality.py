"""Points that meet a sum exactly: listed where they can be, and made where they cannot."""

from __future__ import annotations

import math
import random

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
from sdl.model.data import Trial
from sdl.model.equality import equality_of
from sdl.model.planning import Problem
from sdl.model.space import (
    exhausted,
    feasible,
    formula,
    free_points,
    grid_points,
    is_enumerable,
    is_finite,
    named,
    size,
    violations,
)
from sdl.planner.grid import GridPlanner
from sdl.planner.sobol import SobolPlanner

GOAL = Objective(measure="yield", goal="maximise")


def sums_to(total: float, *names: str) -> LinearConstraint:
    return LinearConstraint(weights=dict.fromkeys(names, 1.0), at_least=total, at_most=total)


def lattice(name: str, steps: int = 10) -> ChoiceParameter:
    return ChoiceParameter(name=name, options=tuple(place / steps for place in range(steps + 1)))


def mixture(*space: Parameter, total: float = 1.0) -> Problem:
    names = [parameter.name for parameter in space if parameter.name in "abcd"]
    return Problem(space=space, objective=GOAL, constraints=(sums_to(total, *names),))


def test_a_lattice_is_listed_without_trying_the_product() -> None:
    problem = mixture(*(lattice(name, 20) for name in "abcd"))
    assert is_enumerable(problem)
    assert size(problem) == math.comb(23, 3)
    points = list(grid_points(problem))
    assert len(points) == len(set(points)) == math.comb(23, 3)
    assert all(math.isclose(sum(map(float, p)), 1.0) for p in points)
    assert points == sorted(points)


def test_other_inputs_go_through_all_their_levels_beside_a_mixture() -> None:
    heat = ChoiceParameter(name="heat_c", options=(60, 20))
    problem = mixture(lattice("a", 2), heat, lattice("b", 2))
    assert list(grid_points(problem)) == [
        (0.0, 60, 1.0), (0.0, 20, 1.0),
        (0.5, 60, 0.5), (0.5, 20, 0.5),
        (1.0, 60, 0.0), (1.0, 20, 0.0),
    ]  # fmt: skip


def test_a_lattice_with_millions_of_points_is_counted_and_not_listed() -> None:
    problem = mixture(*(lattice(name, 1000) for name in "abcd"))
    assert size(problem) == math.comb(1003, 3)
    assert not is_enumerable(problem)
    found = SobolPlanner().suggest(problem, (), 64, 5)
    assert not violations(problem, found, 64)


def test_weights_and_whole_numbers_meet_a_sum_too() -> None:
    drops = RangeParameter(name="drops", low=0, high=9, integer=True)
    shots = RangeParameter(name="shots", low=0, high=9, integer=True)
    constraint = LinearConstraint(weights={"drops": 2.0, "shots": 3.0}, at_least=12, at_most=12)
    problem = Problem(space=(drops, shots), objective=GOAL, constraints=(constraint,))
    assert list(grid_points(problem)) == [(0, 4), (3, 2), (6, 0)]


def test_real_fractions_are_spread_over_the_simplex_and_none_is_thrown_away() -> None:
    space = tuple(RangeParameter(name=name, low=0.0, high=1.0) for name in "abc")
    problem = mixture(*space)
    assert not is_finite(problem)
    found = SobolPlanner().suggest(problem, (), 512, 3)
    assert not violations(problem, found, 512)
    for name in "abc":
        mean = sum(float(s.inputs[name]) for s in found) / 512
        assert math.isclose(mean, 1 / 3, abs_tol=0.01), f"{name}: mean {mean}"


@given(seed=st.integers(0, 2**32), parts=st.integers(2, 6))
def test_bounds_of_the_components_hold(seed: int, parts: int) -> None:
    chance = random.Random(seed)
    names = [f"x{place}" for place in range(parts)]
    lows = [chance.uniform(0.0, 0.8 / parts) for _ in names]
    space = tuple(
        RangeParameter(name=name, low=low, high=min(low + chance.uniform(1.0 / parts, 0.6), 1.0))
        for name, low in zip(names, lows, strict=True)
    )
    constraint = sums_to(1.0, *names)
    problem = Problem(space=space, objective=GOAL, constraints=(constraint,))
    values = tuple(parameter.low for parameter in space)
    met = equality_of(constraint, space).met(values, [chance.random() for _ in names])
    assert met is not None, f"seed {seed}"
    inputs = named(space, met)
    assert feasible(problem, inputs), f"seed {seed}: {inputs}"
    for parameter in space:
        assert parameter.low <= float(inputs[parameter.name]) <= parameter.high, f"seed {seed}"


def test_levels_and_real_numbers_share_a_sum() -> None:
    salt = ChoiceParameter(name="a", options=(0.0, 0.3, 0.9))
    rest = tuple(RangeParameter(name=name, low=0.1, high=0.5) for name in "bc")
    problem = mixture(salt, *rest)
    found = SobolPlanner().suggest(problem, (), 32, 1)
    assert not violations(problem, found, 32)
    assert {s.inputs["a"] for s in found} == {0.0, 0.3}


def test_the_grid_goes_through_a_lattice_to_its_end_and_refuses_real_fractions() -> None:
    problem = mixture(lattice("a", 4), lattice("b", 4))
    found = GridPlanner().suggest(problem, (), 9, 0)
    assert [s.inputs["a"] for s in found] == [0.0, 0.25, 0.5, 0.75, 1.0]
    trials = tuple(Trial(inputs=s.inputs, status="pending", measures={}) for s in found)
    assert exhausted(problem, trials)
    assert free_points(problem, trials) == []
    real = mixture(*(RangeParameter(name=name, low=0.0, high=1.0) for name in "ab"))
    with pytest.raises(Exception, match="meets no sum exactly"):
        GridPlanner().suggest(real, (), 1, 0)


def test_a_sum_is_said_as_people_write_it() -> None:
    weights = {"a": 1.0, "b": 2.5}
    assert formula(LinearConstraint(weights=weights, at_most=3.0)) == "a + 2.5 b <= 3"
    assert formula(LinearConstraint(weights=weights, at_least=1.0)) == "1 <= a + 2.5 b"
    assert formula(LinearConstraint(weights=weights, at_least=1, at_most=1)) == "a + 2.5 b = 1"
