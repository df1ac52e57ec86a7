"""Whether a run at a point will count: it does not fail, and keeps the constraints on measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr, logsumexp  # type: ignore[import-untyped]

from sdl.planner.axes import Bools, Coded, Floats, joined
from sdl.planner.ensemble import Ensemble
from sdl.planner.goals import ends_of
from sdl.planner.improvement import log_between
from sdl.planner.process import Conditioning, Processes


def log_success(processes: Processes, points: Coded, failed: Coded) -> Floats:
    """Logarithm of the probability that a run does not fail, (N,); 0 where none failed yet.

    The same processes classify by least squares: a measured point is 1, a failed one -1, and one
    of which nothing is known is 1 as well.
    """
    if not len(failed):
        return np.zeros(len(points))
    seen = joined([processes.points, failed])
    label = np.zeros((processes.count, len(seen)))
    label[:, len(processes.points) :] = -2.0
    judge = Processes(processes.hyper.untied, seen, label)
    mean, variance = judge.posterior(points)
    sure = (1.0 + mean) / np.sqrt(variance + processes.hyper.noise[:, None])
    return np.asarray(log_ndtr(sure).mean(axis=0))


@dataclass(frozen=True)
class Limit:
    """A measure has to lie between two ends, of which one may be infinite."""

    ensemble: Ensemble
    low: float
    high: float
    """In the unit of the evidence."""

    @property
    def shares(self) -> Floats:
        """Weights of the processes, (S,), which sum to one; some of all are alike."""
        count, every = self.ensemble.processes.count, self.ensemble.shares
        return every if count == len(every) else np.full(count, 1.0 / count)

    def only(self, rows: list[int]) -> Limit:
        """The same by some of the processes."""
        return replace(self, ensemble=self.ensemble.only(rows))


class Keeping:
    """Limits over M points, some of which are taken for measured."""

    def __init__(self, limits: Sequence[Limit], points: Coded, room: int, count: int) -> None:
        """``count``: of the processes, where there are no limits."""
        self._shape = (count, len(points))
        self._states = [Conditioning(one.ensemble.processes, points, room) for one in limits]
        self._ends = [ends_of(one.ensemble, one.low, one.high) for one in limits]
        with np.errstate(divide="ignore"):  # kinds that were left out
            self._shares = [np.log(one.shares)[:, None] for one in limits]

    def log_probability(self) -> Floats:
        """Of keeping all of them, each by the weighted mean of its processes, (M,)."""
        total = np.zeros(self._shape[1])
        for state, (low, high), share in zip(self._states, self._ends, self._shares, strict=True):
            kept = log_between(state.mean, state.measured_sd, low, high)
            total += logsumexp(kept + share, axis=0)
        return total

    def add(self, place: int) -> Bools:
        """Take the point at that place for measured. (S,) who believes that it keeps them."""
        kept = np.ones(self._shape[0], dtype=bool)
        for state, (low, high) in zip(self._states, self._ends, strict=True):
            mean = state.mean[:, [place]]
            kept &= ((low <= mean) & (mean <= high))[:, 0]
            state.add(place)
        return kept
