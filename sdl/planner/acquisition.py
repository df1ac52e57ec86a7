"""What a candidate is worth: what it brings to the goal, and whether it will count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import log_ndtr, logsumexp  # type: ignore[import-untyped]

from sdl.planner.axes import Bools, Coded, Floats, joined
from sdl.planner.ensemble import DRAWS
from sdl.planner.goals import Goal
from sdl.planner.process import Processes


@dataclass(frozen=True)
class Acquisition:
    """A goal with all that bears on it."""

    goal: Goal
    failed: Coded
    """Points where a run failed."""

    @property
    def effort(self) -> int:
        """Covariances with measurements that each candidate needs."""
        parts = (ensemble.processes.outputs.size for ensemble in self.goal.ensembles)
        return sum(parts)

    @cached_property
    def weights(self) -> Floats:
        """Of the kinds of process, (kinds,), which sum to one; of several measures, the product."""
        first, *others = (ensemble.weights for ensemble in self.goal.ensembles)
        for other in others:
            first = first * other
        return np.asarray(first / first.sum() if others else first)

    @property
    def scout(self) -> int:
        """The first process of the kind with the largest weight."""
        return int(np.argmax(self.weights)) * DRAWS

    def log_feasible(self, points: Coded) -> Floats:
        """Logarithm of the probability that a run does not fail, (N,); 0 where none failed yet."""
        return log_success(self.goal.ensembles[0].processes, points, self.failed)

    def tops(self, gains: Floats, free: Bools) -> Floats:
        """Log of what each kind expects of its best free candidate, (kinds,)."""
        return np.asarray(self._by_kind(gains)[:, free].max(axis=1))

    def mixed(self, gains: Floats, tops: Floats) -> Floats:
        """Log of the weighted gain, (N,), from those of the processes (S, N).

        Each kind's is taken relative to its best candidate, for kinds differ in their scale.
        """
        relative = self._by_kind(gains) - tops[:, None]
        with np.errstate(divide="ignore"):  # kinds that were left out
            return np.asarray(logsumexp(relative + np.log(self.weights)[:, None], axis=0))

    def _by_kind(self, gains: Floats) -> Floats:
        return np.asarray(logsumexp(gains.reshape(len(self.weights), DRAWS, -1), axis=1))


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
