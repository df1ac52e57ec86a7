"""The figures of planners, against values by hand and by counting every order."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from planner_campaign import Played, Task
from planner_figures import (
    Figures,
    best,
    figures,
    first_hit,
    geometric_mean,
    hypervolume,
    random_mean,
    random_miss,
    share_of,
)
from planner_lines import line_of
from planner_pairs import paired
from tests.benchmarks.toys import toy


def test_random_search_for_one_of_five_with_two_tries() -> None:
    # The place of the good one is 1 to 5 with the same chance; 3 to 5 count as 3.
    assert random_mean(points=5, good=1, budget=2) == pytest.approx((1 + 2 + 3 + 3 + 3) / 5)
    assert random_miss(points=5, good=1, drawn=2) == pytest.approx(3 / 5)


@pytest.mark.parametrize("points,good,budget", [(6, 2, 3), (6, 1, 6), (5, 5, 2), (6, 3, 40)])
def test_exact_random_search_is_the_mean_over_every_order(
    points: int, good: int, budget: int
) -> None:
    is_good = np.arange(points) < good
    orders = list(itertools.permutations(range(points)))
    mean = sum(first_hit(order, is_good, budget) for order in orders) / len(orders)
    assert random_mean(points, good, budget) == pytest.approx(mean)


def test_a_campaign_without_a_hit_counts_as_one_more_than_its_budget() -> None:
    good = np.array([False, False, True])
    assert first_hit([2, 0], good, 2) == 1
    assert first_hit([0, 1], good, 2) == 3
    assert first_hit([0, 1, 2], good, 2) == 3


def test_points_that_tie_with_the_last_good_one_are_good_too() -> None:
    gains = np.array([1.0, 3.0, 2.0, 2.0, 0.0])
    assert list(best(gains, 1)) == [False, True, False, False, False]
    assert list(best(gains, 2)) == [False, True, True, True, False]
    assert best(gains, 99).all()


@pytest.mark.parametrize("points,count", [(30, 1), (100, 1), (101, 2), (600, 6), (3696, 37)])
def test_one_percent_of_the_points(points: int, count: int) -> None:
    assert share_of(points, 0.01) == count


def test_a_set_on_which_all_points_are_alike_has_figures_too(tmp_path: Path) -> None:
    data = toy(tmp_path)
    flat = replace(data, values=np.ones_like(data.values))
    played = Played(order=[0, 1, 2], seconds=[0.1] * 3, cpu_seconds=[0.1] * 3)
    line = line_of(flat, Task(planner="x", mode="one", seed=0, budget=3), played)
    found = figures(flat, [line], budget=3)
    assert found.top.firsts == {0: 1}
    assert found.regret == {}
    assert found.hypervolume == 0.0


def test_figures_of_two_campaigns_by_hand(tmp_path: Path) -> None:
    data = toy(tmp_path)
    ranks = list(np.argsort(-data.gains[:, 0]))
    task = Task(planner="x", mode="one", seed=0, budget=3)
    late = line_of(
        data,
        task,
        Played(order=[*ranks[1:3], ranks[0]], seconds=[0.1, 0.2, 0.3], cpu_seconds=[0.1] * 3),
    )
    never = line_of(
        data,
        Task(planner="x", mode="one", seed=1, budget=3),
        Played(order=ranks[-3:], seconds=[0.0] * 3, cpu_seconds=[0.0] * 3, moved=3),
    )
    found = figures(data, [late, never], budget=3)
    assert found.points == 10
    assert found.top.firsts == {0: 3, 1: 4}
    assert found.top.mean == 3.5
    assert found.top.share == 0.5
    assert found.top.acceleration == pytest.approx((1 + 0.9 + 0.8 + 0.7) / 3.5)
    assert found.five.firsts == {0: 1, 1: 4}
    assert found.recall == 0.5
    assert found.seconds == pytest.approx(0.1)
    assert found.cpu_seconds == pytest.approx(0.05)
    assert found.moved == 0.5
    # Two of the ten points are worth 0, the best is worth 1; the campaign without a hit is worst.
    assert found.regret == {}


def test_hypervolume_of_boxes_by_hand() -> None:
    assert hypervolume(np.array([[0.5]])) == 0.5
    assert hypervolume(np.array([[1.0, 0.5], [0.5, 1.0], [0.2, 0.2]])) == pytest.approx(0.75)
    assert hypervolume(np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])) == pytest.approx(0.125)
    corners = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]])
    assert hypervolume(corners) == pytest.approx(0.125 * 4)


def test_hypervolume_agrees_with_the_share_of_a_fine_grid() -> None:
    gains = np.random.default_rng(7).random((12, 3))
    axis = (np.arange(40) + 0.5) / 40
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    inside = np.any(np.all(grid[:, None] <= gains[None], axis=-1), axis=1).mean()
    assert hypervolume(gains) == pytest.approx(float(inside), abs=0.02)


def test_a_planner_that_needs_half_as_many_has_a_ratio_of_two(tmp_path: Path) -> None:
    data = toy(tmp_path)
    ranks = [int(at) for at in np.argsort(-data.gains[:, 0])]

    def played(places: list[int]) -> dict[str, Figures]:
        lines = [
            line_of(
                data,
                Task(planner="x", mode="one", seed=seed),
                Played(order=[*ranks[1:place], ranks[0]], seconds=[0.1], cpu_seconds=[0.1]),
            )
            for seed, place in enumerate(places)
        ]
        return {data.name: figures(data, lines, budget=40)}

    both = paired(played([2, 1, 3, 2]), played([4, 2, 6, 4]))
    assert both is not None
    assert both.pairs == 4
    assert both.ratio == pytest.approx(2.0)
    assert both.p == 0.0
    back = paired(played([4, 2, 6, 5]), played([2, 1, 3, 2]))
    assert back is not None
    assert back.p > 0.99
    same = paired(played([2, 1]), played([2, 1]))
    assert same is not None
    assert (same.ratio, same.p) == (1.0, 0.5)
    single = paired(played([2]), played([2, 1]))
    assert single is not None
    assert single.pairs == 1
    assert math.isnan(single.p)


def test_the_geometric_mean_of_two_and_eight_is_four() -> None:
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert math.isnan(geometric_mean([]))
