"""What is looked for: how much of it each candidate is expected to bring, for each process.

A goal is a value that is made for one question. *Over* some points it stands at what is known and
under way; the points that are added are taken to give what is believed of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sdl.planner.axes import Coded, Floats
from sdl.planner.ensemble import Ensemble
from sdl.planner.improvement import log_approach, log_improvement
from sdl.planner.process import Conditioning


class Standing(Protocol):
    """A goal over M points, some of which are taken for measured."""

    def log_gain(self) -> Floats:
        """Log of what each of S processes expects to gain at each point, (S, M)."""
        ...

    def add(self, place: int) -> None:
        """Take the point at that place for measured."""
        ...


class Goal(Protocol):
    """What is looked for, after all that was measured."""

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """Those that it asks, one at least; the processes of all are as many."""
        ...

    def only(self, rows: list[int]) -> Goal:
        """The same by some of the processes."""
        ...

    def over(self, points: Coded, room: int) -> Standing:
        """Where it stands; ``room``: how many points will be added at most."""
        ...


@dataclass(frozen=True)
class Maximum:
    """As much of a measure as can be: the expected improvement over the best measured point.

    What is unknown of that point counts too, so its like is not measured again.
    """

    ensemble: Ensemble

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """The one of the measure."""
        return (self.ensemble,)

    def only(self, rows: list[int]) -> Maximum:
        """The same by some of the processes."""
        return replace(self, ensemble=self.ensemble.only(rows))

    def over(self, points: Coded, room: int) -> Standing:
        """Above what each process believes of the point that it holds for the best."""
        believed = self.ensemble.processes.believed
        which = believed.argmax(axis=1)
        state = Conditioning(self.ensemble.processes, points, room, which)
        return _Above(state, believed[np.arange(len(which)), which][:, None])


class _Above:
    def __init__(self, state: Conditioning, best: Floats) -> None:
        """``best``: (S, 1)."""
        self._state, self._best = state, best

    def log_gain(self) -> Floats:
        return log_improvement(self._state.mean, np.sqrt(self._state.gap), self._best)

    def add(self, place: int) -> None:
        self._state.add(place)
        self._best = np.maximum(self._best, self._state.mean[:, [place]])


@dataclass(frozen=True)
class Target:
    """A measure as near to zero as can be: how much nearer than the nearest measured point."""

    ensemble: Ensemble

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """The one of the measure."""
        return (self.ensemble,)

    def only(self, rows: list[int]) -> Target:
        """The same by some of the processes."""
        return replace(self, ensemble=self.ensemble.only(rows))

    def over(self, points: Coded, room: int) -> Standing:
        """Nearer than what each process believes of the point that it holds for the nearest."""
        away = np.abs(self.ensemble.processes.believed)
        which = away.argmin(axis=1)
        state = Conditioning(self.ensemble.processes, points, room, which)
        return _Nearer(state, away[np.arange(len(which)), which][:, None])


class _Nearer:
    def __init__(self, state: Conditioning, reach: Floats) -> None:
        """``reach``: (S, 1)."""
        self._state, self._reach = state, reach

    def log_gain(self) -> Floats:
        return log_approach(self._state.mean, np.sqrt(self._state.variance), self._reach)

    def add(self, place: int) -> None:
        self._state.add(place)
        self._reach = np.minimum(self._reach, np.abs(self._state.mean[:, [place]]))
