"""What one more measurement by a source would tell of a point of this campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdl.planner.acquisition import Acquisition
from sdl.planner.axes import Coded
from sdl.planner.ties import REST


@dataclass(frozen=True, slots=True)
class Told:
    """Of one source."""

    share: float
    """Squared correlation of its measurement at the point with the value here, given what is known
    of both; 0 to 1. That it is noisy itself is left out."""
    weight: float
    """Of the kinds of process that follow it, by leave-one-out; 0 to 1."""


def telling(names: Sequence[str], acquisition: Acquisition, point: Coded) -> dict[str, Told]:
    """Of each source at one point, by the processes of the first measure.

    With a tie, what is not known of the value before any measurement here is one part that the
    sources would know, had they measured there, and a rest of its own.
    """
    ensemble, weights = acquisition.goal.ensembles[0], acquisition.weights
    ties = ensemble.processes.hyper.ties
    if ties is None:
        return {}
    common = ties.strength[:, None] ** 2 * ties.share
    unknown = np.maximum(1.0 - common @ point.known[0], REST)
    told = common * (1.0 - point.known[0]) / unknown[:, None]
    draws = len(told) // len(weights)
    # Columns stand by measure, and within each by source.
    shares = (np.repeat(weights / draws, draws) @ told).reshape(-1, len(names)).sum(axis=0)
    found = {}
    for place, name in enumerate(names):
        follows = [
            weight
            for weight, kind in zip(weights, ensemble.kinds, strict=True)
            if any(column % len(names) == place for column in kind.sources)
        ]
        share = min(float(shares[place]), 1.0)
        found[name] = Told(share=share, weight=float(sum(follows)))
    return found
