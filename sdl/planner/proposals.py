"""From what was measured, failed or is under way to the next points and their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from sdl.model.data import InputValue
from sdl.planner.axes import Bools, Coded, Values, columns_of
from sdl.planner.batch import Chosen, chosen, joined, relation
from sdl.planner.candidates import Candidates
from sdl.planner.chains import LEAST
from sdl.planner.ensemble import Ensemble, Evidence, Learner
from sdl.planner.reason import Near, Proposal, Reason
from sdl.planner.sources import Sources, learner_of
from sdl.planner.spread import START, far_points

Inputs: TypeAlias = Mapping[str, InputValue]

NEAREST = 3
"""Measured points that a reason names."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A point that was tried, and what came of it."""

    inputs: Inputs
    value: float | None
    """In the measure's unit; None if the run failed."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What was tried, as arrays."""

    evidence: Evidence
    """Values with their sign turned where less is better, or relative to the target."""
    failed: Coded
    pending: Coded
    measured: tuple[Observed, ...]


class Campaign:
    """Proposes candidates of one campaign.

    Depends on its arguments and the order of the results alone; what it keeps saves time.
    """

    def __init__(
        self,
        candidates: Candidates,
        seed: int,
        learner: Learner | None = None,
        sources: Sources | None = None,
    ) -> None:
        """``learner``: one that has gone along with this campaign, and its sources, if any."""
        self._candidates, self._seed = candidates, seed
        self._sources = sources or Sources(candidates.axes, ())
        self._coded = self._encoded(candidates.columns, candidates.count)
        self._learner = learner or learner_of(self._sources, seed)
        self._places: dict[tuple[InputValue, ...], list[int]] = {}
        for place, key in enumerate(zip(*candidates.columns.values(), strict=True)):
            self._places.setdefault(key, []).append(place)

    def proposals(
        self,
        observed: Sequence[Observed],
        pending: Sequence[Inputs],
        count: int,
        *,
        sign: float = 1.0,
        target: float | None = None,
    ) -> list[Proposal]:
        """Up to ``count`` candidates that are neither tried nor pending, best first.

        Where all that are left have failed before, those. ``sign``: -1 where less is better;
        ``target``: the value to come near to, in the measure's unit.
        """
        with _one_thread().limit(limits=1, user_api="blas"):
            tried = self._tried(observed, pending, sign, target)
            free = self._free(observed, pending)
            if not free.any():
                return []
            return list(self._proposed(tried, free, min(count, int(free.sum())), sign, target))

    def _proposed(
        self,
        tried: _Tried,
        free: Bools,
        count: int,
        sign: float,
        target: float | None,
    ) -> Iterator[Proposal]:
        there = len(tried.evidence.values) + len(tried.failed) + len(tried.pending)
        if len(tried.evidence.values) < LEAST or there < START:
            yield from self._started(tried, free, count)
            return
        ensemble = self._learner.ensemble(tried.evidence)
        found = chosen(ensemble, self._coded, free, tried.pending, tried.failed, count)
        for one in found:
            reason = self._reason(ensemble, tried, one, int(free.sum()), sign, target)
            yield Proposal(inputs=self._candidates.point(one.place), reason=reason)

    def _started(self, tried: _Tried, free: Bools, count: int) -> Iterator[Proposal]:
        there = joined([tried.evidence.points, tried.failed, tried.pending])
        chance = np.random.default_rng([self._seed, 7, len(there)])
        if self._sources:
            found = self._sources.start(self._coded, free, there, count, chance)
        else:
            found = far_points(self._coded, free, there, count, chance)
        reason = Reason(
            origin="sources" if self._sources else "maximin", data_digest=tried.evidence.digest
        )
        for place in found:
            yield Proposal(inputs=self._candidates.point(place), reason=reason)

    def _tried(
        self,
        observed: Sequence[Observed],
        pending: Sequence[Inputs],
        sign: float,
        target: float | None,
    ) -> _Tried:
        measured = tuple(one for one in observed if one.value is not None)
        values = np.array([one.value for one in measured], dtype=float)
        return _Tried(
            Evidence(
                self._points([one.inputs for one in measured]),
                sign * values if target is None else values - target,
                target is not None,
            ),
            self._points([one.inputs for one in observed if one.value is None]),
            self._points(pending),
            measured,
        )

    def _free(self, observed: Sequence[Observed], pending: Sequence[Inputs]) -> Bools:
        taken = [one.inputs for one in observed if one.value is not None] + list(pending)
        failed = [one.inputs for one in observed if one.value is None]
        free = self._without(np.ones(self._candidates.count, dtype=bool), taken)
        untried = self._without(free.copy(), failed)
        return untried if untried.any() else free

    def _without(self, free: Bools, points: Sequence[Inputs]) -> Bools:
        names = list(self._candidates.columns)
        for point in points:
            free[self._places.get(tuple(point[name] for name in names), [])] = False
        return free

    def _points(self, points: Sequence[Inputs]) -> Coded:
        names = list(self._candidates.columns)
        return self._encoded(columns_of(points, names), len(points))

    def _encoded(self, columns: Mapping[str, Values], count: int) -> Coded:
        return self._sources.told(self._candidates.axes.coded(columns, count))

    def _reason(
        self,
        ensemble: Ensemble,
        tried: _Tried,
        one: Chosen,
        scored: int,
        sign: float,
        target: float | None,
    ) -> Reason:
        point = self._coded.take(slice(one.place, one.place + 1))
        median, low, high = (
            sign * value if target is None else value + target
            for value in ensemble.predicted(point)
        )
        related = relation(ensemble, point)
        order = np.argsort(-related, kind="stable")[:NEAREST]
        kinds = (kind.name for kind in self._learner.kinds)
        return Reason(
            origin="ensemble",
            data_digest=tried.evidence.digest,
            model_digest=ensemble.digest,
            median=median,
            low=min(low, high),
            high=max(low, high),
            weights=dict(zip(kinds, map(float, ensemble.weights), strict=True)),
            log_gain=one.log_gain,
            log_feasible=one.log_feasible,
            nearest=tuple(
                Near(
                    inputs=tried.measured[place].inputs,
                    value=_given(tried.measured[place].value),
                    correlation=float(related[place]),
                )
                for place in order
            ),
            scored=scored,
        )


def _given(value: float | None) -> float:
    assert value is not None, "a measured point has a value"
    return value


@cache
def _one_thread() -> ThreadpoolController:
    """Looks once for the libraries whose sums in several threads may differ in the last digit."""
    return ThreadpoolController()
