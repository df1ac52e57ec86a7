"""What must hold after every event; asserted in tests and in simulation.

``Watch`` sees the same events and commands as the journal, and keeps its own small books, so that
a fault of the engine cannot hide behind the engine's own state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.ids import campaign_of
from sdl.core.lab_state import LOST_S
from sdl.core.lids import need_of
from sdl.core.open_steps import OpenSteps
from sdl.core.run import AT_A_PERSON, Run, Step
from sdl.core.whereabouts import Whereabouts, hold
from sdl.model.campaign import Terms
from sdl.model.policy import Remedy

WORDS = (
    ev.CommandAccepted,
    ev.CommandStarted,
    ev.CommandDone,
    ev.CommandFailed,
    ev.CommandUnknown,
)
ROUNDING_S = 1e-6
"""Lab seconds by which sums of times may be off."""
CLOCK_S = 1e-3
"""By how much a timer may fire before its moment: the step of a clock in a float."""
TERMINAL = (ev.CommandDone, ev.CommandFailed, ev.CommandUnknown)


@dataclass(slots=True)
class Seat:
    """Books of one instrument."""

    boot: str = ""
    memory: str = ""
    heard: dict[str, int] = field(default_factory=dict)
    """Highest number of a word, by the node's journal."""
    open: set[str] = field(default_factory=set)
    """Commands that may still act on it."""
    halted: bool = False
    """It was told to stop and was not released since."""
    halting: str = ""
    """The order to stop of which it has not said since that it is safe."""
    lifted: set[str] = field(default_factory=set)
    """Orders to stop that it was released from."""
    unsafe: bool = False
    """It could not be made safe, and no person has let it since."""
    pause: ev.PauseRequested | None = None
    away: float | None = None
    """Since when it is offline, in lab time; None while it is not."""

    def leave(self, at: float) -> None:
        """It is offline, if it was not before."""
        self.away = at if self.away is None else self.away


@dataclass(slots=True)
class Watch:
    """Books of one lab, and of all campaigns that are, or were, at work on it."""

    seats: dict[str, Seat] = field(default_factory=dict)
    performed: dict[str, do.Perform] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    last_try: dict[str, str] = field(default_factory=dict)
    """By step."""
    over: set[str] = field(default_factory=set)
    """Commands whose end was told, or of whom nobody is left who could tell."""
    done: set[str] = field(default_factory=set)
    not_started: set[str] = field(default_factory=set)
    """By the node's word, or the first word of a person."""
    answered: dict[str, ev.Verdict] = field(default_factory=dict)
    """What a person said first, by command."""
    dispositions: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)
    wells: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, set[str]] = field(default_factory=dict)
    """Roles that any plate of a kind will do for, by campaign."""
    plates: dict[str, str] = field(default_factory=dict)
    """Who opened a plate by its kind, or that it was opened by name (empty)."""
    suggested: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Suggestions by run."""
    tries: Counter[str] = field(default_factory=Counter)
    """Runs that a suggestion may still have, less one."""
    broken: dict[str, Remedy] = field(default_factory=dict)
    """Steps that have missed their windows, and what is done about it."""
    halts: set[str] = field(default_factory=set)
    """Orders that made an instrument safe."""
    timers: set[str] = field(default_factory=set)
    epoch: int = 0
    pause: ev.PauseRequested | ev.LabStopRequested | None = None
    pauses: dict[str, ev.PauseRequested] = field(default_factory=dict)
    """By campaign, where it was paused by name."""
    quotas: dict[str, int] = field(default_factory=dict)
    """By campaign: how many runs may be in flight."""
    _parallel: dict[str, int] = field(default_factory=dict)
    labware: Whereabouts = field(default_factory=Whereabouts)
    batches: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Suggestions by run, where it is a batch."""
    promised: dict[str, int] = field(default_factory=dict)
    """By source: how much more is kept for runs than there is, in picolitres."""
    flying: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Runs by campaign."""

    def see(self, engine: Engine, event: ev.Event, commands: Sequence[do.Command]) -> None:
        """Check one turn of the loop. Bug names the invariant that is broken."""
        self._take(event)
        self._give_up(engine, event.at)
        for command in commands:
            self._note(command, event.at)
            self.labware.note(command)
        self.labware.check(engine.lab)
        for part in engine.campaigns.everyone():
            for run in part.state.runs.values():
                hold(bool(run.steps), f"{run.id} is in flight and waits for nothing")
                for step in run.steps.values():
                    self._check_open(engine, run, step)
                    if step.is_open:
                        need = need_of(part.script, step)
                        self.labware.check_lids(step.cid, step.labware, need)
        _check_plates(engine)
        _check_materials(engine)
        self._check_promises(engine, event)
        _check_books(engine)
        if not engine.is_over:
            _check_accounts(engine)

    def _give_up(self, engine: Engine, at: float) -> None:
        """Of a node that is lost, nobody need wait for a word any more."""
        lost = [s for s in self.seats.values() if s.away is not None and at >= s.away + LOST_S]
        for cid in [cid for seat in lost for cid in seat.open]:
            if all(perform.cid != cid for perform in engine.sent()):
                self._end(cid)

    # What came in.

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.LabOpened() | ev.CampaignStarted() | ev.TermsChanged():
                self._came(event)
            case ev.OrchestratorStarted(epoch=epoch):
                hold(epoch > self.epoch, f"epoch {epoch} follows {self.epoch}")
                self.epoch = epoch
                for seat in self.seats.values():
                    seat.leave(event.at)
                if event.bench_checked:
                    self._bench_checked()
            case ev.InstrumentOnline():
                self._born(event)
            case ev.InstrumentLost(instrument=name):
                self._seat(name).leave(event.at)
            case ev.InstrumentMadeSafe(instrument=name, boot=boot) if self._seat(name).boot == boot:
                self._made_safe(event)
            case ev.CommandNotSeen(cid=cid, memory=memory) if cid in self.performed:
                perform = self.performed[cid]
                if memory == self._seat(perform.instrument).memory != perform.memory:
                    self._end(cid)
            case ev.CommandConflict(cid=cid) if cid in self.performed:
                self._end(cid)  # what its node says of it is about something else
            case ev.TimerFired(timer=timer):
                self.timers.discard(timer)
            case ev.StepResolved():
                self._resolved(event)
            case ev.PauseRequested() | ev.ResumeRequested() | ev.LabStopRequested():
                self._paused(event)
            case _ if isinstance(event, WORDS):
                self._word(event)
            case _:
                pass

    def _came(self, event: ev.LabOpened | ev.CampaignStarted | ev.TermsChanged) -> None:
        if not isinstance(event, ev.TermsChanged) and not (self.quotas or self.labware.sites):
            self.labware.begin(event.lab)
        match event:
            case ev.CampaignStarted(campaign=campaign, terms=terms):
                self._allow(campaign.name, campaign.parallel, terms)
                self._parallel[campaign.name] = campaign.parallel
                kinds = {role for role, choice in campaign.plates.items() if choice.kind}
                self.by_kind[campaign.name] = kinds
            case ev.TermsChanged(campaign=name, terms=terms) if name in self.quotas:
                self._allow(name, self._parallel[name], terms)
            case _:
                pass

    def _made_safe(self, event: ev.InstrumentMadeSafe) -> None:
        seat = self._seat(event.instrument)
        is_old = event.halt in self.halts or event.halt in seat.lifted
        if is_old and event.halt != seat.halting:
            return  # an old answer
        seat.unsafe = seat.unsafe or not event.safe
        if event.halt == seat.halting:
            seat.halting = ""

    def _bench_checked(self) -> None:
        for seat in self.seats.values():
            seat.unsafe = False

    def _born(self, event: ev.InstrumentOnline) -> None:
        seat = self._seat(event.instrument)
        seat.boot, seat.memory, seat.away = event.boot, event.memory, None
        for cid in tuple(seat.open):
            if self.performed[cid].memory != event.memory:
                self._end(cid)  # nobody is left who could say what became of it

    def _word(self, event: ev.CommandWord) -> None:
        perform = self.performed.get(event.cid)
        if perform is None:
            return
        heard = self._seat(perform.instrument).heard
        if event.seq:
            heard[perform.memory] = max(heard.get(perform.memory, 0), event.seq)
        if not isinstance(event, TERMINAL):
            return
        self._end(event.cid)
        if isinstance(event, ev.CommandDone):
            self.done.add(event.cid)
        elif isinstance(event, ev.CommandFailed) and event.phase == "before_start":
            self.not_started.add(event.cid)

    def _resolved(self, event: ev.StepResolved) -> None:
        cid = self.last_try.get(event.step)
        if event.attempt and cid != f"{event.step}/try-{event.attempt}":
            return
        if cid is None or cid not in self.over or cid in self.done or cid in self.answered:
            return
        self.answered[cid] = event.verdict
        if event.verdict == "did_not_happen":
            self.not_started.add(cid)

    def _paused(self, event: ev.PauseRequested | ev.ResumeRequested | ev.LabStopRequested) -> None:
        match event:
            case ev.LabStopRequested() | ev.PauseRequested(what="", campaign=""):
                self.pause = event
            case ev.ResumeRequested(what="", campaign=""):
                self.pause = None
            case ev.PauseRequested(what="", campaign=name):
                self.pauses[name] = event
            case ev.ResumeRequested(what="", campaign=name):
                self.pauses.pop(name, None)
            case ev.PauseRequested(what=what):
                self._seat(what).pause = event
            case ev.ResumeRequested(what=what):
                self._seat(what).pause = None
                self._seat(what).unsafe = False

    def _end(self, cid: str) -> None:
        self.over.add(cid)
        self.labware.over(cid)
        self._seat(self.performed[cid].instrument).open.discard(cid)

    # What goes out.

    def _note(self, command: do.Command, at: float) -> None:
        match command:
            case do.Perform():
                self._note_perform(command, at)
            case do.Refuse(cid=cid):
                hold(cid not in self.performed, f"{cid} is refused and was commanded")
                self.refused.add(cid)
            case do.Greet(instrument=name, after=after, memory=memory):
                seat = self._seat(name)
                hold(memory == seat.memory, f"{name} is greeted for {memory}, not {seat.memory}")
                known = seat.heard.get(seat.memory)
                hold(after == known, f"{name} is greeted after {after}, heard was {known}")
            case do.Halt(id=id_, instrument=name):
                hold(id_ not in self.halts, f"{name} is told to stop by {id_}, which is not new")
                self.halts.add(id_)
                self._seat(name).halted, self._seat(name).halting = True, id_
            case do.Release(instrument=name):
                seat = self._seat(name)
                hold(not seat.halting, f"{name} is released before it said that it is safe")
                hold(not seat.unsafe, f"{name} is released though it is not safe")
                seat.halted = False
                seat.lifted.update(command.lifts)
            case do.Wait(timer=timer):
                self.timers.add(timer)
            case do.AcceptSuggestion(suggestion=suggestion):
                self.accepted.add(suggestion)
            case do.Dispose(suggestion=suggestion, disposition=end):
                self.dispositions[suggestion] += 1
                hold(self.dispositions[suggestion] == 1, f"{suggestion} ends twice")
                had_run = suggestion in self.tries
                hold(not (end == "withdrawn" and had_run), f"{suggestion} had a run, and goes")
            case do.EndRun(run=run, samples=samples):
                self.ends[run] += 1
                told = tuple(each.suggestion for each in samples)
                hold(told == self.batches.get(run, ()), f"{run} ends with other samples")
                hold(self.ends[run] == 1, f"{run} ends twice")
                self.flying[campaign_of(run)].discard(run)
            case do.Conclude():
                self._check_end(command)
            case do.BeginRun():
                self._note_run(command)
            case do.BreakWindow():
                self._note_broken(command, at)
            case _:
                pass

    def _note_broken(self, command: do.BreakWindow, at: float) -> None:
        step = command.step
        hold(command.due <= at + CLOCK_S, f"{step} breaks a window that is open")
        hold(command.run in self.flying[campaign_of(step)], f"{step} belongs to a run that is over")
        if command.late_s is not None:
            hold(self.broken.get(step) == "flag", f"{step} is late, and should not have begun")
            return
        hold(step not in self.broken, f"{step} breaks its window twice")
        self.broken[step] = command.remedy
        for suggestion in self.suggested[command.run]:
            self.tries[suggestion] += command.remedy == "requeue"

    def _note_run(self, command: do.BeginRun) -> None:
        name = campaign_of(command.run)
        self.suggested[command.run] = command.suggestions or (command.suggestion,)
        for one in self.suggested[command.run]:
            self.tries[one] -= 1
            is_due = self.tries[one] >= -1 and not self.dispositions[one]
            hold(is_due, f"{command.run} begins for {one}, which had its run")
        hold(self.pause is None, f"{command.run} begins in a pause")
        hold(name not in self.pauses, f"{command.run} begins in a pause of its campaign")
        self.flying[name].add(command.run)
        in_flight, quota = len(self.flying[name]), self.quotas.get(name, 1)
        hold(in_flight <= quota, f"{command.run} begins as number {in_flight} of {quota}")
        self.batches[command.run] = command.suggestions
        for suggestion in command.suggestions:
            is_new = suggestion in self.accepted and not self.dispositions[suggestion]
            hold(is_new, f"{command.run} carries {suggestion}, which is not to be tried")
        for role, played in command.roles.items():
            if "/" in played:
                owner = name if role in self.by_kind.get(name, ()) else ""
                self._note_wells(command.run, played.split(","), owner)

    def _note_wells(self, run: str, wells: Sequence[str], owner: str) -> None:
        plates = {well.partition("/")[0] for well in wells}
        hold(len(plates) == 1, f"{run} has one role on several plates: {plates}")
        for plate in plates:
            known = self.plates.setdefault(plate, owner)
            mine = known in (owner, campaign_of(run))
            hold(mine, f"{run} is on {plate}, which {known or 'a name'} has opened")
        for well in wells:
            self.wells[well] += 1
            hold(self.wells[well] == 1, f"well {well} is used twice")

    def _note_perform(self, command: do.Perform, at: float) -> None:
        cid, seat = command.cid, self._seat(command.instrument)
        hold(cid not in self.performed, f"{cid} is commanded twice")
        hold(cid not in self.refused, f"{cid} is commanded and was refused")
        hold(not seat.open, f"{command.instrument} is given {cid} while {seat.open} is open")
        hold(not seat.halted, f"{command.instrument} is given {cid} before it is released")
        hold(not seat.unsafe, f"{command.instrument} is given {cid} though it is not safe")
        hold(command.memory == seat.memory, f"{cid} is meant for a journal that is gone")
        is_late = self.broken.get(command.step) == "flag"
        in_window = command.not_after is not None or is_late
        hold(command.not_after is None or at <= command.not_after, f"{cid} comes too late")
        for pause in (self.pause, seat.pause, self.pauses.get(campaign_of(cid))):
            gently = isinstance(pause, ev.PauseRequested) and not pause.at_once
            hold(pause is None or (gently and in_window), f"{cid} is commanded in a pause")
        last = self.last_try.get(command.step)
        if last is not None:
            hold(last in self.over, f"{cid} follows {last}, which is open")
            harmless = command.effect != "once" and self.performed[last].effect != "once"
            proven = last in self.not_started
            hold(harmless or proven, f"{cid} repeats a 'once' action that may have happened")
            kept = command.not_after == self.performed[last].not_after
            hold(kept or is_late, f"{cid} has another window than {last}")
        seat.open.add(cid)
        self.performed[cid] = command
        self.last_try[command.step] = cid

    # What stays.

    def _check_promises(self, engine: Engine, event: ev.Event) -> None:
        """No draw takes what is kept for others: only people make it too little."""
        inventory = engine.lab.inventory
        if inventory is None or not engine.lab.checks_draws:
            return
        for source, vessel in inventory.sources.items():
            missing = max(0, inventory.reserved_pl(source) - vessel.usable_pl)
            is_said = isinstance(event, ev.StockRefilled)
            told = f"{missing} pL of {source} were drawn that are kept for others"
            hold(is_said or missing <= self.promised.get(source, 0), told)
            self.promised[source] = missing

    def _check_open(self, engine: Engine, run: Run, step: Step) -> None:
        """Every step has somebody, or something, that will bring it on."""
        instrument = engine.lab.instruments.get(step.instrument)
        if step.is_open:
            hold(step.cid in self.performed, f"{step.cid} is open and was never sent")
            busy_with = instrument.busy_with if instrument else None
            hold(busy_with == step.cid, f"{step.cid} is open and holds nothing")
        elif step.state in AT_A_PERSON:
            asking = instrument.asking if instrument else ""
            hold(asking == step.id, f"{step.id} waits for a person, and holds nothing")
        elif step.state == "settles":
            hold(f"{step.id}/settle" in self.timers, f"{step.id} has no timer")
        elif step.state == "rests":
            hold(f"{step.id}/again-{step.attempt}" in self.timers, f"{step.id} has no timer")
        elif step.state == "mends":
            hold(step.path in run.recoveries, f"{step.id} is mended by nothing")
        elif step.state == "halts":
            hold(
                self._seat(step.instrument).halting != "",
                f"{step.id} waits for a word that was said",
            )
        else:
            hold(step.state == "waits", f"{step.id} is {step.state} and did not end")
            hold(instrument is not None, f"{step.id} waits for an instrument that is not there")

    def _allow(self, campaign: str, parallel: int, terms: Terms) -> None:
        quota = parallel if terms.runs_at_once is None else min(parallel, terms.runs_at_once)
        # What was begun under a larger one goes on.
        self.quotas[campaign] = max(quota, len(self.flying[campaign]))

    def _check_end(self, end: do.Conclude) -> None:
        (name,) = [end.campaign] if end.campaign else self.quotas
        left = sorted(self.accepted - self.dispositions.keys())
        open_ones = [each for each in left if campaign_of(each) == name]
        hold(not open_ones, f"{name} ended and {open_ones} have no disposition")
        hold(not self.flying[name], f"{name} ended with runs in flight")

    def _seat(self, instrument: str) -> Seat:
        return self.seats.setdefault(instrument, Seat())


def _check_plates(engine: Engine) -> None:
    """A fresh plate is asked for a campaign that goes on, and none has a name that was there."""
    for part in engine.campaigns.values():
        task = part.state.wants_plate
        asks = task is None or (task.campaign == part.name and part.state.closing is None)
        hold(asks, f"{task} is asked for nobody")
        again = engine.lab.brought.keys() & {piece.name for piece in part.head.lab.labware}
        hold(not again, f"{again} were there before they were brought")


def _check_materials(engine: Engine) -> None:
    """No place holds less than nothing or more than it can, and nothing is kept for nobody."""
    inventory = engine.lab.inventory
    if inventory is None:
        return
    for source, vessel in inventory.sources.items():
        hold(vessel.contents.volume_pl >= 0, f"{source} holds less than nothing")
        hold(vessel.doubt_pl >= 0, f"less than nothing of {source} is in doubt")
    for well, contents in inventory.wells.items():
        capacity_pl = inventory.capacities_pl[well.partition("/")[0]]
        hold(0 < contents.volume_pl <= capacity_pl, f"{well} holds {contents.volume_pl} pL")
    runs = {run for part in engine.campaigns.values() for run in part.state.runs}
    for run, amounts in inventory.reserved.items():
        hold(run in runs, f"something is reserved for {run}, which is over")
        hold(all(pl > 0 for pl in amounts.values()), f"nothing is reserved for {run}")


def _check_books(engine: Engine) -> None:
    """The books of open steps fit the runs, and where labware stands."""
    afresh = OpenSteps(engine.lab)
    for part in engine.campaigns.everyone():
        for run in part.state.runs.values():
            afresh.begin(run)
            for step in run.steps.values():
                enter = afresh.wait if step.state == "waits" else afresh.enter
                enter(run, step)
    books = engine.commons.steps.content()
    for name, found in afresh.content().items():
        hold(books[name] == found, f"the book {name} of open steps does not fit the runs")


def _check_accounts(engine: Engine) -> None:
    """All time is accounted for, and goes on what the instrument does now."""
    for one in engine.lab.instruments.values():
        begin, end = one.account.begin, max(engine.at, one.account.since)
        spent_s = sum(one.account.spent.values()) + end - one.account.since
        fits = abs(spent_s - (end - begin)) <= ROUNDING_S
        hold(fits, f"{spent_s} s of {one.name} are accounted for, of {begin}-{end}")
        doing, is_busy = one.account.doing, one.online and one.busy_with is not None
        hold((doing == "offline") != one.online, f"{one.name} is {doing} and online")
        hold((doing == "busy") == is_busy, f"{one.name} is {doing} with {one.busy_with}")
        stands = one.asking or one.halting or one.stopped or one.held
        idle = doing in ("person", "stopped")
        hold(not one.online or is_busy or bool(stands) == idle, f"{one.name} is {doing}")
