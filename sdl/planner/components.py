"""A table of descriptors as the places of options: few numbers for each, of equal weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sdl.planner.axes import Axes, Floats

HELD = 0.95
"""Share of the variance of standardised descriptors that the components hold at least, ..."""

MOST = 6
"""... of which there are no more than this."""

TURNS = 200
"""Steps in which they are turned, at most."""

CONSTANT = 1e-9
"""A column that varies less than this, in units of its largest value, says nothing."""


def components(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Principal components of a table with a row for each option, turned and equally wide.

    The squares of the distances of the options are 1 on average. Empty if no column varies.
    """
    table = np.array(rows, dtype=float)
    centred = table - table.mean(axis=0)
    spread = np.sqrt(np.mean(centred**2, axis=0))
    varies = spread > CONSTANT * np.abs(table).max(axis=0)
    if not varies.any():
        return ()
    left, sizes, right = np.linalg.svd(centred[:, varies] / spread[varies], full_matrices=False)
    held = np.cumsum(sizes**2) / np.sum(sizes**2)
    count = min(int(np.searchsorted(held, HELD)) + 1, MOST)
    found = (left[:, :count] * sizes[:count]) @ _turn(right[:count].T)
    # Columns of length one, so that squares of distances are 2 count / (n - 1).
    found *= np.sqrt((len(rows) - 1) / (2.0 * count)) / np.linalg.norm(found, axis=0)
    return tuple(tuple(map(float, row)) for row in found)


def _turn(loadings: Floats) -> Floats:
    """The rotation after which each component stands for few descriptors, (k, k).

    Kaiser, The varimax criterion for analytic rotation in factor analysis, Psychometrika 1958.
    Descriptors that have nothing to do with what is measured then have components of their own.
    """
    found, before = np.eye(loadings.shape[1]), 0.0
    for _ in range(TURNS):
        turned = loadings @ found
        slope = turned**3 - turned * np.mean(turned**2, axis=0)
        left, sizes, right = np.linalg.svd(loadings.T @ slope)
        found = left @ right
        if sizes.sum() <= before * (1.0 + 1e-9):
            break
        before = sizes.sum()
    return np.asarray(found)


def with_descriptors(axes: Axes, said: Mapping[str, Mapping[str, Sequence[float]]]) -> Axes:
    """The axes with what is said of their options. KeyError if nothing is said of one of them.

    ``said``: by axis and option, numbers that are as many for all options of an axis.
    """
    names = tuple(
        replace(axis, components=components([said[axis.name][one] for one in axis.options]))
        if axis.name in said
        else axis
        for axis in axes.names
    )
    return Axes(axes.numbers, names)
