"""Outliers: which measurements a process takes for one, and so learns little from.

Noise of an outlier has a far larger variance than that of the others, and any measurement may be
one, with a small probability. Which are is drawn along with the hyperparameters, given these and
all other measurements, from the odds that follow in closed form from how far it lies off what they
say of it. See Box and Tiao, A Bayesian approach to some outlier problems, Biometrika 55 (1968).
"""

from __future__ import annotations

import numpy as np

from sdl.planner.axes import Bools, Floats
from sdl.planner.process import Processes

SHARE = 0.03
"""Of all measurements that are outliers, before any is seen."""

VARIANCE = 4.0
"""That their noise has more, in outputs, whose spread is one."""

LEAST = 5
"""Measurements with fewer of which there is none that the others speak against."""

SWEEPS, LOOKED_AT = 2, 0.5
"""Looks with each new measurement, and the share of all that one looks at: of two measurements
beside each other that contradict each other, a look at both would take both for outliers."""


def extra(outliers: Bools) -> Floats:
    """What noise has more at these measurements, (S, n)."""
    return np.where(outliers, VARIANCE, 0.0)


def drawn(processes: Processes, outliers: Bools, chance: np.random.Generator) -> Bools:
    """Which of the measurements (S, n) are outliers now. ``outliers``: which were up to now."""
    for _ in range(SWEEPS if outliers.shape[1] >= LEAST else 0):
        found = chance.random(outliers.shape) < _probability(processes.allowing(extra(outliers)))
        outliers = np.where(chance.random(outliers.shape) < LOOKED_AT, found, outliers)
    return outliers


def _probability(processes: Processes) -> Floats:
    """Of being an outlier, of each measurement, given all others, (S, n)."""
    plain, wide = _densities(processes)
    return np.asarray(np.exp(wide - np.logaddexp(plain, wide)))


def _densities(processes: Processes) -> tuple[Floats, Floats]:
    """Logarithms of the joint densities of each output, and of its being sound, or an outlier."""
    off, variance = processes.left_out
    return (
        np.log1p(-SHARE) - 0.5 * (off**2 / variance + np.log(2.0 * np.pi * variance)),
        np.log(SHARE)
        - 0.5 * (off**2 / (variance + VARIANCE) + np.log(2.0 * np.pi * (variance + VARIANCE))),
    )
