"""Which of two rival hypotheses the runs speak for: normal errors about each one's formula.

Odds that a true hypothesis is given against, of ``k`` and more to one, come with a probability of
at most ``1 / k`` (from equal priors), however the runs were chosen and whenever one stops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sdl.model.data import Inputs
from sdl.model.rival import Rival

FARTHEST = 1e9
"""Squares of distances, in standard deviations, that are told apart."""
SUREST = 600.0
"""The logarithm of odds is told up to here: it is beyond any doubt, and still a finite number."""
FITS = 2.0
"""Distance in standard deviations that a hypothesis which holds keeps on average, amply."""
FEW = 3
"""Runs before that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How far the measurements so far lie from what each of two rivals predicted."""

    runs: int = 0
    """Those that count, and of which both predict something."""
    squares: tuple[float, float] = (0.0, 0.0)
    """By rival, the sum of squared distances in its standard deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RivalView:
    """How one of the rivals stands."""

    name: str
    posterior: float
    """Probability that it is the one that holds, if one of them does."""
    odds: float
    """How many times as likely as the other it is."""
    misfit: float | None
    """Root of the mean squared distance of its predictions, in its standard deviation: about 1 if
    it holds. None before the first run."""


def with_run(contest: Contest, rivals: Sequence[Rival], inputs: Inputs, value: float) -> Contest:
    """The contest once one more value that counts was measured, in the measure's unit.

    Where a rival predicts nothing, as in a division by zero, a run tells nothing.
    """
    squares = []
    for rival, known in zip(rivals, contest.squares, strict=True):
        predicted = rival.formula.at(inputs)
        if predicted is None:
            return contest
        score = (value - predicted) / rival.sd
        squares.append(known + min(score * score, FARTHEST))
    first, second = squares
    return Contest(runs=contest.runs + 1, squares=(first, second))


def log_odds(contest: Contest, rivals: Sequence[Rival]) -> float:
    """Natural logarithm of how many times as likely the first is as the second."""
    first, second = rivals
    before = math.log(first.prior / second.prior)
    narrower = contest.runs * math.log(second.sd / first.sd)
    nearer = 0.5 * (contest.squares[1] - contest.squares[0])
    return max(-SUREST, min(before + narrower + nearer, SUREST))


def standing(contest: Contest, rivals: Sequence[Rival]) -> tuple[RivalView, ...]:
    """How each of them stands, in the order of the file; none where there are none."""
    if not rivals:
        return ()
    found = log_odds(contest, rivals)
    return tuple(
        RivalView(
            name=rival.name,
            posterior=1.0 / (1.0 + math.exp(-log)),
            odds=math.exp(log),
            misfit=math.sqrt(square / contest.runs) if contest.runs else None,
        )
        for rival, log, square in zip(rivals, (found, -found), contest.squares, strict=True)
    )


def likelier(rivals: Sequence[RivalView]) -> RivalView:
    """The one that leads; of equal ones the first."""
    return max(rivals, key=lambda one: one.odds)


def in_words(rivals: Sequence[RivalView]) -> str:
    """``first order is 37 times as likely as second order``."""
    first = likelier(rivals)
    (second,) = (one for one in rivals if one is not first)
    if first.odds == 1.0:
        return f"{first.name} is as likely as {second.name}"
    return f"{first.name} is {first.odds:.3g} times as likely as {second.name}"


def doubt(rivals: Sequence[RivalView], runs: int) -> str:
    """Why perhaps neither holds; empty while nothing speaks for that. ``runs``: measured ones."""
    first = likelier(rivals)
    if first.misfit is None or first.misfit <= FITS or runs < FEW:
        return ""
    return (
        f"even {first.name} lies {first.misfit:.2g} of its sd from what was measured: "
        "perhaps neither holds"
    )
