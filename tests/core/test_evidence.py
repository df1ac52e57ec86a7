"""The arithmetic of belief keeps its promises."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Literal

import pytest

from sdl.core.evidence import Belief, Outcome, judge, weigh
from sdl.model.hypothesis import Evidence, Hypothesis, Prediction


def hypothesis(
    at: Literal["best", "typical"], quantity: str = "y_au", *, error_level: float = 0.05
) -> Hypothesis:
    return Hypothesis(
        claim="it passes",
        predicts=Prediction(
            quantity=quantity, at=at, direction="exceeds", threshold=1.0, noise_sd=0.1
        ),
        error_level=error_level,
    )


def measured(*values: float) -> list[Outcome]:
    return [Outcome(quantity=value, loss=-value) for value in values]


def test_no_run_leaves_the_prior_and_no_evidence() -> None:
    for at in ("best", "typical"):
        evidence = weigh(hypothesis(at), [], quantity_is_input=False, runs_max=50)
        assert (evidence.e_for, evidence.e_against, evidence.posterior) == (1.0, 1.0, 0.5)


def test_votes_for_raise_one_e_value_and_lower_the_other() -> None:
    evidence = weigh(
        hypothesis("typical"), measured(*[2.0] * 8), quantity_is_input=False, runs_max=50
    )
    assert evidence.e_for == pytest.approx(2.0**9 / 9.0 * (1 - 2.0**-9))
    assert evidence.e_against < 1.0
    assert evidence.posterior == pytest.approx(1 - 2.0**-9)
    assert judge(hypothesis("typical"), evidence) == "supported"


def test_votes_against_refute() -> None:
    evidence = weigh(
        hypothesis("typical"), measured(*[0.0] * 8), quantity_is_input=False, runs_max=50
    )
    assert judge(hypothesis("typical"), evidence) == "refuted"


def test_one_clear_passing_supports_that_some_point_passes() -> None:
    values = [0.2, 0.4, 0.3, 1.9]
    evidence = weigh(hypothesis("best"), measured(*values), quantity_is_input=False, runs_max=50)
    assert judge(hypothesis("best"), evidence) == "supported"


def test_that_no_run_passed_never_refutes_that_some_point_does() -> None:
    evidence = weigh(
        hypothesis("best"), measured(*[0.0] * 50), quantity_is_input=False, runs_max=50
    )
    assert judge(hypothesis("best"), evidence) == "undecided"
    assert evidence.posterior < 0.5


def test_an_input_is_judged_by_which_side_comes_closer() -> None:
    claim = hypothesis("best", "x_mm")
    pairs = [(2.0, 0.1), (0.5, 0.9)] * 8
    outcomes = [Outcome(quantity=x, loss=loss) for x, loss in pairs]
    assert judge(claim, weigh(claim, outcomes, quantity_is_input=True, runs_max=50)) == "supported"
    turned = [Outcome(quantity=2.0 if x < 1 else 0.5, loss=loss) for x, loss in pairs]
    assert judge(claim, weigh(claim, turned, quantity_is_input=True, runs_max=50)) == "refuted"


def crosses(claim: Hypothesis, seed: int, null_mean: float) -> bool:
    """Whether a campaign under the null is ever called supported, looked at after every run."""
    draw = random.Random(seed)
    outcomes: list[Outcome] = []
    for _ in range(40):
        outcomes += measured(draw.gauss(null_mean, 0.1))
        evidence = weigh(claim, outcomes, quantity_is_input=False, runs_max=50)
        if judge(claim, evidence) == "supported":
            return True
    return False


@pytest.mark.parametrize("at", ["best", "typical"])
def test_a_true_null_is_rarely_rejected_even_when_one_stops_at_will(
    at: Literal["best", "typical"],
) -> None:
    claim = hypothesis(at, error_level=0.1)
    wrong = sum(crosses(claim, seed, null_mean=1.0) for seed in range(1000))
    # 0.1 is the promise; three standard deviations of 1,000 campaigns are allowed above it.
    assert wrong <= 1000 * 0.1 + 29, f"{wrong} of seeds 0..999"


@pytest.mark.parametrize("at", ["best", "typical"])
def test_a_planted_effect_is_mostly_found(at: Literal["best", "typical"]) -> None:
    claim = hypothesis(at)
    found = sum(crosses(claim, seed, null_mean=1.4) for seed in range(200))
    assert found >= 160, f"{found} of seeds 0..199"


def test_evidence_does_not_depend_on_anything_but_the_runs() -> None:
    claim = hypothesis("typical")
    runs = measured(1.2, 0.9, 1.4)
    first: Evidence = weigh(claim, runs, quantity_is_input=False, runs_max=50)
    assert first == weigh(claim, list(runs), quantity_is_input=False, runs_max=50)


def test_thousands_of_runs_give_finite_evidence() -> None:
    runs = measured(*[2.0] * 3000)
    evidence = weigh(hypothesis("typical"), runs, quantity_is_input=False, runs_max=3000)
    assert 1e100 < evidence.e_for < float("inf")
    assert 0.0 <= evidence.e_against < 1e-100


@pytest.mark.parametrize("at", ["typical", "best"])
@pytest.mark.parametrize("is_input", [False, True])
def test_what_is_taken_in_run_by_run_is_the_same_to_the_last_bit(
    at: Literal["best", "typical"], is_input: bool
) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        belief = Belief(hypothesis(at), quantity_is_input=is_input, runs_max=80)
        outcomes: list[Outcome] = []
        for _ in range(80):
            outcomes.append(Outcome(chance.choice([0.5, 1.0, 1.07, 1.3]), chance.choice([1, 2, 3])))
            if chance.random() < 0.6:
                anew = weigh(hypothesis(at), outcomes, quantity_is_input=is_input, runs_max=80)
                assert belief.weigh(outcomes) == anew, f"seed {seed}, run {len(outcomes)}"


def test_the_posterior_is_the_tail_of_the_binomial_rounded_once() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        values = [chance.choice([0.0, 2.0]) for _ in range(chance.randint(1, 300))]
        wins, n = sum(value > 1.0 for value in values), len(values) + 1
        tail = sum(math.comb(n, k) for k in range(wins + 1))
        upper, lower = float(Fraction(tail, 2**n)), float(Fraction(2**n - tail, 2**n))
        found = weigh(
            hypothesis("typical"), measured(*values), quantity_is_input=False, runs_max=300
        )
        assert found.posterior == 0.5 * upper / (0.5 * upper + 0.5 * lower), f"seed {seed}"


def test_the_wager_of_many_runs_is_the_sum_that_is_rounded_once() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        values = [chance.gauss(0.9, 0.2) for _ in range(200)]
        anew = math.fsum(
            weigh(hypothesis("best"), measured(v), quantity_is_input=False, runs_max=1).e_for
            for v in values
        )
        found = weigh(hypothesis("best"), measured(*values), quantity_is_input=False, runs_max=200)
        assert found.e_for == anew / 200, f"seed {seed}"
