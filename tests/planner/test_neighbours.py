"""Points around a promising one, also where inputs have to add up to a total."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.model.campaign import ChoiceParameter, LinearConstraint, Objective, RangeParameter
from sdl.model.data import Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, fits, is_finite, named, number
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.neighbours import neighbours
from sdl.planner.start import start_points
from sdl.testing.random_problems import drawn, random_problem

AIM = Objective(measure="yield", goal="maximise")
PARTS = tuple(RangeParameter(name=name, low=0.0, high=0.8) for name in ("acid", "base", "salt"))
WHOLE = LinearConstraint(
    weights={"acid": 1.0, "base": 2.0, "salt": 1.0}, at_least=1.0, at_most=1.0, is_mixture=True
)
MIXTURE = Problem(space=PARTS, objective=AIM, constraints=(WHOLE,))


def around(problem: Problem, centre: Point, seed: int = 0) -> list[Point]:
    return list(neighbours(problem, centre, 0.1, random.Random(seed)))


def test_a_mixture_has_neighbours_that_keep_its_total() -> None:
    found = around(MIXTURE, (0.4, 0.2, 0.2))
    assert len(set(found)) > 100
    assert all(feasible(MIXTURE, named(PARTS, one)) for one in found)
    assert max(abs(number(one[0]) - 0.4) for one in found) < 0.5


def test_a_part_that_is_not_there_comes_in_from_the_edge() -> None:
    assert any(number(one[0]) > 0.01 for one in around(MIXTURE, (0.0, 0.3, 0.4)))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_neighbours_are_sound_whatever_the_space(seed: int) -> None:
    problem = random_problem(seed)
    if is_finite(problem) or any(p.only_if for p in problem.space):
        return
    centre = drawn(problem, random.Random(seed))
    if not feasible(problem, named(problem.space, centre)):
        return
    for one in around(problem, centre, seed):
        inputs = named(problem.space, one)
        assert fits(problem.space, inputs), f"seed {seed}: {inputs}"
        assert feasible(problem, inputs), f"seed {seed}: {inputs}"


@pytest.mark.parametrize("others", [(), (ChoiceParameter(name="kind", options=("a", "b")),)])
def test_an_endless_space_is_begun_at_its_centre_and_not_in_its_corners(
    others: tuple[ChoiceParameter, ...],
) -> None:
    problem = Problem(space=(*PARTS, *others), objective=AIM)
    found = EnsemblePlanner().suggest(problem, (), 3, 4)
    assert found == start_points(problem, (), 3, 4), "seed 4"
    assert [one.origin for one in found] == ["centre", "sobol", "sobol"]


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_towards_a_target_lies_along_where_it_is_met_and_not_in_one_spot(
    seed: int,
) -> None:
    space = tuple(RangeParameter(name=name, low=0.0, high=1.0) for name in "xy")
    problem = Problem(space=space, objective=Objective(measure="m", goal="target", target=0.8))
    chance = random.Random(seed)
    known = [(chance.random(), chance.random()) for _ in range(10)]
    trials = tuple(
        Trial(
            inputs={"x": x, "y": y},
            status="measured",
            measures={"m": 1.2 * x + 0.4 * math.sin(3.0 * y)},
        )
        for x, y in known
    )
    found = EnsemblePlanner().suggest(problem, trials, 3, seed)
    points = [tuple(map(float, one.inputs.values())) for one in found]
    apart = [math.dist(one, other) for one, other in itertools.combinations(points, 2)]
    assert min(apart) > 0.03, f"seed {seed}: {points}"
    assert found[0].predicted["m"].mean == pytest.approx(0.8, abs=0.05), f"seed {seed}"
