"""A campaign: what to search, for what, with which protocol, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sdl.model.candidates import Candidates
from sdl.model.costs import Costs, Fidelity
from sdl.model.data import InputValue, JsonValue, Trial
from sdl.model.descriptors import Descriptors
from sdl.model.hypothesis import Hypothesis
from sdl.model.lab import place_of
from sdl.model.labware import Labware
from sdl.model.policy import Rule
from sdl.model.rival import Rival

Goal = Literal[
    "maximise", "minimise", "target", "range", "hits", "level", "novelty", "discriminate"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Another input, before this one in the space, has one of these values."""

    input: str
    values: tuple[InputValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeParameter:
    """A number between two bounds, both inclusive, in the unit of its name's suffix."""

    name: str
    low: float
    high: float
    log: bool = False
    integer: bool = False
    kind: Literal["range"] = "range"
    only_if: tuple[Condition, ...] = ()
    """What has to hold so that it is searched; empty: it always is."""
    otherwise: InputValue | None = None
    """Its value where that does not hold; given exactly when there are conditions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceParameter:
    """One of a list of values. Numbers are ordered levels, names are unordered options."""

    name: str
    options: tuple[InputValue, ...]
    kind: Literal["choice"] = "choice"
    descriptors: Descriptors | None = None
    """Numbers that say how the options differ; None where only their names are known."""
    only_if: tuple[Condition, ...] = ()
    """What has to hold so that it is searched; empty: it always is."""
    otherwise: InputValue | None = None
    """Its value where that does not hold; given exactly when there are conditions."""

    @property
    def ordered(self) -> bool:
        """Whether the options are numeric levels."""
        return not any(isinstance(option, str) for option in self.options)


Parameter: TypeAlias = RangeParameter | ChoiceParameter


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConstraint:
    """``at_least <= sum(weight * input) <= at_most``; an equality if both are the same."""

    weights: Mapping[str, float]
    at_most: float | None = None
    at_least: float | None = None
    is_mixture: bool = False
    """An equality whose inputs are the components of one mixture; their weights are 1."""

    @property
    def equals(self) -> float | None:
        """What the sum has to be; None where it may vary."""
        return self.at_most if self.at_most == self.at_least else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeConstraint:
    """``at_least <= measure <= at_most``: known for a point only when it was measured."""

    measure: str
    at_least: float | None = None
    at_most: float | None = None

    def kept(self, value: float) -> bool:
        """Whether a measured value, in the measure's unit, is as it has to be."""
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)


Constraint: TypeAlias = LinearConstraint | OutcomeConstraint


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One measure that the campaign steers by, and which way is better."""

    measure: str
    goal: Goal
    target: float | None = None
    """In the measure's unit; given exactly when the goal is ``target``."""
    low: float | None = None
    """Lower end of what is wanted, in the measure's unit; given when the goal is ``range``."""
    high: float | None = None
    """The upper end, given with it."""
    threshold: float | None = None
    """In the measure's unit: what is worse is worth nothing. The reference point of the front."""
    weight: float | None = None
    """What one unit of the measure counts beside the other objectives, above 0; either all of
    them have a weight or none has, and there is no common score."""
    at_least: float | None = None
    """In the measure's unit: from here on a run is a hit; given when the goal is ``hits``."""
    at_most: float | None = None
    """The other end; one of the two may be missing."""
    level: float | None = None
    """In the measure's unit: where it passes this is sought; given when the goal is ``level``."""

    def loss(self, value: float) -> float:
        """How far from ideal, smaller is better: the signed value, or how far it is from its place.

        Of novelty and of telling rivals apart 0, for there is no ideal.
        """
        if self.goal == "maximise":
            return -value
        if self.goal == "minimise":
            return value
        low, high = self.wanted
        return max(low - value, value - high, 0.0)

    def is_of_use(self, value: float) -> bool:
        """Whether a value is not worse than the threshold; any is where there is none."""
        return self.threshold is None or self.loss(value) <= self.loss(self.threshold)

    @property
    def wanted(self) -> tuple[float, float]:
        """Between which values there is nothing left to wish; the same one twice of a target."""
        match self.goal:
            case "target":
                ends = self.target, self.target
            case "range":
                ends = self.low, self.high
            case "hits":
                ends = self.at_least, self.at_most
            case "level":
                ends = self.level, self.level
            case _:
                ends = None, None
        low, high = ends
        return -math.inf if low is None else low, math.inf if high is None else high


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When the campaign ends by itself; the first rule that holds ends it."""

    runs: int = 40
    """At most this many runs are begun; of a batch protocol, this many samples."""
    hours: float | None = None
    """No run is begun later than this after the start, in hours of lab time."""
    cost: float | None = None
    """No run is begun that would take what is spent above this, in the currency of ``Costs``."""
    tolerance: float | None = None
    """Ends once a measured run's loss is at most this, in the measure's unit (one objective, with a
    target or a range)."""
    reached: float | None = None
    """Ends once a run that counts is at least as good, in the measure's unit (one objective, to be
    maximised or minimised)."""
    hits: int | None = None
    """Ends once so many hits were measured, 1 or more (goal ``hits``)."""
    failures: int = 5
    """Ends after this many runs in a row without a measurement."""
    expected_gain: float | None = None
    """Ends once the planner expects less than this to be left to gain, in the measure's unit."""
    chance_of_better: float | None = None
    """Ends once the planner gives less than this chance that a better point is left, between 0 and
    1; of points that can be listed."""
    failed_share: float | None = None
    """Ends once more than this share of at least ten runs, or samples, gave no measurement; 0 to 1.
    """

    full_plates: Literal["end", "ask"] = "end"
    """Where no well is left of a kind of plates that stand on sites: end, or ask a person for a
    fresh one; a file asks if it says nothing, and journals of before there was this did not."""
    odds: float | None = None
    """Ends once one of the rivals is this many times as likely as all others together, above 1."""

    @property
    def looks_ahead(self) -> bool:
        """Whether the planner has to say what is left to be gained."""
        return self.expected_gain is not None or self.chance_of_better is not None


NO_PLANNER = "none"
"""Kind of planner of a campaign that searches nothing: every run has the fixed inputs."""

FORMER_PLANNER = "ax"
"""Kind of planner of a file that named none, before ``PlannerChoice.kind`` was our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerChoice:
    """Which planner suggests, and what happens when it cannot."""

    kind: str = "ensemble"
    """The name of an ``sdl.planners`` entry point, or ``NO_PLANNER``."""
    timeout_s: float = 120.0
    """Wall-clock seconds for one answer; then the planner is restarted and asked again."""
    fall_back: Literal["stop", "sobol"] = "stop"
    """After three failed tries: end in good order, or go on with recorded Sobol points."""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    """Passed to the planner as they are."""
    ahead: int | None = None
    """Runs whose suggestions are ready beyond those in flight, 0 to 100. None: one where several
    runs are in flight at once, else none."""
    refresh: bool = False
    """Whether what is ready is asked for anew when results come; a file says so if it says
    nothing, and journals of before there was this did not."""
    bench: bool = False
    """Whether stocks that are left, lab time and queues count in the choice of a point; a file with
    ``[cost]`` says so if it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is known before the first run: a file of earlier measurements, or another campaign."""

    source: str
    """The file as it is named, or the campaign's name in the record."""
    is_campaign: bool = False
    sha256: str = ""
    """Of the file; of a campaign, the last hash of its journal that was read."""
    trials: tuple[Trial, ...] = ()
    """Measured ones, within the search space, in their order."""
    left_out: int = 0
    """Rows or trials that lie outside the search space, or lack what this campaign steers by."""
    is_hint: bool = False
    """Whether it was measured on something like it only; then ``[fixed]`` may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRule:
    """How many suggestions one run of a batch protocol carries."""

    size: int
    """1 to 1,536; fewer where no more can come, or the budget ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateChoice:
    """Which plates a role is given wells of, and how many, where plates are not merely named."""

    kind: str = ""
    """As PyLabRobot names it; then any plate of this kind will do. Empty: those that are named."""
    at: str = ""
    """The instrument or place where such a plate stands at first; empty: anywhere."""
    count: int | None = None
    """Wells on one plate for each run, of a role that takes a list of them; None in a batch: one
    for each sample."""

    def fits(self, piece: Labware) -> bool:
        """Whether a piece of labware is of this kind, has its place there, and holds nothing yet.

        A plate of stored liquids is taken for samples only where it is named.
        """
        is_there = self.at in ("", place_of(piece.at))
        return piece.kind.name == self.kind and is_there and not piece.contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a campaign may claim of a bench that it shares with others."""

    priority: int = 0
    """-9 to 9; of two steps that wait for one instrument, the one of the higher goes first."""
    weight: float = 1.0
    """0.01 to 100; its share of a contended instrument's time, relative to the others'."""
    deadline: float | None = None
    """Lab time by which it should be done; one that falls behind is helped. None: any time."""
    runs_at_once: int | None = None
    """Runs in flight at most, where that is fewer than it asks for; None: as many as it asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Everything that ``campaign.toml`` says. The lab and the protocol are named, not contained."""

    name: str
    """``[a-z0-9-]``, at most 40 characters; the first part of every id."""
    lab: str
    protocol: str
    """``./file.py:function`` or the name of an ``sdl.protocols`` entry point."""
    roles: Mapping[str, tuple[str, ...]]
    """Role name to instrument name, or to the names of the plates whose free wells it uses; none
    where any plate of a kind will do."""
    space: tuple[Parameter, ...]
    objective: Objective
    """The first one, or the only one."""
    seed: int = 0
    parallel: int = 1
    """Runs in flight at once."""
    fixed: Mapping[str, InputValue] = field(default_factory=dict)
    """Inputs of the protocol that are not searched."""
    constraints: tuple[Constraint, ...] = ()
    stop: StopRule = field(default_factory=StopRule)
    planner: PlannerChoice = field(default_factory=PlannerChoice)
    hypothesis: Hypothesis | None = None
    policy: tuple[Rule, ...] = ()
    """What is done about actions that go wrong; before the protocol's own rules."""
    plates: Mapping[str, PlateChoice] = field(default_factory=dict)
    """By role, where ``[roles]`` says more of its wells than the names of plates."""
    batch: BatchRule | None = None
    """None where the protocol takes one sample at a time."""
    further: tuple[Objective, ...] = ()
    """Objectives beside the first; empty where there is one."""
    candidates: Candidates | None = None
    """The points that can be tried, where they are listed."""
    costs: Costs | None = None
    fidelity: Fidelity | None = None
    prior: tuple[Prior, ...] = ()
    rivals: tuple[Rival, ...] = ()
    """Two or more, where the goal is ``discriminate``; else none."""
    pooled: tuple[str, ...] = ()
    """Roles of which each step may be done by any of the instruments; of the others, one of them
    plays the role for a whole run."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them, in their order."""
        return (self.objective, *self.further)

    @property
    def is_weighted(self) -> bool:
        """Whether all objectives together give one score."""
        return all(one.weight is not None for one in self.objectives)

    @property
    def measures(self) -> tuple[str, ...]:
        """Without which a measured point says nothing: of objectives, and of their constraints."""
        steered = [one.measure for one in self.objectives]
        return tuple(dict.fromkeys([*steered, *(one.measure for one in self.outcomes)]))

    @property
    def quantities(self) -> frozenset[str]:
        """All inputs and measures that it names."""
        inputs = [*(one.name for one in self.space), *self.fixed]
        predicted = [] if self.hypothesis is None else [self.hypothesis.predicts.quantity]
        return frozenset([*inputs, *self.measures, *predicted])

    @property
    def linear(self) -> tuple[LinearConstraint, ...]:
        """The constraints on what goes in."""
        return tuple(one for one in self.constraints if isinstance(one, LinearConstraint))

    @property
    def outcomes(self) -> tuple[OutcomeConstraint, ...]:
        """The constraints on what comes out."""
        return tuple(one for one in self.constraints if isinstance(one, OutcomeConstraint))
