"""A campaign by look-up tells a planner what it may know, and answers from what was measured."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from planner_campaign import MODES, Mode, Task, play
from planner_contract import Planner, Space
from planner_sets import DATA, MAIN, MeasuredSet, read_set, sets_in
from sdl.errors import PlannerFault, UserMistake
from tests.benchmarks.toys import SPACE, Always, Silent, Spy, toy


def spied(data: MeasuredSet, mode: Mode, seed: int = 3, **more: bool) -> tuple[Spy, list[int]]:
    """A planner that looked on, and the order in which points were measured."""
    spies: list[Spy] = []

    def offer(space: Space, pool: pd.DataFrame | None, given: int) -> Planner:
        spies.append(Spy(space, pool, given))
        return spies[0]

    played = play(data, offer, Task(planner="spy", mode=mode, seed=seed, budget=8, **more))
    return spies[0], played.order


@pytest.mark.parametrize("mode", MODES)
def test_a_planner_sees_values_of_measured_points_alone(tmp_path: Path, mode: Mode) -> None:
    data = toy(tmp_path)
    spy, order = spied(data, mode)
    assert list(spy.pool) == ["x", "colour", "made by"]
    assert spy.pool.attrs == {}
    assert spy.space == SPACE | {"objectives": SPACE["objectives"][:1]}
    assert spy.seed == 3
    for observations, _, _ in spy.calls:
        arrived = order[: len(observations)]
        assert observations == [(data.points[at], data.observed(at, ["yield"])) for at in arrived]
    assert len(spy.calls[-1][0]) < len(order) == 8


@pytest.mark.parametrize("mode", MODES)
def test_what_a_planner_spoils_is_its_own_copy(tmp_path: Path, mode: Mode) -> None:
    data, untouched = toy(tmp_path), toy(tmp_path)
    spied(data, mode)
    assert data.points == untouched.points
    assert data.pool.equals(untouched.pool)
    assert data.space == untouched.space


def test_every_objective_is_told_where_asked_for(tmp_path: Path) -> None:
    spy, _ = spied(toy(tmp_path), "one", every_objective=True)
    assert spy.space == SPACE
    assert set(spy.calls[-1][0][0][1]) == {"yield", "waste"}


def test_one_at_a_time_nothing_is_pending(tmp_path: Path) -> None:
    spy, _ = spied(toy(tmp_path), "one")
    assert [(len(seen), pending, n) for seen, pending, n in spy.calls] == [
        (number, [], 1) for number in range(8)
    ]


def test_a_batch_of_four_arrives_before_the_next_is_asked_for(tmp_path: Path) -> None:
    spy, order = spied(toy(tmp_path), "batch")
    assert [(len(seen), pending, n) for seen, pending, n in spy.calls] == [(0, [], 4), (4, [], 4)]
    assert order == list(range(8))


def test_four_in_flight_the_pending_points_are_told(tmp_path: Path) -> None:
    data = toy(tmp_path)
    spy, order = spied(data, "flight")
    assert [(len(seen), len(pending), n) for seen, pending, n in spy.calls] == [
        (0, 0, 4),
        *((number, 3, 1) for number in range(1, 5)),
    ]
    for observations, pending, _ in spy.calls:
        places = [data.points.index(point) for point in pending]
        assert not set(places) & set(order[: len(observations)])
        assert set(places) <= set(order[len(observations) :])


def test_in_flight_results_come_in_an_order_of_seeded_chance(tmp_path: Path) -> None:
    data = toy(tmp_path)
    orders = [spied(data, "flight", seed)[1] for seed in (1, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) > 1
    assert all(len(set(order)) == 8 for order in orders)


def test_a_proposal_is_moved_to_the_nearest_point_that_is_free(tmp_path: Path) -> None:
    data = toy(tmp_path)
    played = play(data, Always, Task(planner="x", mode="one", seed=0, budget=10))
    # 3.2 red: red at 3, 4, 2, 1, 0, for another colour counts as much as the whole range of x.
    assert [(p["x"], p["colour"]) for p in (data.points[at] for at in played.order)] == [
        (3.0, "red"),
        (4.0, "red"),
        (2.0, "red"),
        (1.0, "red"),
        (0.0, "red"),
        (3.0, "blue"),
        (4.0, "blue"),
        (2.0, "blue"),
        (1.0, "blue"),
        (0.0, "blue"),
    ]
    assert played.moved == 10


def test_distance_counts_numbers_by_their_range_and_options_as_one() -> None:
    data = read_set(DATA / "suzuki_i")
    chance = random.Random(5)
    free = np.array([chance.random() < 0.5 for _ in data.points])
    for at in range(20):
        proposal = dict(data.points[at]) | {"temperature": chance.uniform(30, 110)}

        def far(other: int, proposal: dict[str, float | str] = proposal) -> float:
            point = data.points[other]
            total = 0.0 if point["ligand"] == proposal["ligand"] else 1.0
            for name in ("res_time", "temperature", "catalyst_loading"):
                spread = float(data.pool[name].max()) - float(data.pool[name].min())
                total += ((float(point[name]) - float(proposal[name])) / spread) ** 2
            return total

        nearest = min((k for k in range(len(free)) if free[k]), key=far)
        assert far(data.nearest(proposal, free)) == pytest.approx(far(nearest)), f"seed 5, {at}"


@pytest.mark.parametrize(
    "proposal,said",
    [
        ({"x": 1.0, "colour": "red"}, "lacks made by"),
        ({"x": "much", "colour": "red", "made by": "us"}, "'much' for x"),
        ({"x": float("nan"), "colour": "red", "made by": "us"}, "no number"),
    ],
)
def test_a_proposal_that_is_no_point_is_told(
    tmp_path: Path, proposal: dict[str, float | str], said: str
) -> None:
    data = toy(tmp_path)
    with pytest.raises(UserMistake, match=said):
        data.nearest(proposal, np.ones(len(data.points), dtype=bool))


def test_a_planner_that_proposes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlannerFault, match="silent proposed nothing"):
        play(toy(tmp_path), Silent, Task(planner="silent", mode="one", seed=0))


def test_a_campaign_ends_when_the_pool_is_measured(tmp_path: Path) -> None:
    data = toy(tmp_path)
    for mode in MODES:
        played = play(data, Always, Task(planner="x", mode=mode, seed=0, budget=40))
        assert sorted(played.order) == list(range(10)), mode


def test_repeats_of_a_point_are_one_point_with_their_mean(tmp_path: Path) -> None:
    data = toy(tmp_path)
    at = data.points.index({"x": 0.0, "colour": "blue", "made by": "us"})
    assert data.observed(at, ["yield", "waste"]) == {"yield": -7.5, "waste": 0.5}
    assert list(data.gains[at]) == [-7.5, -0.5]


def test_the_eighteen_sets_are_as_their_page_says() -> None:
    sets = sets_in(DATA)
    points = {one.name: len(one.pool) for one in sets}
    assert tuple(points)[: len(MAIN)] == MAIN
    assert len(points) == 18
    page = (DATA / "README.md").read_text(encoding="utf-8")
    assert all(name in page for name in points)
    assert (points["crossed_barrel"], points["photo_wf3"], points["suzuki_edbo"]) == (
        600,
        1020,
        3696,
    )
    assert len({one.digest for one in sets}) == 18
    assert "Permission is hereby granted" in (DATA / "LICENSES.txt").read_text(encoding="utf-8")
