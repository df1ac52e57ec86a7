"""Hits with later runs in view: what a measurement brings itself, and what it tells of where.

After Jiang et al., Efficient Nonmyopic Active Search, ICML 2017: a run is worth the hits to expect
of it and of the runs after it, if these are then the most probable ones, all at once. Whether it
is a hit moves means, shrinks variances and weighs processes anew.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Bools, Codes, Floats
from sdl.planner.improvement import log_between
from sdl.planner.process import Conditioning

FEW = 20
"""Runs of a whole campaign in which later ones are in view, at most: in longer ones, going by the
next one's chance alone finds more (record 0020)."""
HORIZON = 8
"""Runs after the next one that are looked at, at most."""
FIRST = 30
"""Candidates of which it is worked out what they tell: those that are most probably hits."""
OTHERS = 200
"""Candidates that the runs after it may go to, as many of the same order."""
_LEAST = 1e-300


class Ahead:
    """Standing of hits over M points, by all processes together."""

    def __init__(
        self, state: Conditioning, shares: Floats, ends: tuple[Floats, Floats], runs: int
    ) -> None:
        """``shares``: (S,) weights of the processes, which sum to one.

        ``ends``: of a hit, as outputs, (S, 1) each. ``runs``: of the budget, after the next one.
        """
        self._state, self._shares, self._ends, self._runs = state, shares, ends, runs
        self._free = np.ones(state.mean.shape[1], dtype=bool)

    def log_gain(self) -> Floats:
        """The same for each process, (S, M)."""
        hits = np.exp(log_between(self._state.mean, self._state.measured_sd, *self._ends))
        chance = self._shares @ hits
        order = np.argsort(np.where(self._free, -chance, 1.0), kind="stable")
        order = order[: min(max(FIRST, OTHERS), int(self._free.sum()))]
        most = min(self._runs, HORIZON, len(order) - 1)
        gain = chance.copy()
        if most > 0:
            usual = float(chance[order[:most]].sum())
            for place in order[:FIRST]:
                others = order[order != place]
                both = self._shares @ self._both(int(place), others, hits)
                later = _sum_of(both, most) + _sum_of(chance[others] - both, most)
                gain[place] += later - usual
        return np.tile(np.log(np.maximum(gain, _LEAST)), (len(hits), 1))

    def add(self, place: int, counted: Bools) -> None:  # noqa: ARG002 - what is found stays found
        """Take the point at that place for measured."""
        self._state.add(place)
        self._free[place] = False
        self._runs -= 1

    def _both(self, place: int, others: Codes, hits: Floats) -> Floats:
        """Chance that this is a hit and another one as well, by process, (S, others).

        A measurement that is a hit is no normal variable; one of its mean and variance stands for
        it. What is left to a miss is the rest of each one's chance, so that none is made up.
        """
        state, (low, high) = self._state, self._ends
        chance = np.maximum(hits[:, place], _LEAST)
        shift, spread = self._hit(place, chance)
        pull = state.shared(place, others) / state.measured_sd[:, [place]]
        noise = state.measured_sd[:, others] ** 2 - state.variance[:, others]
        mean = state.mean[:, others] + pull * shift[:, None]
        left = state.variance[:, others] - pull**2 * (1.0 - spread[:, None])
        sd = np.sqrt(np.maximum(left, 0.0) + noise)
        found = chance[:, None] * (ndtr((high - mean) / sd) - ndtr((low - mean) / sd))
        return np.asarray(np.minimum(found, hits[:, others]))

    def _hit(self, place: int, chance: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of a measurement that is a hit, (S,) each.

        In standard deviations of what is believed of it. ``chance``: (S,) that it is one.
        """
        ends = ((one[:, 0] - self._state.mean[:, place]) for one in self._ends)
        left, right = (one / self._state.measured_sd[:, place] for one in ends)
        mean = (_density(left) - _density(right)) / chance
        second = 1.0 + (_moment(left) - _moment(right)) / chance
        return mean, np.clip(second - mean**2, 0.0, 1.0)


def _sum_of(chances: Floats, most: int) -> float:
    """Of the largest so many."""
    return float(np.partition(chances, len(chances) - most)[len(chances) - most :].sum())


def _density(away: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * away**2) / np.sqrt(2.0 * np.pi))


def _moment(away: Floats) -> Floats:
    """``z`` times the density there, 0 at an infinite end."""
    return np.where(np.isfinite(away), away, 0.0) * _density(away)
