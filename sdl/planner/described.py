"""Descriptors of options in a process: how far two options are apart by what is known of them.

A process takes a share of the distance of two options from their descriptors, and the rest from
their being two. The share is drawn for each axis, so a table that tells nothing comes to count
little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Axes, Coded, Codes, Floats
from sdl.planner.matern import ROOT, matern

HELD = 0.95
"""Share of the variance of standardised descriptors that the components hold at least, ..."""

MOST = 6
"""... of which there are no more than this."""

CONSTANT = 1e-9
"""A column that varies less than this, in units of its largest value, says nothing."""

OWN = 0.6
"""Spread of the logarithm of the length of an axis beside what all have in common."""

BOUNDS = (-3.0, 5.0)
"""Of the logarithm of a length."""

RELEVANCE = 1.0
"""Spread of the logarithm of what a component counts beside others of its axis."""

SHARE = 1.5
"""Spread of the share before it is brought between 0 and 1: with 1, all shares are equally likely;
the more, the likelier are those near to 0 and to 1."""


def components(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Principal components of a table with a row for each option, equally wide.

    The squares of the distances of the options are 1 on average. Empty if no column varies.
    """
    table = np.array(rows, dtype=float)
    centred = table - table.mean(axis=0)
    spread = np.sqrt(np.mean(centred**2, axis=0))
    varies = spread > CONSTANT * np.abs(table).max(axis=0)
    if not varies.any():
        return ()
    left, sizes, _ = np.linalg.svd(centred[:, varies] / spread[varies], full_matrices=False)
    held = np.cumsum(sizes**2) / np.sum(sizes**2)
    count = min(int(np.searchsorted(held, HELD)) + 1, MOST)
    # The columns of ``left`` are of length one, so squares of distances are 2 count / (n - 1).
    found = left[:, :count] * np.sqrt((len(rows) - 1) / (2.0 * count))
    return tuple(tuple(map(float, row)) for row in found)


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


@dataclass(frozen=True, slots=True)
class Table:
    """The components of all axes that have some, side by side; o options, k components."""

    places: Floats
    """(o, k), 0 of options of other axes."""
    axis_of_component: Codes
    """(k,) places of the axes among those of names."""
    axes: Codes
    """(d,) these, each once, ascending."""
    axis_of_option: Codes
    """(o,) the same of all options."""

    @classmethod
    def of(cls, axes: Axes) -> Table | None:
        """None where no axis has descriptors."""
        which = [at for at, axis in enumerate(axes.names) if axis.components]
        if not which:
            return None
        widths = [len(axes.names[at].components[0]) for at in which]
        axis_of_component = np.repeat(which, widths)
        axis_of_option = axes.axis_of_option
        places = np.zeros((len(axis_of_option), len(axis_of_component)))
        for at in which:
            block = np.ix_(axis_of_option == at, axis_of_component == at)
            places[block] = axes.names[at].components
        return cls(places, axis_of_component, np.array(which), axis_of_option)

    @property
    def size(self) -> int:
        """How many draws say what the descriptors of one process count."""
        return 2 * len(self.axes) + len(self.axis_of_component)


@dataclass(frozen=True, slots=True)
class Described:
    """Of S processes at once, with k components."""

    table: Table
    inverse: Floats
    """(S, k) inverse lengths."""
    share: Floats
    """(S, k) of descriptors in the distance of two options, 0 to 1; one for each axis."""

    def only(self, rows: list[int]) -> Described:
        """Those of some of the processes."""
        return Described(self.table, self.inverse[rows], self.share[rows])

    @property
    def of_options(self) -> Floats:
        """The share by option, (S, o); 0 where there are no descriptors."""
        found = np.zeros((len(self.share), len(self.table.places)))
        for at in self.table.axes:
            first = np.argmax(self.table.axis_of_component == at)
            found[:, self.table.axis_of_option == at] = self.share[:, first, None]
        return found

    def positions(self, points: Coded) -> Floats:
        """Of N points in length scales times the root of 5, (S, N, k)."""
        places = self.table.places[points.code].sum(axis=1)
        return np.asarray(places * (ROOT * self.inverse * np.sqrt(self.share))[:, None, :])

    def alike(self, used: Codes) -> Floats:
        """How much all options have in common with some, (S, o, used), 0 to 1; 1 with itself."""
        axis, parts = self.table.axis_of_option, self.table.axis_of_component
        same = (np.arange(len(axis))[:, None] == used).astype(float)
        found = np.repeat(same[None], len(self.share), axis=0)
        for at in self.table.axes:
            here, there, part = axis == at, axis[used] == at, np.flatnonzero(parts == at)
            places = self.table.places[:, part] * (ROOT * self.inverse[:, None, part])
            apart = places[:, here, None] - places[:, None, used[there]]
            near = matern(np.einsum("sabk,sabk->sab", apart, apart))
            share = self.share[:, part[0], None, None]
            own = same[np.ix_(here, there)]
            found[np.ix_(np.arange(len(found)), here, there)] = own + share * (near - own)
        return found


def described(table: Table, draws: Floats, common: Floats) -> Described:
    """From independent standard normal draws (S, ``table.size``).

    ``common``: (S, 1) logarithm of the length of all axes, to which each adds its own.
    """
    count = len(table.axes)
    share, length, relevance = np.split(draws, [count, 2 * count], axis=1)
    axis = np.searchsorted(table.axes, table.axis_of_component)
    lengths = (common + OWN * length)[:, axis] - RELEVANCE * relevance
    share = ndtr(SHARE * share)[:, axis]
    return Described(table, np.exp(-np.clip(lengths, *BOUNDS)), share)
