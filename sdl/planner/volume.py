"""What lies above a reference point and is not dominated by a front, in boxes or in nodes.

Coordinates are worths: more is better in each of k of them.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from sdl.planner.axes import Bools, Floats

NODES = 256
"""Common random points by which more than three objectives are integrated."""


def undominated(points: Floats) -> Bools:
    """Which of the points (n, k) no other one dominates; of equal ones the first."""
    at_least = (points[:, None] <= points[None]).all(axis=2)
    more = (points[:, None] < points[None]).any(axis=2)
    before = np.tri(len(points), k=-1, dtype=bool)
    return np.asarray(~(at_least & (more | before)).any(axis=1))


def boxes(front: Floats, reference: Floats) -> Floats:
    """Boxes that fill what the front (n, k) leaves over, (B, k, 2): lower and upper ends.

    They overlap in no volume, and the last ones have no upper end. Exact, by slabs of the last
    coordinate in which the front is one of a coordinate less: about n ** (k - 1) / (k - 1)! boxes.
    """
    above = front[(front > reference).all(axis=1)]
    if len(reference) == 1:
        low = above.max() if len(above) else reference[0]
        return np.array([[[low, np.inf]]])
    ends = np.concatenate([reference[-1:], np.unique(above[:, -1]), [np.inf]])
    found = []
    for low, high in itertools.pairwise(ends):
        below = boxes(above[above[:, -1] >= high, :-1], reference[:-1])
        slab = np.broadcast_to([low, high], (len(below), 1, 2))
        found.append(np.concatenate([below, slab], axis=1))
    return np.concatenate(found)


def nodes(front: Floats, reference: Floats, top: Floats) -> Floats:
    """What the front leaves over of a fixed even cover of ``reference`` to ``top``, (Q, k)."""
    found = reference + (top - reference) * _cover(len(reference))
    beaten = np.array([(one <= front).all(axis=1).any() for one in found], dtype=bool)
    return np.asarray(found[~beaten])


@cache
def _cover(count: int) -> Floats:
    # As in `candidates`: it takes a second to load.
    from scipy.stats import qmc  # type: ignore[import-untyped]

    return np.asarray(qmc.Sobol(d=count, scramble=True, rng=0).random(NODES))
