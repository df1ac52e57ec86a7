"""Outputs of this campaign and of its sources on one scale, which its own measurements do not move.

What is measured under the guidance of a source lies close together. Standardised by itself it would
seem to vary as much as the whole source does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sdl.planner.axes import Floats
from sdl.planner.outputs import Back, Shape


@dataclass(frozen=True, slots=True)
class Scale:
    """A monotone way from values to outputs, fixed by the values of the sources."""

    back: Back

    @classmethod
    def of_sources(cls, values: Floats, *, target: bool, plain: bool = False) -> Scale:
        """From the values of all sources together; with a target, zero stays zero.

        ``plain``: ranks have no part in it.
        """
        if target:
            size = float(np.sqrt(np.mean(values**2))) or 1.0
            return cls(replace(Back.of(values / size, values), slope=size))
        return cls(Back.of((Shape(rank=0.0) if plain else Shape()).of(values), values))

    def of(self, values: Floats) -> Floats:
        """Outputs of the values, straight between and beyond those of the sources."""
        known = self.back.values
        within = np.interp(values, known, self.back.outputs)
        beyond = np.maximum(values - known[-1], 0.0) + np.minimum(values - known[0], 0.0)
        return np.asarray(within + beyond / (self.back.slope or 1.0))
