"""Where a measurement tells best which of two rival hypotheses holds."""

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
"""Information of points of which a rival predicts nothing, or both the same."""

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
    """What a measurement is expected to tell of two rivals, after all that is known."""

    rivals: Sequence[Rival]
    candidates: Candidates
    """Of the campaign, by which coded points are inputs again."""
    log_odds: float
    """Of the first against the second."""

    def log_gain(self, points: Coded) -> Floats:
        """Log of the information that each point is expected to give, in nats, (M,)."""
        predicted = [self._predicted(rival, points) for rival in self.rivals]
        sds = [rival.sd for rival in self.rivals]
        with np.errstate(over="ignore", invalid="ignore"):  # far apart, or no number at all
            found = information(predicted, sds, max(-SUREST, min(self.log_odds, SUREST)))
        return np.asarray(np.log(np.maximum(np.nan_to_num(found, nan=0.0), LEAST)))

    def _predicted(self, rival: Rival, points: Coded) -> Floats:
        """(M,), NaN where there is no finite number."""
        formula = rival.formula
        inputs = {name: self.candidates.decoded(name, points) for name in formula.inputs}
        with np.errstate(all="ignore"):
            found = np.broadcast_to(formula.by(_ARRAYS, inputs), (len(points),))
        return np.where(np.isfinite(found), found, np.nan)


def information(means: Sequence[Floats], sds: Sequence[float], log_odds: float) -> Floats:
    """Mutual information, in nats, of which of two normals holds and one value of it, (M,).

    0 where they are the same, and at most the entropy of which holds, 0.69 at even odds. By a
    quadrature with 32 nodes over each of the two. ``means``: (M,) each; ``log_odds``: of the first.
    """
    logs = [-np.logaddexp(0.0, -log_odds), -np.logaddexp(0.0, log_odds)]
    total = np.zeros(len(means[0]))
    for one, other in ((0, 1), (1, 0)):
        values = means[one][:, None] + sds[one] * _NODES
        away = (values - means[other][:, None]) / sds[other]
        ratio = 0.5 * (_NODES**2 - away**2) + math.log(sds[one] / sds[other])  # other over one
        surprise = -np.logaddexp(logs[one], logs[other] + ratio)
        total += math.exp(logs[one]) * (surprise @ _SHARES)
    return total
