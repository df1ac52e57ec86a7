"""Closed forms against sums over fine grids, and far out where sums see nothing."""

from __future__ import annotations

import numpy as np
import pytest

from sdl.planner.axes import Floats
from sdl.planner.improvement import log_approach, log_between, log_improvement
from sdl.planner.worth import Rising, Within

STEPS = np.linspace(-9.0, 9.0, 200_001)
WEIGHTS = np.exp(-0.5 * STEPS**2) / np.exp(-0.5 * STEPS**2).sum()


def _expected(worth: Floats) -> float:
    return float((worth * WEIGHTS).sum())


@pytest.mark.parametrize("mean", [-3.0, 0.0, 0.4, 2.0])
@pytest.mark.parametrize("sd", [0.3, 1.2])
@pytest.mark.parametrize("reach", [0.05, 0.5])
@pytest.mark.parametrize("half", [0.0, 0.7])
def test_an_approach_is_what_a_sum_over_the_distribution_says(
    mean: float, sd: float, reach: float, half: float
) -> None:
    outside = np.maximum(np.abs(mean + sd * STEPS) - half, 0.0)
    expected = _expected(np.maximum(reach - outside, 0.0))
    found = log_approach(*map(np.array, (mean, sd, reach, half)))
    assert float(np.exp(found)) == pytest.approx(expected, rel=2e-3, abs=1e-12)


@pytest.mark.parametrize("half", [0.0, 0.3])
def test_far_from_what_is_wanted_nearer_points_are_still_better(half: float) -> None:
    mean = np.array([2.0, 10.0, 30.0, 100.0, 1000.0])
    found = log_approach(mean, np.array(0.5), np.array(0.2), np.array(half))
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0.0).all()


def test_where_the_range_is_reached_the_more_probable_point_within_it_is_better() -> None:
    reach, half, sd = np.array(1e-3), np.array(0.5), np.array([0.1, 0.4, 0.4, 0.4])
    found = log_approach(np.array([0.0, 0.0, 0.5, 2.0]), sd, reach, half)
    assert (np.diff(found) < 0.0).all()
    inside = log_between(np.array(0.0), np.array(0.4), -half, half)
    assert found[1] - np.log(reach) == pytest.approx(float(inside), abs=0.01)


@pytest.mark.parametrize("mean", [-2.0, 0.1, 1.4])
def test_the_probability_between_two_ends_is_what_a_sum_says(mean: float) -> None:
    values = mean + 0.6 * STEPS
    expected = _expected(((values >= -0.5) & (values <= 1.0)).astype(float))
    found = log_between(*map(np.array, (mean, 0.6, -0.5, 1.0)))
    assert float(np.exp(found)) == pytest.approx(expected, rel=1e-3)


def test_a_probability_far_out_is_small_and_finite_on_either_side() -> None:
    found = log_between(np.array([-60.0, 60.0]), np.array(1.0), np.array(-1.0), np.array(1.0))
    assert found == pytest.approx([float(found[0])] * 2)
    assert -2000.0 < found[0] < -1500.0


@pytest.mark.parametrize("worth", [Rising(), Within(0.4)])
@pytest.mark.parametrize("least", [-1.5, -0.2])
def test_what_a_worth_exceeds_is_what_a_sum_says(worth: Rising | Within, least: float) -> None:
    mean, sd = 0.5, 0.7
    values = worth.of(mean + sd * STEPS)
    excess = float(np.exp(worth.log_excess(*map(np.array, (mean, sd, least)))))
    assert excess == pytest.approx(_expected(np.maximum(values - least, 0.0)), rel=1e-3)
    exceeds = float(np.exp(worth.log_exceeds(*map(np.array, (mean, sd, least)))))
    assert exceeds == pytest.approx(_expected((values >= least).astype(float)), rel=1e-3)


def test_an_improvement_far_below_the_best_falls_as_the_tail_does() -> None:
    found = log_improvement(np.array([-5.0, -40.0, -1e5]), np.array(1.0), np.array(0.0))
    assert np.isfinite(found).all()
    assert found[1] == pytest.approx(-800.0 - np.log(1600.0) - 0.92, abs=0.1)
