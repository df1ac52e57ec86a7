"""The dispatch rule: windows first, then rank, then fair shares, then the oldest run."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.core.schedule import (
    RAISE_S,
    Claim,
    ReadyStep,
    Share,
    is_behind,
    next_step,
    order_of_beginning,
)


def step(name: str, run: int, order: int, not_after: float | None = None) -> ReadyStep:
    return ReadyStep(step=name, run_number=run, order=order, not_after=not_after)


@pytest.mark.parametrize(
    "ready, first",
    [
        ([step("a", 2, 1), step("b", 1, 2)], "b"),
        ([step("a", 1, 2), step("b", 1, 1)], "b"),
        ([step("a", 1, 1), step("b", 9, 9, 100.0)], "b"),
        ([step("a", 9, 9, 50.0), step("b", 1, 1, 100.0)], "a"),
    ],
    ids=["older run", "asked first", "a window before none", "the earlier window"],
)
def test_what_an_instrument_does_next(ready: list[ReadyStep], first: str) -> None:
    assert next_step(ready).step == first
    assert next_step(list(reversed(ready))).step == first


@pytest.mark.parametrize(
    "ready, first",
    [
        ([step("a", 1, 1), replace(step("b", 2, 2), priority=1)], "b"),
        ([replace(step("a", 1, 1), tag=5.0), replace(step("b", 2, 2), tag=4.0)], "b"),
        ([replace(step("a", 1, 1), tag=5.0), replace(step("b", 2, 2), priority=-1)], "a"),
        ([step("a", 1, 1, 100.0), replace(step("b", 2, 2), priority=9)], "a"),
        ([step("a", 1, 1), replace(step("b", 2, 2, 100.0), tag=99.0, priority=-9)], "b"),
    ],
    ids=["priority", "lower tag", "priority before tag", "window before priority", "any window"],
)
def test_what_an_instrument_does_next_for_several_campaigns(
    ready: list[ReadyStep], first: str
) -> None:
    assert next_step(ready).step == first
    assert next_step(list(reversed(ready))).step == first


def test_a_low_priority_reaches_the_high_one_by_waiting_and_no_further() -> None:
    high = replace(step("high", 2, 2), priority=3, tag=10.0)
    low = replace(step("low", 1, 1), tag=20.0)
    for waited, first in ((0.0, "high"), (3 * RAISE_S, "high"), (99 * RAISE_S, "high")):
        assert next_step([high, replace(low, waited_s=waited)]).step == first
    served_less = replace(low, tag=5.0)
    assert next_step([high, replace(served_less, waited_s=2.9 * RAISE_S)]).step == "high"
    assert next_step([high, replace(served_less, waited_s=3 * RAISE_S)]).step == "low"


@dataclass(frozen=True)
class Load:
    """What one campaign wants of an instrument."""

    weight: float
    least_s: float
    most_s: float
    priority: int = 0


LOADS = st.lists(
    st.builds(
        lambda weight, least, more: Load(weight, least, least + more),
        st.floats(0.5, 8.0),
        st.floats(1.0, 60.0),
        st.floats(0.0, 60.0),
    ),
    min_size=2,
    max_size=5,
)
SERVED = 600
"""Steps that are served in one play."""


def serve(loads: list[Load], seed: int) -> tuple[Counter[int], list[float]]:
    """One instrument for which every campaign has a step at any time: seconds each had of it.

    And the longest that each waited between two of its steps.
    """
    chance, share, at, number = random.Random(seed), Share(), 0.0, 0
    used, since, longest = Counter[int](), [0.0] * len(loads), [0.0] * len(loads)
    for _ in range(SERVED):
        ready = {
            f"c{n}": ReadyStep(
                step=f"c{n}",
                run_number=1,
                order=number,
                not_after=None,
                priority=load.priority,
                waited_s=at - since[n],
                tag=share.start(f"c{n}"),
            )
            for n, load in enumerate(loads)
        }
        chosen = int(next_step(ready.values()).step[1:])
        took_s = chance.uniform(loads[chosen].least_s, loads[chosen].most_s)
        longest[chosen] = max(longest[chosen], at - since[chosen])
        at, number = at + took_s, number + 1
        used[chosen] += took_s  # type: ignore[assignment]
        share = share.after(f"c{chosen}", took_s, loads[chosen].weight)
        since[chosen] = at
    return used, longest


@settings(max_examples=15)
@given(loads=LOADS, seed=st.integers(0, 2**20))
def test_shares_go_by_weight_whatever_the_steps_take(loads: list[Load], seed: int) -> None:
    """Start-time fair queueing: any two differ by no more than a longest step of each."""
    used, _ = serve(loads, seed)
    tags = [used[n] / load.weight for n, load in enumerate(loads)]
    for n, one in enumerate(loads):
        for m, other in enumerate(loads):
            bound = one.most_s / one.weight + other.most_s / other.weight
            assert abs(tags[n] - tags[m]) <= bound + 1e-6, f"seed {seed}: {n}, {m}"


@settings(max_examples=15)
@given(
    loads=LOADS,
    drawn=st.lists(st.integers(-3, 3), min_size=5, max_size=5),
    seed=st.integers(0, 2**20),
)
def test_nobody_starves_whatever_the_priorities(
    loads: list[Load], drawn: list[int], seed: int
) -> None:
    ranked = [replace(load, priority=drawn[n]) for n, load in enumerate(loads)]
    used, longest = serve(ranked, seed)
    # Once it has reached the highest rank, it waits until the others' tags have come to its own.
    for n, load in enumerate(ranked):
        turn_s = sum(
            other.weight * load.most_s / load.weight + 2.0 * other.most_s for other in ranked
        )
        bound_s = (max(drawn) - min(drawn)) * RAISE_S + turn_s
        if sum(used.values()) > bound_s:
            assert used[n], f"seed {seed}: {n} was never served"
        assert longest[n] <= bound_s, f"seed {seed}: {n}"


def test_who_was_away_saves_up_no_claim() -> None:
    share = Share()
    for _ in range(10):
        share = share.after("a", 10.0, 1.0)
    assert share.start("b") == share.served
    for _ in range(2):
        share = share.after("b", 10.0, 1.0)
    assert share.start("a") <= share.start("b")
    assert dict(share.without("a").tags).keys() == {"b"}


def test_runs_begin_by_priority_then_by_runs_in_flight_for_the_weight() -> None:
    def claim(name: str, priority: int, weight: float, in_flight: int, place: int) -> Claim:
        return Claim(
            campaign=name, priority=priority, weight=weight, in_flight=in_flight, place=place
        )

    order = order_of_beginning(
        [
            claim("first", 0, 1.0, 1, 0),
            claim("heavy", 0, 4.0, 2, 1),
            claim("urgent", 1, 1.0, 9, 2),
            claim("idle", 0, 1.0, 0, 3),
        ]
    )
    assert [each.campaign for each in order] == ["urgent", "idle", "heavy", "first"]


@pytest.mark.parametrize(
    "at, done, behind",
    [(100.0, 0.0, False), (150.0, 0.4, True), (150.0, 0.5, False), (201.0, 0.0, False)],
    ids=["at its start", "too slow", "on its way", "too late"],
)
def test_a_campaign_falls_behind_the_line_to_its_deadline(
    at: float, done: float, *, behind: bool
) -> None:
    assert is_behind(at=at, started_at=100.0, deadline=200.0, done=done) is behind
    assert not is_behind(at=at, started_at=100.0, deadline=None, done=done)
