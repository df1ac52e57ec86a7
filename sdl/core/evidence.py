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
from collections import deque
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


class Belief:
    """The evidence for one hypothesis, taken in outcome by outcome.

    Nothing is read again that was taken in; the numbers are those of all outcomes, to the last bit.
    """

    def __init__(self, hypothesis: Hypothesis, *, quantity_is_input: bool, runs_max: int) -> None:
        """``runs_max``: the campaign's budget, at least the number of outcomes."""
        self._hypothesis = hypothesis
        self._runs_max = runs_max
        self._is_input = quantity_is_input
        self._runs = 0
        self._votes = _Votes()
        self._pairs: tuple[deque[float], deque[float]] = (deque(), deque())
        """Losses outside and inside of the claim that have no partner yet; one is empty."""
        self._won = _Sum()

    def weigh(self, outcomes: Sequence[Outcome]) -> Evidence:
        """The evidence of all measured runs so far, in order; the first ones are known already."""
        for place in range(self._runs, len(outcomes)):
            self._take(outcomes[place])
        self._runs = len(outcomes)
        if self._passes:
            return self._of_passing()
        return _from_votes(self._hypothesis, self._votes, self._runs)

    @property
    def _passes(self) -> bool:
        return self._hypothesis.predicts.at == "best" and not self._is_input

    def _take(self, outcome: Outcome) -> None:
        predicts = self._hypothesis.predicts
        if self._passes:
            sign = 1.0 if predicts.direction == "exceeds" else -1.0
            if predicts.noise_sd:
                distance = sign * (outcome.quantity - predicts.threshold)
                self._won.add(_wager(distance / predicts.noise_sd))
        elif self._is_input:
            self._pair(outcome.loss, inside=_claimed(predicts, outcome.quantity))
        else:
            self._votes.add(won=_claimed(predicts, outcome.quantity))

    def _pair(self, loss: float, *, inside: bool) -> None:
        partners = self._pairs[not inside]
        if not partners:
            self._pairs[inside].append(loss)
            return
        other = partners.popleft()
        if loss != other:
            self._votes.add(won=(loss < other) == inside)

    def _of_passing(self) -> Evidence:
        """One clear passing decides: the stake is spread evenly over the runs of the budget."""
        hypothesis = self._hypothesis
        scores = self._runs if hypothesis.predicts.noise_sd else 0
        e_for = (self._won.total() + self._runs_max - scores) / self._runs_max
        odds = hypothesis.prior / (1.0 - hypothesis.prior) * e_for
        # That no point at all passes cannot be shown by runs that did not: no wager against it.
        posterior = odds / (1.0 + odds)
        return Evidence(runs=self._runs, e_for=e_for, e_against=1.0, posterior=posterior)


class _Votes:
    """Votes won and lost, with the tail of their binomial: whole numbers, so nothing is rounded."""

    def __init__(self) -> None:
        self.won = self.lost = 0
        self._below = self._term = 1
        """With n = votes + 1: the sum of C(n, k) for k = 0 .. won, and its last term."""

    def add(self, *, won: bool) -> None:
        n, k = self.won + self.lost + 1, self.won
        self._below = 2 * self._below - self._term
        self._term = self._term * (n + 1) // (n + 1 - k)
        if not won:
            self.lost += 1
            return
        self.won += 1
        self._term = self._term * (n + 1 - k) // (k + 1)
        self._below += self._term

    def half_beta(self) -> tuple[float, float]:
        """P(p > 1/2) and P(p < 1/2) for Beta(won + 1, lost + 1), each rounded once."""
        whole = 1 << (self.won + self.lost + 1)
        return self._below / whole, (whole - self._below) / whole


class _Sum:
    """A sum of floats that is rounded once, as that of ``math.fsum`` over all of them."""

    def __init__(self) -> None:
        self._parts: list[float] = []
        """Which add up to the sum exactly, and do not overlap (Shewchuk 1997)."""

    def add(self, value: float) -> None:
        parts = []
        for each in self._parts:
            large, small = (value, each) if abs(value) >= abs(each) else (each, value)
            value = large + small
            rest = small - (value - large)
            if rest:
                parts.append(rest)
        self._parts = [*parts, value]

    def total(self) -> float:
        return math.fsum(self._parts)


def weigh(
    hypothesis: Hypothesis,
    outcomes: Sequence[Outcome],
    *,
    quantity_is_input: bool,
    runs_max: int,
) -> Evidence:
    """The evidence of all measured runs so far, in order.

    ``runs_max``: the campaign's budget, at least the number of outcomes.
    """
    belief = Belief(hypothesis, quantity_is_input=quantity_is_input, runs_max=runs_max)
    return belief.weigh(outcomes)


def judge(hypothesis: Hypothesis, evidence: Evidence) -> Verdict:
    """The verdict at the end; *supported* and *refuted* each err with at most ``error_level``."""
    bar = 1.0 / hypothesis.error_level
    if evidence.e_for >= bar and evidence.e_for >= evidence.e_against:
        return "supported"
    return "refuted" if evidence.e_against >= bar else "undecided"


def _claimed(predicts: Prediction, quantity: float) -> bool:
    above = quantity > predicts.threshold
    return above if predicts.direction == "exceeds" else quantity < predicts.threshold


def _from_votes(hypothesis: Hypothesis, cast: _Votes, runs: int) -> Evidence:
    """Votes with an unknown chance p, uniform a priori; the claim is p > 1/2."""
    wins, votes = cast.won, cast.won + cast.lost
    upper, lower = cast.half_beta()  # shares of the posterior of p above and below 1/2
    log_whole = _log_beta(wins + 1, votes - wins + 1) + votes * math.log(2.0)
    whole = math.exp(min(log_whole, LOG_E_MAX))
    prior = hypothesis.prior
    return Evidence(
        runs=runs,
        e_for=2.0 * upper * whole,
        e_against=2.0 * lower * whole,
        posterior=prior * upper / (prior * upper + (1.0 - prior) * lower),
    )


def _log_beta(a: int, b: int) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _wager(score: float) -> float:
    """Mean over stakes 1, 2, 3, 4 of exp(stake * score - stake^2 / 2).

    At most 1 on average if the true value does not pass the threshold.
    """
    exponents = [stake * min(score, 12.0) - stake * stake / 2.0 for stake in (1.0, 2.0, 3.0, 4.0)]
    return math.fsum(math.exp(exponent) for exponent in exponents) / len(exponents)
