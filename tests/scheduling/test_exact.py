"""What the constraint search says of tiny problems is what trying everything says."""

from __future__ import annotations

import pytest

from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.cp import CpPlan
from sdl.scheduling.cp_search import Effort, search
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Problem
from sdl.scheduling.network import least_makespan_s, starts_and_tails
from tests.scheduling.problems import cell, every_plan, shop, tiny

QUICK = Effort(seconds=10.0, workers=1, seed=0)
UNTIL_S = 7


def optimum(problem: Problem, until_s: int, *, symmetric: bool = False) -> int | None:
    """The least cost that the constraint search proves; None if there is no plan."""
    index = Indexed(problem)
    found: list[Arrays] = []
    model = CpPlan(index, horizon_s=until_s, symmetric=symmetric)
    verdict = search(model, QUICK, lambda arrays, _: found.append(arrays))
    if verdict.status == "infeasible":
        assert not found
        return None
    assert verdict.status == "optimal", problem.name
    plan = plan_of(problem, index.placed(*found[-1]))
    assert not broken(problem, plan), problem.name
    assert verdict.bound in {plan.cost, None} or not any(vars_of(problem)), problem.name
    return plan.cost


def vars_of(problem: Problem) -> tuple[int, ...]:
    """The weights of a problem: with none of them any plan is as good as another."""
    weights = problem.weights
    return (weights.makespan, weights.flow, weights.moved, weights.rerouted)


@pytest.mark.parametrize("seed", range(24))
def test_a_tiny_problem_has_the_optimum_that_trying_everything_finds(seed: int) -> None:
    problem = tiny(seed)
    plans = list(every_plan(problem, UNTIL_S))
    least = min((plan.cost for plan in plans), default=None)
    assert optimum(problem, UNTIL_S) == least, f"seed {seed}"
    least_s = least_makespan_s(Indexed(problem))
    if plans:
        assert least_s is not None, f"seed {seed}: its lags can be kept"
        assert least_s <= min(plan.makespan_s for plan in plans), f"seed {seed}"


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_twins_loses_no_optimum(seed: int) -> None:
    one = shop(seed, jobs=1, machines=3)
    twins = Problem(
        name=f"twins {seed}",
        resources=one.resources,
        activities=tuple(
            type(each)(name=f"{twin}-{each.name}", group=twin, modes=each.modes)
            for twin in "abc"
            for each in one.activities
        ),
        lags=tuple(
            type(lag)(before=f"{twin}-{lag.before}", after=f"{twin}-{lag.after}")
            for twin in "abc"
            for lag in one.lags
        ),
    )
    assert optimum(twins, 99, symmetric=True) == optimum(twins, 99), f"seed {seed}"


@pytest.mark.parametrize("seed", range(12))
def test_bounds_by_paths_and_loads_are_below_the_optimum(seed: int) -> None:
    for problem in (shop(seed), shop(seed, flexible=True), cell(seed)):
        index = Indexed(problem)
        least_s = least_makespan_s(index)
        best = optimum(problem, index.horizon_s())
        assert best is not None
        assert least_s is not None
        assert least_s <= best, problem.name


def test_a_cycle_of_lags_that_cannot_be_kept_is_found_without_a_search() -> None:
    problem = shop(1, jobs=1)
    last = problem.lags[-1]
    tight = type(last)(
        before="0.0", before_point="start", after=last.after, minimum_s=None, maximum_s=-1
    )
    impossible = Problem(
        name="cycle",
        resources=problem.resources,
        activities=problem.activities,
        lags=(*problem.lags, tight),
    )
    assert starts_and_tails(Indexed(impossible)) is None
    assert optimum(impossible, 99) is None
