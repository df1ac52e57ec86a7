"""Start points: as far apart as can be."""

from __future__ import annotations

import numpy as np

from sdl.planner.axes import Bools, Coded, Floats

START = 3
"""Points before the first model; one less or more gained nothing on measured data sets."""


def far_points(
    candidates: Coded, free: Bools, there: Coded, count: int, chance: np.random.Generator
) -> list[int]:
    """Places of ``count`` free candidates, each as far as can be from all before it.

    ``free``: (N,) whether a candidate may be proposed; ``there``: points that count as taken. The
    first, if nothing is taken, and ties are drawn.
    """
    near = np.where(free, np.inf, -1.0)
    for place in range(len(there)):
        near = np.minimum(near, _squared(candidates, there.take(slice(place, place + 1))))
    found: list[int] = []
    while len(found) < count and near.max() >= 0.0:
        best = np.flatnonzero(near >= near.max() - 1e-12)
        place = int(best[chance.integers(len(best))])
        found.append(place)
        near = np.minimum(near, _squared(candidates, candidates.take(slice(place, place + 1))))
        near[place] = -1.0
    return found


def _squared(points: Coded, one: Coded) -> Floats:
    """Squared distances; levels half by value and half by rank, two names one apart."""
    place = 0.5 * (points.value + points.rank - one.value - one.rank)
    return np.asarray((place**2).sum(axis=1) + (points.code != one.code).sum(axis=1))
