"""What the engine knows of the bench: who is online, who is busy, which wells are free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sdl.core.inventory import Inventory
from sdl.core.schedule import Share
from sdl.core.usage import Account, Activity, Usage
from sdl.model.action import Effect
from sdl.model.lab import Lab, place_of
from sdl.model.labware import Labware, Well

CARE: tuple[Effect, ...] = ("pure", "idempotent", "once")
"""From harmless to never twice."""
LOST_S = 60.0
"""Lab seconds after which an instrument that is away is taken for lost: a person may say what
became of its command, for its node may never do so."""

LESSON = 0.5
"""Weight of the last duration of an action against all those before it."""
LIFTED_MAX = 32
"""Orders to stop that are known to stand no more, for each instrument."""


@dataclass(slots=True)
class InstrumentState:
    """One instrument as last heard of."""

    name: str
    driver: str
    simulated: bool
    boot: str = ""
    """Of the node that announced it last; empty before the first word."""
    memory: str = ""
    """Of that node's journal."""
    seq: int = 0
    """Number of the last word that was heard of that journal; 0 where none was."""
    former: dict[str, int] = field(default_factory=dict)
    """The same of journals that it had before: a broker may bring an old birth back."""
    effects: dict[str, Effect] = field(default_factory=dict)
    """What its driver declares of each action."""
    online: bool = False
    absence: str = "not heard of yet"
    """Why it is not online."""
    lost_at: float = 0.0
    """Lab time at which it was heard of last, while it is not online."""
    busy_with: str | None = None
    """The open command that holds it, ..."""
    busy_since: float = 0.0
    """... and since when, in lab time."""
    share: Share = field(default_factory=Share)
    """How much of it each campaign had, where several share the lab."""
    account: Account = field(default_factory=Account)
    """What it spent its time on."""
    held: str = ""
    """Why nothing may be asked of it until a person lets it: quarantined, or not made safe."""
    asking: str = ""
    """The step at which it waits for a person's answer."""
    approached: str = ""
    """The carry that takes something from it or brings something to it: it stands still."""
    mending: str = ""
    """The step for which a recovery is under way: only recoveries may use it."""
    paused: str = ""
    """Who wants nothing new to start on it, and why."""
    paused_at_once: bool = False
    halting: str = ""
    """The order to make itself safe that it was given last and has not answered yet."""
    stopped: str = ""
    """Why its node obeys nothing before it is released."""
    stops: tuple[str, ...] = ()
    """Ids of the orders to stop that its node has, or is about to have."""
    lifted: tuple[str, ...] = ()
    """Of those that were lifted, the last ones: a release may have got lost."""
    released: tuple[str, ...] = ()
    """What the last release lifted, until its node shows that it obeys again."""
    released_amid: str = ""
    """The command that it was busy with at that release: what is heard of it shows nothing."""
    stopped_past_us: bool = False
    """It was stopped by somebody else than this orchestrator, as its node said."""

    @property
    def ready(self) -> bool:
        """Whether runs that need it may begin."""
        return self.able and not self.paused

    @property
    def able(self) -> bool:
        """Whether something may be asked of it, as soon as it is not busy."""
        return self.online and not (self.held or self.asking or self.halting or self.stopped)

    def activity(self, *, has_work: bool, is_paused: bool) -> Activity:
        """What it spends its time on. ``has_work``: whether something waits for it."""
        if not self.online:
            return "offline"
        if self.busy_with is not None:
            return "busy"
        if self.asking:
            return "person"
        if self.halting or self.stopped or self.held:
            return "stopped"
        if self.mending:
            return "mending"
        if self.paused or is_paused:
            return "paused"
        return "waiting" if has_work else "idle"

    def order(self, *stops: str) -> None:
        """Its node was told to stop, by these orders."""
        self.stops += tuple(one for one in stops if one and one not in (*self.stops, *self.lifted))

    def lift_again(self, *lifts: str) -> tuple[str, ...]:
        """It was released, and has still to show that it heard so."""
        self.released, self.released_amid = lifts, self.busy_with or ""
        return lifts

    def lift(self) -> tuple[str, ...]:
        """All orders to stop that are known of; they stand no more."""
        lifts, self.stops = self.stops, ()
        self.lifted = (*self.lifted, *lifts)[-LIFTED_MAX:]
        return self.lift_again(*lifts)

    def change_memory(self, memory: str) -> None:
        """Its node has another journal than before, or again one that it had."""
        if self.seq:
            self.former[self.memory] = self.seq
        self.memory, self.seq = memory, self.former.pop(memory, 0)

    def leave(self, at: float, reason: str) -> None:
        """Be offline, from lab time ``at`` on if it was not before."""
        if self.online:
            self.lost_at = at
        self.online, self.absence = False, reason
        self.account.turn("offline", at)

    def is_lost(self, at: float) -> bool:
        """Whether it has been away for so long that it may never come back."""
        return not self.online and at >= self.lost_at + LOST_S

    def effect(self, operation: str, declared: Effect) -> Effect:
        """The more careful word of the driver's and the capability's about an action."""
        return max(declared, self.effects.get(operation, declared), key=CARE.index)


@dataclass(slots=True)
class PieceState:
    """One piece of labware that stands on a site, or is on its way to one."""

    name: str
    home: str
    """The site where it stands at first."""
    site: str
    """Where it stands, or is being carried to."""
    leaves: str = ""
    """The site that it is being taken from, while it is carried."""
    kind: str = ""
    """Of a plate that was brought, as PyLabRobot names it; empty: the lab's file says it."""
    lost: str = ""
    """Why it is not where it should be, or nobody knows where it is; a person has to say."""
    placed: int = 0
    """Number, in this lab, of the last word that somebody else than a simulated arm has set it
    down; 0 where there was none since an arm took it up. Virtual benches are told of it."""

    @property
    def stands(self) -> str:
        """The site where it was last known to stand; empty if it is off the bench."""
        return self.leaves or self.site

    @property
    def shown(self) -> str:
        """Where people are told that it stands; empty while it is carried, or nobody knows."""
        return "" if self.leaves or self.lost else self.site

    def is_at(self, place: str) -> bool:
        """Whether it stands on a site of this instrument or place."""
        return not self.leaves and not self.lost and place_of(self.site) == place


@dataclass(slots=True)
class CarryState:
    """A piece of labware on its way."""

    id: str
    """``dye-450/carry-3``."""
    piece: str
    source: str
    target: str
    """Sites."""
    carrier: str
    """A transporter; empty: a person is asked."""
    step: str
    """For whose sake; empty: to clear a site that nobody needs it on."""
    since: float
    """Lab time."""
    end: str = ""
    """What was said last of its command."""
    lid: str = ""
    """The lid that is taken off the piece, which stays where it is, or put on it; empty: none."""
    parks: str = ""
    """Where that lies while it is off."""
    puts_on: bool = False
    withdrawn: float | None = None
    """Lab time from which on it is taken not to have been carried, as nobody needs it any more;
    None while somebody does."""

    @property
    def labware(self) -> str:
        """What is carried: the piece, or its lid."""
        return self.lid or self.piece

    @property
    def ends(self) -> tuple[str, str]:
        """From where to where; of a lid, one end is its plate."""
        if not self.lid:
            return self.source, self.target
        return (self.parks, self.piece) if self.puts_on else (self.piece, self.parks)


@dataclass(slots=True)
class LabState:
    """Folded from events; one per engine."""

    instruments: dict[str, InstrumentState]
    free_wells: dict[str, list[str]] = field(default_factory=dict)
    """By plate, in order of use."""
    pieces: dict[str, PieceState] = field(default_factory=dict)
    """Labware that stands on sites, by name; what every instrument reaches is not among it."""
    lids: dict[str, PieceState] = field(default_factory=dict)
    """By plate: its lid, which lies on the plate or on a site of its own."""
    lid_wants: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By instrument whose next step waits for a lid to be moved: plate, and step."""
    carries: dict[str, CarryState] = field(default_factory=dict)
    """Under way, by id."""
    carried: int = 0
    """Carries so far, those under way included."""
    placed: int = 0
    """Words so far that somebody else than a simulated arm has set a piece down."""
    untouched: bool = False
    """A person has broken everything off: nothing is put away before one lets it go on."""
    took: dict[str, float] = field(default_factory=dict)
    """Lab seconds that each action took lately, by ``instrument/action``."""
    inventory: Inventory | None = None
    """What sources and wells hold; None where the lab's file declares no stocks."""
    left: list[str] = field(default_factory=list)
    """What is there from before that the lab's file does not say, a sentence for each thing."""
    brought: dict[str, Labware] = field(default_factory=dict)
    """Fresh plates that people have brought since the lab began, by name."""
    plates_asked: int = 0
    """How often a person was asked for one."""
    opened: dict[str, str] = field(default_factory=dict)
    """Plates of which a well was used: the campaign that has it for itself; empty if none has."""
    runs_in_a_turn: int | None = None
    """Runs that begin within one turn at most; None where the journal's head says nothing."""
    checks_draws: bool = False
    """Whether the ledger is asked before an action is sent, as the journal's head says."""
    attended: bool = True
    """Whether a person may come by, refill a source or bring a plate; nobody does in virtual time.
    """
    is_shared: bool = False
    """Whether several campaigns may be at work on it, and others may come."""
    playing: Counter[str] = field(default_factory=Counter)
    """In how many roles of runs in flight each instrument is."""
    sites: dict[str, int] = field(default_factory=dict)
    """Of each instrument that has some, where labware is carried."""
    lodging: Counter[str] = field(default_factory=Counter)
    """In how many runs in flight labware stays for a while at each instrument."""
    epoch: int = 0
    """Of the orchestrator that leads now; 0 before the first one has said so."""
    starts: int = 0
    """Orchestrators so far, the first one included."""
    checked_epoch: int = 0
    """The last epoch at whose start a person had looked at the bench."""
    halts: int = 0
    """Orders so far that made an instrument safe."""
    paused: str = ""
    """Who wants nothing new to start in the whole lab, and why; empty while it goes on."""
    paused_at_once: bool = False
    stopped: bool = False
    """Every instrument was told to make itself safe, and none is released before a resume."""
    closing: str = ""
    """Why no run is begun any more, whosesoever; the session ends when those in flight have."""
    closed: bool = False
    """The session has ended; nothing more is taken in, unless another orchestrator opens it."""

    @classmethod
    def of(cls, lab: Lab) -> LabState:
        """The bench as the files describe it, before anyone was heard of."""
        return cls(
            {i.name: InstrumentState(i.name, i.driver, i.simulated) for i in lab.instruments},
            {plate.name: list(plate.free_wells) for plate in lab.labware},
            {one.name: PieceState(one.name, one.at, one.at) for one in lab.labware if one.at},
            lids={one.on: PieceState(one.name, one.on, one.on) for one in lab.labware if one.on},
            inventory=Inventory.of(lab),
            sites={one.name: one.sites for one in lab.instruments if one.sites},
        )

    def learn(self, instrument: str, operation: str, duration_s: float) -> None:
        """An action has ended after so many lab seconds; 0: nobody knows how many."""
        if duration_s <= 0.0:
            return
        key = f"{instrument}/{operation}"
        before = self.took.get(key, duration_s)
        self.took[key] = before + LESSON * (duration_s - before)

    def are_at(self, pieces: Iterable[str], place: str) -> bool:
        """Whether all of these stand on sites of an instrument, and nobody takes them away."""
        return all(self.pieces[name].is_at(place) for name in pieces)

    def usage(self, at: float) -> tuple[Usage, ...]:
        """What each instrument spent its time on, until lab time ``at``."""
        return tuple(one.account.until(one.name, at) for one in self.instruments.values())

    def bring(self, plate: Labware) -> PieceState:
        """A fresh plate now stands on its site."""
        self.brought[plate.name] = plate
        self.free_wells[plate.name] = list(plate.kind.wells)
        if self.inventory is not None:
            self.inventory.bring(plate)
        piece = self.pieces[plate.name] = PieceState(
            plate.name, plate.at, plate.at, kind=plate.kind.name
        )
        return piece

    def use(self, well: Well) -> None:
        """Take a well out of the free ones, for good: a used well is never offered again."""
        self.free_wells[well.labware].remove(well.name)
