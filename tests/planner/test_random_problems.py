"""Whatever the problem: what planners give is sound, new, and goes on to the last point."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sdl.core.campaign import count_points
from sdl.errors import PlannerFault
from sdl.model.campaign import Campaign
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import Ask, Problem
from sdl.model.space import (
    exhausted,
    free_points,
    grid_points,
    is_enumerable,
    is_finite,
    point,
    size,
    violations,
)
from sdl.planner.chance import RandomPlanner
from sdl.planner.grid import GridPlanner
from sdl.planner.sobol import SobolPlanner
from sdl.testing.random_problems import random_problem
from sdl.wire.mqtt import decode_ask, encode_ask

REFUSALS = ("meets no sum exactly", "was tried", "more than 1000000")
"""What a grid may say of an endless space in place of points."""

SEEDS = st.integers(0, 2**32)


def pending(found: tuple[Suggestion, ...]) -> tuple[Trial, ...]:
    return tuple(Trial(inputs=one.inputs, status="pending", measures={}) for one in found)


def checked(problem: Problem, found: tuple[Suggestion, ...], count: int, seed: int) -> None:
    assert violations(problem, found, count) == [], f"seed {seed}: {problem}"
    points = {point(problem.space, one.inputs) for one in found}
    assert len(points) == len(found), f"seed {seed}: a point comes twice"


@settings(max_examples=300, deadline=None)
@given(seed=SEEDS)
@example(seed=10063)
@example(seed=11301)
def test_sobol_points_are_sound_and_new(seed: int) -> None:
    problem = random_problem(seed)
    found = SobolPlanner().suggest(problem, (), 5, seed)
    checked(problem, found, 5, seed)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS)
@example(seed=10063)
@example(seed=11301)
def test_points_by_chance_are_sound_and_new(seed: int) -> None:
    problem = random_problem(seed)
    checked(problem, RandomPlanner().suggest(problem, (), 5, seed), 5, seed)


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
def test_listed_points_are_counted_and_used_up_by_sobol_and_grid(seed: int) -> None:
    problem = random_problem(seed)
    if not is_enumerable(problem):
        assert not exhausted(problem, ())
        return
    every = list(grid_points(problem))
    most = size(problem)
    assert most is not None
    assert 1 <= len(every) == len(set(every)) <= most, f"seed {seed}"
    for planner in (SobolPlanner(), GridPlanner()):
        found = planner.suggest(problem, (), len(every) + 3, seed)
        assert {point(problem.space, one.inputs) for one in found} == set(every), f"seed {seed}"
        assert violations(problem, found, len(every) + 3) == [], f"seed {seed}"
        assert exhausted(problem, pending(found))
        assert free_points(problem, pending(found)) == []


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS)
@example(seed=10063)
@example(seed=11301)
@example(seed=15019)
def test_grid_points_of_endless_spaces_are_sound_or_refused(seed: int) -> None:
    problem = random_problem(seed)
    if is_finite(problem):
        return
    try:
        found = GridPlanner().suggest(problem, (), 4, seed)
    except PlannerFault as fault:
        assert any(words in str(fault) for words in REFUSALS), f"seed {seed}: {fault}"  # noqa: PT017
        return
    checked(problem, found, 4, seed)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS)
def test_a_problem_is_the_same_at_the_other_end_of_the_line(seed: int) -> None:
    problem = random_problem(seed)
    ask = Ask(id="c/ask-1", planner="sobol", problem=problem, trials=(), count=1, seed=seed)
    assert decode_ask(encode_ask(ask)) == ask, f"seed {seed}"


def test_a_campaign_counts_the_points_that_are_to_be_tried() -> None:
    for seed in range(60):
        problem = random_problem(seed)
        if not is_enumerable(problem):
            continue
        spec = Campaign(
            name="c",
            lab="lab.toml",
            protocol="p",
            roles={},
            space=problem.space,
            objective=problem.objective,
            constraints=problem.constraints,
            candidates=problem.candidates,
        )
        assert count_points(spec) == len(list(grid_points(problem))), f"seed {seed}"
