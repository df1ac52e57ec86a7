"""The independent checker finds each kind of broken constraint, and nothing in a valid plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.model import (
    Activity,
    Change,
    Demand,
    Fixed,
    Group,
    Hold,
    Lag,
    Mode,
    Placed,
    Problem,
    Reservoir,
    Resource,
    Weights,
)

WASH = Mode(duration_s=10, demands=(Demand(resource="washer"),), name="washer")
MOVE = Mode(duration_s=2, demands=(Demand(resource="arm"),))
PROBLEM = Problem(
    name="bench",
    now_s=0,
    resources=(
        Resource(name="arm"),
        Resource(name="washer"),
        Resource(name="nest"),
        Resource(name="shelf", capacity=2),
    ),
    reservoirs=(Reservoir(name="buffer", level=5, capacity=10),),
    activities=(
        Activity(name="run", modes=(WASH,), fixed=Fixed(mode=0, start_s=-4, end_s=6)),
        Activity(name="bring", modes=(MOVE,), group="p", release_s=1),
        Activity(name="wash", modes=(WASH, Mode(duration_s=20)), group="p"),
        Activity(name="take", modes=(MOVE,), group="p"),
        Activity(name="next", modes=(MOVE,), group="q"),
        Activity(name="last", modes=(MOVE,), group="q"),
        Activity(name="refill", modes=(Mode(duration_s=1),), optional=True),
    ),
    holds=(
        Hold(resource="nest", first="bring", last="take"),
        Hold(resource="nest", first="next", last="last"),
        Hold(resource="shelf", amount=2, first="wash", last="take", activity="wash", mode=1),
        Hold(resource="shelf", first="next", last="last"),
    ),
    lags=(
        Lag(before="bring", after="wash", maximum_s=5),
        Lag(before="wash", after="take", minimum_s=0, maximum_s=8),
        Lag(before="take", after="next", cost_per_s=3, minimum_s=None, maximum_s=0),
    ),
    changes=(
        Change(reservoir="buffer", activity="wash", amount=-4),
        Change(reservoir="buffer", activity="next", amount=-2),
        Change(reservoir="buffer", activity="refill", amount=6, point="end"),
    ),
    groups=(Group(name="p", weight=2), Group(name="q", release_s=10)),
    weights=Weights(makespan=1, flow=1, moved=1, rerouted=7),
    current=(Placed(activity="wash", mode=1, start_s=5, end_s=25),),
)
GOOD = {
    "run": (0, -4, 6),
    "bring": (0, 2, 4),
    "wash": (0, 6, 16),
    "take": (0, 16, 18),
    "next": (0, 20, 22),
    "last": (0, 30, 32),
    "refill": (0, 17, 18),
}


def verdict(**changed: tuple[int, int, int] | None) -> tuple[str, ...]:
    """What the checker says of the good plan with some activities elsewhere or left out."""
    times = {**GOOD, **changed}
    placed = [
        Placed(activity=name, mode=one[0], start_s=one[1], end_s=one[2])
        for name, one in times.items()
        if one is not None
    ]
    return broken(PROBLEM, plan_of(PROBLEM, placed))


def test_a_valid_plan_has_nothing_said_of_it() -> None:
    assert verdict() == ()


@pytest.mark.parametrize(
    "changed,words",
    [
        ({"take": None}, "take is not planned"),
        ({"run": None}, "run is not planned"),
        ({"wash": (2, 6, 16)}, "mode 2, which it does not have"),
        ({"run": (0, -4, 7)}, "run is fixed"),
        ({"wash": (0, 6, 15)}, "wash takes 10 s"),
        ({"bring": (0, 0, 2)}, "before its release at 1 s"),
        ({"next": (0, -3, -1)}, "before now (0 s)"),
        ({"wash": (0, 5, 15)}, "washer holds 1, at 5 s it has 2: run, wash"),
        ({"bring": (0, 15, 17)}, "end of bring to start of wash: -11 s, at least 0 s"),
        ({"wash": (0, 10, 20), "take": (0, 20, 22), "next": (0, 22, 24)}, "at most 5 s"),
        ({"take": (0, 25, 27), "next": (0, 28, 30)}, "end of wash to start of take: 9 s, at most"),
        ({"next": (0, 17, 19)}, "arm holds 1, at 17 s it has 2: take, next"),
        ({"next": (0, 12, 14)}, "nest holds 1, at 12 s"),
        ({"wash": (1, 6, 26), "take": (0, 26, 28), "next": (0, 28, 30)}, ""),
        ({"wash": (1, 6, 26), "take": (0, 26, 28), "next": (0, 27, 29)}, "shelf holds 2, at 27 s"),
        ({"last": (0, 17, 19)}, "which ends before"),
        ({"refill": None}, "buffer would hold -1 at 20 s"),
        ({"refill": (0, 1, 2)}, "buffer would hold 11 at 2 s"),
        ({"next": (0, 24, 26)}, ""),
    ],
)
def test_each_kind_of_break_is_found_and_said(
    changed: dict[str, tuple[int, int, int] | None], words: str
) -> None:
    said = verdict(**changed)
    assert any(words in one for one in said) if words else said == ()


def test_names_that_do_not_fit_are_found() -> None:
    plan = plan_of(PROBLEM, [Placed(activity=n, mode=m, start_s=s, end_s=e)
                             for n, (m, s, e) in GOOD.items()])  # fmt: skip
    ghost = Placed(activity="ghost", mode=0, start_s=0, end_s=1)
    assert "no such activity" in broken(PROBLEM, replace(plan, placed=(*plan.placed, ghost)))[0]
    twice = replace(plan, placed=(*plan.placed, plan.placed[0]))
    assert broken(PROBLEM, twice) == ("run is planned 2 times",)


def test_a_running_activity_cannot_have_ended() -> None:
    late = replace(PROBLEM, now_s=7)
    placed = [Placed(activity=n, mode=m, start_s=s, end_s=e) for n, (m, s, e) in GOOD.items()]
    said = broken(late, plan_of(late, placed))
    words = "run runs and cannot have ended at 6 s, before now (7 s)"
    assert any(words in one for one in said)
    over = Fixed(mode=0, start_s=-4, end_s=6, is_over=True)
    ended = replace(
        late, activities=(replace(late.activities[0], fixed=over), *late.activities[1:])
    )
    assert not any(words in one for one in broken(ended, plan_of(ended, placed)))


@pytest.mark.parametrize("field,words", [("cost", "costs"), ("makespan_s", "ends at")])
def test_a_plan_that_lies_about_itself_is_found(field: str, words: str) -> None:
    placed = [Placed(activity=n, mode=m, start_s=s, end_s=e) for n, (m, s, e) in GOOD.items()]
    plan = plan_of(PROBLEM, placed)
    wrong = replace(plan, cost=1) if field == "cost" else replace(plan, makespan_s=1)
    assert any(f"the plan says that it {words}" in one for one in broken(PROBLEM, wrong))


def test_the_cost_counts_every_weight() -> None:
    placed = [Placed(activity=n, mode=m, start_s=s, end_s=e) for n, (m, s, e) in GOOD.items()]
    flow = 2 * 18 + (32 - 10)
    soft = 3 * 2
    moved = 1 + 7
    assert plan_of(PROBLEM, placed).cost == 32 + flow + soft + moved
