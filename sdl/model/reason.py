"""Why a planner suggested a point, as data that stand in the record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# In place of `model.data.Inputs`: that module holds suggestions, and so imports this one.
_Point = Mapping[str, float | int | str]

HALF = 1.6449
"""Standard deviations from the middle of a normal distribution to the ends of 90 % of it."""

NEAREST = 3
"""Known points that a reason names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a measurement at the point is expected to give, in the measure's unit."""

    median: float
    low: float
    high: float
    """Ends of the interval that holds a measurement with 90 %: noise is in it."""

    @classmethod
    def of_normal(cls, mean: float, sd: float) -> Expected:
        """Of a measurement that is normally distributed."""
        return cls(median=mean, low=mean - HALF * sd, high=mean + HALF * sd)

    @property
    def sd(self) -> float:
        """Standard deviation of the normal distribution whose interval is as wide."""
        return (self.high - self.low) / (2.0 * HALF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A known point near a suggested one."""

    inputs: _Point
    measures: Mapping[str, float]
    correlation: float
    """Between the two, as the surrogates have it; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a planner believes is left to be gained by points neither tried nor under way.

    It is about true values: noise has no part in it.
    """

    gain: float
    """By how much the best of them is expected to be better than the best that was measured, in
    the measure's unit; 0 where it is worse, and so 0 or more."""
    chance: float
    """Probability that one of them at least is better, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why this point and no other. What had no part in the choice is empty.

    Planner, seed, digest of the model and a fall-back stand in the suggestion, versions in the
    answer, the digest of all trials in the question.
    """

    expected: Mapping[str, Expected] = field(default_factory=dict)
    """By measure."""
    surrogates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By measure: the models that were mixed, and their weights, which sum to one."""
    log_gain: float | None = None
    """Logarithm of the gain that is expected of a run there, on the planner's own scale."""
    log_feasible: float | None = None
    """Logarithm of the probability that a run there counts: it does not fail, and keeps the
    constraints on measures."""
    log_cost: float | None = None
    """Logarithm of what a run there costs. The acquisition is gain and feasibility less this."""
    nearest: tuple[Near, ...] = ()
    """The measured points that tell most about it, most related first."""
    scored: int = 0
    """How many candidates were compared; 0 where none were, or an optimiser searched."""
    number: int = 0
    """Which point of a design that looks at no results it is, from 1, all trials before it
    counted, and of a grid all points; 0 where a model chose it."""
    left: Left | None = None
    """What was left to be gained when the point was chosen, if that was asked for."""
    data_digest: str = ""
    """SHA-256 over what the surrogates learnt from, as they saw it."""

    @property
    def acquisition(self) -> float | None:
        """Gain, feasibility and cost together; None where there is no gain to speak of."""
        if self.log_gain is None:
            return None
        return self.log_gain + (self.log_feasible or 0.0) - (self.log_cost or 0.0)


def unsound(reason: Reason) -> Iterator[str]:
    """What is wrong with a reason: a record full of NaN is no record."""
    for measure, one in reason.expected.items():
        if not -math.inf < one.low <= one.median <= one.high < math.inf:
            yield f"expects {measure} as {one.median!r} between {one.low!r} and {one.high!r}"
    if reason.left is not None and not (reason.left.gain >= 0.0 and 0.0 <= reason.left.chance <= 1):
        yield f"expects {reason.left.gain!r} to be left, with a chance of {reason.left.chance!r}"
    for name, part in _numbers(reason):
        if not math.isfinite(part):
            yield f"gives {part!r} as {name}"


def _numbers(reason: Reason) -> Iterator[tuple[str, float]]:
    parts = {"gain": reason.log_gain, "feasible": reason.log_feasible, "cost": reason.log_cost}
    yield from ((f"log_{name}", part) for name, part in parts.items() if part is not None)
    for weights in reason.surrogates.values():
        yield from ((f"weight of {name}", weight) for name, weight in weights.items())
    if reason.left is not None:
        yield "gain that is left", reason.left.gain
    for near in reason.nearest:
        yield "correlation", near.correlation
        yield from near.measures.items()
        for name, value in near.inputs.items():
            if not isinstance(value, str):
                yield name, value
