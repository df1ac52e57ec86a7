"""How far a process follows its sources: what was measured on something like it, before.

A process with ties is ``scale * (strength * what the sources say + the rest)`` and an offset. The
rest is a process of its own that shrinks where the sources say much, so that the variance is that
of two tasks with a common part (Bonilla, Chai and Williams, Multi-task Gaussian process prediction,
NIPS 2007). What is uncertain in the sources counts at each point, and is not shared by points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sdl.planner.axes import Coded, Floats

OFFSET = 0.5
"""Variance of what this campaign lies above or below its sources, in units of their spread."""

MIDDLE, SPREAD = 1.0, 0.8
"""Of the inverse hyperbolic tangent of the strength: its median is 0.76, one in ten is below 0."""

SCALE = 0.5
"""Spread of the logarithm of the scale, which is 1 in the middle."""

REST = 0.02
"""Least share of the variance that sources leave unexplained."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Of S processes at once, with k sources."""

    strength: Floats
    """(S,) correlation with what the sources say, -1 to 1; 0 of a process that follows none."""
    share: Floats
    """(S, k) of each source in what they say together; sums to one, or to 0 where none is used."""
    scale: Floats
    """(S,) how much this campaign's outputs vary, in units of the spread of the sources, or of
    their own where none is followed: neither kind has more freedom than the other."""
    offset: Floats
    """(S,) variance."""

    def level(self, points: Coded) -> Floats:
        """What is expected at N points before any measurement here, (S, N)."""
        return (self.scale * self.strength)[:, None] * (self.share @ points.told.T)

    def spread(self, points: Coded) -> Floats:
        """What the rest is multiplied with there, (S, N)."""
        explained = self.strength[:, None] ** 2 * (self.share @ points.known.T)
        return np.asarray(self.scale[:, None] * np.sqrt(np.maximum(1.0 - explained, REST)))

    def only(self, rows: list[int]) -> Ties:
        """Those of some of the processes."""
        return Ties(self.strength[rows], self.share[rows], self.scale[rows], self.offset[rows])


def size_of(sources: int) -> int:
    """How many draws make the ties of one process."""
    return 2 + sources if sources else 0


def ties_of(draws: Floats, uses: Floats) -> Ties:
    """From independent standard normal draws (S, ``size_of(k)``).

    ``uses``: (S, k), 1 where a process may use a source, else 0.
    """
    used = uses.any(axis=1)
    share = uses * np.exp(np.clip(1.5 * draws[:, 2:], -6.0, 6.0))
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-300)
    return Ties(
        strength=np.where(used, np.tanh(MIDDLE + SPREAD * draws[:, 0]), 0.0),
        share=share,
        scale=np.exp(SCALE * np.clip(draws[:, 1], -4.0, 4.0)),
        offset=np.where(used, OFFSET, 0.0),
    )
