"""What is made without a solver is valid: rules, insertion, justification, the two walks."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.scheduling.balance import balanced_modes
from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.dispatch import RULES, dispatch
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays, end_of, in_precedence, insert_all, justify
from sdl.scheduling.layout import layout_of
from sdl.scheduling.model import (
    Activity,
    Change,
    Demand,
    Fixed,
    Hold,
    Lag,
    Mode,
    Plan,
    Problem,
    Reservoir,
    Resource,
    Weights,
)
from sdl.scheduling.ruin import Ruin
from sdl.scheduling.shop import orders_of, shop_of
from sdl.scheduling.tabu import Tabu
from tests.scheduling.problems import cell, shop, tiny

SEEDS = st.integers(0, 10_000)
ORDERS = tuple(permutations(range(3)))


def planned(index: Indexed, arrays: Arrays) -> Plan:
    """The plan, which must be valid."""
    plan = plan_of(index.problem, index.placed(*arrays))
    assert not broken(index.problem, plan), index.problem.name
    return plan


@given(SEEDS)
@settings(max_examples=40)
def test_every_rule_makes_a_valid_schedule_of_a_shop(seed: int) -> None:
    for problem in (shop(seed), shop(seed, flexible=True)):
        index = Indexed(problem)
        for rule in RULES:
            arrays = dispatch(index, rule)
            assert arrays is not None
            planned(index, arrays)


@given(SEEDS)
@settings(max_examples=40)
def test_a_rule_breaks_nothing_but_maximum_lags(seed: int) -> None:
    problem = cell(seed)
    without = replace(problem, lags=tuple(replace(lag, maximum_s=None) for lag in problem.lags))
    for rule in RULES:
        arrays = dispatch(Indexed(problem), rule)
        if arrays is not None:  # it may lock up
            planned(Indexed(without), arrays)


@given(SEEDS, st.booleans())
@settings(max_examples=60)
def test_insertion_and_justification_give_valid_plans_that_get_no_longer(
    seed: int, is_cell: bool
) -> None:
    problem = cell(seed, plates=6) if is_cell else shop(seed, jobs=5, flexible=True)
    index = Indexed(problem)
    order = list(range(len(index.members)))
    random.Random(seed).shuffle(order)
    arrays = insert_all(index, order)
    assert arrays is not None, problem.name
    planned(index, arrays)
    pushed = justify(index, layout_of(index), arrays)
    planned(index, pushed)
    assert end_of(index, pushed) <= end_of(index, arrays), problem.name


@given(SEEDS)
@settings(max_examples=80)
def test_insertion_keeps_everything_in_a_mixed_problem_but_levels(seed: int) -> None:
    problem = replace(tiny(seed), changes=(), reservoirs=())
    index = Indexed(problem)
    arrays = insert_all(index)
    if arrays is not None:
        planned(index, arrays)


def in_groups(*lags: tuple[str, str]) -> Indexed:
    """Steps of ten seconds of the groups a, b and c, with what has to come before what."""
    names = ("a1", "a2", "b1", "b2", "c1")
    return Indexed(
        Problem(
            name="groups",
            activities=tuple(
                Activity(name=name, modes=(Mode(duration_s=10),), group=name[0]) for name in names
            ),
            lags=tuple(Lag(before=before, after=after) for before, after in lags),
        )
    )


@pytest.mark.parametrize("order", ORDERS)
def test_a_group_goes_in_before_those_that_have_to_come_after_it(order: tuple[int, ...]) -> None:
    index = in_groups(("c1", "b1"), ("b2", "a1"))
    assert in_precedence(index, order) == [2, 1, 0]
    assert in_precedence(index, [0, 2]) == [0, 2], "what is between them is not there"
    arrays = insert_all(index, order)
    assert arrays is not None
    planned(index, arrays)


@pytest.mark.parametrize("order", ORDERS)
def test_groups_that_wait_for_each_other_keep_their_order(order: tuple[int, ...]) -> None:
    found = in_precedence(in_groups(("a1", "b1"), ("b2", "a2")), order)
    assert sorted(found) == [0, 1, 2]
    assert [at for at in found if at != 2] == [at for at in order if at != 2]


def test_a_single_plate_is_placed_as_early_as_can_be() -> None:
    """By trying every start of the first move: the rest follows from it."""
    for seed in range(6):
        problem = cell(seed, plates=4)
        index = Indexed(problem)
        arrays = insert_all(index)
        assert arrays is not None
        group = index.members[-1]
        others = {one for one in range(index.count) if one not in group}
        least_s = earliest_end(index, arrays, group, others)
        assert max(arrays[0][one] + 2 for one in group) == least_s, f"seed {seed}"


def earliest_end(index: Indexed, arrays: Arrays, group: list[int], others: set[int]) -> int:
    """The least end of a group beside others, by a search over all its starts."""
    problem = index.problem
    starts, modes = arrays[0][:], arrays[1]
    names = {problem.activities[one].name for one in others}
    reach_s = max(starts[one] + 2 for one in group)

    def extend(depth: int) -> int | None:
        if depth == len(group):
            plan = plan_of(problem, index.placed(starts, modes))
            return None if broken(problem, plan) else max(starts[one] + 2 for one in group)
        lags = [
            lag
            for lag in problem.lags
            if depth and lag.after == problem.activities[group[depth]].name
        ]
        low = starts[group[depth - 1]] + 2 + (lags[0].minimum_s or 0) if lags else 0
        high = reach_s
        if lags and lags[0].maximum_s is not None:
            high = min(high, starts[group[depth - 1]] + 2 + lags[0].maximum_s)
        for at_s in range(low, high + 1):
            starts[group[depth]] = at_s
            found = extend(depth + 1)
            if found is not None:
                return found
        return None

    assert names
    ends = []
    for first_s in range(reach_s + 1):
        starts[group[0]] = first_s
        found = extend(1)
        if found is not None:
            ends.append(found)
    return min(ends)


@pytest.mark.parametrize("flexible", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_tabu_walk_stays_among_schedules_and_gets_no_worse(seed: int, *, flexible: bool) -> None:
    problem = shop(seed, jobs=6, machines=4, flexible=flexible)
    index = Indexed(problem)
    arrays = dispatch(index, "FIFO")
    found = shop_of(index)
    assert arrays is not None
    assert found is not None
    walk = Tabu(found, [orders_of(found, arrays)], seed)
    for _ in range(300):
        walk.step()
        assert walk.length_s == end_of(index, walk.arrays_now()), f"seed {seed}"
        planned(index, walk.arrays_now())
    assert planned(index, walk.best_arrays()).makespan_s == walk.best_s
    assert walk.best_s <= end_of(index, arrays)


@pytest.mark.parametrize("weights", [Weights(), Weights(makespan=1, flow=2)])
@pytest.mark.parametrize("seed", range(4))
def test_ruin_and_recreate_stays_among_plans_and_gets_no_worse(seed: int, weights: Weights) -> None:
    problem = cell(seed, plates=7, weights=weights)
    index = Indexed(problem)
    arrays = insert_all(index)
    assert arrays is not None
    walk = Ruin(index, layout_of(index), arrays, seed)
    for _ in range(60):
        walk.step()
        planned(index, walk.arrays_now())
    walk.push()
    assert planned(index, walk.best_arrays()).cost <= planned(index, arrays).cost


def test_a_walk_is_the_same_for_the_same_seed() -> None:
    index = Indexed(shop(3, jobs=6, machines=4, flexible=True))
    arrays, found = dispatch(index, "FIFO"), shop_of(Indexed(shop(3, 6, 4, flexible=True)))
    assert arrays is not None
    assert found is not None
    walks = [Tabu(found, [orders_of(found, arrays)], seed=5) for _ in range(2)]
    for walk in walks:
        for _ in range(200):
            walk.step()
    assert walks[0].arrays_now() == walks[1].arrays_now()


def test_balanced_loads_are_no_heavier_than_those_of_the_quickest_machines() -> None:
    for seed in range(20):
        found = shop_of(Indexed(shop(seed, jobs=6, machines=4, flexible=True)))
        assert found is not None

        def heaviest(modes: list[int], options: list[list[tuple[int, int]]]) -> int:
            load = [0] * 4
            for choice, mode in zip(options, modes, strict=True):
                load[choice[mode][0]] += choice[mode][1]
            return sum(one * one for one in load)

        quickest = [min(range(len(c)), key=lambda m, c=c: c[m][1]) for c in found.options]  # type: ignore[misc]
        assert heaviest(balanced_modes(found), found.options) <= heaviest(quickest, found.options)


def test_what_is_no_shop_is_not_taken_for_one() -> None:
    plain = shop(1)
    assert shop_of(Indexed(plain)) is not None
    wide = tuple(Resource(name=one.name, capacity=2) for one in plain.resources)
    windows = tuple(replace(lag, maximum_s=5) for lag in plain.lags)
    for other in (
        replace(plain, resources=wide),
        replace(plain, lags=windows),
        replace(plain, weights=Weights(makespan=1, flow=1)),
        replace(plain, lags=(*plain.lags, Lag(before="0.0", after="1.1"))),
        cell(1),
    ):
        assert shop_of(Indexed(other)) is None


def test_refills_go_in_where_a_reservoir_runs_short() -> None:
    wash = Mode(duration_s=5, demands=(Demand(resource="washer"),))
    problem = Problem(
        name="supply",
        resources=(Resource(name="washer"),),
        reservoirs=(Reservoir(name="buffer", level=3, capacity=4),),
        activities=(
            *(Activity(name=f"wash {at}", group=str(at), modes=(wash,)) for at in range(5)),
            *(
                Activity(name=f"refill {at}", modes=(Mode(duration_s=7),), optional=True)
                for at in range(6)
            ),
        ),
        changes=(
            *(Change(reservoir="buffer", activity=f"wash {at}", amount=-2) for at in range(5)),
            *(
                Change(reservoir="buffer", activity=f"refill {at}", amount=3, point="end")
                for at in range(6)
            ),
        ),
    )
    index = Indexed(problem)
    arrays = insert_all(index)
    assert arrays is not None
    plan = planned(index, arrays)
    assert sum(one.activity.startswith("refill") for one in plan.placed) == 3


def test_a_walk_ends_when_it_is_told() -> None:
    index = Indexed(shop(2, jobs=8, machines=5))
    arrays, found = dispatch(index, "FIFO"), shop_of(index)
    assert arrays is not None
    assert found is not None
    began = time.monotonic()
    Tabu(found, [orders_of(found, arrays)], 0).run(began + 0.05)
    assert time.monotonic() - began < 1.0


def test_what_comes_back_to_a_site_it_stands_on_now_finds_its_place() -> None:
    move = Mode(duration_s=2, demands=(Demand(resource="arm"),))
    names = ["out", "back", "away"]
    problem = Problem(
        name="there and back",
        resources=(Resource(name="arm"), Resource(name="nest")),
        activities=(
            Activity(
                name="now", modes=(Mode(duration_s=0),), fixed=Fixed(mode=0, start_s=0, end_s=0)
            ),
            *(Activity(name=name, group="plate", modes=(move,)) for name in names),
        ),
        lags=(Lag(before="out", after="back", minimum_s=5), Lag(before="back", after="away")),
        holds=(
            Hold(resource="nest", first="now", last="out"),
            Hold(resource="nest", first="back", last="away"),
        ),
    )
    arrays = insert_all(Indexed(problem))
    assert arrays is not None
    assert planned(Indexed(problem), arrays).makespan_s == 11


def test_soft_lags_are_kept_where_they_can_be_and_one_that_cannot_spoils_no_other() -> None:
    work = Mode(duration_s=4, demands=(Demand(resource="reader"),))
    problem = Problem(
        name="one is late already",
        resources=(Resource(name="reader"),),
        activities=(
            Activity(
                name="opened",
                modes=(Mode(duration_s=1),),
                fixed=Fixed(mode=0, start_s=-9, end_s=-8, is_over=True),
            ),
            Activity(name="read", group="plate", modes=(work,)),
            Activity(name="again", group="plate", modes=(work,)),
            Activity(name="other", group="other", modes=(work,)),
        ),
        lags=(
            Lag(before="opened", after="read", minimum_s=None, maximum_s=3, cost_per_s=9),
            Lag(before="read", after="again", maximum_s=1, cost_per_s=9),
        ),
    )
    arrays = insert_all(Indexed(problem))
    assert arrays is not None
    placed = {one.activity: one for one in planned(Indexed(problem), arrays).placed}
    assert placed["read"].start_s == 0, "as early as it can be"
    assert placed["again"].start_s - placed["read"].end_s <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_walk_turns_first_to_wishes_that_are_not_kept(seed: int) -> None:
    queue = (
        Activity(
            name=f"a{number}",
            group=f"g{number}",
            modes=(Mode(duration_s=10, demands=(Demand(resource="m"),)),),
        )
        for number in range(80)
    )
    now = Activity(name="now", modes=(Mode(duration_s=0),), fixed=Fixed(mode=0, start_s=0, end_s=0))
    wish = Lag(before="now", after="a40", minimum_s=None, maximum_s=200, cost_per_s=50)
    problem = Problem(
        name="queue",
        activities=(*queue, now),
        resources=(Resource(name="m"),),
        lags=(wish,),
    )
    index = Indexed(problem)
    arrays = ([10 * number for number in range(80)] + [0], [0] * 81)
    walk = Ruin(index, layout_of(index), arrays, seed)
    for _ in range(60):
        walk.step()
    starts, _ = walk.best_arrays()
    assert starts[40] <= 200, f"seed {seed}"


def test_the_cheapest_wish_is_given_up_first() -> None:
    """``b`` has to wait for its resource: rather than it, ``a`` comes late."""
    out = Activity(
        name="out",
        modes=(Mode(duration_s=60, demands=(Demand(resource="r"),)),),
        fixed=Fixed(mode=0, start_s=0, end_s=60),
    )
    steps = tuple(
        Activity(name=name, group="g", modes=(Mode(duration_s=5, demands=needs),))
        for name, needs in (("c", ()), ("a", ()), ("b", (Demand(resource="r"),)))
    )
    problem = Problem(
        name="p",
        activities=(out, *steps),
        resources=(Resource(name="r"),),
        lags=(
            Lag(before="out", after="c", before_point="start", minimum_s=None, maximum_s=0),
            Lag(before="c", after="a", minimum_s=None, maximum_s=10, cost_per_s=1),
            Lag(before="a", after="b", minimum_s=None, maximum_s=10, cost_per_s=9),
        ),
    )
    arrays = insert_all(Indexed(problem))
    assert arrays is not None
    starts = dict(zip(("out", "c", "a", "b"), arrays[0], strict=True))
    assert starts == {"out": 0, "c": 0, "a": 45, "b": 60}
