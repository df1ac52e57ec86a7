"""From what was measured, failed or is under way to the next points and their reasons."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeAlias

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from sdl.core.rivals import Contest, log_odds, with_run
from sdl.model.data import InputValue, Measures
from sdl.model.planning import Problem
from sdl.model.reason import NEAREST, Doubt, Left, Near, Reason
from sdl.planner.acquisition import Acquisition
from sdl.planner.aim import Aim
from sdl.planner.axes import Bools, Coded, Values, columns_of, joined
from sdl.planner.batch import Chosen, chosen, relation
from sdl.planner.belief import Belief
from sdl.planner.candidates import Candidates
from sdl.planner.chains import LEAST
from sdl.planner.ensemble import Learner
from sdl.planner.remaining import left_of
from sdl.planner.rivals import Telling
from sdl.planner.sources import Sources
from sdl.planner.spending import Prices, prices_of
from sdl.planner.spread import START, amid, far_points
from sdl.planner.telling import Told, telling

Inputs: TypeAlias = Mapping[str, InputValue]

RATHER = 0.5
"""Probability from which a measurement is named as one that is doubted."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A point that was tried, and what came of it."""

    inputs: Inputs
    measures: Measures | None
    """All that the problem speaks of, each in its unit; None if the run failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A suggested point, and why it is one."""

    inputs: Inputs
    origin: str
    """*maximin*, *medoid*, *centre*, *sobol*: of a start that looks at no results; *sources*,
    *rivals*: of one that looks at these; *ensemble*."""
    reason: Reason
    model_digest: str = ""
    """SHA-256 over the draws of the hyperparameters; empty where no model had a part."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """What one more measurement there by a source would tell, by name; empty without a model."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What was tried, as arrays."""

    points: Coded
    """Those that were measured."""
    measures: tuple[Measures, ...]
    failed: Coded
    pending: Coded
    inputs: tuple[Inputs, ...]
    """Of those that were measured."""

    @property
    def there(self) -> Coded:
        """All of them."""
        return joined([self.points, self.failed, self.pending])


class Campaign:
    """Proposes candidates of one campaign.

    Depends on its arguments and the order of the results alone; what it keeps saves time.
    """

    def __init__(
        self,
        problem: Problem,
        candidates: Candidates,
        seed: int,
        learner: Callable[[str], Learner] | None = None,
        sources: Sources | None = None,
        runs: int = 1,
    ) -> None:
        """``problem``: what is wanted; the points are the candidates, whatever its space says.

        ``learner``: by measure one that has gone along with this campaign, if there are such.
        ``sources``: what earlier campaigns say of the points. ``runs``: that the budget has still
        to give, the next one included, as far as is known.
        """
        self._problem, self._candidates, self._seed = problem, candidates, seed
        self._runs = runs
        self._sources = sources or Sources(candidates.axes)
        self._start = LEAST if self._sources or problem.rivals else START
        self._coded = self._sources.told(candidates.coded)
        costs, bench = problem.costs, problem.bench
        counts = costs is not None or bench is not None
        self._prices = prices_of(costs, candidates.columns, bench, runs) if counts else None
        self._learner = learner or cache(lambda measure: self._sources.learner(measure, seed))

    def proposals(
        self,
        observed: Sequence[Observed],
        pending: Sequence[Inputs],
        count: int,
        last: Inputs | None = None,
    ) -> list[Proposal]:
        """Up to ``count`` candidates that are neither tried nor pending, best first.

        Where all that are left have failed before, those. ``last``: the run before the next one,
        for what it costs to change something.
        """
        with _one_thread().limit(limits=1, user_api="blas"):
            tried = self._tried(observed, pending)
            free = self._free(observed, pending)
            if not free.any():
                return []
            return list(self._proposed(tried, free, min(count, int(free.sum())), last))

    def _proposed(
        self, tried: _Tried, free: Bools, count: int, last: Inputs | None
    ) -> Iterator[Proposal]:
        if len(tried.points) < LEAST or len(tried.there) < self._start:
            if self._problem.rivals:
                yield from self._telling_first(self._telling(tried), free, count, last)
            elif self._prices is None or self._prices.supplies is None:
                yield from self._started(tried, free, count)
            else:
                yield from self._started_in_stock(tried, free, count, self._prices, last)
            return
        told = self._telling(tried).log_gain if self._problem.rivals else None
        aim = Aim(self._problem, tried.points, tried.measures, self._learner, told, self._runs)
        beliefs = aim.beliefs()
        acquisition, digest = aim.acquisition(beliefs, tried.failed), _digest(beliefs)
        left = self._left(aim, acquisition, beliefs, free) if self._problem.left else None
        flying = tried.pending
        found = chosen(acquisition, self._coded, free, flying, count, self._prices, last)
        for one in found:
            yield Proposal(
                inputs=self._candidates.point(one.place),
                origin="ensemble",
                reason=replace(self._reason(beliefs, tried, one, int(free.sum())), left=left),
                model_digest=digest,
                told=self._told(acquisition, one.place),
            )

    def _told(self, acquisition: Acquisition, place: int) -> dict[str, Told]:
        if not self._sources:
            return {}
        names = [one.name for one in self._sources.every]
        return telling(names, acquisition, self._coded.take(slice(place, place + 1)))

    def _left(
        self, aim: Aim, acquisition: Acquisition, beliefs: Mapping[str, Belief], free: Bools
    ) -> Left | None:
        """What is left to be gained; None while nothing counts that could be surpassed.

        And while all results are the same: they do not say how much others may differ.
        """
        objective, counted = self._problem.objective, aim.counted()
        belief = beliefs[objective.measure]
        if not counted.any() or not np.ptp(belief.ensemble.evidence.values):
            return None
        return left_of(acquisition, belief, objective, counted, self._coded, free, self._seed)

    def _started_in_stock(
        self, tried: _Tried, free: Bools, count: int, prices: Prices, last: Inputs | None
    ) -> Iterator[Proposal]:
        """One after the other, as each leaves less for those after it."""
        for _ in range(count):
            (one,) = self._started(tried, prices.in_stock(free), 1)
            place = self._places(one.inputs)[0]
            spending = prices.spending(place, last, free)
            yield replace(one, reason=replace(one.reason, spending=spending))
            flying = joined([tried.pending, self._points([one.inputs])])
            tried, free = replace(tried, pending=flying), self._without(free.copy(), [one.inputs])
            last, prices = prices.point(place), prices.spent(place)

    def _started(self, tried: _Tried, free: Bools, count: int) -> Iterator[Proposal]:
        there = tried.there
        chance = np.random.default_rng([self._seed, 7, len(there)])
        objective = self._problem.objective
        if self._sources and objective.goal not in ("level", "novelty"):
            shares = {objective.measure: self._sources.shares}
            reason = Reason(surrogates=shares, scored=int(free.sum()))
            score = (-math.inf, math.inf)
            wanted = score if self._problem.is_weighted else objective.wanted
            for place in self._sources.start(self._coded, free, there, count, chance, wanted):
                point = self._candidates.point(place)
                yield Proposal(inputs=point, origin="sources", reason=reason)
            return
        clumped = self._candidates.clumped
        places = (amid if clumped else far_points)(self._coded, free, there, count, chance)
        for number, place in enumerate(places, start=len(there) + 1):
            yield Proposal(
                inputs=self._candidates.point(place),
                origin="medoid" if clumped else "maximin",
                reason=Reason(number=number),
            )

    def _telling(self, tried: _Tried) -> Telling:
        """What points tell of the rivals, after what was measured within all limits."""
        rivals, contest = self._problem.rivals, Contest()
        for inputs, seen in zip(tried.inputs, tried.measures, strict=True):
            if all(one.kept(seen[one.measure]) for one in self._problem.outcomes):
                value = seen[self._problem.objective.measure]
                contest = with_run(contest, rivals, inputs, value)
        return Telling(rivals, self._candidates, log_odds(contest, rivals))

    def _telling_first(
        self, telling: Telling, free: Bools, count: int, last: Inputs | None
    ) -> Iterator[Proposal]:
        """Before there is a model: what tells most for its cost."""
        gain = telling.log_gain(self._coded)
        cost, may = np.zeros(len(gain)), free
        if self._prices is not None:
            cost, may = self._prices.log_after(last), self._prices.in_stock(free)
        order = np.lexsort((cost - gain, ~may, ~free))
        for place in order[:count].tolist():
            prices = self._prices
            spending = None if prices is None else prices.spending(place, last, free)
            reason = Reason(
                log_gain=float(gain[place]),
                log_cost=None if self._prices is None else float(cost[place]),
                scored=int(free.sum()),
                spending=spending,
            )
            yield Proposal(inputs=self._candidates.point(place), origin="rivals", reason=reason)

    def _tried(self, observed: Sequence[Observed], pending: Sequence[Inputs]) -> _Tried:
        measured = [one for one in observed if one.measures is not None]
        inputs = tuple(one.inputs for one in measured)
        return _Tried(
            self._points(inputs),
            tuple(one.measures for one in measured if one.measures is not None),
            self._points([one.inputs for one in observed if one.measures is None]),
            self._points(pending),
            inputs,
        )

    def _free(self, observed: Sequence[Observed], pending: Sequence[Inputs]) -> Bools:
        taken = [one.inputs for one in observed if one.measures is not None] + list(pending)
        failed = [one.inputs for one in observed if one.measures is None]
        free = self._without(self._candidates.first.copy(), taken)
        untried = self._without(free.copy(), failed)
        return untried if untried.any() else free

    def _without(self, free: Bools, points: Sequence[Inputs]) -> Bools:
        for point in points:
            free[self._places(point)] = False
        return free

    def _places(self, point: Inputs) -> Sequence[int]:
        """All at which the point is listed."""
        names = self._candidates.columns
        return self._candidates.places.get(tuple(point[name] for name in names), [])

    def _points(self, points: Sequence[Inputs]) -> Coded:
        names = list(self._candidates.columns)
        return self._encoded(columns_of(points, names), len(points))

    def _encoded(self, columns: Mapping[str, Values], count: int) -> Coded:
        return self._sources.told(self._candidates.axes.coded(columns, count))

    def _reason(
        self, beliefs: Mapping[str, Belief], tried: _Tried, one: Chosen, scored: int
    ) -> Reason:
        point = self._coded.take(slice(one.place, one.place + 1))
        first = beliefs[self._problem.objective.measure].ensemble
        related = relation(first, point)
        order = np.argsort(-related, kind="stable")[:NEAREST]
        return Reason(
            expected={measure: belief.expected(point) for measure, belief in beliefs.items()},
            surrogates={measure: belief.ensemble.shared for measure, belief in beliefs.items()},
            log_gain=_finite(one.log_gain),
            log_feasible=_finite(one.log_feasible),
            log_cost=_finite(one.log_cost),
            spending=one.spending,
            nearest=tuple(
                Near(
                    inputs=tried.inputs[place],
                    measures={measure: tried.measures[place][measure] for measure in beliefs},
                    correlation=float(related[place]),
                )
                for place in order
            ),
            doubts=tuple(_doubts(beliefs, tried)),
            scored=scored,
            data_digest=first.evidence.digest,
        )


def _doubts(beliefs: Mapping[str, Belief], tried: _Tried) -> Iterator[Doubt]:
    """What was measured, and is rather an outlier than not."""
    for measure, belief in beliefs.items():
        for place, probability in enumerate(belief.ensemble.doubts.tolist()):
            if probability > RATHER:
                yield Doubt(
                    inputs=tried.inputs[place],
                    measure=measure,
                    value=tried.measures[place][measure],
                    probability=probability,
                )


def _finite(logarithm: float | None) -> float | None:
    """None where something is out of the question: no record holds an infinite number."""
    return None if logarithm is None or not math.isfinite(logarithm) else logarithm


def _digest(beliefs: Mapping[str, Belief]) -> str:
    """Of the draws of all models; of one, its own."""
    parts = [belief.ensemble.digest for belief in beliefs.values()]
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


@cache
def _one_thread() -> ThreadpoolController:
    """Looks once for the libraries whose sums in several threads may differ in the last digit."""
    return ThreadpoolController()
