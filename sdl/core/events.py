"""What happened. Past tense; every event carries ``at``, lab time in seconds since 1970 (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdl.model.campaign import Campaign
from sdl.model.data import JsonValue, Suggestion
from sdl.model.lab import Lab
from sdl.model.protocol import ProtocolSignature
from sdl.model.provenance import Origin

Phase = Literal["before_start", "during", "after"]
FaultKind = Literal["driver", "lab", "material", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStarted:
    """The head of a journal: all that the files said, and what software read them."""

    at: float
    campaign: Campaign
    lab: Lab
    protocol: ProtocolSignature
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorStarted:
    """A process took the campaign over; from epoch 2 on it resumes after a stop or crash."""

    at: float
    epoch: int
    software: tuple[tuple[str, str], ...] = ()
    bench_checked: bool = False
    """A person has looked: whatever became of unknown actions, the instruments are fit for use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentOnline:
    """A node announced an instrument."""

    at: float
    instrument: str
    boot: str
    """Made anew each time the node starts; a change means that its memory of commands is gone."""
    driver: str
    simulated: bool
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentLost:
    """A node said good-bye, its last will arrived, or its heartbeat stopped."""

    at: float
    instrument: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionsArrived:
    """The planner answered. The engine still has to accept the points."""

    at: float
    ask: str
    attempt: int
    suggestions: tuple[Suggestion, ...]
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerFailed:
    """The planner died, hung or said that it cannot."""

    at: float
    ask: str
    attempt: int
    reason: str
    exhausted: bool = False
    """It did its work: there is no point left to suggest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAccepted:
    """The node has the command and will start it when the instrument is free."""

    at: float
    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStarted:
    """The node has told the driver; from here on the world may have changed."""

    at: float
    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDone:
    """The action ended well."""

    at: float
    cid: str
    result: JsonValue
    duration_s: float
    """Lab seconds between start and end, by the node's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailed:
    """The action did not end well, and it is known how far it got."""

    at: float
    cid: str
    phase: Phase
    kind: FaultKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandUnknown:
    """Nobody can say whether the action happened."""

    at: float
    cid: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNotSeen:
    """A node answered a query: it has never heard of this command."""

    at: float
    cid: str
    boot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandUnheard:
    """No word of an open command came for longer than it should stay unheard."""

    at: float
    cid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A moment asked for by ``Wait`` has come."""

    at: float
    timer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """A person, or the runtime for their sake, asked the campaign to end in good order."""

    at: float
    by: str
    reason: str


Event: TypeAlias = (
    CampaignStarted
    | OrchestratorStarted
    | InstrumentOnline
    | InstrumentLost
    | SuggestionsArrived
    | PlannerFailed
    | CommandAccepted
    | CommandStarted
    | CommandDone
    | CommandFailed
    | CommandUnknown
    | CommandNotSeen
    | CommandUnheard
    | TimerFired
    | StopRequested
)
EVENTS: tuple[type, ...] = (
    CampaignStarted,
    OrchestratorStarted,
    InstrumentOnline,
    InstrumentLost,
    SuggestionsArrived,
    PlannerFailed,
    CommandAccepted,
    CommandStarted,
    CommandDone,
    CommandFailed,
    CommandUnknown,
    CommandNotSeen,
    CommandUnheard,
    TimerFired,
    StopRequested,
)
