"""A plan is repaired without a solver: in its order, in time, and it says what it cannot keep."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest

from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import insert_all, justify
from sdl.scheduling.layout import layout_of
from sdl.scheduling.model import (
    Activity,
    Demand,
    Fixed,
    Lag,
    Mode,
    Placed,
    Plan,
    Problem,
    Resource,
)
from sdl.scheduling.repair import repaired, repaired_at_least_cost
from tests.scheduling.problems import cell, shop


def planned(problem: Problem) -> Plan:
    """A plan by insertion, pushed together."""
    index = Indexed(problem)
    arrays = insert_all(index)
    assert arrays is not None
    return plan_of(problem, index.placed(*justify(index, layout_of(index), arrays)))


def later(problem: Problem, plan: Plan, now_s: int, overrun_s: int) -> Problem:
    """The problem at a later time: what has begun is fixed, and the last one of it runs over."""
    begun = sorted((one for one in plan.placed if one.start_s < now_s), key=lambda o: o.start_s)
    ends = {one.activity: one.end_s for one in begun}
    running = [one.activity for one in begun if one.end_s > now_s]
    for name in running[-1:]:
        ends[name] += overrun_s
    fixed = {
        one.activity: Fixed(mode=one.mode, start_s=one.start_s, end_s=max(now_s, ends[one.activity])
                            if one.activity in running else one.end_s)
        for one in begun
    }  # fmt: skip
    return replace(
        problem,
        activities=tuple(replace(one, fixed=fixed.get(one.name)) for one in problem.activities),
        current=plan.placed,
    )


@pytest.mark.parametrize("seed", range(10))
def test_an_undisturbed_plan_stays_as_it_is(seed: int) -> None:
    for problem in (cell(seed, plates=6), shop(seed, jobs=5, flexible=True)):
        plan = planned(problem)
        mended = repaired(replace(problem, current=plan.placed))
        assert mended is not None
        assert mended.plan.placed == plan.placed, problem.name
        assert not mended.broken


@pytest.mark.parametrize("seed", range(20))
def test_an_overrun_shifts_what_comes_after_and_breaks_no_turn(seed: int) -> None:
    problem = shop(seed, jobs=6, machines=4)
    plan = planned(problem)
    disturbed = later(problem, plan, now_s=plan.makespan_s // 2, overrun_s=7)
    mended = repaired(disturbed)
    assert mended is not None
    assert broken(disturbed, mended.plan) == (), f"seed {seed}"
    old = {one.activity: one.start_s for one in plan.placed}
    assert all(one.start_s >= old[one.activity] for one in mended.plan.placed)


@pytest.mark.parametrize("seed", range(30))
def test_windows_that_cannot_be_kept_are_named_and_nothing_else_is_broken(seed: int) -> None:
    problem = cell(seed, plates=6)
    plan = planned(problem)
    disturbed = later(problem, plan, now_s=plan.makespan_s // 2, overrun_s=9)
    mended = repaired(disturbed)
    assert mended is not None
    named = set(mended.broken)
    assert all(lag.maximum_s is not None for lag in named)
    without = replace(disturbed, lags=tuple(lag for lag in disturbed.lags if lag not in named))
    others = [words for words in broken(without, mended.plan) if "the plan says" not in words]
    assert others == [], f"seed {seed}"


@pytest.mark.parametrize("seed", range(10))
def test_new_plates_are_added_and_the_others_stay(seed: int) -> None:
    whole = cell(seed, plates=6)
    groups = {"4", "5"}
    known = tuple(one for one in whole.activities if one.group not in groups)
    names = {one.name for one in known}
    small = replace(
        whole,
        activities=known,
        lags=tuple(lag for lag in whole.lags if lag.before in names),
        holds=tuple(hold for hold in whole.holds if hold.first in names),
    )
    plan = planned(small)
    mended = repaired(replace(whole, current=plan.placed))
    assert mended is not None
    assert broken(replace(whole, current=plan.placed), mended.plan) == ()
    assert set(plan.placed) <= set(mended.plan.placed), f"seed {seed}"


def test_what_takes_long_to_shift_is_no_cycle_and_stays_in_the_plan() -> None:
    """Each start is raised by the one before, which comes behind it in the plan."""
    names = [f"step {number}" for number in range(100)]
    first_s = 1000
    problem = Problem(
        name="backwards",
        activities=tuple(
            Activity(name=name, modes=(Mode(duration_s=1),), group=name) for name in (*names, "end")
        ),
        lags=(
            *(Lag(before=one, after=other) for one, other in pairwise(names)),
            *(Lag(before=name, after="end") for name in names),
        ),
        current=tuple(
            Placed(activity=name, mode=0, start_s=start_s, end_s=start_s + 1)
            for start_s, name in enumerate(("end", *reversed(names)), first_s - 100)
        ),
    )
    mended = repaired(problem)
    assert mended is not None
    placed = {one.activity: one.start_s for one in mended.plan.placed}
    assert placed == {
        **{name: first_s + number for number, name in enumerate(names)},
        "end": first_s + len(names),
    }


def test_a_missing_activity_without_a_place_is_no_repair() -> None:
    mode = Mode(duration_s=5)
    problem = Problem(
        name="late",
        now_s=10,
        activities=(
            Activity(name="old", modes=(mode,), fixed=Fixed(mode=0, start_s=0, end_s=10)),
            Activity(name="new", modes=(mode,)),
        ),
        lags=(Lag(before="old", before_point="start", after="new", maximum_s=2),),
        current=(Placed(activity="old", mode=0, start_s=0, end_s=10),),
    )
    assert repaired(problem) is None


def test_a_thousand_pending_steps_are_repaired_in_a_fraction_of_a_second() -> None:
    problem = cell(7, plates=420)
    assert len(problem.activities) >= 1000
    index = Indexed(problem)
    arrays = insert_all(index)
    assert arrays is not None
    plan = plan_of(problem, index.placed(*arrays))
    disturbed = later(problem, plan, now_s=3, overrun_s=5)
    began = time.perf_counter()
    mended = repaired(disturbed)
    assert mended is not None
    assert time.perf_counter() - began < 1.0, "the aim is 0.2 s on a free core"


def test_a_window_of_which_a_part_is_not_left_unused_is_no_reason_to_shift() -> None:
    steps = tuple(Activity(name=name, modes=(Mode(duration_s=10),)) for name in "ab")
    lags = tuple(
        Lag(before="a", after="b", minimum_s=None, maximum_s=most_s, cost_per_s=rate)
        for most_s, rate in ((20, 1), (60, 100))
    )
    current = tuple(
        Placed(activity=name, mode=0, start_s=start_s, end_s=start_s + 10)
        for name, start_s in (("a", 0), ("b", 50))
    )
    found = repaired(Problem(name="p", activities=steps, resources=(), lags=lags, current=current))
    assert found is not None
    assert found.plan.placed == current


def test_a_plan_that_misses_a_window_for_the_sake_of_its_turns_gives_way_to_one_made_anew() -> None:
    on_it = (Demand(resource="r"),)
    problem = Problem(
        name="turns",
        now_s=10,
        resources=(Resource(name="r"),),
        activities=(
            Activity(
                name="opener",
                modes=(Mode(duration_s=10),),
                fixed=Fixed(mode=0, start_s=0, end_s=10),
            ),
            Activity(name="long", modes=(Mode(duration_s=100, demands=on_it),), release_s=30),
            Activity(name="short", modes=(Mode(duration_s=10, demands=on_it),)),
        ),
        lags=(Lag(before="opener", after="short", maximum_s=5, cost_per_s=100),),
        current=(
            Placed(activity="opener", mode=0, start_s=0, end_s=10),
            Placed(activity="long", mode=0, start_s=30, end_s=130),
            Placed(activity="short", mode=0, start_s=130, end_s=140),
        ),
    )
    kept, anew = repaired(problem), repaired_at_least_cost(problem)
    assert kept is not None
    assert anew is not None
    assert kept.plan.placed == problem.current
    assert [one.start_s for one in anew.plan.placed] == [0, 30, 10]
    assert anew.plan.cost < kept.plan.cost
    assert not broken(problem, anew.plan)
