"""Rate laws are told apart where their predictions differ most, for the cost."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from sdl.core.rivals import Contest, log_odds, with_run
from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, Objective, OutcomeConstraint, RangeParameter
from sdl.model.costs import Costs
from sdl.model.data import Inputs, Trial
from sdl.model.planning import Problem
from sdl.model.rival import Rival
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.rivals import information, log_shares

FIRST = Rival(name="first order", predicts="exp(-0.5 * t_s)", sd=0.1)
SECOND = Rival(name="second order", predicts="1 / (1 + 0.55 * t_s)", sd=0.1)
BOTH = (FIRST, SECOND)
TIMES = tuple(0.5 * n for n in range(101))
LISTED = Problem(
    space=(ChoiceParameter(name="t_s", options=TIMES),),
    objective=Objective(measure="left_ratio", goal="discriminate"),
    rivals=BOTH,
)
ODDS = math.log(100.0)
MOST = 60


def _measured(inputs: Inputs, truth: Rival, chance: random.Random) -> Trial:
    value = truth.formula.at(inputs)
    assert value is not None
    noisy = {"left_ratio": chance.gauss(value, truth.sd)}
    return Trial(inputs=inputs, status="measured", measures=noisy)


def _runs_to_tell(truth: Rival, seed: int, *, by_chance: bool) -> tuple[int, bool]:
    """Runs until one of the rivals is a hundred times as likely, and whether it is the right one.

    The noise of the n-th run is the same for both ways to choose it.
    """
    contest, trials = Contest(), tuple[Trial, ...]()
    times = random.Random(seed).sample(TIMES, MOST)
    while abs(log_odds(contest, BOTH)[0]) < ODDS and len(trials) < MOST:
        if by_chance:
            inputs: Inputs = {"t_s": times[len(trials)]}
        else:
            inputs = EnsemblePlanner().suggest(LISTED, trials, 1, seed)[0].inputs
        chance = random.Random(f"{seed} {len(trials)}")
        trials += (_measured(inputs, truth, chance),)
        value = trials[-1].measures["left_ratio"]
        contest = with_run(contest, BOTH, inputs, value)
    return len(trials), (log_odds(contest, BOTH)[0] > 0) == (truth is FIRST)


@pytest.mark.parametrize("truth", BOTH, ids=lambda one: one.name)
def test_the_right_rate_law_is_found_in_far_fewer_runs_than_by_chance(truth: Rival) -> None:
    seeds = range(8)
    chosen = [_runs_to_tell(truth, seed, by_chance=False) for seed in seeds]
    drawn = [_runs_to_tell(truth, seed, by_chance=True) for seed in seeds]
    assert sum(right for _, right in chosen) >= 7, f"{chosen}"
    assert 2.0 * np.mean([runs for runs, _ in chosen]) <= np.mean([runs for runs, _ in drawn]), (
        f"{chosen} {drawn}"
    )


THIRD = Rival(name="zero order", predicts="1 - 0.35 * t_s", sd=0.1)
THREE = (FIRST, SECOND, THIRD)


@pytest.mark.parametrize("truth", THREE, ids=lambda one: one.name)
def test_the_right_one_of_three_is_found(truth: Rival) -> None:
    problem, right, runs = replace(LISTED, rivals=THREE), 0, list[int]()
    for seed in range(5):
        contest, trials = Contest(), tuple[Trial, ...]()
        while max(log_odds(contest, THREE)) < ODDS and len(trials) < MOST:
            inputs = EnsemblePlanner().suggest(problem, trials, 1, seed)[0].inputs
            trials += (_measured(inputs, truth, random.Random(f"{seed} {len(trials)}")),)
            contest = with_run(contest, THREE, inputs, trials[-1].measures["left_ratio"])
        odds = log_odds(contest, THREE)
        right += THREE[odds.index(max(odds))] is truth
        runs.append(len(trials))
    assert right == 5, f"seeds 0 to 4 needed {runs} runs"
    assert np.mean(runs) <= 10, f"seeds 0 to 4 needed {runs} runs"


def test_two_that_are_left_are_told_apart_where_these_two_differ() -> None:
    against_third = Trial(inputs={"t_s": 49.5}, status="measured", measures={"left_ratio": 0.0})
    (found,) = EnsemblePlanner().suggest(replace(LISTED, rivals=THREE), (against_third,), 1, 0)
    apart = {t: abs(math.exp(-0.5 * t) - 1.0 / (1.0 + 0.55 * t)) for t in TIMES}
    assert float(found.inputs["t_s"]) == pytest.approx(max(apart, key=lambda t: apart[t]), abs=0.5)


def test_the_information_of_many_is_at_most_the_entropy_of_which_holds() -> None:
    means = [np.array([0.0, 40.0 * place]) for place in range(5)]
    same, apart = information(means, (1.0,) * 5, log_shares((-math.log(4.0),) * 5))
    assert same == pytest.approx(0.0, abs=1e-12)
    assert apart == pytest.approx(math.log(5.0))


def test_the_first_point_is_the_one_where_the_predictions_differ_most() -> None:
    (first,) = EnsemblePlanner().suggest(LISTED, (), 1, 0)
    apart = {t: abs(math.exp(-0.5 * t) - 1.0 / (1.0 + 0.55 * t)) for t in TIMES}
    assert first.inputs["t_s"] == max(apart, key=lambda t: apart[t])
    assert first.origin == "rivals"


def test_of_points_that_tell_alike_the_cheaper_is_tried() -> None:
    costly = Costs(per_run=1.0, per_unit={"t_s": 100.0})
    problem = Problem(space=LISTED.space, objective=LISTED.objective, rivals=BOTH, costs=costly)
    chance = random.Random(3)
    trials = tuple(_measured({"t_s": t}, FIRST, chance) for t in (0.3, 0.6, 9.5))
    for known in ((), trials):
        free = EnsemblePlanner().suggest(LISTED, known, 1, 0)[0].inputs["t_s"]
        spared = EnsemblePlanner().suggest(problem, known, 1, 0)[0].inputs["t_s"]
        assert float(spared) < float(free), f"{len(known)} known"


def test_in_a_real_space_the_point_lies_where_they_differ_most() -> None:
    space = (
        RangeParameter(name="t_s", low=0.0, high=10.0),
        RangeParameter(name="dose_mg", low=0.1, high=10.0, log=True),
    )
    rivals = (
        Rival(name="with the dose", predicts="t_s * dose_mg", sd=1.0),
        Rival(name="without", predicts="t_s * 3", sd=1.0),
    )
    problem = Problem(space=space, objective=LISTED.objective, rivals=rivals)
    trials: tuple[Trial, ...] = ()
    for _ in range(4):
        (found,) = EnsemblePlanner().suggest(problem, trials, 1, 2)
        assert abs(float(found.inputs["dose_mg"]) - 3.0) * float(found.inputs["t_s"]) > 10.0
        trials += (_measured(found.inputs, rivals[0], random.Random(len(trials))),)


def test_where_a_rival_predicts_nothing_nothing_is_tried_while_there_is_more() -> None:
    rivals = (FIRST, Rival(name="other", predicts="sqrt(t_s - 5)", sd=0.05))
    problem = Problem(space=LISTED.space, objective=LISTED.objective, rivals=rivals)
    found = EnsemblePlanner().suggest(problem, (), 20, 0)
    assert all(float(one.inputs["t_s"]) >= 5.0 for one in found)


def test_a_point_that_breaks_a_limit_is_shunned() -> None:
    limit = OutcomeConstraint(measure="left_ratio", at_least=0.35)
    problem = replace(LISTED, outcomes=(limit,))
    chance = random.Random(5)
    times = (0.0, 0.5, 1.0, 2.0, 3.5, 6.0, 9.0, 13.0, 18.0, 24.0, 31.0, 39.0, 48.0)
    trials = tuple(_measured({"t_s": t}, FIRST, chance) for t in times)
    (found,) = EnsemblePlanner().suggest(problem, trials, 1, 0)
    (free,) = EnsemblePlanner().suggest(LISTED, trials, 1, 0)
    assert float(found.inputs["t_s"]) < float(free.inputs["t_s"])


def test_where_runs_failed_no_other_is_tried_soon() -> None:
    chance = random.Random(6)
    trials = tuple(_measured({"t_s": t}, FIRST, chance) for t in (0.5, 8.0, 12.0, 20.0))
    (free,) = EnsemblePlanner().suggest(LISTED, trials, 1, 0)
    assert 3.0 <= float(free.inputs["t_s"]) <= 6.0
    trials += tuple(Trial(inputs={"t_s": t}, status="failed", measures={}) for t in (3.5, 4.5, 5.5))
    (found,) = EnsemblePlanner().suggest(LISTED, trials, 1, 0)
    assert float(found.inputs["t_s"]) > 6.0


def test_without_two_rivals_there_is_nothing_to_be_told_apart() -> None:
    problem = replace(LISTED, rivals=(FIRST,))
    with pytest.raises(
        PlannerFault, match="1 rivals were given to be told apart; give two at least"
    ):
        EnsemblePlanner().suggest(problem, (), 1, 0)


def test_information_is_none_of_the_same_and_all_of_what_lies_far_apart() -> None:
    means = [np.array([0.0, 0.0, 0.0]), np.array([0.0, 1e-4, 50.0])]
    none, little, all_of_it = information(means, (1.0, 1.0), log_shares((0.0, 0.0)))
    assert none == pytest.approx(0.0, abs=1e-15)
    assert little == pytest.approx(0.25 * 1e-8 / 2.0, rel=1e-3)
    assert all_of_it == pytest.approx(math.log(2.0))


def test_information_agrees_with_a_fine_sum() -> None:
    values = np.linspace(-30.0, 30.0, 200_001)
    step = values[1] - values[0]
    for mean, sd, odds in ((1.0, 1.0, 0.0), (3.0, 0.5, 2.0), (0.0, 3.0, -1.0)):
        share = 1.0 / (1.0 + math.exp(-odds))
        one = np.exp(-0.5 * values**2) / math.sqrt(2.0 * math.pi)
        two = np.exp(-0.5 * ((values - mean) / sd) ** 2) / (sd * math.sqrt(2.0 * math.pi))
        mixed = share * one + (1.0 - share) * two
        with np.errstate(all="ignore"):
            parts = share * one * np.log(one / mixed) + (1.0 - share) * two * np.log(two / mixed)
        expected = float(np.nansum(parts) * step)
        (found,) = information(
            [np.zeros(1), np.array([mean])], (1.0, sd), log_shares((odds, -odds))
        )
        assert found == pytest.approx(expected, rel=5e-3), f"{mean} {sd} {odds}"
