"""Start points: as far apart as can be, or amid the others where these lie as they come."""

from __future__ import annotations

import numpy as np

from sdl.planner.axes import Bools, Coded, Codes, Floats

START = 3
"""Points before the first model; one less or more gained nothing on measured data sets."""

CROWD = 1000
"""Of a longer list so many points stand for all."""

CLUMPED = 2.5
"""A tenth of the candidates is so much farther from its nearest than half of them."""


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


def are_clumped(candidates: Coded) -> bool:
    """Whether some candidates lie much farther than most from their nearest neighbours.

    So it is where people or planners chose them one by one; in a lattice, or strewn by chance over
    two or more numbers, they do not. In such a list what is far apart is outliers, which tell
    little of the rest.
    """
    crowd = candidates.take(_some(np.arange(len(candidates)), CROWD))
    if len(crowd) < 2:  # noqa: PLR2004 - a single one has no neighbour
        return False
    apart = _apart(crowd)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    return bool(np.quantile(nearest, 0.9) > CLUMPED * np.median(nearest))


def amid(
    candidates: Coded, free: Bools, there: Coded, count: int, chance: np.random.Generator
) -> list[int]:
    """Places of ``count`` free candidates that leave the others as near to one of them as can be.

    Medoids, one after the other. ``free`` and ``there`` as above; the first, if nothing is taken,
    and ties are drawn.
    """
    places = _some(np.flatnonzero(free), max(CROWD, count))
    crowd = candidates.take(places)
    apart = _apart(crowd)
    near = np.full(len(places), np.inf)
    for at in range(len(there)):
        near = np.minimum(near, np.sqrt(_squared(crowd, there.take(slice(at, at + 1)))))
    found: list[int] = []
    left = np.ones(len(places), dtype=bool)
    while left.any() and len(found) < count:
        gain = np.where(left, 0.0, -1.0)
        if np.isfinite(near).all():
            gain[left] = np.maximum(near - apart[left], 0.0).sum(axis=1)
        best = np.flatnonzero(gain >= gain.max() * (1.0 - 1e-9))
        at = int(best[chance.integers(len(best))])
        found.append(int(places[at]))
        left[at] = False
        near = np.minimum(near, apart[at])
    return found


def _some(places: Codes, count: int) -> Codes:
    """So many of them at most, evenly."""
    steps = np.linspace(0, len(places) - 1, min(len(places), count))
    return np.asarray(places[steps.astype(np.int64)])


def _apart(points: Coded) -> Floats:
    """Distances between them, (N, N)."""
    rows = [_squared(points, points.take(slice(at, at + 1))) for at in range(len(points))]
    return np.sqrt(np.array(rows))


def _squared(points: Coded, one: Coded) -> Floats:
    """Squared distances; levels half by value and half by rank, two names one apart."""
    place = 0.5 * (points.value + points.rank - one.value - one.rank)
    return np.asarray((place**2).sum(axis=1) + (points.code != one.code).sum(axis=1))
