"""Which candidates to measure next, one after the other, with others still under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdl.planner.acquisition import Acquisition
from sdl.planner.axes import Bools, Coded, Codes, Floats, joined
from sdl.planner.ensemble import Ensemble
from sdl.planner.process import VARIANCE, kernel

AT_ONCE = 4_000_000
"""Covariances that all processes may be asked for; beyond, one process looks through the list."""

SHORT = 500
"""Candidates that are then left for all of them, or twenty for each that is wanted."""

BLOCK = 2048
"""Candidates of one sweep, which bounds the memory and stays within the caches."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A candidate and its share of the acquisition."""

    place: int
    log_gain: float
    log_feasible: float


def chosen(
    acquisition: Acquisition, candidates: Coded, free: Bools, pending: Coded, count: int
) -> Iterator[Chosen]:
    """Up to ``count`` free candidates, best first, each as if those before it were pending.

    ``free``: (N,), at least one of them. The first of equal candidates is taken.
    """
    places = np.flatnonzero(free)
    if len(places) * acquisition.effort > AT_ONCE:
        places = _short_list(acquisition, candidates, places, max(SHORT, 20 * count))
    points = joined([candidates.take(places), pending])
    standing = acquisition.goal.over(points, len(pending) + count)
    feasible = acquisition.log_feasible(points)
    for place in range(len(places), len(points)):
        standing.add(place)
    left = np.arange(len(points)) < len(places)
    top = None
    for _ in range(min(count, len(places))):
        gains = standing.log_gain()
        top = acquisition.tops(gains, left) if top is None else top
        gain = acquisition.mixed(gains, top)
        at = int(np.argmax(np.where(left, gain + feasible, -np.inf)))
        yield Chosen(int(places[at]), float(gain[at]), float(feasible[at]))
        left[at] = False
        standing.add(at)


def _short_list(acquisition: Acquisition, candidates: Coded, places: Codes, size: int) -> Codes:
    """The candidates that look best to one process of the kind with the largest weight."""
    scouted = acquisition.goal.only([acquisition.scout])
    gains = np.empty(len(places))
    for start in range(0, len(places), BLOCK):
        block = slice(start, start + BLOCK)
        gains[block] = scouted.over(candidates.take(places[block]), 0).log_gain()[0]
    order = np.argsort(-gains, kind="stable")[:size]
    return np.asarray(places[np.sort(order)])


def relation(ensemble: Ensemble, point: Coded) -> Floats:
    """Correlations (n,) of a point with those that were measured, 0 to 1."""
    found = kernel(ensemble.processes.hyper.untied, point, ensemble.evidence.points)[:, 0]
    return np.asarray(np.average(found / VARIANCE, axis=0, weights=ensemble.shares))
