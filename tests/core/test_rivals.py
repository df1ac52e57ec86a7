"""Hypotheses that predict the same measure: odds from what was measured, and nothing else."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.rivals import Contest, doubt, in_words, log_odds, standing, with_run
from sdl.model.campaign import Objective, StopRule
from sdl.model.rival import Rival
from tests.core.test_aims import SCRIPT, played

FIRST = Rival(name="first order", predicts="exp(-k * 1.0)", sd=0.1)
SECOND = Rival(name="second order", predicts="1 / (1 + k)", sd=0.2)
BOTH = (FIRST, SECOND)


def _after(values: list[tuple[float, float]], rivals: tuple[Rival, ...] = BOTH) -> Contest:
    contest = Contest()
    for k, value in values:
        contest = with_run(contest, rivals, {"k": k}, value)
    return contest


def _density(value: float, mean: float, sd: float) -> float:
    return math.exp(-0.5 * ((value - mean) / sd) ** 2) / sd


def test_the_odds_are_the_ratio_of_the_densities_times_that_of_the_priors() -> None:
    rivals = (
        Rival(name="a", predicts=FIRST.predicts, sd=0.1, prior=0.2),
        Rival(name="b", predicts=SECOND.predicts, sd=0.2, prior=0.8),
    )
    values = [(1.0, 0.4), (2.0, 0.2), (0.5, 0.7)]
    expected = 0.2 / 0.8
    for k, value in values:
        expected *= _density(value, math.exp(-k), 0.1) / _density(value, 1.0 / (1.0 + k), 0.2)
    contest = _after(values, rivals)
    assert math.exp(log_odds(contest, rivals)[0]) == pytest.approx(expected, rel=1e-12)
    one, other = standing(contest, rivals)
    assert one.odds * other.odds == pytest.approx(1.0)
    assert one.posterior + other.posterior == pytest.approx(1.0)
    assert one.posterior == pytest.approx(expected / (1.0 + expected))


def test_the_likelier_one_is_named_with_its_odds() -> None:
    assert in_words(standing(Contest(), BOTH)) == "first order is as likely as second order"
    said = in_words(standing(_after([(3.0, 0.25), (4.0, 0.2)]), BOTH))
    assert said.startswith("second order is ")
    assert said.endswith(" times as likely as first order")


def test_a_run_of_which_a_rival_predicts_nothing_tells_nothing() -> None:
    rivals = (FIRST, Rival(name="other", predicts="1 / k", sd=0.1))
    before = _after([(1.0, 0.4)], rivals)
    assert with_run(before, rivals, {"k": 0.0}, 1.0) == before


def test_measurements_beyond_all_reason_leave_finite_odds() -> None:
    odds = [one.odds for one in standing(_after([(1.0, 1e200), (2.0, -1e300)]), BOTH)]
    assert all(0.0 < each < math.inf for each in odds)


def test_of_three_each_stands_against_all_others_together() -> None:
    third = Rival(name="none", predicts="1.0", sd=0.1)
    three, values = (FIRST, SECOND, third), [(1.0, 0.4), (2.0, 0.2)]
    contest = _after(values, three)
    weights = [
        math.prod(_density(value, one.formula.at({"k": k}) or 0.0, one.sd) for k, value in values)
        for one in three
    ]
    views = standing(contest, three)
    for view, weight in zip(views, weights, strict=True):
        assert view.posterior == pytest.approx(weight / sum(weights), rel=1e-9)
        assert view.odds == pytest.approx(weight / (sum(weights) - weight), rel=1e-9)
    said = in_words(views)
    assert said.startswith("first order is ")
    assert said.endswith(" times as likely as the other 2 together")
    wrong = _after([(k, 9.0) for k in (1.0, 2.0, 3.0)], three)
    assert doubt(standing(wrong, three), 3).endswith("perhaps none of them holds")


def test_where_neither_fits_that_is_said_and_else_not() -> None:
    wrong = _after([(1.0, 5.0), (2.0, 5.0), (3.0, 5.0)])
    assert doubt(standing(wrong, BOTH), wrong.runs).endswith("perhaps neither holds")
    right = _after([(k, math.exp(-k)) for k in (1.0, 2.0, 3.0)])
    assert not doubt(standing(right, BOTH), right.runs)
    assert not doubt(standing(Contest(), BOTH), 0)


def test_odds_of_twenty_for_the_wrong_one_are_rarer_than_one_in_twenty() -> None:
    seed, wrong, campaigns = 4, 0, 400
    chance = random.Random(seed)
    for _ in range(campaigns):
        contest = Contest()
        for _ in range(20):
            k = chance.uniform(0.0, 3.0)
            contest = with_run(contest, BOTH, {"k": k}, chance.gauss(math.exp(-k), 0.1))
            if log_odds(contest, BOTH)[0] <= -math.log(20.0):
                wrong += 1
                break
    assert wrong / campaigns <= 0.05, f"seed {seed}"


def test_the_same_runs_give_the_same_bits_whatever_was_asked_in_between() -> None:
    values = [(n / 7, math.exp(-n / 9)) for n in range(12)]
    contests = [_after(values[:n]) for n in range(len(values) + 1)]
    for (before, after), (k, value) in zip(pairwise(contests), values, strict=True):
        standing(before, BOTH)
        assert with_run(before, BOTH, {"k": k}, value) == after


@pytest.mark.parametrize("seed", [3, 11])
def test_a_replay_and_a_snapshot_come_to_the_same_odds(seed: int) -> None:
    floor = played(
        seed,
        objective=Objective(measure="gain", goal="discriminate"),
        further=(),
        rivals=(
            Rival(name="with x", predicts="10 * x_fraction", sd=1.0),
            Rival(name="without x", predicts="5", sd=1.0),
        ),
        stop=StopRule(runs=6),
    )
    state = floor.engine.state
    assert state.contest.runs == state.measured == 6, f"seed {seed}"
    assert all(square > 0.0 for square in state.contest.squares)
    assert state.best is None
    again = fold(SCRIPT, floor.journal)
    restored = Engine.restored(SCRIPT, "".join(floor.engine.snapshot().pieces()))
    assert again.state.contest == restored.state.contest == state.contest, f"seed {seed}"
    assert again.state_sha256() == restored.state_sha256() == floor.engine.state_sha256()
