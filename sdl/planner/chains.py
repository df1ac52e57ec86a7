"""Draws of hyperparameters from their posterior, by elliptical slice sampling, many chains at once.

Murray, Adams and MacKay, Elliptical slice sampling, AISTATS 2010: nothing to tune, and it moves
freely where few measurements say little. The state after n measurements follows from the first n
in their order alone, so a planner that starts anew comes to the same draws as one that went along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from sdl.planner.axes import Codes, Floats

LogLikelihood: TypeAlias = Callable[[Floats, Codes], Floats]
"""Of draws (S, size) of the chains with these places; (S,)."""

LEAST = 2
"""Measurements without which there is no spread, and so no model."""

EACH, FIFTH = 40, 120
"""Chains move with every measurement up to the first, with every fifth up to the second, ..."""

LATER = 20
"""... and then with every one of so many, for each tells less and a move costs the cube of n."""

SHRINKS = 30
"""A bracket that shrank so often is as good as a point; the chain stays where it is."""


def due(count: int) -> list[int]:
    """Numbers of measurements, up to ``count``, after which chains move, ascending."""
    return [n for n in range(LEAST, count + 1) if n % _apart(n) == 0]


def _apart(count: int) -> int:
    """How many measurements come with one move."""
    if count <= EACH:
        return 1
    return 5 if count <= FIFTH else LATER


def steps(count: int) -> int:
    """How often chains move after so many measurements; the first time they come from the prior."""
    return 6 if count == LEAST else 2


def moved(
    draws: Floats, log_likelihood: LogLikelihood, count: int, chance: np.random.Generator
) -> Floats:
    """The chains (S, size) after ``count`` steps each."""
    here = draws.copy()
    every = np.arange(len(here))
    height = log_likelihood(here, every)
    for _ in range(count):
        ellipse = chance.standard_normal(here.shape)
        least = height + np.log(chance.random(len(here)))
        angle = 2.0 * np.pi * chance.random(len(here))
        low, high = angle - 2.0 * np.pi, angle.copy()
        still = every
        for _ in range(SHRINKS):
            turn = angle[still][:, None]
            new = here[still] * np.cos(turn) + ellipse[still] * np.sin(turn)
            found = log_likelihood(new, still)
            good = found > least[still]
            here[still[good]], height[still[good]] = new[good], found[good]
            still = still[~good]
            if not len(still):
                break
            back = angle[still] < 0.0
            low[still[back]], high[still[~back]] = angle[still[back]], angle[still[~back]]
            angle[still] = low[still] + (high[still] - low[still]) * chance.random(len(still))
    return here
