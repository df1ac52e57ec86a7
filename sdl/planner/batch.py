"""Which candidates to measure next, one after the other, with others still under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdl.model.data import Inputs
from sdl.model.reason import Spending
from sdl.planner.acquisition import Acquisition
from sdl.planner.axes import Bools, Coded, Codes, Floats, joined
from sdl.planner.ensemble import Ensemble
from sdl.planner.process import kernel, variance
from sdl.planner.spending import Prices

AT_ONCE = 4_000_000
"""Covariances that all processes may be asked for; beyond, one process looks through the list."""

SHORT = 500
"""Candidates that are then left for all of them, or twenty for each that is wanted."""

BLOCK = 1024
"""Candidates of one sweep, which bounds the memory and stays within the caches."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A candidate and its share of the acquisition."""

    place: int
    log_gain: float
    """Of the gain that is expected there, in units of the models' outputs; of a chance, itself."""
    log_feasible: float
    log_cost: float | None
    spending: Spending | None


def chosen(
    acquisition: Acquisition,
    candidates: Coded,
    free: Bools,
    pending: Coded,
    count: int,
    prices: Prices | None = None,
    last: Inputs | None = None,
) -> Iterator[Chosen]:
    """Up to ``count`` free candidates, best first, each as if those before it were pending.

    ``free``: (N,), at least one of them. The first of equal candidates is taken. ``last``: the run
    after which the first of them comes.
    """
    places = np.flatnonzero(free)
    if len(places) * acquisition.effort > AT_ONCE:
        cost, may = _log_cost(prices, last, len(candidates)), free
        if prices is not None:
            may = prices.in_stock(free)
        places = _short_list(acquisition, candidates, places, cost, max(SHORT, 20 * count), may)
    points = joined([candidates.take(places), pending])
    prices = prices and prices.take(places)
    outlook = acquisition.over(points, len(pending) + count)
    for place in range(len(places), len(points)):
        outlook.add(place)
    left = np.arange(len(points)) < len(places)
    top = None
    for _ in range(min(count, len(places))):
        gains, feasible = outlook.log_gain(), outlook.log_feasible()
        top = outlook.tops(gains, left) if top is None else top
        gain, cost = outlook.mixed(gains, top), _log_cost(prices, last, len(points))
        may = left.copy()
        if prices is not None:
            may[: len(places)] = prices.in_stock(left[: len(places)])
        at = int(np.argmax(np.where(may, gain + feasible - cost, -np.inf)))
        price = spending = None
        if prices is not None:
            price, spending = float(cost[at]), prices.spending(at, last, left[: len(places)])
        expected = outlook.log_expected(gains, at)
        yield Chosen(int(places[at]), expected, float(feasible[at]), price, spending)
        left[at] = False
        outlook.add(at)
        if prices is not None:
            last, prices = prices.point(at), prices.spent(at)


def _log_cost(prices: Prices | None, last: Inputs | None, count: int) -> Floats:
    """Logarithm of costs; those of points that are no candidates, at the end, are 0."""
    found = np.zeros(count)
    if prices is not None:
        found[: len(prices.each)] = prices.log_after(last)
    return found


def _short_list(
    acquisition: Acquisition,
    candidates: Coded,
    places: Codes,
    cost: Floats,
    size: int,
    may: Bools | None = None,
) -> Codes:
    """The candidates that look best to one process of the kind with the largest weight.

    ``may``: (N,) those that come before all others; where there are none, all are alike.
    """
    scouting = acquisition.scouting()
    worth = np.empty(len(places))
    for start in range(0, len(places), BLOCK):
        block = slice(start, start + BLOCK)
        outlook = scouting.over(candidates.take(places[block]), 0)
        worth[block] = outlook.log_gain()[0] + outlook.log_feasible() - cost[places[block]]
    later = np.zeros(len(places)) if may is None else ~may[places]
    order = np.lexsort((-worth, later))[:size]
    return np.asarray(places[np.sort(order)])


def promising(acquisition: Acquisition, candidates: Coded, free: Bools, size: int) -> Codes:
    """Places of the free candidates that are worth most by what is known now, ascending."""
    places = np.flatnonzero(free)
    if len(places) * acquisition.effort > AT_ONCE:
        nothing = np.zeros(len(candidates))
        places = _short_list(acquisition, candidates, places, nothing, max(SHORT, 5 * size))
    outlook = acquisition.over(candidates.take(places), 0)
    gains = outlook.log_gain()
    worth = outlook.mixed(gains, outlook.tops(gains, np.ones(len(places), dtype=bool)))
    order = np.argsort(-worth - outlook.log_feasible(), kind="stable")[:size]
    return np.asarray(places[np.sort(order)])


def relation(ensemble: Ensemble, point: Coded) -> Floats:
    """Correlations (n,) of a point with those that were measured, 0 to 1."""
    hyper = ensemble.processes.hyper.untied
    found = kernel(hyper, point, ensemble.evidence.points)[:, 0]
    return np.asarray(np.average(found / variance(hyper, point), axis=0, weights=ensemble.shares))
