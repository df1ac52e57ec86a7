"""Sources: what was measured on something like it, before, and what that says of each candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from sdl.planner.axes import Axes, Bools, Coded, Codes, Floats, joined
from sdl.planner.belief import Sense
from sdl.planner.chains import LEAST
from sdl.planner.ensemble import KINDS, Evidence, Kind, Learner
from sdl.planner.process import Processes
from sdl.planner.scale import Scale
from sdl.planner.spread import far_points

LEARNT = 80
"""Measurements of a source from which hyperparameters are learnt, and ..."""

USED = 300
"""... those on which it then stands, drawn from all; both bound the time of an answer."""

PROMISING = 0.05
"""Share of the free points from which the first ones are taken."""

TELLERS = 4
"""Draws of hyperparameters that say together what a source says."""

MOST = 4
"""Sources that are used; of more, those with the most measurements."""

BLOCK = 2048
"""Points of one sweep."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Points that were measured elsewhere, and their values."""

    name: str
    points: Coded
    values: Mapping[str, Floats]
    """By measure (n,), in its unit."""


@dataclass(frozen=True, eq=False)
class Sources:
    """All that a campaign has, and how it turns the measures.

    What they say stands in columns, those of the first measure first.
    """

    axes: Axes
    senses: Mapping[str, Sense] = field(default_factory=dict)
    """By measure, the first objective's first."""
    every: tuple[Source, ...] = ()

    @classmethod
    def of(cls, axes: Axes, senses: Mapping[str, Sense], given: Sequence[Source]) -> Sources:
        """Of the given ones those that say something, at most ``MOST``, in their order."""
        fit = [
            one
            for one in given
            if len(one.points) >= LEAST and all(np.ptp(one.values[name]) > 0.0 for name in senses)
        ]
        largest = sorted(range(len(fit)), key=lambda at: -len(fit[at].points))[:MOST]
        return cls(axes, senses, tuple(fit[at] for at in sorted(largest)))

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self.every)

    def learner(self, measure: str, seed: int) -> Learner:
        """One for a campaign's own measurements, which follows them as far as they help."""
        if not self.every:
            return Learner(self.axes, seed)
        told = len(self.senses) * len(self.every)
        return Learner(self.axes, seed, self._kinds(measure), self._scales[measure], told)

    @property
    def shares(self) -> dict[str, float]:
        """What each of them counts while nothing is known here."""
        return {f"with {one.name}": 1.0 / len(self.every) for one in self.every}

    def told(self, points: Coded) -> Coded:
        """The points with what each source says of them."""
        if not self.every:
            return points
        found = [teller.of(points) for teller in self._tellers]
        told, known = (np.stack(part, axis=1) for part in zip(*found, strict=True))
        return replace(points, told=told, known=known)

    def start(
        self,
        points: Coded,
        free: Bools,
        there: Coded,
        count: int,
        chance: np.random.Generator,
        wanted: tuple[float, float],
    ) -> list[int]:
        """Places of ``count`` free points to begin with, which all sources together favour.

        The best, if nothing is there yet, and others that are far from it and from what is there.
        ``wanted``: of the first measure, in its unit; nearest to the middle is best if it has ends.
        """
        said = points.told[:, : len(self.every)].mean(axis=1)
        measure, sense = next(iter(self.senses.items()))
        ends = np.array(sense.ends(*wanted))
        if np.isfinite(ends).all():
            said = -np.abs(said - self._scales[measure].of(ends).mean())
        order = np.argsort(np.where(free, -said, np.inf), kind="stable")
        best = np.zeros(len(points), dtype=bool)
        best[order[: max(count, int(PROMISING * free.sum()))]] = True
        first: Codes = order[: 0 if len(there) else 1]
        best[first] = False
        others = far_points(
            points, best, joined([there, points.take(first)]), count - len(first), chance
        )
        return [*map(int, first), *others]

    def _kinds(self, measure: str) -> tuple[Kind, ...]:
        """How its own measurements may follow: not at all, each of them, and all together."""
        first = list(self.senses).index(measure) * len(self.every)
        places = range(first, first + len(self.every))
        each = [
            replace(KINDS[0], name=f"with {one.name}", sources=(place,))
            for place, one in zip(places, self.every, strict=True)
        ]
        both = [replace(KINDS[0], name="with all sources", sources=tuple(places))]
        return (*KINDS, *each, *(both if len(places) > 1 else []))

    @cached_property
    def _scales(self) -> dict[str, Scale]:
        """By measure, common to all of them and to this campaign."""
        return {
            name: Scale.of_sources(
                np.concatenate([self._evidence(one, name).values for one in self.every]),
                target=sense.zero is not None,
                plain=sense.is_plain,
            )
            for name, sense in self.senses.items()
        }

    @cached_property
    def _tellers(self) -> list[_Teller]:
        """In the order of the columns."""
        return [
            _teller(self.axes, self._evidence(one, measure), scale)
            for measure, scale in self._scales.items()
            for one in self.every
        ]

    def _evidence(self, source: Source, measure: str) -> Evidence:
        return self.senses[measure].evidence(source.points, source.values[measure])


@dataclass(frozen=True)
class _Teller:
    """What one source says of one measure: of standardised outputs, and their place and size."""

    processes: Processes
    middle: float
    spread: float

    def of(self, points: Coded) -> tuple[Floats, Floats]:
        """Means (N,) on the common scale, and the share of the variance that is known (N,)."""
        mean, known = np.zeros(len(points)), np.zeros(len(points))
        for start in range(0, len(points), BLOCK):
            block = slice(start, start + BLOCK)
            means, variances = self.processes.posterior(points.take(block))
            mean[block] = means.mean(axis=0)
            known[block] = np.clip(1.0 - variances.mean(axis=0) - means.var(axis=0), 0.0, 1.0)
        return self.middle + self.spread * mean, known


def _teller(axes: Axes, evidence: Evidence, scale: Scale) -> _Teller:
    """Without the campaign's seed: a source says the same to all."""
    order = np.random.default_rng(len(evidence.values)).permutation(len(evidence.values))
    few, some = np.sort(order[:LEARNT]), np.sort(order[:USED])
    learnt = Learner(axes, 0).ensemble(evidence.take(few)).processes
    outputs = scale.of(evidence.values[some])
    middle = 0.0 if evidence.target else float(outputs.mean())
    spread = float(np.sqrt(np.mean((outputs - middle) ** 2))) or 1.0
    rows = list(range(0, learnt.count, learnt.count // TELLERS))
    seen = np.repeat([(outputs - middle) / spread], len(rows), axis=0)
    processes = Processes(learnt.hyper.only(rows), evidence.points.take(some), seen)
    return _Teller(processes, middle, spread)
