"""Whether a point keeps all sums: the program that answers it, against a look at every point."""

from __future__ import annotations

import random
from dataclasses import replace

from sdl.model.campaign import Campaign, LinearConstraint
from sdl.model.planning import Problem
from sdl.model.space import grid_points, is_enumerable, levels, number
from sdl.testing.random_problems import random_problem
from sdl.wire import sums_together
from sdl.wire.sums_together import MOST_LEVELS, check_together


def of(problem: Problem) -> Campaign:
    return Campaign(
        name="c",
        lab="lab.toml",
        protocol="assay",
        roles={},
        space=problem.space,
        objective=problem.objective,
        constraints=problem.constraints,
        candidates=problem.candidates,
    )


def test_sums_of_a_space_that_has_a_point_are_never_refused() -> None:
    for seed in range(150):
        assert list(check_together(of(random_problem(seed)))) == [], f"seed {seed}"


def test_the_program_finds_a_solution_where_there_is_a_point_and_only_there() -> None:
    found = {True: 0, False: 0}
    for seed in range(150):
        problem = random_problem(seed)
        if problem.candidates is not None or not is_enumerable(problem) or not _is_exact(problem):
            continue
        tighter = replace(problem, constraints=(*problem.constraints, *_limits(problem, seed)))
        if tighter.constraints == problem.constraints:
            continue
        there = next(grid_points(tighter), None) is not None
        assert sums_together._has_solution(tighter) == there, f"seed {seed}: {tighter.constraints}"
        found[there] += 1
    assert min(found.values()) > 5, found


def _is_exact(problem: Problem) -> bool:
    return all(len(levels(one)) <= MOST_LEVELS and not one.only_if for one in problem.space)


def _limits(problem: Problem, seed: int) -> list[LinearConstraint]:
    """Narrow windows around points of the box, of which each may have some and both none."""
    chance = random.Random(f"limits {seed}")
    numbers = [p for p in problem.space if p.kind == "range" or p.ordered]
    found = []
    for _ in range(2 if numbers else 0):
        some = chance.sample(numbers, chance.randint(1, len(numbers)))
        weights = {p.name: chance.choice((-1.0, 0.5, 1.0, 2.0)) for p in some}
        total = sum(
            w * number(chance.choice(levels(p)))
            for p, w in zip(some, weights.values(), strict=True)
        )
        found.append(LinearConstraint(weights=weights, at_least=total - 0.1, at_most=total + 0.2))
    return found
