"""Events in, commands out: the one place where the runtime decides.

``handle`` is a plain synchronous function of the events so far. It asks no clock, draws no number
and touches nothing outside; ``fold`` of a journal therefore gives the same engine, and compares
each command on the way with the one on record.

Within one call: take the event in, then *advance* until nothing more follows from it: begin runs,
give free instruments their next step, ask for suggestions, conclude.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sdl.core import campaign as rules
from sdl.core import events as ev
from sdl.core.campaign import CampaignState, OpenAsk
from sdl.core.commands import (
    AcceptSuggestion,
    AskPlanner,
    BeginRun,
    Command,
    Conclude,
    Dispose,
    EndRun,
    Greet,
    Query,
    Wait,
)
from sdl.core.describe import describe
from sdl.core.evidence import judge
from sdl.core.lab_state import LabState
from sdl.core.run import Run
from sdl.core.script import Script
from sdl.core.steps import Steps
from sdl.core.trampoline import Trampoline
from sdl.core.view import View
from sdl.errors import Bug, RecordMismatch
from sdl.model.data import Suggestion, Trial
from sdl.model.labware import Well
from sdl.model.planning import Ask
from sdl.model.space import violations

PLANNER_TRIES = 3
"""Times that the same question is asked before the campaign's fall-back holds."""


class Engine:
    """One campaign on one lab."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.state: CampaignState
        self.lab: LabState
        self.at = 0.0
        self._steps: Steps
        self._out: list[Command] = []

    def handle(self, event: ev.Event) -> list[Command]:
        """Take one event in and return what is to be done about it, in order."""
        self._out = []
        self.at = event.at
        if isinstance(event, ev.CampaignStarted):
            self._start(event)
        elif self.state.concluded is None:
            self._take(event)
            self._advance()
        return self._out

    def question(self, ask: str) -> Ask:
        """The open question of this id. Bug if it is not open."""
        open_ask = self.state.open_ask
        if open_ask is None or open_ask.question.id != ask:
            raise Bug(f"{ask} is not an open question")
        return open_ask.question

    def view(self) -> View:
        """The campaign as a person wants to see it."""
        return describe(self.state, self.lab, self.at)

    def _start(self, event: ev.CampaignStarted) -> None:
        self.state = CampaignState(event.campaign, event.at, rules.count_points(event.campaign))
        self.lab = LabState.of(event.lab)
        self._steps = Steps(self.script, self.state, self.lab)
        self._time_out()

    def _time_out(self) -> None:
        hours = self.state.spec.stop.hours
        if hours is not None:
            until = self.state.started_at + 3600.0 * hours
            self._out.append(Wait(timer=f"{self.state.spec.name}/hours", until=until))

    def _take(self, event: ev.Event) -> None:
        match event:
            case ev.OrchestratorStarted():
                self._take_over(event)
            case ev.InstrumentOnline():
                self._greet(event)
            case ev.InstrumentLost(instrument=name, reason=reason):
                if name in self.lab.instruments:
                    self.lab.instruments[name].online = False
                    self.lab.instruments[name].absence = reason
            case ev.SuggestionsArrived():
                self._suggested(event)
            case ev.PlannerFailed():
                self._planner_failed(event)
            case ev.StopRequested(by=by, reason=reason):
                self.state.close("stopped", f"{reason} ({by})")
            case ev.CampaignStarted():
                raise Bug("a journal has only one beginning")
            case _:
                self._out += self._steps.take(event)

    def _take_over(self, event: ev.OrchestratorStarted) -> None:
        """Ask again for everything that only the process before us was waiting for."""
        self.state.epoch = event.epoch
        if event.epoch == 1:
            return
        if self.state.closing and self.state.closing[0] == "stopped":
            self.state.closing = None  # who resumes wants it to go on
        for instrument in self.lab.instruments.values():
            instrument.online, instrument.absence = False, "not heard of since the restart"
            if event.bench_checked:
                instrument.held = ""
        if event.bench_checked:
            self.state.checked_epoch = event.epoch
        self._time_out()
        if self.state.open_ask:
            # A new attempt: the record keeps one row, with one end, for each.
            self.state.open_ask.attempt += 1
            self._send_ask(self.state.open_ask)
        self._out += self._steps.rewind_timers()

    def _greet(self, event: ev.InstrumentOnline) -> None:
        instrument = self.lab.instruments.get(event.instrument)
        if instrument is None:
            return
        if (event.driver, event.simulated) != (instrument.driver, instrument.simulated):
            kind = "simulator" if event.simulated else "driver"
            instrument.online = False
            instrument.absence = (
                f"its node runs the {kind} {event.driver!r}, this campaign's lab file says "
                f"{instrument.driver!r}; start the node with the same file"
            )
            return
        instrument.online, instrument.boot, instrument.absence = True, event.boot, ""
        instrument.memory = event.memory
        self._out.append(Greet(instrument=event.instrument, boot=event.boot, after=None))
        self._steps.look_again()
        if instrument.busy_with:
            self._out.append(Query(cid=instrument.busy_with))

    # Suggestions.

    def _suggested(self, event: ev.SuggestionsArrived) -> None:
        open_ask = self._answered(event)
        if open_ask is None:
            return
        question = open_ask.question
        wrong = violations(question.problem, event.suggestions, question.count, question.trials)
        if wrong:
            self._ask_again(open_ask, f"the planner answered nonsense: {'; '.join(wrong[:3])}")
            return
        self.state.open_ask = None
        for value in event.suggestions:
            self._accept(event.ask, value, open_ask.fall_back)

    def _answered(self, event: ev.SuggestionsArrived | ev.PlannerFailed) -> OpenAsk | None:
        """The open question that this is the answer to; None if it comes too late."""
        open_ask = self.state.open_ask
        if open_ask is None or open_ask.question.id != event.ask:
            return None
        return open_ask if open_ask.attempt == event.attempt else None

    def _planner_failed(self, event: ev.PlannerFailed) -> None:
        open_ask = self._answered(event)
        if open_ask is None:
            return
        if event.exhausted:
            self._give_up_asking("exhausted", event.reason)
        else:
            self._ask_again(open_ask, event.reason)

    def _accept(self, ask: str, value: Suggestion, fall_back: str) -> None:
        state = self.state
        state.accepted += 1
        suggestion = f"{state.spec.name}/suggestion-{state.accepted}"
        if fall_back:
            value = replace(value, fall_back=fall_back)
        state.suggestions[suggestion] = value
        state.trials[suggestion] = Trial(inputs=value.inputs, status="pending", measures={})
        state.ready.append(suggestion)
        self._out.append(AcceptSuggestion(suggestion=suggestion, ask=ask, value=value))

    def _ask_again(self, open_ask: OpenAsk, reason: str) -> None:
        choice = self.state.spec.planner
        open_ask.attempt += 1
        open_ask.failures += 1
        if open_ask.failures >= PLANNER_TRIES:
            planner = open_ask.question.planner
            failed = f"{planner} failed {PLANNER_TRIES} times: {reason}"
            if choice.fall_back in ("stop", planner):
                self._give_up_asking("planner", failed)
                return
            open_ask.fall_back, open_ask.failures = failed, 0
            open_ask.question = replace(open_ask.question, planner=choice.fall_back)
        self._send_ask(open_ask)

    def _give_up_asking(self, ending: rules.Ending, reason: str) -> None:
        self.state.open_ask = None
        self.state.close(ending, reason)

    def _send_ask(self, open_ask: OpenAsk) -> None:
        question = open_ask.question
        self._out.append(
            AskPlanner(
                ask=question.id,
                attempt=open_ask.attempt,
                planner=question.planner,
                count=question.count,
                seed=question.seed,
                trials=len(question.trials),
                trials_sha256=rules.trials_sha256(question.trials),
            )
        )

    def _ask(self) -> None:
        count = rules.wanted_suggestions(self.state)
        if count > 0:
            question = rules.question(self.state, count)
            self.state.asks += 1
            self.state.open_ask = OpenAsk(question=question, attempt=1, asked_at=self.at)
            self._send_ask(self.state.open_ask)

    # What follows from all that is known.

    def _advance(self) -> None:
        while True:
            self._out += self._steps.dispatch(self.at)
            reason = rules.stop_reason(self.state, self.at)
            if reason:
                self.state.close(*reason)
            if not self._begin_run():
                break
        self._ask()
        if self.state.closing and not self.state.runs and not self._waits_at_a_person():
            self._conclude()

    def _waits_at_a_person(self) -> bool:
        """Whether a stopped campaign stays open, to be resumed once a person has looked."""
        assert self.state.closing is not None
        names = {name for role in self.state.spec.roles.values() for name in role}
        held = any(one.held and one.name in names for one in self.lab.instruments.values())
        return held and self.state.closing[0] == "stopped"

    def _begin_run(self) -> bool:
        state = self.state
        if state.closing or not state.ready or len(state.runs) >= state.spec.parallel:
            return False
        if state.begun >= state.spec.stop.runs:
            return False
        instruments, wells = self._cast()
        if wells is None or not all(self.lab.instruments[n].ready for n in instruments.values()):
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
        roles = {**instruments, **{role: str(well) for role, well in wells.items()}}
        self._out.append(BeginRun(run=run.id, suggestion=suggestion, inputs=inputs, roles=roles))
        self._out += self._steps.begin(run, self.at)
        return True

    def _cast(self) -> tuple[dict[str, str], dict[str, Well] | None]:
        """Who plays which role in the next run; no wells if a plate is used up."""
        instruments: dict[str, str] = {}
        wells: dict[str, Well] = {}
        for role in self.script.signature.roles:
            names = self.state.spec.roles[role.name]
            if not role.is_labware:
                instruments[role.name] = names[0]
                continue
            well = self.lab.free_well(names, taken=frozenset(wells.values()))
            if well is None:
                self.state.close("material", f"no free well is left on {', '.join(names)}")
                return instruments, None
            wells[role.name] = well
        return instruments, wells

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


def fold(script: Script, lines: Iterable[ev.Event | Command]) -> Engine:
    """Replay a journal. RecordMismatch if the code now decides otherwise than the record says."""
    engine = Engine(script)
    expected: list[Command] = []
    for number, line in enumerate(lines, start=1):
        if isinstance(line, ev.EVENTS):
            if expected:
                _refuse(number, "nothing more", expected[0])
            expected = engine.handle(line)  # type: ignore[arg-type]
        elif not expected or _words_aside(expected[0]) != _words_aside(line):
            _refuse(number, line, expected[0] if expected else "nothing more")
        else:
            expected = expected[1:]
    if expected:
        raise Bug("the journal ends between an event and its commands; it was not written whole")
    return engine


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
