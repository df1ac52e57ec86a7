"""Why a planner suggested a point, as data that stand in the record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

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
class Doubt:
    """A measurement that all others speak against, so that little was learnt from it."""

    inputs: _Point
    measure: str
    value: float
    probability: float
    """That it is an outlier, 0 to 1."""


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
class Look:
    """At which fidelity a run is made, and why."""

    option: str
    why: Literal["opening", "pays", "target", "left over"]
    """*opening*: one of the first runs of a cheaper fidelity. *pays*: there it tells more for what
    it costs than at the target. *target*: no other one does. *left over*: every point is measured
    at the target."""
    tells: float = 1.0
    """Which share of what is not known of the point at the target such a run tells, 0 to 1."""
    weight: float = 1.0
    """Of the models that follow this fidelity, 0 to 1."""
    cost: float = 0.0
    """Of the run, in the currency of the campaign's costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What a run draws of a source, and what there was of it before."""

    source: str
    """``handler/buffer``."""
    volume_ul: float
    left_ul: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What a run at the point costs the bench, by the protocol as it was known beforehand."""

    cost: float
    """Lab time left aside, in the currency of the campaign's costs; 0 where it states none."""
    hours: float
    """Lab time that the run is told to last, and has to wait where other points would not."""
    cost_of_hours: float
    """In that currency."""
    draws: tuple[Draw, ...] = ()
    """From stocks of which other points draw more, or less."""
    log_drain: float = 0.0
    """Part of the logarithm of the cost: what it takes of these stocks from the runs after it."""
    passed_over: int = 0
    """Candidates that were left aside as there is too little for a run of theirs."""
    short: Mapping[str, float] = field(default_factory=dict)
    """The sources of which there is too little for some candidates, and what is left, in µL."""
    unclear: tuple[str, ...] = ()
    """What did not count, as it follows from the inputs in no simple way; see ``BenchState``."""


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
    doubts: tuple[Doubt, ...] = ()
    """Measurements that are rather outliers than not, in the order of their results."""
    scored: int = 0
    """How many candidates were compared; 0 where none were, or an optimiser searched."""
    number: int = 0
    """Which point of a design that looks at no results it is, from 1, all trials before it
    counted, and of a grid all points; 0 where a model chose it."""
    left: Left | None = None
    """What was left to be gained when the point was chosen, if that was asked for."""
    look: Look | None = None
    """In a campaign with fidelities. At a cheaper one than the target the gain is that at the
    target times what the run tells of it, and nothing is said of what it will measure."""
    spending: Spending | None = None
    """What the bench had a part in; None where it had none."""
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
    if reason.spending is not None:
        yield "cost without lab time", reason.spending.cost
        yield "lab time in hours", reason.spending.hours
        yield "cost of lab time", reason.spending.cost_of_hours
        yield "log_drain", reason.spending.log_drain
        yield from ((one.source, one.volume_ul) for one in reason.spending.draws)
        yield from ((one.source, one.left_ul) for one in reason.spending.draws)
    for weights in reason.surrogates.values():
        yield from ((f"weight of {name}", weight) for name, weight in weights.items())
    if reason.left is not None:
        yield "gain that is left", reason.left.gain
    if reason.look is not None:
        yield "what the fidelity tells", reason.look.tells
        yield "weight of the fidelity", reason.look.weight
        yield "cost of the fidelity", reason.look.cost
    for doubt in reason.doubts:
        yield f"doubted {doubt.measure}", doubt.value
        yield "probability of an outlier", doubt.probability
    for near in reason.nearest:
        yield "correlation", near.correlation
        yield from near.measures.items()
        for name, value in near.inputs.items():
            if not isinstance(value, str):
                yield name, value
