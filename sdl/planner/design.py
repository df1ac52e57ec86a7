"""A point that was chosen without a look at results, as a suggestion."""

from __future__ import annotations

from sdl.model.data import Suggestion
from sdl.model.planning import Problem
from sdl.model.reason import Reason
from sdl.model.space import Point, named


def designed(
    problem: Problem, values: Point, origin: str, seed: int, number: int, fall_back: str = ""
) -> Suggestion:
    """``number``: which point of the design it is, from 1; ``fall_back``: as in ``Suggestion``."""
    return Suggestion(
        inputs=named(problem.space, values),
        origin=origin,
        predicted={},
        seed=seed,
        fall_back=fall_back,
        reason=Reason(number=number),
    )
