"""Plans of projects with maximum lags: valid whatever the order, and good ones within few steps."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from instance_files import read_instance
from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.cp import CpPlan
from sdl.scheduling.cp_search import Effort, search
from sdl.scheduling.forced import with_forced_orders
from sdl.scheduling.index import Indexed, shift
from sdl.scheduling.insertion import insert_all
from sdl.scheduling.model import Hold, Problem, Question, Weights
from sdl.scheduling.network import least_makespan_s
from sdl.scheduling.project import Project, project_of
from sdl.scheduling.project_walk import PATIENCE, ProjectWalk
from sdl.scheduling.serial import SerialScheme
from sdl.scheduling.solve import solve
from tests.scheduling.problems import cell, project, shop, tiny

DATA = Path(__file__).parents[2] / "benchmarks" / "scheduling_data"
SEEDS = range(40)


def known(problem: Problem) -> tuple[Indexed, Project]:
    """A problem by numbers, and as a project."""
    index = Indexed(problem)
    found = project_of(index)
    assert found is not None, problem.name
    return index, found


def objections(index: Indexed, starts: list[int]) -> tuple[str, ...]:
    """What the independent checker says."""
    placed = index.placed(starts, [0] * index.count)
    return tuple(broken(index.problem, plan_of(index.problem, placed)))


def feasible(seed: int) -> Project | None:
    """The project of a seed, if its lags can be kept."""
    return project_of(Indexed(project(seed)))


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if feasible(seed)])
def test_a_tie_is_the_longest_way_over_all_lags(seed: int) -> None:
    index, found = known(project(seed))
    longest = {(one, one): 0 for one in range(index.count)}
    for edge in index.hard:
        least_s = shift(edge, index.length(edge.source, 0), index.length(edge.target, 0))
        ends = (edge.source, edge.target)
        longest[ends] = max(least_s, longest.get(ends, least_s))
    for via, one, other in product(range(index.count), repeat=3):
        if (one, via) in longest and (via, other) in longest:
            way_s = longest[one, via] + longest[via, other]
            longest[one, other] = max(way_s, longest.get((one, other), way_s))
    for one in range(index.count):
        longest.pop((one, one))
    ties = {
        (one, other): least_s for one, each in enumerate(found.after) for other, least_s in each
    }
    assert ties == longest, f"seed {seed}"
    turned = found.turned()
    assert (turned.turned().after, turned.turned().before) == (found.after, found.before)


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if feasible(seed)])
def test_whatever_the_order_a_plan_is_valid_and_in_time(seed: int) -> None:
    index, found = known(project(seed))
    scheme, chance = SerialScheme(found), random.Random(seed)
    lengths = []
    for _ in range(20):
        starts = scheme.plan([chance.random() for _ in range(index.count)])
        if starts is not None:
            assert objections(index, starts) == (), f"seed {seed}"
            lengths.append(found.end_s(starts))
            again = scheme.plan(starts, min(lengths))
            assert again is None or found.end_s(again) <= min(lengths), f"seed {seed}"
    assert all(end_s >= max(found.earliest) for end_s in lengths)


def proven_s(index: Indexed) -> int | None:
    """The least makespan by the constraint search; None if there is no plan."""
    model = CpPlan(index, horizon_s=index.horizon_s())
    effort = Effort(seconds=60.0, workers=1, seed=0)
    verdict = search(model, effort, lambda *_: None)
    assert verdict.status in {"optimal", "infeasible"}
    return verdict.bound


@pytest.mark.parametrize("seed", SEEDS)
def test_forced_orders_exclude_no_plan_and_keep_the_least_end(seed: int) -> None:
    index = Indexed(project(seed))
    plain = project_of(index)
    forced = None if plain is None else with_forced_orders(plain)
    least_s = proven_s(index)
    if forced is None:
        assert least_s is None, f"seed {seed}: there is a plan"
        return
    assert plain is not None
    bound_s = least_makespan_s(index, (forced.earliest, forced.tails))
    assert bound_s is not None
    assert bound_s >= (least_makespan_s(index) or 0), f"seed {seed}"
    for one, ties in enumerate(plain.after):
        later = dict(forced.after[one])
        assert all(later[other] >= least_s for other, least_s in ties), f"seed {seed}"
    if least_s is not None:
        assert bound_s <= least_s, f"seed {seed}"
        walk = ProjectWalk(forced, None, seed)
        for _ in range(60):
            walk.step()
        assert walk.best_s == least_s, f"seed {seed}: an order was forced that loses the best plan"


@pytest.mark.parametrize("name", ["UBO10_01", "ubo50_psp1"])
def test_two_that_can_come_in_neither_order_leave_no_plan(name: str) -> None:
    _, found = known(read_instance(DATA / "rcpsp_max" / f"{name}.sch").problem)
    assert with_forced_orders(found) is None
    answer = solve(
        Question(problem=read_instance(DATA / "rcpsp_max" / f"{name}.sch").problem, seconds=9.0),
        lambda _: None,
    )
    assert answer.status == "infeasible"
    assert answer.seconds < 2.0


def test_small_projects_get_the_makespan_that_is_proven_to_be_the_least() -> None:
    missed, seen = [], 0
    for seed in SEEDS:
        index = Indexed(project(seed))
        found = project_of(index)
        least_s = proven_s(index)
        if found is None or least_s is None:
            continue
        seen += 1
        walk = ProjectWalk(found, None, seed)
        for _ in range(60):
            walk.step()
        if walk.best_s != least_s:
            missed.append((seed, walk.best_s, least_s))
    assert seen > 20
    assert missed == []


@pytest.mark.parametrize(
    "path,steps,most_s",
    [
        ("slab/qPCR_N5", 20, 148),
        ("slab/RNAseq_N5", 100, 998),
        ("rcpsp_max/ubo50_psp18.sch", 80, 165),
        ("rcpsp_max/ubo50_psp10.sch", 150, 209),
    ],
)
def test_it_gets_there_in_few_steps_from_nothing(path: str, steps: int, most_s: int) -> None:
    """In some tenths of a second; the bounds leave room for another order of chance."""
    index, found = known(read_instance(DATA / path).problem)
    for seed in range(2):
        walk = ProjectWalk(found, None, seed)
        for _ in range(steps):
            walk.step()
        assert walk.best_s <= most_s, f"seed {seed}"
        assert objections(index, walk.best_arrays()[0]) == (), f"seed {seed}"


def test_it_is_the_same_for_the_same_seed_and_goes_on_from_what_others_find() -> None:
    _, found = known(read_instance(DATA / "rcpsp_max/ubo50_psp41.sch").problem)
    walks = [ProjectWalk(found, None, 5) for _ in range(2)]
    for walk in walks:
        for _ in range(25):
            walk.step()
    assert walks[0].best_arrays() == walks[1].best_arrays()
    other = ProjectWalk(found, walks[0].best_arrays(), 6)
    assert other.best_s == walks[0].best_s


def test_where_nothing_gets_better_it_begins_anew_and_keeps_its_best() -> None:
    index, found = known(project(1))
    walk = ProjectWalk(found, None, 1)
    for _ in range(60):
        walk.step()
    best_s = walk.best_s
    assert best_s == proven_s(index)
    for _ in range(PATIENCE + 60):
        walk.step()
    assert walk._began > 0
    assert walk._now is not walk.best
    assert found.end_s(walk.best_arrays()[0]) == walk.best_s == best_s


def test_a_project_that_insertion_finds_no_plan_for_gets_one() -> None:
    problem = read_instance(DATA / "rcpsp_max/ubo50_psp10.sch").problem
    assert insert_all(Indexed(problem)) is None
    answer = solve(Question(problem=problem, seconds=3.0, workers=1), lambda _: None)
    assert answer.plan is not None
    assert broken(problem, answer.plan) == ()


def test_what_is_no_project_is_left_to_others() -> None:
    plain = project(1)
    hold = Hold(resource="hood", first="a1", last="a2")
    assert project_of(Indexed(plain)) is not None
    for problem in (
        cell(1),
        tiny(1),
        shop(3, flexible=True),
        replace(plain, weights=Weights(makespan=1, flow=1)),
        replace(plain, weights=Weights(makespan=0)),
        replace(plain, holds=(hold,)),
        shop(1, jobs=1, machines=400),
    ):
        assert project_of(Indexed(problem)) is None, problem.name
