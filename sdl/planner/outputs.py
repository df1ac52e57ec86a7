"""Measured values as models see them: more is better, centred, of spread one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri  # type: ignore[import-untyped]

from sdl.planner.axes import Floats


@dataclass(frozen=True, slots=True)
class Shape:
    """A monotone way from values to outputs."""

    rank: float = 0.5
    """Share of the normal score of the rank, 0 to 1; the rest is the standardised value's."""
    lower: float = 1.0
    """By what the part below the median is shrunk; what is bad need not be told apart well."""

    def of(self, values: Floats) -> Floats:
        """Outputs of the values (n,), of which more is better. All zero if all are equal."""
        found = (1.0 - self.rank) * _standard(values) + self.rank * _scores(values)
        found -= np.median(found)
        return _standard(np.where(found < 0.0, self.lower * found, found))


def _standard(values: Floats) -> Floats:
    spread = values.std()
    if spread <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return np.zeros(len(values))
    return np.asarray((values - values.mean()) / spread)


def _scores(values: Floats) -> Floats:
    """Normal scores of the ranks; equal values share their rank."""
    # In place of scipy.stats.rankdata, which takes a second to load.
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - 0.5 * (counts - 1))[which]
    return _standard(ndtri((ranks - 0.5) / len(values)))


@dataclass(frozen=True, slots=True)
class Back:
    """The way back from outputs to values, straight between and beyond what was measured."""

    outputs: Floats
    values: Floats
    """Both ascending, without repeats."""
    slope: float
    """Of values against outputs beyond both ends."""

    @classmethod
    def of(cls, outputs: Floats, values: Floats) -> Back:
        """From the outputs (n,) that values (n,) became."""
        steps, first = np.unique(outputs, return_index=True)
        return cls(steps, values[first], float(values.std()))

    def value(self, outputs: Floats) -> Floats:
        """Values, in the measure's own unit, that the outputs stand for."""
        low, high = self.outputs[0], self.outputs[-1]
        within = np.interp(outputs, self.outputs, self.values)
        beyond = np.maximum(outputs - high, 0.0) + np.minimum(outputs - low, 0.0)
        return np.asarray(within + self.slope * beyond)

    def output(self, value: float) -> float:
        """The other way: what a value becomes. One spread away where all were the same."""
        low, high = self.values[0], self.values[-1]
        beyond = max(value - high, 0.0) + min(value - low, 0.0)
        away = beyond / self.slope if self.slope else np.sign(beyond)
        return float(np.interp(value, self.values, self.outputs) + away)
