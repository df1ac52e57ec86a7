"""Sources: what was measured on something like it, before, and what that says of each candidate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sdl.planner.axes import Axes, Bools, Coded, Floats
from sdl.planner.batch import joined
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
    values: Floats
    """(n,) in the measure's unit; more is better, or zero is the target."""


@dataclass(frozen=True, eq=False)
class Sources:
    """All sources of a campaign that say something: of two measurements at least, not all equal."""

    axes: Axes
    every: tuple[Source, ...]
    target: bool = False

    @classmethod
    def of(cls, axes: Axes, given: Sequence[Source], *, target: bool) -> Sources:
        """Those of the given ones that are of use, in their order."""
        fit = [one for one in given if len(one.values) >= LEAST and np.ptp(one.values) > 0.0]
        largest = sorted(range(len(fit)), key=lambda at: -len(fit[at].values))[:MOST]
        return cls(axes, tuple(fit[at] for at in sorted(largest)), target)

    def __bool__(self) -> bool:
        return bool(self.every)

    @cached_property
    def scale(self) -> Scale:
        """Common to all of them and to this campaign."""
        values = np.concatenate([one.values for one in self.every])
        return Scale.of_sources(values, target=self.target)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """How a campaign may follow them: not at all, each of them, and all together."""
        places = range(len(self.every))
        alone = tuple(
            replace(KINDS[0], name=f"with {self.every[at].name}", sources=(at,)) for at in places
        )
        both = (replace(KINDS[0], name="with all sources", sources=tuple(places)),)
        return (*KINDS, *alone, *(both if len(places) > 1 else ()))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, points and values."""
        total = hashlib.sha256(str((self.target, [one.name for one in self.every])).encode())
        for one in self.every:
            total.update(Evidence(one.points, one.values).digest.encode())
        return total.hexdigest()

    def told(self, points: Coded) -> Coded:
        """The points with what each source says of them."""
        if not self.every:
            return points
        found = [self._said(at, points) for at in range(len(self.every))]
        told, known = (np.stack(part, axis=1) for part in zip(*found, strict=True))
        return replace(points, told=told, known=known)

    def start(
        self, points: Coded, free: Bools, there: Coded, count: int, chance: np.random.Generator
    ) -> list[int]:
        """Places of ``count`` free points to begin with: the best by what all sources say, and
        then others of the best that are far from it and from what is there.
        """
        said = (-np.abs(points.told) if self.target else points.told).mean(axis=1)
        order = np.argsort(np.where(free, -said, np.inf), kind="stable")
        kept = order[: max(count, int(PROMISING * free.sum()))]
        first = [] if len(there) else [int(order[0])]
        best = np.zeros(len(points), dtype=bool)
        best[kept] = True
        best[first] = False
        there = joined([there, points.take(np.array(first, dtype=np.int64))])
        return first + far_points(points, best, there, count - len(first), chance)

    def _said(self, at: int, points: Coded) -> tuple[Floats, Floats]:
        """Mean (N,) on the common scale, and the share of the variance that is known (N,)."""
        middle, spread, processes = self._fitted[at]
        mean, known = np.zeros(len(points)), np.zeros(len(points))
        for start in range(0, len(points), BLOCK):
            block = slice(start, start + BLOCK)
            means, variances = processes.posterior(points.take(block))
            mean[block] = means.mean(axis=0)
            left = variances.mean(axis=0) + means.var(axis=0)
            known[block] = np.clip(1.0 - left, 0.0, 1.0)
        return middle + spread * mean, known

    @cached_property
    def _fitted(self) -> list[tuple[float, float, Processes]]:
        return [_fit(self.axes, one, self.scale, self.target) for one in self.every]


def _fit(axes: Axes, source: Source, scale: Scale, target: bool) -> tuple[float, float, Processes]:
    """Middle and spread of its outputs, and processes that have seen them standardised."""
    order = np.random.default_rng(len(source.values)).permutation(len(source.values))
    few, some = np.sort(order[:LEARNT]), np.sort(order[:USED])
    learnt = Learner(axes, 0).ensemble(
        Evidence(source.points.take(few), source.values[few], target)
    )
    outputs = scale.of(source.values[some])
    middle = 0.0 if target else float(outputs.mean())
    spread = float(np.sqrt(np.mean((outputs - middle) ** 2))) or 1.0
    rows = list(range(0, learnt.processes.count, learnt.processes.count // TELLERS))
    hyper = learnt.processes.hyper.only(rows)
    seen = np.repeat([(outputs - middle) / spread], len(rows), axis=0)
    return middle, spread, Processes(hyper, source.points.take(some), seen)



def learner_of(sources: Sources, seed: int) -> Learner:
    """One that follows these sources as far as they help."""
    if not sources:
        return Learner(sources.axes, seed)
    return Learner(sources.axes, seed, sources.kinds, sources.scale)
