"""A measurement that all others speak against is doubted, and little is learnt from it."""

from __future__ import annotations

import numpy as np
import pytest

from sdl.planner.axes import Codes, Floats
from sdl.planner.ensemble import Ensemble, Evidence, Learner
from tests.planner.points import AXES, drawn

SEEDS = range(6)
ODD = 11
COUNT = 24


def truth(count: int, seed: int) -> tuple[Evidence, Floats]:
    points = drawn(count, seed)
    values = np.sin(2.0 * points.value[:, 0]) + points.value[:, 1:].sum(axis=1)
    return Evidence(points, values), values


def learnt(evidence: Evidence, seed: int) -> Ensemble:
    return Learner(AXES, seed).ensemble(evidence)


def spoilt(seed: int, by: float) -> tuple[Evidence, Floats]:
    evidence, values = truth(COUNT, seed)
    wrong = values.copy()
    wrong[ODD] += by * values.std()
    return Evidence(evidence.points, wrong), values


@pytest.mark.parametrize("by", [-4.0, 4.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_wrong_result_is_doubted_and_the_right_ones_are_not(seed: int, by: float) -> None:
    evidence, _ = spoilt(seed, by)
    doubts = learnt(evidence, seed).doubts
    assert doubts[ODD] > 0.9, f"seed {seed}"
    assert max(np.delete(doubts, ODD)) < 0.5, f"seed {seed}: {doubts}"


@pytest.mark.parametrize("seed", SEEDS)
def test_where_all_fits_nothing_is_doubted(seed: int) -> None:
    evidence, _ = truth(COUNT, seed)
    assert max(learnt(evidence, seed).doubts) < 0.5, f"seed {seed}"


@pytest.mark.parametrize("by", [-4.0, 4.0])
def test_what_is_believed_beside_a_wrong_result_is_what_the_others_say(by: float) -> None:
    off, spread = [], []
    for seed in SEEDS:
        evidence, values = spoilt(seed, by)
        middle, _, _ = learnt(evidence, seed).predicted(evidence.points.take(slice(ODD, ODD + 1)))
        off.append(abs(middle - values[ODD]))
        spread.append(values.std())
    assert np.mean(off) < 0.5 * np.mean(spread), "of four that it was spoilt by"


def test_after_a_few_results_none_is_doubted() -> None:
    evidence, _ = spoilt(1, 4.0)
    few: Codes = np.array([0, 1, ODD, 3])
    assert not learnt(evidence.take(few), 1).doubts.any()
