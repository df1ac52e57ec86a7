"""What is believed of one measure: how its values are turned for the models, and what these say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sdl.model.campaign import Objective
from sdl.model.reason import Expected
from sdl.planner.axes import Coded, Floats
from sdl.planner.ensemble import Ensemble, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """Which way a measure is turned: more is better, or zero is what is wanted."""

    sign: float = 1.0
    """-1 where less is better."""
    zero: float | None = None
    """What is aimed at, in the measure's unit; None where there is no such value."""
    is_plain: bool = False
    """As in the evidence."""

    def evidence(self, points: Coded, values: Floats) -> Evidence:
        """What the models learn from values (n,) in the measure's unit."""
        if self.zero is None:
            return Evidence(points, self.sign * values, is_plain=self.is_plain)
        return Evidence(points, values - self.zero, target=True)

    def turned(self, value: float) -> float:
        """One value, as in the evidence."""
        return self.sign * value if self.zero is None else value - self.zero

    def back(self, turned: float) -> float:
        """In the measure's unit again."""
        return self.sign * turned if self.zero is None else turned + self.zero

    def ends(self, low: float | None, high: float | None) -> tuple[float, float]:
        """An interval, as in the evidence; an end that is missing is infinitely far."""
        one = self.turned(-math.inf if low is None else low)
        other = self.turned(math.inf if high is None else high)
        return min(one, other), max(one, other)


PLAIN = Sense()


def sense_of(objective: Objective) -> Sense:
    """How the measure of an objective is turned."""
    if objective.goal == "target":
        return Sense(zero=objective.target)
    if objective.low is not None and objective.high is not None:
        return Sense(zero=0.5 * (objective.low + objective.high))
    is_below = objective.goal == "hits" and objective.at_least is None
    return Sense(sign=-1.0) if objective.goal == "minimise" or is_below else PLAIN


@dataclass(frozen=True)
class Belief:
    """One measure after all that was measured."""

    sense: Sense
    ensemble: Ensemble

    def expected(self, point: Coded) -> Expected:
        """What a measurement at one point will give."""
        median, *ends = map(self.sense.back, self.ensemble.predicted(point))
        return Expected(median=median, low=min(ends), high=max(ends))
