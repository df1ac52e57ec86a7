"""Several objectives at once: the expected gain in the volume that the front dominates.

In closed form, by boxes (Yang et al., Journal of Global Optimization 75, 3, 2019), for up to three
objectives; by common nodes for more. Each process has a front of its own: what it believes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdl.planner.axes import Bools, Coded, Floats
from sdl.planner.ensemble import Ensemble
from sdl.planner.goals import Standing
from sdl.planner.improvement import NEVER, log_less, log_sum
from sdl.planner.process import Conditioning
from sdl.planner.volume import NODES, boxes, nodes, undominated
from sdl.planner.worth import Worth

EXACT = 3
"""Objectives up to which the volume is taken apart into boxes."""


@dataclass(frozen=True)
class Front:
    """A larger front: what a point adds to the volume between it and the reference point."""

    ensembles: tuple[Ensemble, ...]
    worths: tuple[Worth, ...]
    thresholds: tuple[float | None, ...]
    """What the reference point is in each objective, turned so that more is better.

    Where there is none: what each process believes of the worst measured point.
    """
    counted: Bools
    """(n,) which measured points can be on the front."""

    @property
    def effort(self) -> int:
        """Numbers that each candidate needs."""
        size = sum(ensemble.processes.outputs.size for ensemble in self.ensembles)
        first = self.ensembles[0].processes
        return size + (first.count * NODES * len(self.worths) if len(self.worths) > EXACT else 0)

    def only(self, rows: list[int]) -> Front:
        """The same by some of the processes."""
        return replace(self, ensembles=tuple(one.only(rows) for one in self.ensembles))

    def over(self, points: Coded, room: int) -> Standing:
        """Beyond the front that each process believes in."""
        states = [Conditioning(one.processes, points, room) for one in self.ensembles]
        believed = self._worth([one.processes.believed for one in self.ensembles])
        reference = self._reference(believed)
        return _Beyond(self.worths, states, believed[:, self.counted], reference)

    def _worth(self, outputs: Sequence[Floats]) -> Floats:
        pairs = zip(self.worths, outputs, strict=True)
        return np.stack([worth.of(each) for worth, each in pairs], axis=-1)

    def _reference(self, believed: Floats) -> Floats:
        """Of each process, (S, k)."""
        found = np.asarray(believed.min(axis=1))
        for place, given in enumerate(self.thresholds):
            if given is not None:
                found[:, place] = self.ensembles[place].output(given)[:, 0]
        return found


class _Beyond:
    def __init__(
        self,
        worths: Sequence[Worth],
        states: Sequence[Conditioning],
        believed: Floats,
        reference: Floats,
    ) -> None:
        """``believed``: (S, n, k) worths of the measured points; ``reference``: (S, k)."""
        self._worths, self._states, self._reference = worths, states, reference
        self._fronts = [points[undominated(points)] for points in believed]

    def log_gain(self) -> Floats:
        means = [state.mean for state in self._states]
        sds = [np.sqrt(state.variance) for state in self._states]
        return np.stack(
            [
                self._of(process, [one[process] for one in means], [one[process] for one in sds])
                for process in range(len(self._fronts))
            ]
        )

    def _of(self, process: int, means: Sequence[Floats], sds: Sequence[Floats]) -> Floats:
        front, reference = self._fronts[process], self._reference[process]
        moments = list(zip(self._worths, means, sds, strict=True))
        total: Floats = np.zeros(1)
        if len(moments) <= EXACT:
            found = boxes(front, reference)
            for place, (worth, mean, sd) in enumerate(moments):
                total = total + _sides(worth, mean, sd, found[:, place])
        else:
            # One spread of outputs above the best, for there a gain may lie as well.
            seen = np.concatenate([front, reference[None]])
            top = seen.max(axis=0) + 1.0
            at = nodes(front, reference, top)
            total = total + np.log(top - reference).sum()
            for place, (worth, mean, sd) in enumerate(moments):
                total = total + worth.log_exceeds(mean[:, None], sd[:, None], at[:, place])
        return log_sum(total)

    def add(self, place: int, counted: Bools) -> None:
        at = [
            worth.of(state.mean[:, place])
            for worth, state in zip(self._worths, self._states, strict=True)
        ]
        for state in self._states:
            state.add(place)
        for process, new in enumerate(np.stack(at, axis=-1)):
            if counted[process]:
                front = np.concatenate([self._fronts[process], new[None]])
                self._fronts[process] = front[undominated(front)]


def _sides(worth: Worth, mean: Floats, sd: Floats, ends: Floats) -> Floats:
    """Log of the expected length of each box that lies below the point, (M, B)."""
    pairs, back = np.unique(ends, axis=0, return_inverse=True)
    levels, places = np.unique(pairs, return_inverse=True)
    finite = levels[np.isfinite(levels)]
    excess = worth.log_excess(mean[:, None], sd[:, None], finite)
    excess = np.concatenate([excess, np.full((len(mean), len(levels) - len(finite)), NEVER)], 1)
    low, high = places.reshape(pairs.shape).T
    length = excess[:, low] + log_less(excess[:, low], excess[:, high])
    return np.asarray(length[:, back.reshape(-1)])
