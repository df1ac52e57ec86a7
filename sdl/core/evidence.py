"""The arithmetic of belief: pure functions from what the runs gave to evidence for a claim.

Two arithmetics on purpose. The *posterior* says what to believe, given a prior and a model. The
*e-value* is a wager against the opposite of the claim: were the opposite true, its expectation
would be at most 1 at any moment, however the runs were chosen and whenever one stops, so that
reaching ``1 / error_level`` is wrong with at most the probability ``error_level`` (Ville's
inequality; see Ramdas et al., Statistical Science 38, 576, 2023).

Three forms of claim:

- a measure, *typical*: each run is one vote, above or below the threshold. Null: a vote for the
  claim has at most an even chance.
- an input at *best*: runs on the claimed side of the threshold are paired, in order, with runs on
  the other side; the pair votes for the claim if the claimed side came closer to the objective.
  Null: such a vote has at most an even chance. (A thin model of "the best point lies there": it
  asks which side does better, not where the optimum is.)
- a measure at *best*: somewhere in the space the measure passes the threshold. One measurement
  with known noise that passes it clearly is enough. Null: no point passes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sdl.model.hypothesis import Evidence, Hypothesis, Prediction, Verdict

LOG_E_MAX = 600.0
"""E-values stop growing here: far beyond any error level, and still a finite number."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one measured run says: the quantity of the claim, and the loss by the objective."""

    quantity: float
    loss: float


def weigh(
    hypothesis: Hypothesis,
    outcomes: Sequence[Outcome],
    *,
    quantity_is_input: bool,
    runs_max: int,
) -> Evidence:
    """The evidence of all measured runs so far, in order; recomputed whole, so no hidden state.

    ``runs_max``: the campaign's budget, at least the number of outcomes.
    """
    predicts = hypothesis.predicts
    if predicts.at == "best" and not quantity_is_input:
        return _passes_somewhere(hypothesis, [o.quantity for o in outcomes], runs_max)
    votes = _pair_votes(predicts, outcomes) if quantity_is_input else _votes(predicts, outcomes)
    return _from_votes(hypothesis, sum(votes), len(votes), len(outcomes))


def judge(hypothesis: Hypothesis, evidence: Evidence) -> Verdict:
    """The verdict at the end; *supported* and *refuted* each err with at most ``error_level``."""
    bar = 1.0 / hypothesis.error_level
    if evidence.e_for >= bar and evidence.e_for >= evidence.e_against:
        return "supported"
    return "refuted" if evidence.e_against >= bar else "undecided"


def _claimed(predicts: Prediction, quantity: float) -> bool:
    above = quantity > predicts.threshold
    return above if predicts.direction == "exceeds" else quantity < predicts.threshold


def _votes(predicts: Prediction, outcomes: Sequence[Outcome]) -> list[bool]:
    return [_claimed(predicts, outcome.quantity) for outcome in outcomes]


def _pair_votes(predicts: Prediction, outcomes: Sequence[Outcome]) -> list[bool]:
    inside = [o.loss for o in outcomes if _claimed(predicts, o.quantity)]
    outside = [o.loss for o in outcomes if not _claimed(predicts, o.quantity)]
    return [a < b for a, b in zip(inside, outside, strict=False) if a != b]


def _from_votes(hypothesis: Hypothesis, wins: int, votes: int, runs: int) -> Evidence:
    """Votes with an unknown chance p, uniform a priori; the claim is p > 1/2."""
    upper = _half_beta(votes - wins, wins)  # share of the posterior of p above 1/2
    lower = _half_beta(wins, votes - wins)
    log_whole = _log_beta(wins + 1, votes - wins + 1) + votes * math.log(2.0)
    whole = math.exp(min(log_whole, LOG_E_MAX))
    prior = hypothesis.prior
    return Evidence(
        runs=runs,
        e_for=2.0 * upper * whole,
        e_against=2.0 * lower * whole,
        posterior=prior * upper / (prior * upper + (1.0 - prior) * lower),
    )


def _half_beta(losses: int, wins: int) -> float:
    """P(p > 1/2) for Beta(wins + 1, losses + 1): a binomial tail, exact for whole numbers."""
    n = wins + losses + 1
    tail, term = 0, 1
    for k in range(wins + 1):
        tail += term
        term = term * (n - k) // (k + 1)
    return tail / (1 << n)


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _passes_somewhere(hypothesis: Hypothesis, values: Sequence[float], runs_max: int) -> Evidence:
    """One clear passing decides: the stake is spread evenly over the runs of the budget."""
    predicts = hypothesis.predicts
    sign = 1.0 if predicts.direction == "exceeds" else -1.0
    noise = predicts.noise_sd or 0.0
    scores = [sign * (value - predicts.threshold) / noise for value in values] if noise else []
    won = math.fsum(_wager(score) for score in scores)
    e_for = (won + runs_max - len(scores)) / runs_max
    odds = hypothesis.prior / (1.0 - hypothesis.prior) * e_for
    # That no point at all passes cannot be shown by runs that did not: no wager against the claim.
    return Evidence(runs=len(values), e_for=e_for, e_against=1.0, posterior=odds / (1.0 + odds))


def _wager(score: float) -> float:
    """Mean over stakes 1, 2, 3, 4 of exp(stake * score - stake^2 / 2).

    At most 1 on average if the true value does not pass the threshold.
    """
    exponents = [stake * min(score, 12.0) - stake * stake / 2.0 for stake in (1.0, 2.0, 3.0, 4.0)]
    return math.fsum(math.exp(exponent) for exponent in exponents) / len(exponents)
