"""What happened. Past tense; every event carries ``at``, lab time in seconds since 1970 (UTC)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from sdl.core.plan import PlanArrived
from sdl.model.action import Effect
from sdl.model.campaign import Campaign, Terms
from sdl.model.data import JsonValue, Suggestion
from sdl.model.lab import Lab
from sdl.model.protocol import ProtocolSignature
from sdl.model.provenance import Origin
from sdl.model.stock import Remnant

Phase = Literal["before_start", "during", "after"]
FaultKind = Literal["driver", "lab", "material", "refused"]
Verdict = Literal["happened", "did_not_happen", "discard"]
"""What a person found out about an action whose outcome was unknown. *discard*: it cannot be found
out, or the sample is not to be trusted; its run ends, and its well is not used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStarted:
    """All that the files said, and what read them; the head of a campaign's own journal."""

    at: float
    campaign: Campaign
    lab: Lab
    protocol: ProtocolSignature
    origin: Origin
    terms: Terms = field(default_factory=Terms)
    """Its claim on the bench, where others share it."""
    sources: tuple[tuple[str, str], ...] = ()
    """In a lab's session, by the name in the files: the text of each protocol file of the lab's
    own, so that the session can be taken up again although the file was edited or is elsewhere."""
    by: str = ""
    """Who started it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabOpened:
    """The head of a lab session's journal, into which campaigns come at any time."""

    at: float
    name: str
    """Of the journal."""
    lab: Lab
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class LabDownRequested:
    """A person asked the session to end: what runs is finished, and no run is begun."""

    at: float
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChanged:
    """A person gave a campaign another claim on the bench."""

    at: float
    campaign: str
    terms: Terms
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorStarted:
    """A process took the lab over; from epoch 2 on it resumes after a stop or crash."""

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
    """Made anew each time the node starts."""
    driver: str
    simulated: bool
    actions: tuple[str, ...]
    memory: str = ""
    """Of the node's journal; another one means that what it knew of our commands is lost."""
    effects: tuple[tuple[str, Effect], ...] = ()
    """What the driver declares of each action; the more careful word holds."""
    stopped: str = ""
    """Why the node obeys nothing before it is released; empty where it was not stopped."""
    stops: tuple[str, ...] = ()
    """Ids of the orders to stop that stand there."""


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
    seq: int = 0
    """Number of the word in the node's journal; 0 where it stands in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStarted:
    """The node has told the driver; from here on the world may have changed."""

    at: float
    cid: str
    seq: int = 0
    boot: str = ""
    """Of the node's start that it happened in; a command has one, unless two nodes have copies of
    one journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandDone:
    """The action ended well."""

    at: float
    cid: str
    seq: int = 0
    result: JsonValue
    duration_s: float
    """Lab seconds between start and end, by the node's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailed:
    """The action did not end well, and it is known how far it got."""

    at: float
    cid: str
    seq: int = 0
    phase: Phase
    kind: FaultKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandUnknown:
    """Nobody can say whether the action happened."""

    at: float
    cid: str
    seq: int = 0
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNotSeen:
    """A node answered a query: it has never heard of this command."""

    at: float
    cid: str
    memory: str
    """Of the journal in which it looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandConflict:
    """A node was sent this id before with other arguments; it did nothing about the second."""

    at: float
    cid: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentMadeSafe:
    """A node has called its driver's ``make_safe``, as a ``Halt`` asked, and it has ended."""

    at: float
    instrument: str
    boot: str
    safe: bool
    """Whether the driver confirmed; only then is the instrument free."""
    reason: str = ""
    halt: str = ""
    """Id of the ``Halt`` that it answers; another one where it was told to stop past us."""


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
    campaign: str = ""
    """Empty: the only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResolved:
    """A person said what became of an action, or what is to be done about a step that asks."""

    at: float
    step: str
    """``dye-450/run-7/step-2``."""
    verdict: Verdict
    by: str
    note: str = ""
    result: JsonValue = None
    """What the action gave, where it happened and gives something."""
    attempt: int = 0
    """Which attempt it is about, so that an answer that comes twice answers one question only; 0:
    the one that is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequested:
    """A person wants nothing new to start."""

    at: float
    what: str
    """An instrument's name; empty: the campaign, or the whole lab."""
    by: str
    note: str = ""
    at_once: bool = False
    """Not even what an open window waits for; else the next safe point is one without a window."""
    campaign: str = ""
    """Empty, where ``what`` is, too: the whole lab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequested:
    """A person lets it go on: what was paused, stopped, quarantined or held."""

    at: float
    what: str
    """An instrument's name; empty: the campaign, or all, every stopped instrument included."""
    by: str
    note: str = ""
    campaign: str = ""
    """Empty, where ``what`` is, too: the whole lab."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortRequested:
    """A person wants something broken off: its instruments are made safe before they are free."""

    at: float
    what: str
    """A run's id or an instrument's name; empty: the campaign, or every one of the lab."""
    by: str
    note: str = ""
    campaign: str = ""
    """Empty, where ``what`` is, too: every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabStopRequested:
    """Everything was told to stop at once, by its own topic; nothing starts until a resume."""

    at: float
    by: str
    note: str = ""
    order: str = ""
    """Id of the order that every node was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRefilled:
    """A person has filled a source of an instrument up, or looked how much is in it."""

    at: float
    source: str
    """``handler/buffer``."""
    volume_ul: float
    """What was filled in; or all that is in it now, if it ``replaces`` what was there."""
    replaces: bool
    by: str
    lot: str = ""
    expires: str = ""
    """Last day of the lot, such as ``2027-03-01``, in UTC; empty if it keeps."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryDone:
    """A person says that they have carried what they were asked to, or that they will not."""

    at: float
    carry: str
    """``dye-450/carry-3``."""
    by: str
    done: bool = True
    """Else it still stands where it stood."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabwarePlaced:
    """A person says where a piece of labware stands, or has put it there themselves."""

    at: float
    labware: str
    site: str
    """``hotel/3``; empty: it is no longer on the bench."""
    by: str
    note: str = ""
    was: str | None = None
    """The site that was shown to them, so that a word which comes twice moves nothing; empty: none
    was known; None: they were shown nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabwareDoubted:
    """As work began, the lab's file had a piece stand where it was not left."""

    at: float
    labware: str
    site: str
    """Where it was left; empty: on none that is known."""
    reason: str
    """What says what, for a person who then says where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLeft:
    """As work began, a source is taken to hold what was left in it, not what the lab's file says.

    The file says the same of it as it did then.
    """

    at: float
    source: str
    """``handler/buffer``."""
    journal: str
    """At whose end that was left."""
    left: tuple[Remnant, ...]
    doubt_ul: float
    """What may have been drawn besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WellsLeft:
    """As work began, the wells of a plate that were used before are not free."""

    at: float
    labware: str
    journal: str
    """Until whose end."""
    used: tuple[str, ...]
    """Names of those that were given to runs."""
    owner: str
    """The campaign that has the plate for itself; empty if none has."""
    left: tuple[Remnant, ...]
    """What wells hold, as far as account was kept."""


CommandWord: TypeAlias = (
    CommandAccepted | CommandStarted | CommandDone | CommandFailed | CommandUnknown
)
"""What stands in a node's journal about a command."""

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
    | CommandConflict
    | InstrumentMadeSafe
    | CommandUnheard
    | TimerFired
    | StopRequested
    | StepResolved
    | PauseRequested
    | ResumeRequested
    | AbortRequested
    | LabStopRequested
    | StockRefilled
    | CarryDone
    | LabwarePlaced
    | LabwareDoubted
    | StockLeft
    | WellsLeft
    | LabOpened
    | LabDownRequested
    | TermsChanged
    | PlanArrived
)
EVENTS: tuple[type, ...] = get_args(Event)
