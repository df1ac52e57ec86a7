"""What is left to be gained: how much better the best of the free points is believed to be.

By draws of true values at the points that look best, and at what was measured, together: points
beside each other are good or bad together, and the best of many is better than each of them.
"""

from __future__ import annotations

import numpy as np

from sdl.model.campaign import Objective
from sdl.model.reason import Left
from sdl.planner.acquisition import Acquisition
from sdl.planner.axes import Bools, Coded, Codes, Floats, joined
from sdl.planner.batch import promising
from sdl.planner.belief import Belief
from sdl.planner.process import Processes, kernel, variance

MOST = 200
"""Free points that are looked at, the most promising ones; all others are taken to be worse."""

RIVALS = 20
"""Measured points that may be the best; others are taken to be worse."""

DRAWN = 128
"""Draws of each process."""

JITTER = 1e-8
"""Variance that is added to each point, so that matrices can be factored."""


def left_of(
    acquisition: Acquisition,
    belief: Belief,
    objective: Objective,
    counted: Bools,
    points: Coded,
    free: Bools,
    seed: int,
) -> Left:
    """Over the free ones of N points, with one objective that has a best value.

    ``counted``: (n,) which measured points can be the best, one at least. A free point counts with
    the probability that a run there does.
    """
    places = promising(acquisition, points, free, MOST)
    candidates = points.take(places)
    outlook = acquisition.over(candidates, 0)
    counts = np.exp(outlook.log_feasible())
    chance = np.random.default_rng([seed, 11, len(belief.ensemble.evidence.values)])
    known = _best(belief, objective, counted)
    gains = _gains(belief, objective, known, candidates, counts, chance)
    shares = belief.ensemble.shares
    return Left(
        gain=float(shares @ gains.mean(axis=1)),
        chance=float(min(1.0, shares @ (gains > 0.0).mean(axis=1))),
    )


def _gains(
    belief: Belief,
    objective: Objective,
    known: Codes,
    candidates: Coded,
    counts: Floats,
    chance: np.random.Generator,
) -> Floats:
    """Of the best candidate over the best measured point, (S, DRAWN), in the measure's unit.

    ``known``: places of measured points. Which of them is the best is for each draw to say: the one
    that looks so now is not always it, and against it alone the gain would be too large.
    """
    ensemble, processes = belief.ensemble, belief.ensemble.processes
    every = joined([candidates, processes.points.take(known)])
    mean, factor = _posterior(processes, every)
    noise = chance.standard_normal((len(every), DRAWN))
    counted = chance.random((len(candidates), DRAWN)) < counts[:, None]
    found = np.empty((processes.count, DRAWN))
    for process, back in enumerate(ensemble.backs):
        values = back.value(mean[process][:, None] + factor[process] @ noise)
        losses = _losses(belief, objective, values)
        reached = np.where(counted, losses[: len(candidates)], np.inf).min(axis=0)
        found[process] = np.maximum(losses[len(candidates) :].min(axis=0) - reached, 0.0)
    return found


def _best(belief: Belief, objective: Objective, counted: Bools) -> Codes:
    """Measured points that can be the best: those that look best, to all or to one process.

    Ascending places, ``RIVALS`` or somewhat more.
    """
    pairs = zip(belief.ensemble.backs, belief.ensemble.processes.believed, strict=True)
    losses = _losses(belief, objective, np.stack([back.value(row) for back, row in pairs]))
    losses = np.where(counted, losses, np.inf)
    order = np.argsort(belief.ensemble.shares @ losses, kind="stable")
    likely = order[: min(RIVALS, int(counted.sum()))]
    return np.unique(np.concatenate([likely, losses.argmin(axis=1)]))


def _posterior(processes: Processes, points: Coded) -> tuple[Floats, Floats]:
    """Means (S, N), and a factor (S, N, N) of the covariances of true values."""
    mean, _ = processes.posterior(points)
    cross = kernel(processes.hyper, points, processes.points)
    whole = kernel(processes.hyper, points, points)
    rows = np.arange(len(points))
    whole[:, rows, rows] = variance(processes.hyper, points) + JITTER
    whole -= cross @ processes.inverse @ cross.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(whole)
    return mean, vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]


def _losses(belief: Belief, objective: Objective, values: Floats) -> Floats:
    """Of values as the models have them; less is better, in the measure's unit."""
    if belief.sense.zero is None:
        return -values
    low, high = belief.sense.ends(*objective.wanted)
    return np.asarray(np.maximum(np.maximum(low - values, values - high), 0.0))
