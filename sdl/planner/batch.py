"""Which candidates to measure next, one after the other, with others still under way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Bools, Coded, Codes, Floats
from sdl.planner.ensemble import Ensemble
from sdl.planner.process import VARIANCE, Conditioning, Processes, kernel

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
    ensemble: Ensemble,
    candidates: Coded,
    free: Bools,
    pending: Coded,
    failed: Coded,
    count: int,
) -> Iterator[Chosen]:
    """Up to ``count`` free candidates, best first, each as if those before it were pending.

    ``free``: (N,), at least one of them. The first of equal candidates is taken.
    """
    places = np.flatnonzero(free)
    if len(places) * len(ensemble.evidence.values) * ensemble.processes.count > AT_ONCE:
        places = _short_list(ensemble, candidates, places, max(SHORT, 20 * count))
    points = joined([candidates.take(places), pending])
    which, best = ensemble.best()
    state = Conditioning(ensemble.processes, points, len(pending) + count, which)
    feasible = log_feasible(ensemble.processes, points, failed)
    for place in range(len(places), len(points)):
        state.add(place)
        best = ensemble.better(best, state.mean[:, [place]])
    left = np.arange(len(points)) < len(places)
    top = None
    for _ in range(min(count, len(places))):
        gains = ensemble.log_gain(state, best)
        top = ensemble.tops(gains, left) if top is None else top
        gain = ensemble.mixed(gains, top)
        at = int(np.argmax(np.where(left, gain + feasible, -np.inf)))
        yield Chosen(int(places[at]), float(gain[at]), float(feasible[at]))
        left[at] = False
        state.add(at)
        best = ensemble.better(best, state.mean[:, [at]])


def joined(parts: Sequence[Coded]) -> Coded:
    """Several lists of points as one."""
    return Coded(
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.rank for part in parts]),
        np.concatenate([part.code for part in parts]),
        np.concatenate([part.told for part in parts]),
        np.concatenate([part.known for part in parts]),
    )


def _short_list(ensemble: Ensemble, candidates: Coded, places: Codes, size: int) -> Codes:
    """The candidates that look best to one process of the kind with the largest weight."""
    which, best = ensemble.best([ensemble.scout])
    scout = ensemble.processes.only([ensemble.scout])
    gains = np.empty(len(places))
    for start in range(0, len(places), BLOCK):
        block = slice(start, start + BLOCK)
        state = Conditioning(scout, candidates.take(places[block]), 0, which)
        gains[block] = ensemble.log_gain(state, best)[0]
    order = np.argsort(-gains, kind="stable")[:size]
    return np.asarray(places[np.sort(order)])


def log_feasible(processes: Processes, points: Coded, failed: Coded) -> Floats:
    """Logarithm of the probability that a run does not fail, (N,); 0 where none failed yet.

    The same processes classify by least squares: a measured point is 1, a failed one -1, and one
    of which nothing is known is 1 as well.
    """
    if not len(failed):
        return np.zeros(len(points))
    seen = joined([processes.points, failed])
    label = np.zeros((processes.count, len(seen)))
    label[:, len(processes.points) :] = -2.0
    judge = Processes(processes.hyper.untied, seen, label)
    mean, variance = judge.posterior(points)
    sure = (1.0 + mean) / np.sqrt(variance + processes.hyper.noise[:, None])
    return np.asarray(log_ndtr(sure).mean(axis=0))


def relation(ensemble: Ensemble, point: Coded) -> Floats:
    """Correlations (n,) of a point with those that were measured, 0 to 1."""
    found = kernel(ensemble.processes.hyper.untied, point, ensemble.evidence.points)[:, 0]
    return np.asarray(np.average(found / VARIANCE, axis=0, weights=ensemble.shares))
