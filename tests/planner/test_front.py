"""The volume that a front leaves over, and what a point is expected to add to it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from sdl.model.campaign import Goal, Objective
from sdl.model.data import Inputs
from sdl.model.planning import Problem
from sdl.planner.axes import Floats
from sdl.planner.candidates import Candidates, listed
from sdl.planner.front import _Beyond
from sdl.planner.proposals import Campaign, Observed
from sdl.planner.volume import boxes, nodes, undominated
from sdl.planner.worth import Rising, Within, Worth

TOP = 6.0
DRAWS = 20_000


class _Still:
    """Points of which nothing more becomes known."""

    def __init__(self, mean: Floats, sd: Floats) -> None:
        self.mean, self.variance = mean[None], sd[None] ** 2

    def add(self, place: int) -> None:
        assert place >= 0


def _volume(front: Floats, reference: Floats) -> float:
    """What the front dominates, by counting the cells of its own grid."""
    above = front[(front > reference).all(axis=1)]
    if not len(above):
        return 0.0
    axes = [np.unique([*above[:, k], reference[k]]) for k in range(front.shape[1])]
    total = 0.0
    for cell in itertools.product(*(range(len(axis) - 1) for axis in axes)):
        high = np.array([axis[at + 1] for axis, at in zip(axes, cell, strict=True)])
        low = np.array([axis[at] for axis, at in zip(axes, cell, strict=True)])
        if (above >= high).all(axis=1).any():
            total += float(np.prod(high - low))
    return total


def _added(front: Floats, reference: Floats, points: Floats) -> Floats:
    """What each of the points (N, k) adds to that, by inclusion and exclusion."""
    total = np.maximum(points - reference, 0.0).prod(axis=1)
    for size in range(1, len(front) + 1):
        for some in itertools.combinations(front, size):
            shared = np.minimum(points, np.min(some, axis=0))
            total += (-1.0) ** size * np.maximum(shared - reference, 0.0).prod(axis=1)
    return np.asarray(total)


def _gain(worths: Sequence[Worth], mean: Floats, sd: Floats, front: Floats) -> Floats:
    """Of N points (N, k)."""
    states = [_Still(one, other) for one, other in zip(mean.T, sd.T, strict=True)]
    reference = np.full((1, front.shape[1]), -3.0)
    beyond = _Beyond(worths, states, front[None], reference)  # type: ignore[arg-type]
    return np.asarray(np.exp(beyond.log_gain()[0]))


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_boxes_hold_exactly_what_the_front_does_not_dominate(count: int, seed: int) -> None:
    front = np.random.default_rng(seed).normal(size=(seed * 3, count))
    reference = np.full(count, -1.0)
    found = np.minimum(boxes(front, reference), TOP)
    left = float(np.prod(found[:, :, 1] - found[:, :, 0], axis=1).sum())
    assert left == pytest.approx((TOP + 1.0) ** count - _volume(front, reference)), f"seed {seed}"


def test_of_points_the_undominated_ones_are_kept_and_of_equal_ones_the_first() -> None:
    points = np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 1.0], [0.5, 1.0], [0.0, 3.0]])
    assert undominated(points).tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("count", [2, 3])
def test_the_expected_gain_is_the_mean_over_what_may_come(count: int) -> None:
    chance = np.random.default_rng(count)
    front = chance.normal(size=(5, count))
    mean, sd = chance.normal(size=(2, count)), chance.uniform(0.3, 1.0, (2, count))
    worths: list[Worth] = [*(Rising() for _ in range(count - 1)), Within(0.3)]
    front[:, -1] = Within(0.3).of(front[:, -1])
    found = _gain(worths, mean, sd, front)
    for place in range(2):
        draws = mean[place] + sd[place] * chance.standard_normal((DRAWS, count))
        draws[:, -1] = Within(0.3).of(draws[:, -1])
        gains = _added(front, np.full(count, -3.0), draws)
        assert found[place] == pytest.approx(gains.mean(), abs=4.0 * gains.std() / DRAWS**0.5)


def test_what_a_point_adds_is_the_difference_of_two_volumes() -> None:
    chance = np.random.default_rng(5)
    front, points = chance.normal(size=(4, 3)), chance.normal(size=(20, 3))
    reference = np.full(3, -3.0)
    whole = [_volume(np.vstack([front, one]), reference) for one in points]
    assert _added(front, reference, points) + _volume(front, reference) == pytest.approx(whole)


def test_nodes_order_points_as_boxes_do() -> None:
    chance = np.random.default_rng(3)
    front = chance.normal(size=(6, 3))
    mean, sd = chance.normal(size=(40, 3)), chance.uniform(0.2, 0.8, (40, 3))
    exact = _gain([Rising()] * 3, mean, sd, front)
    reference, top = np.full(3, -3.0), front.max(axis=0) + 1.0
    at = nodes(front, reference, top)
    terms = [Rising().log_exceeds(mean[:, [k]], sd[:, [k]], at[:, k]) for k in range(3)]
    coarse = np.exp(sum(terms)).sum(axis=1)
    assert np.corrcoef(np.argsort(np.argsort(exact)), np.argsort(np.argsort(coarse)))[0, 1] > 0.95


def test_far_below_the_front_the_better_point_is_still_told() -> None:
    front = np.array([[2.0, 0.0], [0.0, 2.0]])
    means = np.array([[-2.0, -2.0], [-20.0, -20.0], [-60.0, -60.0]])
    states = [_Still(one, np.full(3, 0.1)) for one in means.T]
    beyond = _Beyond([Rising()] * 2, states, front[None], np.array([[-3.0, -3.0]]))  # type: ignore[arg-type]
    found = beyond.log_gain()[0]
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0.0).all()


AMOUNTS = tuple(n / 14 for n in range(15))


def _list() -> Candidates:
    rows = list(itertools.product(AMOUNTS, AMOUNTS))
    return listed({"x": [row[0] for row in rows], "z": [row[1] for row in rows]}, [], [])


def _measured(inputs: Inputs) -> dict[str, float]:
    x, z = float(inputs["x"]), float(inputs["z"])
    return {"gain": x - 0.5 * (z - 0.3) ** 2, "price": 3.0 * x**2 + (z - 0.3) ** 2, "tint": z}


def _problem(*objectives: tuple[str, Goal], **further: float) -> Problem:
    first, *others = (Objective(measure=name, goal=goal, **further) for name, goal in objectives)
    return Problem(space=(), objective=first, further=tuple(others))


def _played(problem: Problem, seed: int, runs: int, *, known: int = 0) -> list[dict[str, float]]:
    campaign, observed = Campaign(problem, _list(), seed), list[Observed]()
    while len(observed) < runs:
        for found in campaign.proposals(observed, [], 1):
            observed.append(Observed(found.inputs, _measured(found.inputs)))
    return [dict(one.measures or {}) for one in observed[known:]]


@pytest.mark.parametrize("seed", range(2))
def test_a_front_of_two_objectives_is_found_in_few_runs(seed: int) -> None:
    seen = _played(_problem(("gain", "maximise"), ("price", "minimise")), seed, 20)
    worths = np.array([[one["gain"], -one["price"]] for one in seen])
    every = np.array(
        [[one["gain"], -one["price"]] for one in map(_measured, map(_list().point, range(225)))]
    )
    reference = every.min(axis=0)
    share = _volume(worths, reference) / _volume(every, reference)
    assert share > 0.97, f"seed {seed}"


@pytest.mark.parametrize("count", [3, 4])
def test_more_objectives_are_possible_and_points_under_way_are_not_given_again(count: int) -> None:
    chance = np.random.default_rng(count)
    problem = _problem(*((f"m{k}", "maximise") for k in range(count)))
    places = chance.choice(225, 9, replace=False)
    points = [_list().point(int(place)) for place in places]
    observed = [
        Observed(point, {f"m{k}": float(chance.normal()) for k in range(count)})
        for point in points[:7]
    ]
    found = Campaign(problem, _list(), 1).proposals(observed, points[7:], 4)
    given = [tuple(one.inputs.values()) for one in found]
    assert len(set(given)) == 4
    assert not set(given) & {tuple(point.values()) for point in points}
    assert set(found[0].reason.expected) == {f"m{k}" for k in range(count)}
    assert found == Campaign(problem, _list(), 1).proposals(observed, points[7:], 4)


def test_what_is_worse_than_a_threshold_is_not_looked_for() -> None:
    objectives = (
        Objective(measure="gain", goal="maximise", threshold=0.7),
        Objective(measure="price", goal="minimise"),
    )
    problem = Problem(space=(), objective=objectives[0], further=objectives[1:])
    with_limit = _played(problem, 1, 18, known=6)
    without = _played(_problem(("gain", "maximise"), ("price", "minimise")), 1, 18, known=6)
    of_use = [sum(one["gain"] >= 0.7 for one in seen) for seen in (with_limit, without)]
    assert of_use[0] > of_use[1]


def test_with_weights_the_best_score_is_looked_for() -> None:
    objectives = (
        Objective(measure="gain", goal="maximise", weight=1.0),
        Objective(measure="price", goal="minimise", weight=0.5),
    )
    problem = Problem(space=(), objective=objectives[0], further=objectives[1:])
    seen = _played(problem, 2, 16)
    every = [_measured(_list().point(place)) for place in range(225)]
    best = max(one["gain"] - 0.5 * one["price"] for one in every)
    assert max(one["gain"] - 0.5 * one["price"] for one in seen) > best - 0.01


@pytest.mark.parametrize("value", [0.0, 5.0])
@pytest.mark.parametrize("weight", [None, 1.0])
def test_equal_results_are_no_reason_to_fail(value: float, weight: float | None) -> None:
    objectives = (
        Objective(measure="gain", goal="maximise", threshold=3.0, weight=weight),
        Objective(measure="tint", goal="range", low=5.0, high=6.0, weight=weight),
        Objective(measure="ph", goal="target", target=5.0, weight=weight),
        Objective(measure="price", goal="minimise", weight=weight),
    )
    seen = {one.measure: value for one in objectives}
    observed = [Observed(_list().point(place), seen) for place in (3, 50, 120)]
    for count in (2, 3, 4):
        first, *others = objectives[:count]
        problem = Problem(space=(), objective=first, further=tuple(others))
        found = Campaign(problem, _list(), 1).proposals(observed, [], 2)
        assert len(found) == 2
        assert all(np.isfinite(one.reason.acquisition or 0.0) for one in found)
