"""The invariants of a lab under faults, held against what is durable and what is physically so.

Every line that becomes durable is decoded and handled by a second engine, which must decide the
same; every action of a machine is held against the intents on record. I1 to I10 are explained in
the documentation of ``sdl simulate --faults``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.invariants import Watch
from sdl.core.script import Script
from sdl.errors import Bug, SdlError
from sdl.shell.bus import Message
from sdl.shell.node_journal import Entry, Noted, Taken, Word
from sdl.sim.disk import SimJournal
from sdl.sim.world import Deed, World
from sdl.wire import mqtt
from sdl.wire.journal import Line, dump, load
from sdl.wire.topics import kind_in

LATE_S = 1e-3
"""How much later than allowed an action may begin: the step of the clock in a float."""
PATIENCE_S = 31.0
"""A command that nobody works on may be open for so long when everything is well again."""


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
    resolved: Counter[str] = field(default_factory=Counter)


class Books:
    """What one simulation must keep to."""

    def __init__(self, script: Script, now: Callable[[], float]) -> None:
        """``now``: lab time, as a clock that is right shows it."""
        self.engine = Engine(script)
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
        self.started: dict[str, str] = {}
        """By instrument, the command that its node's journal says was started last."""
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
            value = load(line.type, line.body)
            if isinstance(value, ev.EVENTS):
                self.hold(not expected, f"I7: line {line.seq}: not {expected[:1]}")
                event: ev.Event = value  # type: ignore[assignment]
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
                is_proven = phase == "before_start"
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

    def _note_unknown(self, cid: str) -> None:
        self.hold(cid in self.cut, f"precision: {cid} is unknown, and no fault came between")
        if cid not in self.tally.unknown:
            self.tally.unknown.append(cid)

    def _note_command(self, command: do.Command) -> None:
        match command:
            case do.Perform(cid=cid):
                self.performed[cid] = command
                self._moved[cid] = virtual_now()
                self.tally.commands += 1
            case do.Flag():
                self.tally.flags += 1
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
        self.hold(cid not in self.ended, f"I4: {cid} is begun after {self.ended.get(cid)}")
        self.hold(
            self._came.get(cid, False), f"I9: {cid} is begun for an orchestrator that was replaced"
        )
        if perform is not None and perform.not_after is not None and not self.clocks_differ:
            late_s = self._now() - perform.not_after
            self.hold(late_s <= LATE_S, f"I8: {cid} is begun {late_s:.3f} s too late")

    def happens(self, deed: Deed) -> None:
        """The world changes: I1."""
        self._happened[deed.cid] += 1
        self.hold(self._happened[deed.cid] == 1, f"I1: {deed.cid} has happened twice")

    def halts(self, instrument: str) -> None:
        """What has started there is broken off."""
        if instrument in self.started:
            self.cut.add(self.started[instrument])

    # What travels.

    def received(self, client: str, message: Message) -> None:
        """Something reached a client: its intent is durable (O1); epochs rise."""
        if kind_in(message.topic) == "cmd" and not message.retain:
            command = mqtt.decode(mqtt.CommandMessage, message.payload)
            self.hold(command.cid in self.performed, f"O1: {command.cid} is sent, not on record")
            highest = self._epochs.get(client, 0)
            self._epochs[client] = max(highest, command.epoch)
            if command.epoch >= highest:
                self._came[command.cid] = True
        elif kind_in(message.topic) == "ctl":
            control = mqtt.decode(mqtt.Control, message.payload)
            self._epochs[client] = max(self._epochs.get(client, 0), control.epoch)
        elif kind_in(message.topic) == "evt":
            self._check_word(message)

    def _check_word(self, message: Message) -> None:
        """I6: a number stands for one word, for ever."""
        word = mqtt.decode(mqtt.EventMessage, message.payload)
        if word.seq:
            key = (word.dev, word.memory, word.seq)
            said = self._words.setdefault(key, (word.cid, word.st))
            self.hold(said == (word.cid, word.st), f"I6: {key} says {said}, then {word.st}")

    # What nodes put down.

    def journalled(self, entries: Sequence[Entry]) -> None:
        """A node's journal has grown."""
        for entry in entries:
            if isinstance(entry, Word) and entry.stage == "started":
                self.started[entry.device] = entry.id.cid
            elif isinstance(entry, Word) and entry.stage != "accepted":
                self.started.pop(entry.device, None)

    def not_journalled(self, entries: Sequence[Entry]) -> None:
        """A node's disk failed: what it was about to put down may be lost."""
        for entry in entries:
            if isinstance(entry, Word | Noted | Taken) and self.started.get(entry.device):
                self.cut.add(self.started[entry.device])

    def node_died(self, instruments: Sequence[str]) -> None:
        """Whatever had started there and not ended is cut off."""
        for name in instruments:
            if name in self.started:
                self.cut.add(self.started[name])

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
            if cid is None or cid in self.ended or not self.world.is_at_rest(instrument.name):
                continue
            quiet_s = at - max(since, self._moved.get(cid, 0.0), self.world.last_end(cid))
            if quiet_s > PATIENCE_S:
                self.note_broken(f"I10: {cid} has been open for {quiet_s:.0f} s, and all is well")

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
                    if word.st == "done":
                        self.hold(word.cid in self.ended, f"the result of {word.cid} never arrived")


def virtual_now() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()
