"""What the models of a campaign are worth, and what they believe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sdl.planner.chains import due
from sdl.planner.ensemble import DRAWS, KINDS, Evidence, Kind, Learner, weights_of
from sdl.planner.outputs import Back, Shape
from sdl.planner.process import Processes
from tests.planner.points import AXES, drawn, hyper


def _evidence(count: int, seed: int) -> Evidence:
    points = drawn(count, seed)
    return Evidence(points, points.value.sum(axis=1) + (points.code[:, 0] == 1))


EVERY = (
    *KINDS,
    Kind(name="value", shape=Shape(rank=0.0)),
    Kind(name="upper half", shape=Shape(lower=0.5)),
)


def test_weights_sum_to_one_and_are_equal_before_there_is_a_difference() -> None:
    found = weights_of(np.zeros((3 * DRAWS, 4)), EVERY)
    assert found == pytest.approx([1 / 3] * 3)


def test_kinds_that_explain_what_is_measured_equally_well_all_have_a_say() -> None:
    found = Learner(AXES, 1, EVERY).ensemble(_evidence(10, 1)).weights
    assert found.sum() == pytest.approx(1.0)
    assert (found > 0.01).all()


def test_a_model_that_predicts_nonsense_loses_its_weight() -> None:
    points = drawn(20, 5)
    sensible, nonsense = hyper(DRAWS, 1), hyper(DRAWS, 1)
    values = np.tile(points.value.sum(axis=1) - points.value.sum(axis=1).mean(), (DRAWS, 1))
    good = Processes(sensible, points, values).leave_one_out()
    shuffled = points.take(np.random.default_rng(2).permutation(20))
    bad = Processes(nonsense, shuffled, values).leave_one_out()
    found = weights_of(np.concatenate([bad, good]), EVERY[:2])
    assert found[0] < 0.05
    assert found.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_learner_that_begins_anew_believes_what_one_that_went_along_does(seed: int) -> None:
    along, whole = Learner(AXES, seed), _evidence(9, seed)
    for count in range(2, 9):
        along.ensemble(whole.first(count))
    one, other = along.ensemble(whole), Learner(AXES, seed).ensemble(whole)
    assert one.digest == other.digest, f"seed {seed}"
    assert one.weights.tobytes() == other.weights.tobytes(), f"seed {seed}"


def test_what_was_learnt_for_one_goal_leaves_nothing_behind_for_another() -> None:
    whole = _evidence(8, 3)
    learner = Learner(AXES, 3)
    for evidence in (whole, replace(whole, target=True), replace(whole, is_plain=True)):
        assert learner.ensemble(evidence).digest == Learner(AXES, 3).ensemble(evidence).digest


def test_a_result_that_is_corrected_later_leaves_nothing_behind() -> None:
    whole = _evidence(8, 3)
    learner = Learner(AXES, 3)
    wrong = whole.values.copy()
    wrong[4] = 9.0
    learner.ensemble(Evidence(whole.points, wrong))
    assert learner.ensemble(whole).digest == Learner(AXES, 3).ensemble(whole).digest


def test_equal_results_are_no_reason_to_fail() -> None:
    points = drawn(6, 1)
    found = Learner(AXES, 1).ensemble(Evidence(points, np.full(6, 7.0)))
    middle, low, high = found.predicted(points.take(slice(1)))
    assert low <= middle <= high
    assert middle == pytest.approx(7.0)


@pytest.mark.parametrize("shape", [Shape(), Shape(rank=0.0), Shape(lower=0.5)])
def test_outputs_keep_the_order_and_there_is_a_way_back(shape: Shape) -> None:
    values = np.array([3.0, 100.0, 4.0, -2.0, 4.0, 7.5])
    out = shape.of(values)
    assert (np.argsort(out, kind="stable") == np.argsort(values, kind="stable")).all()
    assert Back.of(out, values).value(out) == pytest.approx(values)
    beyond = Back.of(out, values).value(np.array([out.min() - 1.0, out.max() + 1.0]))
    assert beyond[0] < -2.0
    assert beyond[1] > 100.0


def test_intervals_hold_nine_of_ten_further_results() -> None:
    inside = []
    for seed in range(4):
        points = drawn(60, seed)
        noise = 0.2 * np.random.default_rng(seed).standard_normal(60)
        values = np.sin(3.0 * points.value).sum(axis=1) + (points.code[:, 0] == 1) + noise
        believed = Learner(AXES, seed).ensemble(Evidence(points, values).first(25))
        for place in range(25, 60):
            _, low, high = believed.predicted(points.take(slice(place, place + 1)))
            inside.append(low <= values[place] <= high)
    assert 0.80 <= np.mean(inside) <= 0.99


def test_chains_move_with_each_measurement_then_ever_more_seldom() -> None:
    moves = due(300)
    assert moves[:39] == list(range(2, 41))
    assert moves[39:55] == list(range(45, 121, 5))
    assert moves[55:] == list(range(140, 301, 20))
    assert [due(count) for count in (1, 2, 43, 139)] == [[], [2], moves[:39], moves[:55]]
