"""Whatever was tried and whatever is under way: what comes is new, allowed, and the same again."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.model.campaign import Objective
from sdl.model.data import InputValue
from sdl.model.planning import Problem
from sdl.planner.candidates import Candidates, listed
from sdl.planner.proposals import Campaign, Observed
from sdl.planner.spread import START

MOST = Problem(space=(), objective=Objective(measure="y", goal="maximise"))
LEAST = Problem(space=(), objective=Objective(measure="y", goal="minimise"))
HEATS, BASES, DOSES = (20.0, 40.0, 80.0), ("a", "b", "c", "d"), (0.1, 0.25, 0.7)


def _list() -> Candidates:
    rows = list(itertools.product(HEATS, BASES, DOSES))
    columns = {name: [row[at] for row in rows] for at, name in enumerate(("heat", "base", "dose"))}
    return listed(columns, ["base"], [])


def _value(point: Mapping[str, InputValue]) -> float:
    return float(point["heat"]) / 20.0 + 3.0 * (point["base"] == "c") - float(point["dose"])


def _seen(point: Mapping[str, InputValue]) -> Observed:
    return Observed(point, {"y": _value(point)})


def _key(point: Mapping[str, InputValue]) -> tuple[InputValue, ...]:
    return tuple(point[name] for name in ("heat", "base", "dose"))


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 35), unique=True, max_size=36),
    st.integers(0, 36),
    st.integers(0, 4),
    st.integers(1, 5),
    st.integers(0, 9),
)
def test_no_point_is_measured_pending_or_given_twice(
    order: list[int], measured: int, flying: int, count: int, seed: int
) -> None:
    every = _list()
    points = [every.point(place) for place in order]
    tried, pending = points[:measured], points[measured : measured + flying]
    observed = [Observed(p, None) if at % 7 == 3 else _seen(p) for at, p in enumerate(tried)]
    asked = Campaign(MOST, every, seed)
    found = [_key(p.inputs) for p in asked.proposals(observed, pending, count)]
    used = {_key(one.inputs) for one in observed if one.measures is not None}
    used |= {_key(point) for point in pending}
    untried = {_key(every.point(place)) for place in range(36)} - used
    untried -= (
        {_key(one.inputs) for one in observed}
        if untried - {_key(one.inputs) for one in observed}
        else set()
    )
    assert len(found) == len(set(found)) == min(count, len(untried)), f"seed {seed}"
    assert set(found) <= untried, f"seed {seed}"


@pytest.mark.parametrize("seed", range(3))
def test_the_same_question_has_the_same_answer_to_the_last_bit(seed: int) -> None:
    observed = [_seen(p) for p in map(_list().point, (3, 17, 30, 8, 25))]
    along = Campaign(MOST, _list(), seed)
    for count in range(6):
        along.proposals(observed[:count], [], 1)
    one = along.proposals(observed, [_list().point(11)], 3)
    assert one == Campaign(MOST, _list(), seed).proposals(observed, [_list().point(11)], 3)
    assert {proposal.origin for proposal in one} == {"ensemble"}


def test_the_best_point_is_found_long_before_half_of_them_are_tried() -> None:
    best = max(map(_list().point, range(36)), key=_value)
    needed = []
    for seed in range(5):
        campaign, observed = Campaign(MOST, _list(), seed), list[Observed]()
        while not observed or observed[-1].inputs != best:
            (found,) = campaign.proposals(observed, [], 1)
            observed.append(_seen(found.inputs))
        needed.append(len(observed))
    assert np.mean(needed) < 12, f"seeds 0 to 4 needed {needed}"


def test_a_target_is_approached_from_both_sides() -> None:
    near = Problem(space=(), objective=Objective(measure="y", goal="target", target=4.3))
    campaign, observed = Campaign(near, _list(), 1), list[Observed]()
    for _ in range(14):
        (found,) = campaign.proposals(observed, [], 1)
        observed.append(_seen(found.inputs))
    assert min(abs(_value(one.inputs) - 4.3) for one in observed) < 0.06


def test_start_points_lie_far_apart_and_say_so() -> None:
    found = Campaign(MOST, _list(), 4).proposals([], [], START)
    assert {proposal.origin for proposal in found} == {"maximin"}
    assert len({proposal.inputs["base"] for proposal in found}) == START


def test_where_runs_fail_others_are_tried_instead() -> None:
    every = _list()
    observed = [
        Observed(p, None) if p["base"] == "c" else _seen(p)
        for p in map(every.point, (*range(0, 36, 5), 7, 8, 19, 20))
    ]
    assert any(one.measures is None for one in observed)
    found = Campaign(MOST, every, 2).proposals(observed, [], 4)
    assert [p.inputs["base"] for p in found if p.inputs["base"] == "c"] == []
    assert all((p.reason.log_feasible or 0.0) < 0.0 for p in found)


def test_a_reason_tells_what_is_expected_and_why() -> None:
    observed = [_seen(p) for p in map(_list().point, (3, 17, 30, 8, 25))]
    (found,) = Campaign(MOST, _list(), 1).proposals(observed, [], 1)
    reason = found.reason
    assert reason.expected["y"].low <= reason.expected["y"].median <= reason.expected["y"].high
    assert sum(reason.surrogates["y"].values()) == pytest.approx(1.0)
    assert [near.correlation for near in reason.nearest] == sorted(
        (near.correlation for near in reason.nearest), reverse=True
    )
    assert reason.scored == 31


def test_less_is_better_where_that_is_said() -> None:
    observed = [_seen(p) for p in map(_list().point, (3, 17, 30, 8, 25, 35))]
    turned = [Observed(one.inputs, {"y": -_value(one.inputs)}) for one in observed]
    (more,) = Campaign(MOST, _list(), 1).proposals(observed, [], 1)
    (less,) = Campaign(LEAST, _list(), 1).proposals(turned, [], 1)
    assert more.inputs == less.inputs
    assert more.reason.expected["y"].median == pytest.approx(-less.reason.expected["y"].median)
