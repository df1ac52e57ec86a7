"""What is to be done. Imperative; the journal holds each one before the shell acts on it.

Some reach into the world (``AskPlanner``, ``Perform``, ``Resend``, ``Query``, ``Greet``, ``Halt``,
``Release``, ``Wait``); the others are decisions whose only effect is to be on record. The tables
are projected from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdl.core.amounts import Level, Moved
from sdl.core.usage import Usage
from sdl.model.action import Effect
from sdl.model.bench import BenchState
from sdl.model.data import (
    Arguments,
    Disposition,
    JsonValue,
    Measures,
    RunOutcome,
    Suggestion,
)
from sdl.model.hypothesis import Evidence, Verdict
from sdl.model.policy import Remedy

BookedFor: TypeAlias = Literal[
    "declared", "left", "reserved", "used", "in_doubt", "released", "refilled"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPlanner:
    """Ask for points. The question itself is ``Engine.question(ask)``; here stands its digest."""

    ask: str
    """``dye-450/ask-3``."""
    attempt: int
    """1, then 2 and 3 after a failure; the question stays the same."""
    planner: str
    count: int
    seed: int
    trials: int
    trials_sha256: str
    """Over the canonical JSON of the trials that the planner is shown."""
    replaces: tuple[str, ...] = ()
    """Suggestions that wait for their run: it is not shown them, and its answer may take their
    places."""
    bench: BenchState | None = None
    """What it is told of the bench; None where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptSuggestion:
    """A point that passed the checks; it now waits for its run."""

    suggestion: str
    """``dye-450/suggestion-7``."""
    ask: str
    value: Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispose:
    """The one end of a suggestion."""

    suggestion: str
    disposition: Disposition
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRun:
    """Start the protocol for one suggestion, or a batch protocol for several."""

    run: str
    """``dye-450/run-7``."""
    suggestion: str
    """Empty in a batch."""
    inputs: Arguments
    """Searched and fixed ones."""
    roles: Mapping[str, str]
    """Role to instrument name, or to ``plate-1/A1``, or to ``plate-1/A1,plate-1/B1``."""
    suggestions: tuple[str, ...] = ()
    """Of a batch: those of its samples, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Command one action of one instrument. Sent at most once per ``cid`` into the world."""

    cid: str
    """``dye-450/run-7/step-2/try-1``: step and attempt; the node acts on it at most once."""
    step: str
    attempt: int
    instrument: str
    operation: str
    effect: Effect
    args: Mapping[str, JsonValue]
    memory: str
    """Of the node's journal that it is meant for: one that begins anew must not act on it."""
    not_after: float | None
    """Lab time after which the action must not start; None where there is no maximum lag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """An action that its wells cannot do is not commanded: it failed before it began.

    ``cid`` and all else as they would have been in ``Perform``.
    """

    cid: str
    step: str
    attempt: int
    instrument: str
    operation: str
    effect: Effect
    args: Mapping[str, JsonValue]
    not_after: float | None
    reason: str
    """Which well, how much there is and was asked for, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Send the same command again: it was not heard of. Harmless if it was."""

    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Ask the node what became of a command."""

    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """Take up with a node: from now on it may start what it is sent.

    It says again all that stands in its journal after ``after``.
    """

    instrument: str
    boot: str
    after: int | None
    """The last number that was heard; None where nothing was, and nothing need be said again."""
    memory: str = ""
    """Name of that journal: a number means nothing in another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Make an instrument safe, now, and say so; what waits at its node is not started."""

    id: str
    """``dye-450/halt-3``; its answer carries it, so that no older answer is taken for it."""
    instrument: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A node that was stopped may obey again."""

    instrument: str
    lifts: tuple[str, ...] = ()
    """Ids of the orders to stop that it lifts, and no others; all of them where none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A sample is not to be trusted without a look: what is known of it contradicts itself."""

    run: str
    step: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakWindow:
    """A step has missed its maximum lag; said as soon as that is known.

    Of one that is done all the same it is said once more, with ``late_s``, when it has started.
    """

    run: str
    step: str
    instrument: str
    due: float
    """Lab time at which it should have started at the latest."""
    remedy: Remedy
    """What is done about it; *skip* where no rule says so either."""
    late_s: float | None = None
    """Lab seconds between ``due`` and its start; None while, or where, it has not started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Materials were left, reserved, used, in doubt, released or filled in; how sources stand."""

    why: BookedFor
    run: str
    """Empty where it is about none."""
    cid: str = ""
    """The command that used them, or may have."""
    moves: tuple[Moved, ...] = ()
    levels: tuple[Level, ...] = ()
    """Of every source that changed, as it is now."""
    task: str = ""
    """What asked for the refill, and is done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRefill:
    """Ask a person to refill a source: the next run, or the next step, cannot begin before."""

    task: str
    """``dye-450/refill-1``."""
    source: str
    """``handler/buffer``."""
    missing_ul: float
    """How much more there has to be; 0 where only a lot has expired."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginCarry:
    """A piece of labware leaves one site for another; who carries it is commanded next.

    Where no transporter leads, this asks a person to do it.
    """

    carry: str
    """``dye-450/carry-3``."""
    labware: str
    source: str
    target: str
    """``hotel/3``, ``reader/1``."""
    carrier: str
    """Empty: a person."""
    step: str
    """For whose sake; empty: it is put away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCarry:
    """Where a piece of labware stands now."""

    carry: str
    """What brought it there; empty where a person said so."""
    labware: str
    site: str
    """Empty: it is not on the bench, or nobody knows."""
    lost: str = ""
    """Why it is used no more before a person has said where it is: ``sdl place``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Wake the engine at a moment of lab time."""

    timer: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEnd:
    """What one sample of a batch gave."""

    suggestion: str
    outcome: RunOutcome
    measures: Measures
    """Empty unless measured."""
    loss: float | None
    """By the objective, smaller is better; None unless measured and counted (``core.aims``)."""
    reason: str = ""
    """Why, unless measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun:
    """A run is over, and this is what it gave."""

    run: str
    outcome: RunOutcome
    """Of a batch: *measured* if any sample was."""
    measures: Measures
    """Empty unless measured, and in a batch."""
    loss: float | None
    """By the objective, smaller is better; None as of a sample, and in a batch."""
    reason: str = ""
    """Why, unless measured."""
    samples: tuple[SampleEnd, ...] = ()
    """Of a batch, in the order of its samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weigh:
    """The evidence for the hypothesis after one more run, or one more sample of a batch."""

    run: str
    evidence: Evidence
    sample: int = 1
    """Its number in the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude:
    """The campaign is over."""

    ending: Literal[
        "target", "budget", "exhausted", "enough", "stopped", "failures", "planner", "material"
    ]
    """*enough*: the planner believes that too little is left to be gained."""
    reason: str
    best_run: str | None
    verdict: Verdict | None
    """None where the campaign has no hypothesis."""
    campaign: str = ""
    """Empty: the one whose journal it is."""
    best_suggestion: str = ""
    """Which sample of the best run it was, in a batch."""
    usage: tuple[Usage, ...] = ()
    """What each instrument spent the campaign's time on, whosesoever its work was."""
    front: tuple[str, ...] = ()
    """Of several objectives: the suggestions that no other one beats in all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLab:
    """The session of a lab is over; campaigns that have not ended go on in the next one."""

    reason: str
    usage: tuple[Usage, ...] = ()
    """What each instrument spent the session's time on so far."""


Command: TypeAlias = (
    AskPlanner
    | AcceptSuggestion
    | Dispose
    | BeginRun
    | Perform
    | Refuse
    | Resend
    | Query
    | Greet
    | Halt
    | Release
    | Flag
    | BreakWindow
    | Book
    | AskRefill
    | BeginCarry
    | EndCarry
    | Wait
    | EndRun
    | Weigh
    | Conclude
    | CloseLab
)
COMMANDS: tuple[type, ...] = (
    AskPlanner,
    AcceptSuggestion,
    Dispose,
    BeginRun,
    Perform,
    Refuse,
    Resend,
    Query,
    Greet,
    Halt,
    Release,
    Flag,
    BreakWindow,
    Book,
    AskRefill,
    BeginCarry,
    EndCarry,
    Wait,
    EndRun,
    Weigh,
    Conclude,
    CloseLab,
)
