"""What a candidate is worth: what it brings to the goal, whether it will count, what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import logsumexp  # type: ignore[import-untyped]

from sdl.planner.axes import Bools, Coded, Floats
from sdl.planner.ensemble import DRAWS
from sdl.planner.feasible import Keeping, Limit, log_success
from sdl.planner.goals import Goal


@dataclass(frozen=True)
class Acquisition:
    """A goal with all that bears on it."""

    goal: Goal
    failed: Coded
    """Points where a run failed."""
    limits: tuple[Limit, ...] = ()
    """What has to hold so that a run counts."""

    @property
    def effort(self) -> int:
        """Numbers that are worked out for each candidate."""
        return self.goal.effort + sum(one.ensemble.processes.outputs.size for one in self.limits)

    @cached_property
    def weights(self) -> Floats:
        """Of the kinds of process, (kinds,), which sum to one; of several measures, the product."""
        first, *others = (ensemble.weights for ensemble in self.goal.ensembles)
        for other in others:
            first = first * other
        return np.asarray(first / first.sum() if others else first)

    def scouting(self) -> Acquisition:
        """By the first process of the kind with the largest weight, for a quick look."""
        rows = [int(np.argmax(self.weights)) * DRAWS]
        limits = tuple(one.only(rows) for one in self.limits)
        return replace(self, goal=self.goal.only(rows), limits=limits)

    def over(self, points: Coded, room: int) -> Outlook:
        """Where it stands; ``room``: how many points will be added at most."""
        return Outlook(self, points, room)


class Outlook:
    """An acquisition over M points, some of which are taken for measured."""

    def __init__(self, acquisition: Acquisition, points: Coded, room: int) -> None:
        """``room``: how many points will be added at most."""
        processes = acquisition.goal.ensembles[0].processes
        self._standing = acquisition.goal.over(points, room)
        self._keeping = Keeping(acquisition.limits, points, room, processes.count)
        self._success = log_success(processes, points, acquisition.failed)
        self._weights = acquisition.weights

    def log_gain(self) -> Floats:
        """Of each process, (S, M)."""
        return self._standing.log_gain()

    def log_feasible(self) -> Floats:
        """Log of the probability that a run counts, (M,); 0 while nothing speaks against it."""
        return self._success + self._keeping.log_probability()

    def add(self, place: int) -> None:
        """Take the point at that place for measured."""
        self._standing.add(place, self._keeping.add(place))

    def tops(self, gains: Floats, free: Bools) -> Floats:
        """Log of what each kind expects of its best free candidate, (kinds,)."""
        return np.asarray(self._by_kind(gains)[:, free].max(axis=1))

    def mixed(self, gains: Floats, tops: Floats) -> Floats:
        """Log of the weighted gain, (M,), from those of the processes (S, M).

        Each kind's is taken relative to its best candidate, for kinds differ in their scale.
        """
        relative = self._by_kind(gains) - tops[:, None]
        with np.errstate(divide="ignore"):  # kinds that were left out
            return np.asarray(logsumexp(relative + np.log(self._weights)[:, None], axis=0))

    def log_expected(self, gains: Floats, place: int) -> float:
        """Log of the weighted gain at one point itself, to be told; its scale is the goal's own."""
        kinds = self._by_kind(gains[:, [place]])[:, 0] - np.log(DRAWS)
        with np.errstate(divide="ignore"):  # kinds that were left out
            return float(logsumexp(kinds + np.log(self._weights)))

    def _by_kind(self, gains: Floats) -> Floats:
        return np.asarray(logsumexp(gains.reshape(len(self._weights), DRAWS, -1), axis=1))
