"""Two planners on the same sets and seeds: how many times fewer experiments, and is it chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr  # type: ignore[import-untyped]

from planner_figures import Figures, geometric_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """A planner against another one, over the campaigns that both have played.

    ``ratios``: mean experiments of the other over those of the planner, set by set. ``ratio``:
    the geometric mean of these; above 1 the planner needs fewer. ``p``: one-sided, that the
    pooled log-ratio of paired campaigns is above 0 by chance; nan with less than two pairs a set.
    """

    pairs: int
    ratios: dict[str, float]
    ratio: float
    p: float

    @property
    def worst(self) -> str:
        """The set on which the planner fares worst against the other."""
        return min(self.ratios, key=lambda name: self.ratios[name])


def paired(ours: Mapping[str, Figures], theirs: Mapping[str, Figures]) -> Paired | None:
    """Compare them set by set; None if they share no campaign.

    Each set has the same weight, however many seeds it has: the pooled log-ratio is the mean over
    sets of the mean over seeds, its variance is put together from those within the sets.
    """
    ratios: dict[str, float] = {}
    logs: list[list[float]] = []
    for name in ours:
        if name not in theirs:
            continue
        mine, other = ours[name].top.firsts, theirs[name].top.firsts
        seeds = sorted(mine.keys() & other.keys())
        if seeds:
            ratios[name] = sum(other[s] for s in seeds) / sum(mine[s] for s in seeds)
            logs.append([math.log(other[seed] / mine[seed]) for seed in seeds])
    if not logs:
        return None
    return Paired(
        pairs=sum(map(len, logs)),
        ratios=ratios,
        ratio=geometric_mean(ratios.values()),
        p=_by_chance(logs),
    )


def _by_chance(logs: list[list[float]]) -> float:
    if min(map(len, logs)) < 2:
        return math.nan
    pooled = float(np.mean([np.mean(some) for some in logs]))
    variance = sum(float(np.var(some, ddof=1)) / len(some) for some in logs) / len(logs) ** 2
    freedom = sum(len(some) - 1 for some in logs)
    if variance == 0.0:
        return 0.5 if pooled == 0.0 else float(pooled < 0.0)
    return float(stdtr(freedom, -pooled / math.sqrt(variance)))
