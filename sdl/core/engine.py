"""Events in, commands out: the one place where the runtime decides.

``handle`` is a plain synchronous function of the events so far. It asks no clock, draws no number
and touches nothing outside; ``fold`` of a journal therefore gives the same engine, and compares
each command on the way with the one on record.

Within one call: take the event in, then *advance* until nothing more follows from it: begin runs,
give free instruments their next step, ask for suggestions, conclude.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, cast

from sdl.core import campaign as rules
from sdl.core import events as ev
from sdl.core.absence import Absences
from sdl.core.amounts import Content
from sdl.core.asking import Asking
from sdl.core.campaign import CampaignState
from sdl.core.commands import (
    BeginRun,
    Command,
    Conclude,
    Dispose,
    EndRun,
    Perform,
    Query,
    Wait,
)
from sdl.core.describe import describe
from sdl.core.evidence import judge
from sdl.core.halting import Halting
from sdl.core.lab_state import LabState
from sdl.core.questions import Questions
from sdl.core.run import Run
from sdl.core.script import Script
from sdl.core.snapshot import Restored, Snapshot, capture
from sdl.core.steps import Steps, greeting
from sdl.core.trampoline import Trampoline
from sdl.core.troubles import Troubles
from sdl.core.view import View
from sdl.core.work import LOST, Work
from sdl.errors import Bug, RecordMismatch
from sdl.model.labware import Well
from sdl.model.planning import Ask

WORDS = (
    ev.CommandAccepted,
    ev.CommandStarted,
    ev.CommandDone,
    ev.CommandFailed,
    ev.CommandUnknown,
)
QUIET = (ev.CommandAccepted, ev.CommandStarted)


class Engine:
    """One campaign on one lab."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.state: CampaignState
        self.lab: LabState
        self.at = 0.0
        self._work: Work
        self._asking: Asking
        self._steps: Steps
        self._questions: Questions
        self._halting: Halting
        self._absences: Absences
        self._out: list[Command] = []
        self._wanting: int | None = None
        """Place of a role for which nobody was ready when last looked at; None where all had
        somebody. No well is used up meanwhile, so that nothing else need be looked at."""

    def handle(self, event: ev.Event) -> list[Command]:
        """Take one event in and return what is to be done about it, in order."""
        self._out = []
        self.at = event.at
        if isinstance(event, ev.CampaignStarted):
            self._start(event)
        elif self.state.concluded is None:
            self._work.at, self._work.out = event.at, self._out
            if isinstance(event, WORDS):  # the most of all events by far
                self._steps.heard(event)
            else:
                self._take(event)
            if self._may_advance(event):
                self._advance()
        return self._out

    def _may_advance(self, event: ev.Event) -> bool:
        """Whether anything may follow: a command is on its way, and else only time has passed."""
        is_quiet = isinstance(event, QUIET)
        return not is_quiet or self.state.spec.stop.hours is not None

    @classmethod
    def restored(cls, script: Script, head: ev.CampaignStarted, text: str) -> Engine:
        """The engine of a snapshot's text; ``head``: the first line of its journal.

        Raises whatever is wrong with the text, or with how it fits the protocol; then the journal
        has to be folded from its beginning.
        """
        engine, parts = cls(script), Restored(script, head.campaign, text)
        engine.at, engine.state, engine.lab = parts.at, parts.state, parts.lab
        engine._go_about(parts.work)
        return engine

    def snapshot(self) -> Snapshot:
        """All that it knows, between two events."""
        return capture(self.at, self.state, self.lab, self._work)

    def state_sha256(self) -> str:
        """Equal for engines that know, and would do, the same: replay gives the same."""
        return self.snapshot().sha256()

    def sent(self) -> list[Perform]:
        """Commands whose end nobody knows, as they were sent."""
        return self._work.sent()

    def objection(self, event: ev.Event) -> str:
        """Why a person's event makes no sense now, as a sentence for them; empty if it does."""
        if self.state.concluded is not None:
            return f"{self.state.spec.name} has ended: {self.state.concluded.reason}"
        match event:
            case ev.StepResolved():
                return self._questions.objection(event)
            case ev.PauseRequested() | ev.ResumeRequested() | ev.AbortRequested():
                return self._halting.objection(event)
            case ev.StockRefilled():
                return self._work.materials.objection(event)
            case ev.StopRequested() if self.state.closing:
                return f"{self.state.spec.name} ends already: {self.state.closing[1]}"
            case _:
                return ""

    def question(self, ask: str) -> Ask:
        """The open question of this id. Bug if it is not open."""
        return self._asking.question(ask)

    def view(self) -> View:
        """The campaign as a person wants to see it."""
        return describe(self.script, self.state, self.lab, self.at)

    def contents(self) -> tuple[Content, ...]:
        """What is in each well and source; nothing where no stocks are declared."""
        return self.lab.inventory.described() if self.lab.inventory else ()

    def _start(self, event: ev.CampaignStarted) -> None:
        self.state = CampaignState(event.campaign, event.at, rules.count_points(event.campaign))
        self.lab = LabState.of(event.lab)
        self._go_about(Work(self.script, self.state, self.lab))
        self._work.out = self._out
        self._work.materials.declare(attended=event.origin.clock != "virtual")
        self._time_out()

    def _go_about(self, work: Work) -> None:
        self._work = work
        self._asking = Asking(self._work)
        self._steps = Steps(self._work, Troubles(self._work))
        self._questions, self._halting = Questions(self._work), Halting(self._work)
        self._absences = Absences(self._work, self._questions)

    def _time_out(self) -> None:
        hours = self.state.spec.stop.hours
        if hours is not None:
            until = self.state.started_at + 3600.0 * hours
            self._out.append(Wait(timer=f"{self.state.spec.name}/hours", until=until))

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.CampaignStarted():
                raise Bug("a journal has only one beginning")
            case ev.OrchestratorStarted():
                self._take_over(event)
            case ev.InstrumentOnline():
                self._take_up(event)
            case ev.InstrumentLost(instrument=name, reason=reason):
                if name in self.lab.instruments:
                    self._absences.begin(self.lab.instruments[name], reason)
            case ev.SuggestionsArrived():
                self._asking.suggested(event)
            case ev.PlannerFailed():
                self._asking.failed(event)
            case (
                ev.StopRequested()
                | ev.StepResolved()
                | ev.PauseRequested()
                | ev.ResumeRequested()
                | ev.AbortRequested()
                | ev.LabStopRequested()
                | ev.StockRefilled()
            ):
                self._told(event)
            case (
                ev.CommandNotSeen()
                | ev.CommandConflict()
                | ev.InstrumentMadeSafe()
                | ev.CommandUnheard()
                | ev.TimerFired()
            ):
                self._heard(event)
            case _:
                self._steps.heard(event)

    def _told(
        self,
        event: ev.StopRequested
        | ev.StepResolved
        | ev.PauseRequested
        | ev.ResumeRequested
        | ev.AbortRequested
        | ev.LabStopRequested
        | ev.StockRefilled,
    ) -> None:
        """A person's word."""
        match event:
            case ev.StopRequested(by=by, reason=reason):
                self.state.close("stopped", f"{reason} ({by})")
            case ev.StepResolved():
                self._questions.resolve(event)
            case ev.PauseRequested():
                self._halting.pause(event)
            case ev.ResumeRequested():
                self._halting.resume(event)
            case ev.AbortRequested():
                self._halting.abort(event)
            case ev.LabStopRequested():
                self._halting.stop_lab(event)
            case ev.StockRefilled():
                self._work.materials.refill(event)

    def _heard(
        self,
        event: ev.CommandNotSeen
        | ev.CommandConflict
        | ev.InstrumentMadeSafe
        | ev.CommandUnheard
        | ev.TimerFired,
    ) -> None:
        """Word of a node, or of its silence."""
        match event:
            case ev.CommandNotSeen():
                self._steps.not_seen(event)
            case ev.CommandConflict():
                self._steps.conflict(event)
            case ev.InstrumentMadeSafe():
                self._halting.made_safe(event)
            case ev.CommandUnheard(cid=cid):
                self._steps.unheard(cid)
            case ev.TimerFired(timer=timer) if timer.startswith(f"{self.state.spec.name}{LOST}"):
                self._absences.fired(timer.rpartition("/")[2])
            case ev.TimerFired(timer=timer):
                self._steps.fired(timer)

    def _take_over(self, event: ev.OrchestratorStarted) -> None:
        """Ask again for everything that only the process before us was waiting for."""
        self.state.epoch = event.epoch
        self.state.starts += 1
        if self.state.starts == 1:
            return
        if self.state.closing and self.state.closing[0] == "stopped":
            self.state.closing = None  # who resumes wants it to go on
        for instrument in self.lab.instruments.values():
            self._absences.begin(instrument, "not heard of since the restart")
        if event.bench_checked:
            self.state.checked_epoch = event.epoch
            for instrument in self.lab.instruments.values():
                instrument.held = ""
                self._work.release_if_safe(instrument)
            self._questions.discard_all("who resumed it")
        self._time_out()
        self._asking.ask_after_restart()
        self._steps.rewind_timers()

    def _take_up(self, event: ev.InstrumentOnline) -> None:
        """A node is there: greet it, and find out what became of what was open."""
        instrument = self.lab.instruments.get(event.instrument)
        if instrument is None:
            return
        if (event.driver, event.simulated) != (instrument.driver, instrument.simulated):
            kind = "simulator" if event.simulated else "driver"
            absence = (
                f"its node runs the {kind} {event.driver!r}, this campaign's lab file says "
                f"{instrument.driver!r}; start the node with the same file"
            )
            self._absences.begin(instrument, absence)
            return
        fresh = not instrument.online or event.boot != instrument.boot
        forgot = event.memory != instrument.memory
        if forgot:
            instrument.change_memory(event.memory)
        instrument.online, instrument.boot, instrument.absence = True, event.boot, ""
        instrument.effects = dict(event.effects)
        if not event.stopped:
            instrument.released = ()
        self._work.touched[instrument.name] = None
        self._halting.back(instrument, event, fresh=fresh, forgot=forgot)
        self._out.append(greeting(instrument))
        if forgot:
            self._steps.forgotten(instrument)
        if instrument.busy_with:
            self._out.append(Query(cid=instrument.busy_with))

    # What follows from all that is known.

    def _advance(self) -> None:
        while True:
            self._steps.dispatch()
            reason = rules.stop_reason(self.state, self.at)
            if reason:
                self.state.close(*reason)
            if not self._begin_run():
                break
        self._asking.ask()
        if self.state.closing and not self.state.runs:
            self._conclude()

    def _begin_run(self) -> bool:
        state = self.state
        if state.closing or not state.ready or len(state.runs) >= state.spec.parallel:
            return False
        if state.paused:
            return False
        if state.begun >= state.spec.stop.runs:
            return False
        if self._wanting is not None and self._still_wants():
            return False
        instruments, wells = self._cast()
        if wells is None:
            return False
        self._wanting = self._first_absent(instruments)
        if self._wanting is not None or not self._work.materials.admits(instruments, wells):
            return False
        suggestion = state.ready.popleft()
        for well in wells.values():
            self.lab.use(well)
        state.begun += 1
        inputs = {**state.suggestions[suggestion].inputs, **state.spec.fixed}
        run = Run(
            id=f"{state.spec.name}/run-{state.begun}",
            number=state.begun,
            suggestion=suggestion,
            inputs=inputs,
            wells=wells,
            instruments=instruments,
            trampoline=Trampoline(self.script.begin(inputs, wells)),
        )
        state.runs[run.id] = run
        state.playing.update(instruments.values())
        roles = {**instruments, **{role: str(well) for role, well in wells.items()}}
        self._out.append(BeginRun(run=run.id, suggestion=suggestion, inputs=inputs, roles=roles))
        self._work.materials.reserve(run)
        self._work.begin(run)
        return True

    def _still_wants(self) -> bool:
        """Whether a role has nobody; begins with the one that had nobody when last looked at.

        With a thousand roles, a look at all of them each time that an instrument comes is a second.
        """
        roles, lab = self.script.signature.roles, self.lab.instruments
        assert self._wanting is not None
        for place in range(self._wanting, len(roles)):
            self._wanting = place
            names = () if roles[place].is_labware else self.state.spec.roles[roles[place].name]
            if names and not any(lab[name].ready for name in names):
                return True
        return False

    def _first_absent(self, instruments: Mapping[str, str]) -> int | None:
        """The place of the first role that nobody is ready to play."""
        for place, role in enumerate(self.script.signature.roles):
            if not role.is_labware and not self.lab.instruments[instruments[role.name]].ready:
                return place
        return None

    def _cast(self) -> tuple[dict[str, str], dict[str, Well] | None]:
        """Who plays which role in the next run; no wells if a plate is used up."""
        instruments: dict[str, str] = {}
        wells: dict[str, Well] = {}
        for role in self.script.signature.roles:
            names = self.state.spec.roles[role.name]
            if not role.is_labware:
                instruments[role.name] = self._player(names, instruments.values())
                continue
            well = self.lab.free_well(names, taken=frozenset(wells.values()))
            if well is None:
                self.state.close("material", f"no free well is left on {', '.join(names)}")
                return instruments, None
            wells[role.name] = well
        return instruments, wells

    def _player(self, names: Sequence[str], cast: Collection[str]) -> str:
        """Of the instruments that may play a role: a ready one, with the fewest roles at that."""
        best, least = names[0], -1
        for name in names:
            if self.lab.instruments[name].ready:
                roles = self.state.playing[name] + (name in cast)
                if roles == 0:
                    return name
                if least < 0 or roles < least:
                    best, least = name, roles
        return best

    def _conclude(self) -> None:
        state = self.state
        assert state.closing is not None
        ending, reason = state.closing
        if ending == "target":  # what ended since may lie closer
            _, reason = rules.stop_reason(state, self.at) or state.closing
        for suggestion in state.ready:
            self._out.append(Dispose(suggestion=suggestion, disposition="unused", reason=reason))
        state.ready.clear()
        state.suggestions.clear()
        verdict = None
        if state.spec.hypothesis:
            verdict = (
                judge(state.spec.hypothesis, state.evidence) if state.evidence else "undecided"
            )
            if verdict == "undecided" and ending == "stopped":
                verdict = "abandoned"
        state.concluded = Conclude(
            ending=ending,
            reason=reason,
            best_run=state.best.run if state.best else None,
            verdict=verdict,
        )
        self._out.append(state.concluded)


_EVENTS = frozenset(ev.EVENTS)
Lines: TypeAlias = Iterable[ev.Event | Command]


def fold(script: Script, lines: Lines) -> Engine:
    """Replay a journal. RecordMismatch if the code now decides otherwise than the record says."""
    engine = Engine(script)
    follow(engine, lines)
    return engine


def follow(engine: Engine, lines: Lines, after: int = 0) -> int:
    """Replay more lines of a journal, from the one after number ``after`` on; number of the last.

    RecordMismatch as with ``fold``.
    """
    expected: Sequence[Command] = ()
    place, number, handle = 0, after, engine.handle
    for line in lines:
        number += 1
        if type(line) in _EVENTS:
            if place < len(expected):
                _refuse(number, "nothing more", expected[place])
            expected, place = handle(cast("ev.Event", line)), 0
        elif place == len(expected):
            _refuse(number, line, "nothing more")
        else:
            decided = expected[place]
            place += 1
            if decided != line and _words_aside(decided) != _words_aside(line):
                _refuse(number, line, decided)
    if place < len(expected):
        raise Bug("the journal ends between an event and its commands; it was not written whole")
    return number


def _words_aside(line: object) -> object:
    """The decision without its reason in words.

    Those may quote what a protocol raised, and such a text can hold an address in memory or the
    order of a set, which differ in each process.
    """
    return replace(line, reason="") if isinstance(line, EndRun | Dispose | Conclude) else line


def _refuse(number: int, recorded: object, decided: object) -> None:
    raise RecordMismatch(
        f"line {number} of the journal does not follow from the lines before it.\n"
        f"  on record: {recorded}\n  now:       {decided}\n"
        "The protocol or the runtime has changed since. Put the old protocol file back, "
        "or start a new campaign."
    )
