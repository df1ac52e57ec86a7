"""What a value of one objective is worth beside others, as models see it: more is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import log_ndtr  # type: ignore[import-untyped]

from sdl.planner.axes import Floats
from sdl.planner.improvement import NEVER, log_approach, log_between, log_improvement

_NEARLY = 1e-9


class Worth(Protocol):
    """A way from outputs to what they are worth; outputs at a point are normal."""

    def of(self, outputs: Floats) -> Floats:
        """Elementwise."""
        ...

    def log_excess(self, mean: Floats, sd: Floats, least: Floats) -> Floats:
        """Logarithm of E[max(worth - least, 0)], elementwise."""
        ...

    def log_exceeds(self, mean: Floats, sd: Floats, least: Floats) -> Floats:
        """Logarithm of the probability of a worth of at least that, elementwise."""
        ...


@dataclass(frozen=True, slots=True)
class Rising:
    """The more the better."""

    def of(self, outputs: Floats) -> Floats:
        """The outputs themselves."""
        return outputs

    def log_excess(self, mean: Floats, sd: Floats, least: Floats) -> Floats:
        """The expected improvement."""
        return log_improvement(mean, sd, least)

    def log_exceeds(self, mean: Floats, sd: Floats, least: Floats) -> Floats:
        """One tail."""
        return np.asarray(log_ndtr((mean - least) / sd))


@dataclass(frozen=True, slots=True)
class Within:
    """The less outside of ``-half`` to ``half`` the better; within them 0."""

    half: float

    def of(self, outputs: Floats) -> Floats:
        """Distance to what is wanted, as a loss."""
        return np.asarray(-np.maximum(np.abs(outputs) - self.half, 0.0))

    def log_excess(self, mean: Floats, sd: Floats, least: Floats) -> Floats:
        """The expected approach; nothing is worth more than 0."""
        reach = np.maximum(-least, _NEARLY)
        found = log_approach(mean, sd, reach, np.asarray(self.half))
        return np.where(least < 0.0, found, NEVER)

    def log_exceeds(self, mean: Floats, sd: Floats, least: Floats) -> Floats:
        """What lies between two ends."""
        out = self.half - np.minimum(least, 0.0)
        return np.where(least <= 0.0, log_between(mean, sd, -out, out), NEVER)
