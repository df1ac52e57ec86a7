"""The open steps of all runs: hands them to free instruments and takes in what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from sdl.authoring import Act, Settle
from sdl.core import events as ev
from sdl.core.campaign import CampaignState
from sdl.core.commands import Command, Perform, Query, Resend, Wait
from sdl.core.ending import end_run
from sdl.core.lab_state import LabState
from sdl.core.run import Run, Step
from sdl.core.schedule import ReadyStep, next_step
from sdl.core.script import Script
from sdl.core.tables import MOVES, State
from sdl.core.trampoline import Wanted
from sdl.errors import (
    ActionRefused,
    Bug,
    DriverFault,
    LabFault,
    OutcomeUnknown,
    OutOfMaterial,
    SdlError,
    WindowMissed,
)

ATTEMPTS_MAX = 3
"""Attempts of a repeatable action whose outcome stays unknown, before its run is given up."""

FAULTS: dict[ev.FaultKind, Callable[[str], SdlError]] = {
    "driver": DriverFault,
    "lab": LabFault,
    "material": OutOfMaterial,
    "refused": ActionRefused,
}


class Steps:
    """What is open on the floor, by step and by command."""

    def __init__(self, script: Script, state: CampaignState, lab: LabState) -> None:
        self._script = script
        self._state = state
        self._lab = lab
        self._by_cid: dict[str, tuple[Run, Step]] = {}
        """Open commands only: from being sent until ``_free``."""
        self._order = 0
        self._changed = False
        """Whether there may be something to dispatch since the last look."""
        self._at = 0.0
        self._out: list[Command] = []

    def begin(self, run: Run, at: float) -> list[Command]:
        """Start the protocol of a new run."""
        self._at, self._out = at, []
        self._want(run, run.trampoline.start(at))
        return self._out

    def take(self, event: ev.Event) -> list[Command]:
        """What follows from word of a command, or from a timer."""
        self._at, self._out = event.at, []
        match event:
            case ev.TimerFired(timer=timer):
                self._fired(timer)
            case ev.CommandUnheard(cid=cid):
                self._unheard(cid)
            case ev.CommandNotSeen(cid=cid, memory=memory):
                self._not_seen(cid, memory)
            case (
                ev.CommandAccepted()
                | ev.CommandStarted()
                | ev.CommandDone()
                | ev.CommandFailed()
                | ev.CommandUnknown()
            ):
                self._heard(event)
            case ev.CommandConflict() | ev.InstrumentMadeSafe():
                pass
            case (
                ev.StepResolved()
                | ev.PauseRequested()
                | ev.ResumeRequested()
                | ev.AbortRequested()
                | ev.LabStopRequested()
            ):
                pass
            case _:
                raise Bug(f"no step can take {type(event).__name__}")
        return self._out

    def dispatch(self, at: float) -> list[Command]:
        """Give each free instrument its next step, and watch the windows of those that wait."""
        self._at, self._out = at, []
        while self._changed:
            self._changed = False
            self._serve_all()
            self._watch_windows()
        return self._out

    def look_again(self) -> None:
        """An instrument has come back: the next dispatch has something to decide."""
        self._changed = True

    def rewind_timers(self) -> list[Command]:
        """Set all timers again, after a restart."""
        waits: list[Command] = []
        for _, step in self._all():
            if step.until is not None:
                waits.append(Wait(timer=f"{step.id}/settle", until=step.until))
            elif step.watched and step.not_after is not None:
                waits.append(Wait(timer=f"{step.id}/window", until=step.not_after))
        return waits

    # Out to the instruments.

    def _serve_all(self) -> None:
        for name, ready in self._ready().items():
            chosen = next_step(ready)
            run, step = self._find(chosen.step)
            instrument = self._lab.instruments[name]
            if step.not_after is not None and step.not_after < self._at:
                self._miss(run, step)  # what else is ready may change with it
                self._changed = True
                return
            if instrument.ready and instrument.busy_with is None:
                self._perform(run, step, cast("Act", step.request))

    def _ready(self) -> dict[str, list[ReadyStep]]:
        """What only waits for its instrument, by instrument."""
        ready: dict[str, list[ReadyStep]] = {}
        for run, step in self._all():
            if step.state != "waits":
                continue
            entry = ReadyStep(
                step=step.id, run_number=run.number, order=step.order, not_after=step.not_after
            )
            ready.setdefault(step.instrument, []).append(entry)
        return ready

    def _watch_windows(self) -> None:
        for _, step in self._all():
            if step.state == "waits" and step.not_after is not None and not step.watched:
                step.watched = True
                self._out.append(Wait(timer=f"{step.id}/window", until=step.not_after))

    def _perform(self, run: Run, step: Step, act: Act) -> None:
        instrument = self._lab.instruments[step.instrument]
        operation = self._script.operations[act.role][act.operation]
        step.attempt += 1
        step.state = "sent"
        step.memory = instrument.memory
        step.epoch = self._state.epoch
        instrument.busy_with = step.cid
        run.trampoline.issue(step.path)
        self._by_cid[step.cid] = (run, step)
        self._out.append(
            Perform(
                cid=step.cid,
                step=step.id,
                attempt=step.attempt,
                instrument=step.instrument,
                operation=act.operation,
                effect=operation.effect,
                args=act.arguments,
                memory=step.memory,
                not_after=step.not_after,
            )
        )

    # Back from the instruments.

    def _heard(
        self,
        event: ev.CommandAccepted
        | ev.CommandStarted
        | ev.CommandDone
        | ev.CommandFailed
        | ev.CommandUnknown,
    ) -> None:
        found = self._by_cid.get(event.cid)
        if found is None:
            return
        run, step = found
        move = MOVES[cast("State", step.state)].get(type(event))
        if move is None:
            return
        step.state = move
        match event:
            case ev.CommandDone():
                self._done(run, step, event)
            case ev.CommandFailed():
                self._free(step)
                self._throw(run, step, self._fault(step, event))
            case ev.CommandUnknown(reason=reason):
                self._unknown(run, step, reason)
            case _:
                pass

    def _done(self, run: Run, step: Step, event: ev.CommandDone) -> None:
        self._free(step)
        act = cast("Act", step.request)
        try:
            value = self._script.operations[act.role][act.operation].load_result(event.result)
        except TypeError as error:
            self._throw(run, step, DriverFault(str(error)))
            return
        self._answer(run, step, lambda: run.trampoline.resume(step.path, self._at, value))

    def _fault(self, step: Step, event: ev.CommandFailed) -> SdlError:
        late = step.not_after is not None and self._at > step.not_after
        if event.kind == "refused" and late:
            return WindowMissed(event.reason)
        return FAULTS[event.kind](event.reason)

    def _unknown(self, run: Run, step: Step, reason: str) -> None:
        self._free(step)
        act = cast("Act", step.request)
        effect = self._script.operations[act.role][act.operation].effect
        if effect != "once" and run.broken is None:
            self._again_or_give_up(run, step, reason)
            return
        told = f"{step.id} ({act.operation} on {step.instrument}): {reason}"
        self._hold(step, told)
        run.break_off(told)
        self._close_if_over(run)

    def _again_or_give_up(self, run: Run, step: Step, reason: str) -> None:
        """A repeatable action came to an unknown end: try again, unless nothing new may start."""
        if step.attempt < ATTEMPTS_MAX and not run.trampoline.stopping(step.path):
            step.state = "waits"
            return
        self._throw(run, step, OutcomeUnknown(f"{reason} (tried {step.attempt} times)"))

    def _hold(self, step: Step, told: str) -> None:
        """Ask nothing more of a real instrument until a person has looked at it."""
        instrument = self._lab.instruments[step.instrument]
        looked = step.epoch < self._state.checked_epoch
        if not instrument.simulated and not looked:
            instrument.held = told

    def _unheard(self, cid: str) -> None:
        found = self._by_cid.get(cid)
        if found is None:
            return
        _, step = found
        instrument = self._lab.instruments[step.instrument]
        if not instrument.online:
            return
        # Sent: it may never have arrived. Later: its end may have been lost on the way back.
        again = step.state == "sent" and instrument.memory == step.memory
        self._out.append(Resend(cid=cid) if again else Query(cid=cid))

    def _not_seen(self, cid: str, memory: str) -> None:
        """The node has no memory of it: never reached that node, or the node was born since."""
        found = self._by_cid.get(cid)
        if found is None:
            return
        run, step = found
        if step.memory == memory:
            # From the very node it was meant for: it is on its way, or this is a late repetition.
            if step.state == "sent":
                self._out.append(Resend(cid=cid))
            return
        step.state = "unknown"
        self._unknown(run, step, "the node was restarted and does not remember the command")

    def _free(self, step: Step) -> None:
        self._changed = True
        self._by_cid.pop(step.cid, None)
        self._lab.instruments[step.instrument].busy_with = None

    # Timers.

    def _fired(self, timer: str) -> None:
        step_id, _, purpose = timer.rpartition("/")
        found = self._seek(step_id)
        if found is None:
            return  # it ended before its timer did
        run, step = found
        if purpose == "settle" and step.state == "settles":
            self._answer(run, step, lambda: run.trampoline.resume(step.path, self._at, None))
        elif purpose == "window" and step.state == "waits":
            self._miss(run, step)

    def _miss(self, run: Run, step: Step) -> None:
        act = cast("Act", step.request)
        self._throw(
            run,
            step,
            WindowMissed(
                f"{act.operation} on {step.instrument} could not start within its maximum lag: "
                "the instrument was not free in time"
            ),
        )

    # Into the protocol.

    def _throw(self, run: Run, step: Step, error: Exception) -> None:
        self._answer(run, step, lambda: run.trampoline.throw(step.path, self._at, error))

    def _answer(self, run: Run, step: Step, feed: Callable[[], list[Wanted]]) -> None:
        run.steps.pop(step.path, None)
        if run.broken is None:
            wanted = feed()
            run.forget_stopped()
            self._want(run, wanted)
        else:
            self._close_if_over(run)

    def _want(self, run: Run, wanted: list[Wanted]) -> None:
        for one in wanted:
            self._changed = True
            self._order += 1
            step = run.add(one, self._order, self._at)
            if isinstance(step.request, Settle) and step.until is not None:
                self._out.append(Wait(timer=f"{step.id}/settle", until=step.until))
        self._close_if_over(run)

    def _close_if_over(self, run: Run) -> None:
        if run.trampoline.end is not None or (run.broken is not None and not run.steps):
            self._out += end_run(self._script, self._state, run)

    def _all(self) -> Iterator[tuple[Run, Step]]:
        for run in self._state.runs.values():
            for step in run.steps.values():
                yield run, step

    def _find(self, step_id: str) -> tuple[Run, Step]:
        found = self._seek(step_id)
        if found is None:
            raise Bug(f"{step_id} is not open")
        return found

    def _seek(self, step_id: str) -> tuple[Run, Step] | None:
        run_id, _, path = step_id.rpartition("/step-")
        run = self._state.runs.get(run_id)
        return None if run is None or path not in run.steps else (run, run.steps[path])
