"""Which of several rival hypotheses the runs speak for: normal errors about each one's formula.

Odds are those of one against all others together. Such odds against a true hypothesis, of ``k`` and
more to one, come with a probability of at most ``1 / k`` (from even odds before), however the runs
were chosen and whenever one stops.
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
TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How far the measurements so far lie from what each of the rivals predicted."""

    runs: int = 0
    """Those that count, and of which all predict something."""
    squares: tuple[float, ...] = ()
    """By rival, the sum of squared distances in its standard deviation; none before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RivalView:
    """How one of the rivals stands."""

    name: str
    posterior: float
    """Probability that it is the one that holds, if one of them does."""
    odds: float
    """How many times as likely as all others together it is."""
    misfit: float | None
    """Root of the mean squared distance of its predictions, in its standard deviation: about 1 if
    it holds. None before the first run."""


def with_run(contest: Contest, rivals: Sequence[Rival], inputs: Inputs, value: float) -> Contest:
    """The contest once one more value that counts was measured, in the measure's unit.

    Where a rival predicts nothing, as in a division by zero, a run tells nothing.
    """
    squares = []
    for rival, known in zip(rivals, _squares(contest, rivals), strict=True):
        predicted = rival.formula.at(inputs)
        if predicted is None:
            return contest
        score = (value - predicted) / rival.sd
        squares.append(known + min(score * score, FARTHEST))
    return Contest(runs=contest.runs + 1, squares=tuple(squares))


def _squares(contest: Contest, rivals: Sequence[Rival]) -> tuple[float, ...]:
    return contest.squares or (0.0,) * len(rivals)


def log_odds(contest: Contest, rivals: Sequence[Rival]) -> tuple[float, ...]:
    """Natural logarithm of how many times as likely each is as all others together.

    ``rivals``: two or more.
    """
    return tuple(_log_odds(contest, rivals, place) for place in range(len(rivals)))


def _log_odds(contest: Contest, rivals: Sequence[Rival], place: int) -> float:
    one, squares = rivals[place], _squares(contest, rivals)
    against = [
        math.log(one.prior / other.prior)
        + contest.runs * math.log(other.sd / one.sd)
        + 0.5 * (square - squares[place])
        for other, square in zip(rivals, squares, strict=True)
        if other is not one
    ]
    least = min(against)
    found = least - math.log(math.fsum(math.exp(least - each) for each in against))
    return max(-SUREST, min(found, SUREST))


def standing(contest: Contest, rivals: Sequence[Rival]) -> tuple[RivalView, ...]:
    """How each of them stands, in the order of the file; none where there are none."""
    if not rivals:
        return ()
    rows = zip(rivals, log_odds(contest, rivals), _squares(contest, rivals), strict=True)
    return tuple(
        RivalView(
            name=rival.name,
            posterior=1.0 / (1.0 + math.exp(-log)),
            odds=math.exp(log),
            misfit=math.sqrt(square / contest.runs) if contest.runs else None,
        )
        for rival, log, square in rows
    )


def likelier(rivals: Sequence[RivalView]) -> RivalView:
    """The one that leads; of equal ones the first."""
    return max(rivals, key=lambda one: one.odds)


def in_words(rivals: Sequence[RivalView]) -> str:
    """``first order is 37 times as likely as second order``, or as the other three together."""
    first = likelier(rivals)
    names = [one.name for one in rivals if one is not first]
    others = names[0] if len(names) == 1 else f"the other {len(names)} together"
    if first.odds == 1.0:
        return f"{first.name} is as likely as {others}"
    return f"{first.name} is {first.odds:.3g} times as likely as {others}"


def doubt(rivals: Sequence[RivalView], runs: int) -> str:
    """Why perhaps none of them holds; empty while nothing speaks for that. ``runs``: measured."""
    first = likelier(rivals)
    if first.misfit is None or first.misfit <= FITS or runs < FEW:
        return ""
    none = "neither" if len(rivals) == TWO else "none of them"
    return (
        f"even {first.name} lies {first.misfit:.2g} of its sd from what was measured: "
        f"perhaps {none} holds"
    )
