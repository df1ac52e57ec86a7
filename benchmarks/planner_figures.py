"""Figures of campaigns: how soon something very good was found, and how much of what is good.

A figure counts what was measured, in the order in which results arrived; a campaign that finds
nothing in its budget counts as one experiment more than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner_lines import Line
from planner_sets import Floats, MeasuredSet

TOP = 0.01
MANY = 0.05
FEW = 5
AT = (10, 20, 40)
"""Experiments after which the regret is told."""

Good = NDArray[np.bool_]


def share_of(points: int, share: float) -> int:
    """How many points that share of a pool is: at least one, the next whole number above."""
    return max(1, math.ceil(round(share * points, 9)))


def best(gains: Floats, count: int) -> Good:
    """Which points are among the ``count`` best; all that tie with the last of them are."""
    good: Good = gains >= np.sort(gains)[::-1][min(count, len(gains)) - 1]
    return good


def first_hit(order: Sequence[int], good: Good, budget: int) -> int:
    """How many experiments until the first good one; ``budget + 1`` if there was none."""
    for number, at in enumerate(order[:budget], start=1):
        if good[at]:
            return number
    return budget + 1


def random_miss(points: int, good: int, drawn: int) -> float:
    """The chance that so many points, drawn by chance and each once, hold no good one."""
    if drawn > points - good:
        return 0.0
    return math.comb(points - good, drawn) / math.comb(points, drawn)


def random_mean(points: int, good: int, budget: int) -> float:
    """Exact mean of ``first_hit`` for random search without repeats."""
    return math.fsum(random_miss(points, good, drawn) for drawn in range(budget + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Finding one of some good points: by so many campaigns, compared with exact random search.

    ``share``: of the campaigns, those that found one. ``error``: standard error of the mean.
    """

    good: int
    mean: float
    error: float
    share: float
    random_mean: float
    random_share: float
    firsts: dict[int, int]
    """Experiments to the first hit, by the seed of the campaign."""

    @property
    def acceleration(self) -> float:
        """Exact random search over the planner: AF41 where the budget is 40."""
        return self.random_mean / self.mean


def goal(lines: Sequence[Line], good: Good, points: int, budget: int) -> Goal:
    """How campaigns on one set fared with a goal."""
    firsts = {line.seed: first_hit(line.order, good, budget) for line in lines}
    values = np.array(list(firsts.values()), dtype=float)
    count = int(good.sum())
    return Goal(
        good=count,
        mean=float(values.mean()),
        error=float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan,
        share=float((values <= budget).mean()),
        random_mean=random_mean(points, count, budget),
        random_share=1.0 - random_miss(points, count, min(budget, points)),
        firsts=firsts,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How a planner fared on one set, over all its seeds.

    ``recall``: share of the best 5 % that was measured. ``regret``: how far the best so far is
    from the best there is, as a share of the pool's range, by number of experiments.
    ``hypervolume``: reached by all objectives together, as a share of what the whole pool spans.
    """

    set: str
    points: int
    seeds: int
    top: Goal
    five: Goal
    recall: float
    regret: dict[int, float]
    hypervolume: float
    hypervolumes: dict[int, float]
    """The same for each seed."""

    seconds: float
    cpu_seconds: float
    moved: float
    """Share of proposals that were no free point of the pool."""


def figures(data: MeasuredSet, lines: Sequence[Line], budget: int) -> Figures:
    """The figures of one planner and mode on one set; the main objective is the first."""
    gains = data.gains[:, 0]
    points = len(gains)
    many = best(gains, share_of(points, MANY))
    spread = float(np.ptp(gains)) or 1.0
    regret = {
        at: float(np.mean([gains.max() - gains[line.order[:at]].max() for line in lines])) / spread
        for at in AT
        if at <= budget
    }
    whole = hypervolume(_unit(data.gains, data.gains)) or 1.0  # all points alike
    volumes = {
        line.seed: hypervolume(_unit(data.gains[line.order[:budget]], data.gains)) / whole
        for line in lines
    }
    return Figures(
        set=data.name,
        points=points,
        seeds=len(lines),
        top=goal(lines, best(gains, share_of(points, TOP)), points, budget),
        five=goal(lines, best(gains, FEW), points, budget),
        recall=float(np.mean([many[line.order[:budget]].sum() / many.sum() for line in lines])),
        regret=regret,
        hypervolume=float(np.mean(list(volumes.values()))),
        hypervolumes=volumes,
        seconds=_mean(one for line in lines for one in line.seconds),
        cpu_seconds=_mean(one for line in lines for one in line.cpu_seconds),
        moved=sum(line.moved for line in lines) / sum(len(line.order) for line in lines),
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _unit(gains: Floats, pool: Floats) -> Floats:
    """Each objective from 0, the worst of the pool, to 1, its best."""
    low = pool.min(axis=0)
    spread = np.ptp(pool, axis=0)
    shares: Floats = (gains - low) / np.where(spread > 0, spread, 1.0)
    return shares


def hypervolume(gains: Floats) -> float:
    """Volume between the origin and points of which more is better; none may be negative."""
    if gains.shape[1] == 1:
        return float(gains.max(initial=0.0))
    front = gains[_undominated(gains)]
    front = front[np.argsort(-front[:, -1])]
    heights = [*front[:, -1], 0.0]
    return math.fsum(
        (heights[k] - heights[k + 1]) * hypervolume(front[: k + 1, :-1])
        for k in range(len(front))
        if heights[k] > heights[k + 1]
    )


def _undominated(gains: Floats) -> Good:
    unique = np.unique(gains, axis=0)
    nowhere_worse = np.all(unique[None] >= gains[:, None], axis=-1)
    somewhere_better = np.any(unique[None] > gains[:, None], axis=-1)
    dominated: Good = np.any(nowhere_worse & somewhere_better, axis=1)
    return ~dominated


def geometric_mean(values: Iterable[float]) -> float:
    """Of values above zero; nan if there are none."""
    logs = [math.log(value) for value in values]
    return math.exp(math.fsum(logs) / len(logs)) if logs else math.nan
