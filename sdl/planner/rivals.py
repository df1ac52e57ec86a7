"""Where a measurement tells best which of several rival hypotheses holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdl.model.formula import Arithmetic
from sdl.model.rival import Rival
from sdl.planner.axes import Coded, Floats
from sdl.planner.candidates import Candidates

SUREST = math.log(1e6)
"""Odds that count at most: beyond them a measurement that would overturn all is still sought."""
LEAST = 1e-300
"""Information of points of which a rival predicts nothing, or all the same."""

_NODES, _SHARES = np.polynomial.hermite_e.hermegauss(32)
_SHARES = _SHARES / _SHARES.sum()

_ARRAYS: Arithmetic[Floats] = Arithmetic(
    number=np.asarray,
    one={"-": np.negative, "exp": np.exp, "log": np.log, "sqrt": np.sqrt},
    two={
        "+": np.add,
        "-": np.subtract,
        "*": np.multiply,
        "/": np.divide,
        "**": np.power,
    },
)


@dataclass(frozen=True)
class Telling:
    """What a measurement is expected to tell of rivals, after all that is known."""

    rivals: Sequence[Rival]
    candidates: Candidates
    """Of the campaign, by which coded points are inputs again."""
    log_odds: Sequence[float]
    """Of each against all others together."""

    def log_gain(self, points: Coded) -> Floats:
        """Log of the information that each point is expected to give, in nats, (M,)."""
        predicted = [self._predicted(rival, points) for rival in self.rivals]
        sds = [rival.sd for rival in self.rivals]
        with np.errstate(over="ignore", invalid="ignore"):  # far apart, or no number at all
            found = information(predicted, sds, log_shares(self.log_odds))
        return np.asarray(np.log(np.maximum(np.nan_to_num(found, nan=0.0), LEAST)))

    def _predicted(self, rival: Rival, points: Coded) -> Floats:
        """(M,), NaN where there is no finite number."""
        formula = rival.formula
        inputs = {name: self.candidates.decoded(name, points) for name in formula.inputs}
        with np.errstate(all="ignore"):
            found = np.broadcast_to(formula.by(_ARRAYS, inputs), (len(points),))
        return np.where(np.isfinite(found), found, np.nan)


def log_shares(log_odds: Sequence[float]) -> list[float]:
    """Logarithms of probabilities that add up to 1, from odds of each against all others."""
    found = -np.logaddexp(0.0, -np.clip(log_odds, -SUREST, SUREST))
    return [float(one) for one in found - np.logaddexp.reduce(found)]


def information(means: Sequence[Floats], sds: Sequence[float], logs: Sequence[float]) -> Floats:
    """Mutual information, in nats, of which of some normals holds and one value of it, (M,).

    0 where they are the same, and at most the entropy of which holds: 0.69 of two at even odds. It
    is the Jensen-Shannon divergence of the predictions, weighed by how likely each of them is, by a
    quadrature with 32 nodes over each. ``means``: (M,) each; ``logs``: of the probabilities.
    """
    total = np.zeros(len(means[0]))
    for one, (mean, sd, log) in enumerate(zip(means, sds, logs, strict=True)):
        values = mean[:, None] + sd * _NODES
        mixed = np.full(values.shape, log)  # density of all, over that of this one
        for other, (there, spread, share) in enumerate(zip(means, sds, logs, strict=True)):
            if other != one:
                away = (values - there[:, None]) / spread
                ratio = 0.5 * (_NODES**2 - away**2) + math.log(sd / spread)
                mixed = np.logaddexp(mixed, share + ratio)
        total += math.exp(log) * (-mixed @ _SHARES)
    return total
