"""The invariants of a lab under faults, held against what is durable and what is physically so.

Every line that becomes durable is decoded and handled by a second engine, which must decide the
same; every action of a machine is held against the intents on record. I1 to I10 are explained in
the documentation of ``sdl simulate --faults``.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine, Scripts
from sdl.core.invariants import Watch
from sdl.errors import Bug, SdlError
from sdl.shell.bus import Message
from sdl.shell.node_journal import Entry, Noted, Stopped, Taken, Word
from sdl.sim.disk import SimJournal
from sdl.sim.world import Deed, World
from sdl.wire import mqtt
from sdl.wire.journal import Line, dump, load
from sdl.wire.topics import kind_in, name_in

LATE_S = 1e-3
"""How much later than allowed an action may begin: the step of the clock in a float."""
PATIENCE_S = 31.0
"""A command that nobody works on may be open for so long when everything is well again."""

NEVER = math.inf
"""When an order to stop came that stands no more, also where it comes once more."""
REFUSALS = 3
"""So often an instrument may refuse before its orchestrator knows that it is stopped."""

ELSEWHERE = "bring it first"
"""What a simulator says where labware that it should act on stands elsewhere."""

HEARD = (
    ev.CommandAccepted,
    ev.CommandStarted,
    ev.CommandDone,
    ev.CommandFailed,
    ev.CommandUnknown,
)


class Broken(Bug):
    """An invariant does not hold; says which one."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a simulation came to."""

    commands: int = 0
    begun: int = 0
    done: int = 0
    unknown: list[str] = field(default_factory=list)
    flags: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    """Steps that missed their windows, by what was done about it."""
    resolved: Counter[str] = field(default_factory=Counter)
    ours: set[str] = field(default_factory=set)
    """Commands of the last journal."""
    absent: list[str] = field(default_factory=list)
    """Commands about labware that did not stand at their instrument."""
    endings: dict[str, str] = field(default_factory=dict)
    """By campaign of the last journal that has ended."""


class Books:
    """What one simulation must keep to."""

    def __init__(self, scripts: Scripts, now: Callable[[], float]) -> None:
        """``now``: lab time, as a clock that is right shows it."""
        self.engine = Engine(scripts)
        """Of the last journal."""
        self.watch = Watch()
        self.tally = Tally()
        self.world: World
        self.broken: Bug | None = None
        """The first invariant that was found broken."""
        self.clocks_differ = False
        """Whether a wall clock was put wrong: windows are then kept by what was allowed in all."""
        self.performed: dict[str, do.Perform] = {}
        self.ended: dict[str, ev.Event] = {}
        self.cut: set[str] = set()
        """Commands that were started when a fault came between them and their end."""
        self.started: list[dict[str, str]] = []
        """For each node, by instrument: the command that its journal says was started last."""
        self._scripts = scripts
        self._journal = ""
        """Name of the last one."""
        self._origin = ""
        """Hash of its first line."""
        self._copied: set[str] = set()
        """Instruments for which there are, or were, two nodes."""
        self._sender: dict[str, tuple[str, int]] = {}
        """By command: journal and epoch of the orchestrator that sent it."""
        self._greeting: dict[tuple[str, str], tuple[mqtt.Control, float]] = {}
        """By node and instrument: the last greeting that came there, and when."""
        self._orders: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        """By the name of a node's place, and instrument: orders to stop, and when they came; never
        for those that were lifted since."""
        self._kept_orders: dict[tuple[str, str], tuple[str, ...]] = {}
        """Those that stand in the node's journal."""
        self._greeters: Counter[str] = Counter()
        """By the name of a node's place, the highest epoch of a greeting or command."""
        self._now = now
        self._begun: Counter[str] = Counter()
        self._happened: Counter[str] = Counter()
        self._epochs: dict[str, int] = {}
        """By client, the highest epoch that reached it."""
        self._came: dict[str, bool] = {}
        """Whether a command ever came from who led then, as far as its node knew."""
        self.is_begun = False
        self._lost: set[str] = set()
        """Instruments whose node's journal was deleted or put back."""
        self._moved: dict[str, float] = {}
        """When there was word of each command last, in virtual seconds."""
        self._stopped: dict[str, float] = {}
        """Instruments that obey nothing while the engine takes them for free, and since when."""
        self._refused: Counter[str] = Counter()
        """By instrument: commands it has refused since it was released last, as it was stopped."""
        self._words: dict[tuple[str, str, int], tuple[str, str]] = {}

    def hold(self, holds: bool, broken: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Note that an invariant is broken, and raise it where it is seen."""
        if not holds and self.broken is None:
            self.broken = Broken(broken)
        if not holds:
            raise Broken(broken)

    # What is on record.

    def keep(self, lines: Sequence[Line]) -> None:
        """Lines are durable: the second engine must follow (I7), and the watch look on."""
        try:
            self._keep(lines)
        except SdlError as error:
            self.broken = self.broken or Broken(f"I7 or the watch: {error}")
            raise

    def _keep(self, lines: Sequence[Line]) -> None:
        expected: list[str] = []
        for line in lines:
            if line.campaign != self._journal:
                self._begin(line)
            if line.kind == "event":
                self.hold(not expected, f"I7: line {line.seq}: not {expected[:1]}")
                event: ev.Event = load(line.type, line.body)  # type: ignore[assignment]
                decided = self.engine.handle(event)
                self.is_begun = True
                expected = [dump(command) for command in decided]
                self.watch.see(self.engine, event, decided)
                self.note_event(event)
                for command in decided:
                    self._note_command(command)
            else:
                self.hold(expected[:1] == [line.body], f"I7: line {line.seq}: not {expected[:1]}")
                expected = expected[1:]
        self.hold(not expected, f"I7: {expected[:1]} is not on record with its event")

    def _begin(self, first: Line) -> None:
        """Another journal begins; whoever led the one before leads no more."""
        self.hold(first.seq == 1, f"I7: {first.campaign} begins with line {first.seq}")
        self._journal, self._origin = first.campaign, first.hash
        self.tally.ours.clear()
        self.tally.endings.clear()
        self.engine, self.watch = Engine(self._scripts), Watch()

    def restored(self, engine: Engine) -> None:
        """An engine was made from a snapshot: it stands where the journal leads (I7)."""
        is_same = engine.state_sha256() == self.engine.state_sha256()
        self.hold(is_same, "I7: a snapshot leads to another state than the journal")

    def note_event(self, event: ev.Event) -> None:
        """Check what an event on record says against what is so."""
        if isinstance(event, HEARD):
            self._moved[event.cid] = virtual_now()
        match event:
            case ev.CommandDone(cid=cid):
                self.hold(self._happened[cid] == 1, f"I3: {cid} is done and did not happen")
                self.tally.done += cid not in self.ended
                self.ended.setdefault(cid, event)
            case ev.CommandFailed(cid=cid, phase=phase):
                self._note_refusal(event)
                self._note_absent(event)
                is_proven = phase == "before_start" and not self._is_copied(cid)
                happened = is_proven and self._happened[cid]
                self.hold(not happened, f"I4: {cid} is said not to have begun, and has happened")
                self.ended.setdefault(cid, event)
            case ev.CommandUnknown(cid=cid):
                self._note_unknown(cid)
                self.ended.setdefault(cid, event)
            case ev.CommandNotSeen(cid=cid, memory=memory):
                if cid in self.performed and self.performed[cid].memory != memory:
                    self._note_lost(cid, event)
            case ev.InstrumentOnline(instrument=name, memory=memory):
                for cid, perform in self.performed.items():
                    if cid not in self.tally.ours:
                        continue
                    if perform.instrument == name and perform.memory != memory:
                        self._note_lost(cid, event)
            case ev.StepResolved(verdict=verdict):
                self.tally.resolved[verdict] += 1
            case _:
                pass

    def _note_lost(self, cid: str, event: ev.Event) -> None:
        """Its node has another journal now, which may have forgotten it."""
        if cid not in self.ended:
            if self.performed[cid].instrument in self._lost:
                self.cut.add(cid)
            self._note_unknown(cid)
            self.ended[cid] = event

    def _note_refusal(self, event: ev.CommandFailed) -> None:
        """S3: nobody loses a run to a stop that was lifted, as far as the orchestrator knows."""
        perform = self.performed.get(event.cid)
        if perform is None or event.phase != "before_start" or event.cid in self.ended:
            return
        known = self.engine.lab.instruments[perform.instrument]
        is_free = not (known.stopped or known.held or known.halting)
        if is_free and self.world.stopped(known.name):
            self._refused[known.name] += 1
            times = self._refused[known.name]
            self.hold(times < REFUSALS, f"S3: {known.name} refuses {times} times, as it is stopped")

    def _note_absent(self, event: ev.CommandFailed) -> None:
        """I12: no instrument is told to act on labware that does not stand there."""
        if ELSEWHERE in event.reason:
            self.tally.absent.append(f"{event.cid}: {event.reason}")

    def _is_copied(self, cid: str) -> bool:
        """Whether two nodes have the instrument of a command."""
        perform = self.performed.get(cid)
        return perform is not None and perform.instrument in self._copied

    def _note_unknown(self, cid: str) -> None:
        is_cut = cid in self.cut or self._is_copied(cid)
        self.hold(is_cut, f"precision: {cid} is unknown, and no fault came between")
        if cid not in self.tally.unknown:
            self.tally.unknown.append(cid)

    def _note_command(self, command: do.Command) -> None:
        match command:
            case do.Perform(cid=cid):
                self.performed[cid] = command
                self.tally.ours.add(cid)
                self._moved[cid] = virtual_now()
                self.tally.commands += 1
            case do.Conclude(campaign=name, ending=ending):
                self.tally.endings[name or self._journal] = ending
            case do.Flag():
                self.tally.flags += 1
            case do.BreakWindow(late_s=None, remedy=remedy):
                self.tally.windows[remedy] += 1
            case do.Release(instrument=name):
                self._refused[name] = 0
            case _:
                pass

    # What is physically so.

    def begins(self, deed: Deed) -> None:
        """A driver is called: I1, I2, I8, I9."""
        cid = deed.cid
        self.tally.begun += 1
        self._begun[cid] += 1
        self.hold(bool(cid), f"{deed.instrument} was called and nothing is journalled as started")
        self.hold(self._begun[cid] == 1, f"I1: {cid} is begun {self._begun[cid]} times")
        perform = self.performed.get(cid)
        self.hold(perform is not None, f"I2: {cid} is begun and its intent is not durable")
        is_over = cid in self.ended and not self._is_copied(cid)
        self.hold(not is_over, f"I4: {cid} is begun after {self.ended.get(cid)}")
        self._check_greeting(deed)
        self._check_release(deed)
        is_making = self.world.is_making_safe(deed.instrument, deed.host)
        self.hold(not is_making, f"S1: {cid} is begun while {deed.instrument} is made safe")
        self.hold(
            self._came.get(cid, False), f"I9: {cid} is begun for an orchestrator that was replaced"
        )
        if perform is not None and perform.not_after is not None and not self.clocks_differ:
            late_s = self._now() - perform.not_after
            self.hold(late_s <= LATE_S, f"I8: {cid} is begun {late_s:.3f} s too late")

    def _check_greeting(self, deed: Deed) -> None:
        """I9: it is begun for the campaign, and at the node, that were greeted last."""
        if deed.host is None:
            return
        key = deed.host.name, deed.instrument
        self.hold(
            key in self._greeting, f"I9: {deed.cid} is begun by {key[0]}, which nobody greeted"
        )
        greeting, at = self._greeting[key]
        if at < self._now():  # else it was begun at the very moment
            journal, epoch = self._sender[deed.cid]
            is_led = journal == greeting.journal or epoch > greeting.epoch
            self.hold(is_led, f"I9: {deed.cid} is begun for a campaign that was left")
            is_meant = greeting.boot == deed.host.name
            self.hold(is_meant, f"I9: {deed.cid} is begun by {key[0]}, not {greeting.boot}")

    def _check_release(self, deed: Deed) -> None:
        """S4: nothing is begun where an order to stop stands that no release has lifted."""
        if deed.instrument in self._lost | self._copied:
            return
        orders, now = self._orders[_place(deed), deed.instrument], self._now()
        standing = [order for order, at in orders.items() if at < now]  # else it came just now
        self.hold(not standing, f"S4: {deed.cid} is begun, and {standing} stand")

    def happens(self, deed: Deed) -> None:
        """The world changes: I1."""
        self._happened[deed.cid] += 1
        self.hold(self._happened[deed.cid] == 1, f"I1: {deed.cid} has happened twice")

    def halts(self, instrument: str, making: int) -> None:
        """What has started there is broken off: S1."""
        self.hold(not making, f"S1: {instrument} is made safe while it is being made safe")
        self.cut.update(each[instrument] for each in self.started if instrument in each)

    # What travels.

    def sent(self, message: Message) -> None:
        """A client hands something to its line: S2."""
        if kind_in(message.topic) != "evt" or b'"made_safe"' not in message.payload:
            return
        word = mqtt.decode(mqtt.EventMessage, message.payload)
        if word.st == "made_safe" and word.error is None and word.dev not in self._copied:
            is_safe = self.world.is_safe(word.dev)
            self.hold(is_safe, f"S2: {word.dev} is said to be safe, and it is not")

    def received(self, client: str, message: Message) -> None:
        """Something reached a client: its intent is durable (O1); epochs rise."""
        if kind_in(message.topic) == "cmd" and not message.retain:
            command = mqtt.decode(mqtt.CommandMessage, message.payload)
            self.hold(command.cid in self.performed, f"O1: {command.cid} is sent, not on record")
            highest = self._epochs.get(client, 0)
            self._epochs[client] = max(highest, command.epoch)
            self._sender[command.cid] = command.journal, command.epoch
            self._is_led(client, command.epoch)
            if command.epoch >= highest:
                self._came[command.cid] = True
        elif kind_in(message.topic) == "ctl":
            control = mqtt.decode(mqtt.Control, message.payload)
            self._obeys(client.partition("#")[0], name_in(message.topic), control)
            self._epochs[client] = max(self._epochs.get(client, 0), control.epoch)
            if control.op == "greet" and self._is_led(client, control.epoch):
                key = client, name_in(message.topic)
                self._greeting[key] = control, self._now()
        elif kind_in(message.topic) == "evt":
            self._check_word(message)
        elif kind_in(message.topic) == "stop" and not message.retain and self.is_begun:
            order = mqtt.decode(mqtt.StopAll, message.payload).id
            for name in self.engine.lab.instruments:
                self._orders[client.partition("#")[0], name][order] = self._now()

    def _obeys(self, place: str, instrument: str, control: mqtt.Control) -> None:
        """An order to stop, or a release, has come to a node."""
        orders = self._orders[place, instrument]
        if control.op == "stop":
            is_over = control.journal and orders.get(control.id) == NEVER
            orders[control.id] = NEVER if is_over else self._now()
        elif control.op == "release" and control.epoch >= self._greeters[place]:
            for order in control.lifts or tuple(orders):
                if order in orders:
                    orders[order] = NEVER

    def _is_led(self, client: str, epoch: int) -> bool:
        """Whether nobody of a higher epoch is known where a node runs."""
        place = client.partition("#")[0]
        self._greeters[place] = max(self._greeters[place], epoch)
        return epoch == self._greeters[place]

    def _check_word(self, message: Message) -> None:
        """I6: a number stands for one word, for ever."""
        word = mqtt.decode(mqtt.EventMessage, message.payload)
        if word.seq:
            key = (word.dev, word.memory, word.seq)
            said = self._words.setdefault(key, (word.cid, word.st))
            self.hold(said == (word.cid, word.st), f"I6: {key} says {said}, then {word.st}")

    # What nodes put down.

    def journalled(self, place: str, started: dict[str, str], entries: Sequence[Entry]) -> None:
        """A node's journal has grown. ``started``: by instrument, what it began and did not end."""
        for entry in entries:
            if isinstance(entry, Word) and entry.stage == "started":
                started[entry.device] = entry.id.cid
            elif isinstance(entry, Word) and entry.stage != "accepted":
                started.pop(entry.device, None)
            elif isinstance(entry, Stopped):
                self._kept_orders[place, entry.device] = entry.orders if entry.why else ()

    def not_journalled(self, started: dict[str, str], entries: Sequence[Entry]) -> None:
        """A node's disk failed: what it was about to put down may be lost."""
        for entry in entries:
            if isinstance(entry, Word | Noted | Taken) and started.get(entry.device):
                self.cut.add(started[entry.device])

    def node_died(self, place: str, started: dict[str, str]) -> None:
        """Whatever had started there and not ended is cut off."""
        self.cut.update(started.values())
        for (at, name), orders in self._orders.items():
            if at == place:  # what is not in its journal is forgotten
                kept = self._kept_orders.get((at, name), ())
                stay = {each: t for each, t in orders.items() if each in kept or t == NEVER}
                self._orders[at, name] = stay

    def copied(self, instruments: Sequence[str]) -> None:
        """From now on two nodes have these instruments, each with a journal of its own."""
        self._copied.update(instruments)

    def journal_lost(self, instruments: Sequence[str]) -> None:
        """Nobody can tell any more what became of anything open there."""
        self._lost.update(instruments)

    # What must hold when everything is well again.

    def check_open(self, since: float, at: float) -> None:
        """I10: nothing is open for long that no machine, and no person, is at work on.

        ``since``: when all was well again; ``at``: now; both virtual seconds.
        """
        for instrument in self.engine.lab.instruments.values() if self.is_begun else ():
            cid = instrument.busy_with
            if cid is None or cid in self.ended:
                continue
            if not self.world.is_quiet(instrument.name, at - PATIENCE_S):
                continue
            quiet_s = at - max(since, self._moved.get(cid, 0.0), self.world.last_end(cid))
            if quiet_s > PATIENCE_S:
                self.note_broken(f"I10: {cid} has been open for {quiet_s:.0f} s, and all is well")

        self._check_stopped(since, at)

    def _check_stopped(self, since: float, at: float) -> None:
        """S3: the orchestrator knows of each instrument that obeys nothing, or soon will."""
        for name, instrument in self.engine.lab.instruments.items() if self.is_begun else ():
            stopped = self.world.stopped(name)
            is_known = instrument.stopped or instrument.held or instrument.halting
            if not stopped or is_known:
                self._stopped.pop(name, None)
                continue
            quiet_s = at - max(since, self._stopped.setdefault(name, at))
            if quiet_s > PATIENCE_S:
                self.note_broken(f"S3: {name} is stopped ({stopped}), and nobody knows")

    def note_broken(self, broken: str) -> None:
        """An invariant is broken."""
        self.broken = self.broken or Broken(broken)

    def close(self, journals: Sequence[SimJournal]) -> None:
        """At the end: numbers without a gap (I6), and no result lost."""
        for journal in journals:
            for name in self.engine.lab.instruments:
                for number, payload in enumerate(journal.words(name, 1), start=1):
                    word = mqtt.decode(mqtt.EventMessage, payload)
                    self.hold(word.seq == number, f"I6: {name}: {word.seq} stands at {number}")
                    is_ours = word.journal == self._origin and name not in self._copied
                    if word.st == "done" and is_ours:
                        self.hold(word.cid in self.ended, f"the result of {word.cid} never arrived")


def _place(deed: Deed) -> str:
    """Which node did it, in whichever of its lives."""
    return "" if deed.host is None else deed.host.name.partition("#")[0]


def virtual_now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()
