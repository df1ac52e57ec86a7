"""Descriptors of options in a process: how far two options are apart by what is known of them.

A process takes a share of the distance of two options from their descriptors, and the rest from
their being two. The share is drawn for each axis, so a table that tells nothing comes to count
little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Axes, Coded, Codes, Floats
from sdl.planner.matern import ROOT, matern

OWN = 0.6
"""Spread of the logarithm of the length of an axis beside what all have in common."""

BOUNDS = (-3.0, 5.0)
"""Of the logarithm of a length."""

RELEVANCE = 1.0
"""Spread of the logarithm of what a component counts beside others of its axis."""

SHARE = 1.5
"""Spread of the share before it is brought between 0 and 1: with 1, all shares are equally likely;
the more, the likelier are those near to 0 and to 1."""


@dataclass(frozen=True, slots=True)
class Table:
    """The components of the d axes that have some; o options of all axes, k components."""

    places: Floats
    """(o, k), 0 of options of other axes."""
    blocks: tuple[tuple[slice, slice], ...]
    """Of each of the d axes the options and the components."""
    block: Codes
    """(k,) to which of the axes a component belongs."""

    @classmethod
    def of(cls, axes: Axes) -> Table | None:
        """None where no axis has descriptors."""
        blocks, first, held = [], 0, 0
        for axis in axes.names:
            last = first + len(axis.options)
            if axis.components:
                width = len(axis.components[0])
                blocks.append((slice(first, last), slice(held, held + width)))
                held += width
            first = last
        if not blocks:
            return None
        places = np.zeros((first, held))
        said = [axis.components for axis in axes.names if axis.components]
        for (options, parts), components_of_axis in zip(blocks, said, strict=True):
            places[options, parts] = components_of_axis
        widths = [parts.stop - parts.start for _, parts in blocks]
        return cls(places, tuple(blocks), np.repeat(np.arange(len(blocks)), widths))

    @property
    def size(self) -> int:
        """How many draws say what the descriptors of one process count."""
        return 2 * len(self.blocks) + len(self.block)


@dataclass(frozen=True, slots=True)
class Described:
    """Of S processes at once, with d axes that have k components."""

    table: Table
    inverse: Floats
    """(S, k) inverse lengths."""
    share: Floats
    """(S, d) of descriptors in how far two options are apart, 0 to 1."""

    def only(self, rows: list[int]) -> Described:
        """Those of some of the processes."""
        return Described(self.table, self.inverse[rows], self.share[rows])

    @property
    def of_options(self) -> Floats:
        """The share by option, (S, o); 0 where there are no descriptors."""
        found = np.zeros((len(self.share), len(self.table.places)))
        for at, (options, _) in enumerate(self.table.blocks):
            found[:, options] = self.share[:, at, None]
        return found

    def positions(self, points: Coded) -> Floats:
        """Of N points in length scales times the root of 5, (S, N, k)."""
        places = self.table.places[points.code].sum(axis=1)
        scale = ROOT * self.inverse * np.sqrt(self.share)[:, self.table.block]
        return np.asarray(places * scale[:, None, :])

    def alike(self, these: Codes, those: Codes) -> Floats:
        """What options have in common with others, (S, these, those), 0 to 1; 1 with itself.

        Both: columns of the one-hot table, ascending.
        """
        same = (these[:, None] == those).astype(float)
        found = np.repeat(same[None], len(self.share), axis=0)
        for at, (options, parts) in enumerate(self.table.blocks):
            ends = (options.start, options.stop)
            rows, columns = (slice(*np.searchsorted(which, ends)) for which in (these, those))
            places = self.table.places[:, parts] * (ROOT * self.inverse[:, None, parts])
            near = matern(_squared(places[:, these[rows]], places[:, those[columns]]))
            own = same[rows, columns]
            found[:, rows, columns] += self.share[:, at, None, None] * (near - own)
        return found


def _squared(one: Floats, two: Floats) -> Floats:
    """Squared distances, (S, a, b)."""
    sizes = (one**2).sum(axis=2)[:, :, None] + (two**2).sum(axis=2)[:, None, :]
    return np.asarray(sizes - 2.0 * one @ two.transpose(0, 2, 1))


def described(table: Table, draws: Floats, common: Floats) -> Described:
    """From independent standard normal draws (S, ``table.size``).

    ``common``: (S, 1) logarithm of the length of all axes, to which each adds its own.
    """
    count = len(table.blocks)
    share, length, relevance = np.split(draws, [count, 2 * count], axis=1)
    lengths = (common + OWN * length)[:, table.block] - RELEVANCE * relevance
    return Described(table, np.exp(-np.clip(lengths, *BOUNDS)), ndtr(SHARE * share))
