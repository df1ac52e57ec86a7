"""What a measured point is worth: whether it counts, its score, and its place on the front."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sdl.core.view import FrontPoint, Tally
from sdl.model.campaign import Campaign, Objective
from sdl.model.data import Inputs, Measures


def counts(spec: Campaign, inputs: Inputs, measures: Measures) -> bool:
    """Whether a measured point can be the best, or on the front.

    It keeps the constraints on measures, is not worse than a threshold, and was looked at as
    closely as the campaign wants. KeyError if a measure is missing.
    """
    closely = spec.fidelity is None or inputs[spec.fidelity.input] == spec.fidelity.target
    kept = all(one.kept(measures[one.measure]) for one in spec.outcomes)
    limited = [one for one in spec.objectives if one.threshold is not None]
    return closely and kept and all(one.is_of_use(measures[one.measure]) for one in limited)


def score(spec: Campaign, measures: Measures) -> float | None:
    """What is compared to find the best, smaller is better.

    Of several objectives the weighted sum of losses; None where they have no weights, where what
    is new is sought, and where rivals are told apart.
    """
    if spec.objective.goal in ("novelty", "discriminate"):
        return None
    if not spec.further:
        return spec.objective.loss(measures[spec.objective.measure])
    if not spec.is_weighted:
        return None
    return math.fsum(
        (one.weight or 0.0) * one.loss(measures[one.measure]) for one in spec.objectives
    )


def tallied(tally: Tally, objective: Objective, value: float) -> Tally:
    """The tally once one more sample that counts was measured."""
    low, high = objective.wanted
    return Tally(
        below=tally.below + (value < low),
        within=tally.within + (low <= value <= high),
        above=tally.above + (value > high),
        least=value if tally.least is None else min(tally.least, value),
        most=value if tally.most is None else max(tally.most, value),
    )


def losses(objectives: Sequence[Objective], measures: Measures) -> tuple[float, ...]:
    """By objective, smaller is better."""
    return tuple(one.loss(measures[one.measure]) for one in objectives)


def with_point(
    front: Sequence[FrontPoint], new: FrontPoint, objectives: Sequence[Objective]
) -> tuple[FrontPoint, ...]:
    """The front once a point that counts is known: those that no other one beats.

    A point beats another if it is worse in no objective and better in one. Of equal ones all stay.
    """
    values = losses(objectives, new.measures)
    if any(_beats(losses(objectives, old.measures), values) for old in front):
        return tuple(front)
    left = [old for old in front if not _beats(values, losses(objectives, old.measures))]
    return (*left, new)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
