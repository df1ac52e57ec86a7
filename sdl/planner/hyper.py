"""Hyperparameters of the processes: what is drawn, from which prior, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Axes, Floats
from sdl.planner.described import Described, Table, described
from sdl.planner.ties import Ties

NUMBER = 0.28
NAME = 0.5
"""Median length scales of numbers and of names, times the root of the number of inputs.

The former has the median of the Gamma(3) prior that BayBE uses; two different names are one unit
apart.
"""

SHARED, OWN = 0.6, 0.6
"""Spread of the logarithm of lengths: what all have in common, and what each axis adds."""

OPTION = 0.2
"""Median spread of the logarithm of lengths among the options of an axis.

It is drawn over a wide range, so what is measured decides how far options differ: a few may be
unlike all others, or all may be equally far from each other.
"""

NOISE = 0.1
"""Median standard deviation of the noise, in units of the spread of the outputs."""

FLOOR = 1e-4
"""Least variance of the noise, which also keeps the matrices well-conditioned."""

LEAST, MOST = -3.0, 4.0
"""Bounds of the logarithm of a length."""


@dataclass(frozen=True, slots=True)
class Hyper:
    """Of S processes at once; q numeric axes, c axes of names with o options in all."""

    number: Floats
    """(S, q) inverse lengths."""
    option: Floats
    """(S, o) squared inverse lengths; two options are the sum of theirs apart."""
    warp: Floats
    """(S, q) where between value (0) and rank (1) a level lies."""
    blend: Floats
    """(S,) share of the main effects of names, 0 to 1; the rest is the product kernel's."""
    effect: Floats
    """(S, o) share of the axis of each option in the main effects; an axis counts once."""
    noise: Floats
    """(S,) variance."""
    ties: Ties | None = None
    """To sources; None where there are none."""
    described: Described | None = None
    """By descriptors of options; None where no axis has any."""

    def only(self, rows: list[int]) -> Hyper:
        """Those of some of the processes."""
        return Hyper(
            number=self.number[rows],
            option=self.option[rows],
            warp=self.warp[rows],
            blend=self.blend[rows],
            effect=self.effect[rows],
            noise=self.noise[rows],
            ties=None if self.ties is None else self.ties.only(rows),
            described=None if self.described is None else self.described.only(rows),
        )

    @property
    def untied(self) -> Hyper:
        """The same without sources, for what these say nothing of."""
        return replace(self, ties=None)


@dataclass(frozen=True)
class Prior:
    """Turns independent standard normal draws into hyperparameters."""

    axes: Axes

    @cached_property
    def size(self) -> int:
        """How many draws make one set of hyperparameters."""
        return self._plain + (0 if self._table is None else self._table.size)

    @cached_property
    def _plain(self) -> int:
        """Without those of descriptors."""
        axes = self.axes
        return 4 + 2 * len(axes.numbers) + 2 * len(axes.names) + len(axes.axis_of_option)

    @cached_property
    def _table(self) -> Table | None:
        return Table.of(self.axes)

    def hyper(self, draws: Floats) -> Hyper:
        """Hyperparameters of (S, size) draws."""
        numbers, names = len(self.axes.numbers), len(self.axes.names)
        cuts = np.cumsum([1, 1, 1, 1, numbers, numbers, names, names])
        shared, spread, blend, noise, far, warp, length, effect, each = np.split(
            draws[:, : self._plain], cuts, axis=1
        )
        root = np.sqrt(self.axes.size)
        lengths = np.log(NUMBER * root) + SHARED * shared + OWN * far
        axis = self.axes.axis_of_option
        spreads = OPTION * np.exp(spread)
        options = (np.log(NAME * root) + SHARED * shared + OWN * length)[:, axis] + spreads * each
        share = np.exp(np.clip(effect, -4.0, 4.0))
        share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
        option = 0.5 * np.exp(-2.0 * np.clip(options, LEAST, MOST))
        by = None
        if self._table is not None:
            common = np.log(NAME * root) + SHARED * shared
            by = described(self._table, draws[:, self._plain :], common)
            option *= 1.0 - by.of_options
        return Hyper(
            number=np.exp(-np.clip(lengths, LEAST, MOST)),
            option=option,
            warp=ndtr(warp),
            blend=ndtr(1.5 * blend[:, 0]) * (names > 0),
            effect=share[:, axis],
            noise=(NOISE * np.exp(np.clip(noise[:, 0], -4.0, 2.5))) ** 2 + FLOOR,
            described=by,
        )
