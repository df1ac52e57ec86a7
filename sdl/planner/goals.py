"""What is looked for: how much of it each candidate is expected to bring, for each process.

A goal is a value that is made for one question. *Over* some points it stands at what is known and
under way; the points that are added are taken to give what is believed of them. ``front`` has the
goal of several objectives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]

from sdl.planner.ahead import Ahead
from sdl.planner.axes import Bools, Coded, Floats
from sdl.planner.ensemble import Ensemble
from sdl.planner.improvement import log_approach, log_between, log_improvement
from sdl.planner.process import Conditioning

REACH = 1e-3
"""A target counts as reached so near, in spreads of the measure: then its neighbourhood is sought,
and of a range whatever lies within."""

EQUALLY_LIKELY = ndtri((np.arange(16) + 0.5) / 16)
"""A normal distribution as so many values."""


class Standing(Protocol):
    """A goal over M points, some of which are taken for measured."""

    def log_gain(self) -> Floats:
        """Log of what each of S processes expects to gain at each point, (S, M)."""
        ...

    def add(self, place: int, counted: Bools) -> None:
        """Take the point at that place for measured; ``counted``: (S,) whether it will count."""
        ...


class Goal(Protocol):
    """What is looked for, after all that was measured."""

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """Those that it asks, one at least; the processes of all are as many."""
        ...

    @property
    def effort(self) -> int:
        """Numbers that are worked out for each candidate."""
        ...

    def only(self, rows: list[int]) -> Self:
        """The same by some of the processes."""
        ...

    def over(self, points: Coded, room: int) -> Standing:
        """Where it stands; ``room``: how many points will be added at most."""
        ...


@dataclass(frozen=True)
class _OfOne:
    """A goal for one measure."""

    ensemble: Ensemble

    @property
    def ensembles(self) -> tuple[Ensemble, ...]:
        """The one of the measure."""
        return (self.ensemble,)

    @property
    def effort(self) -> int:
        """Covariances with measurements."""
        return self.ensemble.processes.outputs.size

    def only(self, rows: list[int]) -> Self:
        """The same by some of the processes."""
        return replace(self, ensemble=self.ensemble.only(rows))


@dataclass(frozen=True)
class Maximum(_OfOne):
    """As much of a measure as can be: the expected improvement over the best measured point.

    What is unknown of that point counts too, so its like is not measured again.
    """

    counted: Bools
    """(n,) which measured points can be the best, one at least."""

    def over(self, points: Coded, room: int) -> Standing:
        """Above what each process believes of the point that it holds for the best."""
        believed = np.where(self.counted, self.ensemble.processes.believed, -np.inf)
        which = believed.argmax(axis=1)
        state = Conditioning(self.ensemble.processes, points, room, which)
        return _Above(state, believed[np.arange(len(which)), which][:, None])


class _Above:
    def __init__(self, state: Conditioning, best: Floats) -> None:
        """``best``: (S, 1)."""
        self._state, self._best = state, best

    def log_gain(self) -> Floats:
        return log_improvement(self._state.mean, np.sqrt(self._state.gap), self._best)

    def add(self, place: int, counted: Bools) -> None:
        self._state.add(place)
        new = np.maximum(self._best, self._state.mean[:, [place]])
        self._best = np.where(counted[:, None], new, self._best)


@dataclass(frozen=True)
class Interval(_OfOne):
    """A measure between ``-half`` and ``half``, or at zero: how much nearer than the nearest."""

    counted: Bools
    """(n,) which measured points can be the nearest, one at least."""
    half: float = 0.0
    """Of the interval, in the unit of the outputs."""
    apart: bool = False
    """Whether points within it are worth less the more is known of them: where there is no end of
    points, each of them has likes as near as one wants."""

    def over(self, points: Coded, room: int) -> Standing:
        """Nearer than what each process believes of the point that it holds for the nearest."""
        away = self._away(self.ensemble.processes.believed)
        nearest = np.where(self.counted, away, np.inf).min(axis=1)
        return _Nearer(self, Conditioning(self.ensemble.processes, points, room), nearest[:, None])

    def _away(self, outputs: Floats) -> Floats:
        return np.asarray(np.maximum(np.abs(outputs) - self.half, 0.0))

    def nearer(self, reach: Floats, outputs: Floats) -> Floats:
        """The smaller of a distance and that of an output."""
        return np.minimum(reach, self._away(outputs))


class _Nearer:
    def __init__(self, wanted: Interval, state: Conditioning, reach: Floats) -> None:
        """``reach``: (S, 1)."""
        self._wanted, self._state, self._reach = wanted, state, reach
        self._least: Floats = np.full((1, 1), REACH)

    def log_gain(self) -> Floats:
        reach, half = np.maximum(self._reach, self._least), np.asarray(self._wanted.half)
        found = log_approach(self._state.mean, np.sqrt(self._state.variance), reach, half)
        if not self._wanted.apart:
            return found
        return np.where(self._reach <= self._least, found + self._state.log_open, found)

    def add(self, place: int, counted: Bools) -> None:
        self._state.add(place)
        # Points of a batch that measurements could not tell apart would tell the same.
        self._least = np.maximum(REACH, self._state.noise_sd)
        new = self._wanted.nearer(self._reach, self._state.mean[:, [place]])
        self._reach = np.where(counted[:, None], new, self._reach)


@dataclass(frozen=True)
class Hits(_OfOne):
    """As many points as can be between two ends, within the runs that are left.

    With one run left, or among points without end, the probability that a measurement lies there.
    """

    low: float = -np.inf
    high: float = np.inf
    """In the unit of the evidence."""
    apart: bool = False
    """Whether a hit is worth less the more is known of it, as in ``Interval``."""
    runs: int = 1
    """So many are in view, the next one included."""

    def only(self, rows: list[int]) -> Self:
        """Some of the processes, which look no run ahead."""
        return replace(self, ensemble=self.ensemble.only(rows), runs=1)

    def over(self, points: Coded, room: int) -> Standing:
        """With noise, for it is by its measurement that a point counts as a hit."""
        state = Conditioning(self.ensemble.processes, points, room)
        ends = ends_of(self.ensemble, self.low, self.high)
        if self.runs > 1 and not self.apart:
            return Ahead(state, self.ensemble.shares, ends, self.runs - 1)
        return _Between(state, *ends, apart=self.apart)


def ends_of(ensemble: Ensemble, low: float, high: float) -> tuple[Floats, Floats]:
    """Both ends of an interval, which may be infinite, as outputs, (S, 1) each."""
    return tuple(  # type: ignore[return-value]
        ensemble.output(end) if np.isfinite(end) else np.full((ensemble.processes.count, 1), end)
        for end in (low, high)
    )


class _Between:
    def __init__(self, state: Conditioning, low: Floats, high: Floats, *, apart: bool) -> None:
        self._state, self._low, self._high, self._apart = state, low, high, apart

    def log_gain(self) -> Floats:
        found = log_between(self._state.mean, self._state.measured_sd, self._low, self._high)
        return found + self._state.log_open if self._apart else found

    def add(self, place: int, counted: Bools) -> None:  # noqa: ARG002 - what is found stays found
        self._state.add(place)


@dataclass(frozen=True)
class Boundary(_OfOne):
    """Where a measure passes a level: how far a point is expected to lie on the other side.

    That is the one on which its mean does not lie.
    """

    level: float = 0.0
    """In the unit of the evidence."""

    def over(self, points: Coded, room: int) -> Standing:
        """As if each point were on the side of its mean."""
        state = Conditioning(self.ensemble.processes, points, room)
        return _Unsure(state, self.ensemble.output(self.level))


class _Unsure:
    def __init__(self, state: Conditioning, level: Floats) -> None:
        self._state, self._level = state, level

    def log_gain(self) -> Floats:
        beside = -np.abs(self._state.mean - self._level)
        return log_improvement(beside, np.sqrt(self._state.variance), np.zeros(1))

    def add(self, place: int, counted: Bools) -> None:  # noqa: ARG002 - it tells a side all the same
        self._state.add(place)


@dataclass(frozen=True)
class Novelty(_OfOne):
    """What was never seen: how far a measurement is expected to lie from all that was measured."""

    def over(self, points: Coded, room: int) -> Standing:
        """In the spread of the measure; what is little known is far from all, too."""
        state = Conditioning(self.ensemble.processes, points, room)
        return _Far(state, self.ensemble.processes.outputs)


class _Far:
    def __init__(self, state: Conditioning, seen: Floats) -> None:
        self._state = state
        self._seen = [np.sort(row) for row in seen]

    def log_gain(self) -> Floats:
        sd = self._state.measured_sd
        found = [
            _gap(mean[:, None] + spread[:, None] * EQUALLY_LIKELY, seen).mean(axis=1)
            for mean, spread, seen in zip(self._state.mean, sd, self._seen, strict=True)
        ]
        return np.asarray(np.log(np.maximum(np.stack(found), 1e-300)))

    def add(self, place: int, counted: Bools) -> None:  # noqa: ARG002 - it is seen all the same
        new = self._state.mean[:, place]
        self._state.add(place)
        pairs = zip(self._seen, new, strict=True)
        self._seen = [np.sort(np.append(seen, one)) for seen, one in pairs]


def _gap(values: Floats, seen: Floats) -> Floats:
    """Distance of each value to the nearest of ``seen``, which is ascending."""
    right = np.clip(np.searchsorted(seen, values), 1, len(seen) - 1)
    return np.minimum(np.abs(values - seen[right - 1]), np.abs(values - seen[right]))


@dataclass(frozen=True)
class Discrimination(_OfOne):
    """Which of the rivals holds: what a measurement tells of that, whatever the model believes.

    Points under way change nothing: what they will tell is not known.
    """

    told: Callable[[Coded], Floats]
    """Log of what each point is expected to tell, (M,)."""

    def over(self, points: Coded, room: int) -> Standing:  # noqa: ARG002 - a goal is asked so
        """All processes alike."""
        return _Alike(np.tile(self.told(points), (self.ensemble.processes.count, 1)))


@dataclass(frozen=True)
class Anything(_OfOne):
    """Nothing that can be compared yet: what else bears on a point decides."""

    def over(self, points: Coded, room: int) -> Standing:  # noqa: ARG002 - a goal is asked so
        """All points alike."""
        return _Alike(np.zeros((self.ensemble.processes.count, len(points))))


class _Alike:
    """Gains that stay as they are."""

    def __init__(self, gain: Floats) -> None:
        self._gain = gain

    def log_gain(self) -> Floats:
        return self._gain

    def add(self, place: int, counted: Bools) -> None:
        pass
