"""What a person may want to see of a campaign at one moment; a value, made from the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sdl.core.amounts import Level, Task
from sdl.core.commands import Conclude
from sdl.core.events import Verdict as Answer
from sdl.core.rivals import RivalView
from sdl.core.usage import Usage
from sdl.model.campaign import Goal, Terms
from sdl.model.data import InputValue, JsonValue
from sdl.model.hypothesis import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """A measured run, or sample of a batch, that no other one beats in all objectives."""

    run: str
    inputs: Mapping[str, InputValue]
    measures: Mapping[str, float]
    """Of the objectives, each in its unit."""
    suggestion: str = ""
    """Which one it was."""
    is_of_batch: bool = False

    @property
    def where(self) -> str:
        """The run that gave it, and of a batch the suggestion."""
        return _where(self.run, self.suggestion, is_of_batch=self.is_of_batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the samples that count came to, beside what the (first) objective wants of them."""

    below: int = 0
    within: int = 0
    """Hits, where these are sought; of a level, exactly there."""
    above: int = 0
    least: float | None = None
    most: float | None = None
    """The least and the most that was measured, in the measure's unit; None while nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPoint:
    """The measured run, or sample of a batch, that came closest to the objective.

    Of several objectives, the one with the best score; there is none without weights.
    """

    run: str
    inputs: Mapping[str, InputValue]
    value: float
    """Of the (first) objective's measure, in its unit."""
    loss: float
    expected: float | None
    """What the planner predicted for this point before the run; None if it predicted nothing."""
    sd: float | None
    """Standard deviation of that prediction, noise of one measurement included."""
    suggestion: str = ""
    """Which one it was."""
    is_of_batch: bool = False

    @property
    def where(self) -> str:
        """The run that gave it, and of a batch the suggestion."""
        return _where(self.run, self.suggestion, is_of_batch=self.is_of_batch)


def _where(run: str, suggestion: str, *, is_of_batch: bool) -> str:
    return f"{run}, {suggestion.rpartition('/')[2]}" if is_of_batch else run


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """One run that has begun and not ended."""

    run: str
    step: str
    """Its first open step, or the last part of the id of the settling time."""
    instrument: str
    """Empty where it settles."""
    state: Literal[
        "waits",
        "sent",
        "accepted",
        "started",
        "settles",
        "rests",
        "mends",
        "asks",
        "unknown",
        "halts",
        "done",
        "failed",
    ]
    """*rests*: before it is tried again. *mends*: a recovery goes on. *asks*, *unknown*: it waits
    for a person. *halts*: its run was broken off, and its instrument is made safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A step that waits for a person's word."""

    step: str
    """``dye-450/run-7/step-2``."""
    run: str
    instrument: str
    operation: str
    args: Mapping[str, JsonValue]
    since: float
    """Lab time at which it arose."""
    reason: str
    """What is known, in one sentence."""
    verdicts: tuple[Answer, ...] = ("happened", "did_not_happen", "discard")
    """What may be answered."""
    attempt: int = 1
    """Which attempt it is about; an answer should say so, lest it answers a later question."""
    gives_result: bool = False
    """Whether *happened* needs the result that the action gave."""

    @property
    def asks(self) -> str:
        """What a person is asked."""
        return f"what became of {self.operation} on {self.instrument}?"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentView:
    """One instrument as last heard of."""

    name: str
    state: Literal["idle", "busy", "held", "paused", "stopped", "offline"]
    """*held*: it does nothing before a person has decided or looked. *stopped*: it was told to be
    safe, and obeys nothing before it is released."""
    simulated: bool
    note: str = ""
    """The command it works on, or why it is held, paused, stopped or offline."""
    safe: bool = False
    """It was told to be safe, and its driver has confirmed that it is."""
    usage: Usage | None = None
    """What it spent its time on, since the journal began: the campaign's, or the session's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Who waits, and for what, in one sentence each."""

    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The whole campaign at one moment of lab time."""

    campaign: str
    at: float
    started_at: float
    runs_begun: int
    runs_ended: int
    runs_measured: int
    failures: int
    """Runs that ended without a measurement, unknown ones included, abandoned ones not."""
    unknown: int
    """Of those, the runs in which an action may or may not have happened: look at the bench."""
    last_failure: str
    """The run that failed last, and why; empty while none has."""
    runs_max: int
    measure: str
    in_flight: tuple[InFlight, ...]
    best: BestPoint | None
    instruments: tuple[InstrumentView, ...]
    evidence: Evidence | None
    suggestions_ready: int
    planner_state: str
    """``idle``, or what it was asked and since when."""
    waits: tuple[Waiting, ...]
    ended: Conclude | None
    counted: Literal["run", "sample"] = "run"
    """What the numbers count: runs, or in a batch protocol their samples."""
    abandoned: int = 0
    """Runs that a person or the error policy gave up, or that a stop of the lab broke off."""
    broken_windows: int = 0
    """Steps that have missed their maximum lag."""
    spent: float | None = None
    """By runs that have begun, in the currency of its costs, lab time of those that have ended
    included; None where the campaign states no costs."""
    spent_max: float | None = None
    """That may be spent at most."""
    questions: tuple[Question, ...] = ()
    """What waits for a person's word, the oldest run first."""
    paused: str = ""
    """Who wants nothing new to start, and why; empty while it goes on."""
    stocks: tuple[Level, ...] = ()
    """How the sources stand that the lab's file declares."""
    refills: tuple[Task, ...] = ()
    """Sources that a person is asked to refill, the oldest task first."""
    carries: tuple[CarryView, ...] = ()
    """Labware on its way, where the campaign has the lab for itself."""
    front: tuple[FrontPoint, ...] | None = None
    """Of several objectives; None where there is one."""
    goal: Goal = "maximise"
    """Of the (first) objective."""
    tally: Tally = field(default_factory=Tally)
    rivals: tuple[RivalView, ...] = ()
    """How rival hypotheses stand, where there are such."""
    known_before: int = 0
    """Trials of before the campaign that its planner sees."""
    astray: tuple[LabwareView, ...] = ()
    """The same of labware that a person has to look for."""
    left: tuple[str, ...] = ()
    """What is there from before its lab was at work this time, a sentence for each thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryView:
    """A piece of labware on its way."""

    carry: str
    """``dye-450/carry-3``."""
    labware: str
    source: str
    target: str
    """Sites."""
    carrier: str
    """A transporter; empty: a person is asked to carry it, and to say so by ``sdl done``."""
    step: str
    """For whose sake; empty: it is put away."""
    since: float
    """Lab time."""
    withdrawn: float | None = None
    """Lab time from which nobody is asked for it any more, as it is not needed; None: it is."""

    @property
    def task(self) -> str:
        """What ``sdl done`` is told: ``carry-3``."""
        return self.carry.rpartition("/")[2]

    @property
    def asks(self) -> str:
        """What a person should carry, and what to type then."""
        way = f"{self.labware} from {self.source} to {self.target}"
        if self.withdrawn is None:
            return f"carry {way}, then: sdl done {self.task}"
        return (
            f"do not carry {way} any more, nobody needs it there; if you have already: "
            f"sdl done {self.task}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabwareView:
    """Where a piece of labware stands."""

    labware: str
    site: str
    """Empty while it is carried, or nobody knows."""
    note: str = ""
    """On what way it is, or what is wrong with it."""
    astray: bool = False
    """Whether a person has to say where it is before it is used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """The plan of the bench, as the engine knows it."""

    made_at: float
    """Lab time of the state that it was made for; that and its age are 0 where there is none."""
    age_s: float
    status: Literal["optimal", "feasible", "repaired", "stale", "unknown"]
    """*stale*: too old to count, so that the rule alone decides. *unknown*: there is none."""
    plans: int
    """So far."""
    found_by: str
    seconds: float
    """Wall seconds that the scheduler spent on it."""
    ends_at: float
    """Lab time at which all that is in it is expected to have ended."""
    breaks: tuple[str, ...]
    """Steps whose windows it cannot keep."""
    trouble: str = ""
    """Why no newer one has come; empty while all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedView:
    """A campaign that is over while its lab goes on."""

    campaign: str
    ending: str
    reason: str
    at: float
    """Lab time of its end."""
    runs: int = 0
    """Begun."""
    best_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabView:
    """A lab and all its campaigns at one moment of lab time."""

    name: str
    """Of the journal: that of the session, or of the only campaign."""
    is_shared: bool
    """Whether it is a session, into which other campaigns may come."""
    at: float
    campaigns: tuple[View, ...]
    """At work, in order of their starts."""
    terms: tuple[Terms, ...]
    """Of each of them."""
    ended: tuple[EndedView, ...]
    instruments: tuple[InstrumentView, ...]
    paused: str = ""
    """Who wants nothing new to start anywhere, and why; empty while it goes on."""
    closing: str = ""
    """Why the session ends; empty while it goes on."""
    closed: bool = False
    stocks: tuple[Level, ...] = ()
    """How the sources stand that the lab's file declares; all campaigns draw on them."""
    refills: tuple[Task, ...] = ()
    """Sources that a person is asked to refill, the oldest task first."""
    plan: PlanView | None = None
    """None where none was ever asked for."""

    carries: tuple[CarryView, ...] = ()
    """Labware on its way, the oldest carry first."""
    labware: tuple[LabwareView, ...] = ()
    """All that stands on sites."""
    left: tuple[str, ...] = ()
    """What is there from before, and its file does not say, a sentence for each thing."""
    of_carries: tuple[Question, ...] = ()
    """Carries that wait for a person's word, where several campaigns may be at work."""

    @property
    def astray(self) -> tuple[LabwareView, ...]:
        """Labware that a person has to look for."""
        return tuple(one for one in self.labware if one.astray)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What waits for a person's word, in all campaigns."""
        asked = (each for view in self.campaigns for each in view.questions)
        return (*asked, *self.of_carries)
