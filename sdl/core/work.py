"""The open steps of all runs: which wait for which instrument, and how they enter their protocols.

Who decides (``steps``, ``troubles``, ``questions``, ``halting``) changes steps through these
methods only, so that the books below always fit the runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from sdl.authoring import Act, Settle
from sdl.core.campaign import CampaignState
from sdl.core.commands import BreakWindow, Command, Flag, Perform, Wait
from sdl.core.commons import Commons
from sdl.core.ending import end_run
from sdl.core.lab_state import InstrumentState, LabState
from sdl.core.materials import Materials
from sdl.core.past import End, Over, Past, told
from sdl.core.run import AT_A_PERSON, Run, Step, labware_of, use, used_last
from sdl.core.script import Script
from sdl.core.trampoline import Crashed, Trampoline, Wanted
from sdl.errors import Bug, SdlError
from sdl.model.data import JsonValue
from sdl.model.policy import Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What ``Work`` keeps beside the runs, with steps by their ids."""

    sent: list[str]
    """Commands that are in the world, or of an unknown outcome."""


class Work:
    """What is open in one campaign."""

    def __init__(self, script: Script, state: CampaignState, commons: Commons) -> None:
        self.script = script
        self.state = state
        self.commons = commons
        self.lab: LabState = commons.lab
        self.past = Past()
        self.materials = Materials(self)
        self._by_cid: dict[str, tuple[Run, Step]] = {}
        """Steps whose last command is in the world, or of an unknown outcome."""

    @property
    def at(self) -> float:
        """Lab time of the present turn."""
        return self.commons.at

    @property
    def out(self) -> list[Command]:
        """Where commands are put."""
        return self.commons.out

    # Books.

    def books(self) -> Books:
        """The books as plain values, for a snapshot."""
        return Books(sent=sorted(self._by_cid))

    def take_over(self, books: Books, past: Past) -> None:
        """Go on with the books of another one, for the same runs. KeyError if they do not fit."""
        self.past = past
        self._by_cid = {step.cid: (run, step) for run, step in self.all()}
        self._by_cid = {cid: self._by_cid[cid] for cid in books.sent}

    def sent(self) -> list[Perform]:
        """The commands that are in the world, or of an unknown outcome, as they were sent."""
        return [self.perform_of(self._by_cid[cid][1]) for cid in sorted(self._by_cid)]

    def perform_of(self, step: Step) -> Perform:
        """The command of a step's present attempt."""
        assert isinstance(step.request, Act)
        return Perform(
            cid=step.cid,
            step=step.id,
            attempt=step.attempt,
            instrument=step.instrument,
            operation=step.request.operation,
            effect=step.effect,
            args=step.request.arguments,
            memory=step.memory,
            not_after=step.deadline,
        )

    def by_cid(self, cid: str) -> tuple[Run, Step] | None:
        """The step whose last command this is; None once that is over."""
        return self._by_cid.get(cid)

    def seek(self, step_id: str) -> tuple[Run, Step] | None:
        """An open step by its id."""
        run_id, _, path = step_id.rpartition("/step-")
        run = self.state.runs.get(run_id)
        return None if run is None or path not in run.steps else (run, run.steps[path])

    def all(self) -> Iterator[tuple[Run, Step]]:
        """Every open step, the oldest run first."""
        for run in list(self.state.runs.values()):
            for step in list(run.steps.values()):
                yield run, step

    def instrument(self, step: Step) -> InstrumentState:
        """The instrument that a step is for."""
        return self.lab.instruments[step.instrument]

    # Out.

    def begin(self, run: Run) -> None:
        """Start the protocol of a new run."""
        is_carried = bool(self.lab.pieces)
        self.commons.agenda.enter(run.id, self.state.spec.name, self.at, is_carried=is_carried)
        self.commons.steps.begin(run)
        self._want(run, run.trampoline, run.trampoline.start(self.at), "")

    def send(self, run: Run, step: Step) -> None:
        """Its next attempt leaves for the world."""
        instrument = self.instrument(step)
        self.commons.agenda.sent(run, step, self.state.spec.name, self.at)
        self.commons.steps.enter(run, step)
        step.attempt += 1
        step.state = "sent"
        step.memory, step.epoch = instrument.memory, self.lab.epoch
        step.boots, step.trouble, step.error = (), None, None
        step.proven = step.was_done = False
        cid = instrument.busy_with = step.cid
        instrument.busy_since = self.at
        step.trampoline.issue(step.path)
        self._by_cid[cid] = (run, step)

    def again(self, run: Run, step: Step, after_s: float = 0.0) -> None:
        """Let a step wait for its instrument once more, after a rest of some lab seconds."""
        if after_s > 0.0:
            step.state, step.until = "rests", self.at + after_s
            self.commons.steps.enter(run, step)
            self.out.append(Wait(timer=f"{step.id}/again-{step.attempt}", until=step.until))
            return
        step.state, step.until, step.since = "waits", None, self.at
        step.trampoline.recall(step.path)
        self._list(run, step)

    def move(self, run: Run, step: Step, instrument: str) -> None:
        """Let another instrument do a step that waits."""
        self.commons.steps.leave_queue(step)
        step.instrument = instrument
        step.draws = self.materials.draws(step)
        if step.state == "waits":
            self._list(run, step)

    # Back.

    def free(self, step: Step) -> None:
        """The command no longer holds its instrument."""
        instrument = self.instrument(step)
        if instrument.busy_with == step.cid:
            instrument.busy_with = None
            if self.commons.is_shared:
                used_s, weight = self.at - instrument.busy_since, self.state.terms.weight
                instrument.share = instrument.share.after(self.state.spec.name, used_s, weight)
        if instrument.asking == step.id:
            instrument.asking = ""
        self.commons.touched[step.instrument] = None
        self.commons.release_if_safe(instrument)

    def close(self, step: Step, end: End, *, result: JsonValue = None, by: str = "") -> None:
        """Write down what became of the last attempt; later words of it change nothing."""
        cid = step.cid
        if end == "done":
            self.commons.agenda.done(step.id, self.at)
        self._by_cid.pop(cid, None)
        self.past.enter(cid, step.instrument, step.memory, end, by=by, result=told(result))
        self.materials.over(step, end)

    def ask(self, run: Run, step: Step, state: Literal["unknown", "asks"]) -> None:
        """Let a step, and its instrument, wait for a person."""
        step.state, step.since = state, self.at
        self.commons.steps.enter(run, step)
        self.instrument(step).asking = step.id
        self.commons.touched[step.instrument] = None

    def flag(self, over: Over, reason: str) -> None:
        """Put on record that something does not fit what became of a command."""
        self.past.flag(over)
        self.out.append(Flag(run=over.run, step=over.step, reason=reason))

    def break_window(self, run: Run, step: Step, remedy: Remedy) -> None:
        """Put on record that a step has missed its window, and what is done about it.

        Once more of one that is done late, when it has started.
        """
        assert step.not_after is not None
        if step.late_s is None:
            run.broken_windows += 1
            self.state.broken_windows += 1
        self.out.append(
            BreakWindow(
                run=run.id,
                step=step.id,
                instrument=step.instrument,
                due=step.not_after,
                remedy=remedy,
                late_s=step.late_s,
            )
        )

    # Into the protocol.

    def resume(self, run: Run, step: Step, value: object, told_as: JsonValue = None) -> None:
        """Answer a step with a result. ``told_as``: the same as it came in."""
        self._answer(run, step, lambda: step.trampoline.resume(step.path, self.at, value, told_as))

    def throw(self, run: Run, step: Step, error: Exception) -> None:
        """Answer a step with an error."""
        self._answer(run, step, lambda: step.trampoline.throw(step.path, self.at, error))

    def recover(self, run: Run, step: Step, name: str) -> None:
        """Begin a recovery for a step, within its run; or a diversion, if its window is missed."""
        self.commons.steps.enter(run, step)
        step.recoveries += 1
        step.state = "mends"
        step.trampoline.issue(step.path)
        if step.trouble != "window":  # else nothing is wrong with its instrument
            instrument = self.instrument(step)
            instrument.mending = instrument.mending or step.id
        prefix = f"{step.path}.r{step.recoveries}."
        coroutine = self.script.recover(name, run.wells)
        trampoline = run.recoveries[step.path] = Trampoline(coroutine, prefix, name)
        self._want(run, trampoline, trampoline.start(self.at), step.path)

    def requeue(self, run: Run, step: Step) -> None:
        """Give up a run whose step has missed its window; its suggestion gets another one."""
        run.requeued = True
        for suggestion in reversed(run.suggestions):
            self.state.requeue(suggestion)
        self._end_by_window(run, step, "abandoned")

    def _end_by_window(self, run: Run, step: Step, outcome: Literal["failed", "abandoned"]) -> None:
        self.drop(run, step)
        self.break_off(run, f"{type(step.error).__name__}: {step.error}", outcome)

    def break_off(
        self, run: Run, reason: str, outcome: Literal["failed", "unknown", "abandoned"]
    ) -> None:
        """Stop a run's protocol; keep only what is in the world, or at a person, already."""
        if run.broken is None:
            run.broken, run.outcome = reason, outcome
        run.trampoline.abandon()
        for recovery in run.recoveries.values():
            recovery.abandon()
        run.recoveries.clear()
        for step in list(run.steps.values()):
            if not step.is_open and step.state not in AT_A_PERSON and step.state != "halts":
                self.drop(run, step)
        self.close_if_over(run)

    def drop(self, run: Run, step: Step) -> None:
        """A step is over, whatever became of it."""
        self.commons.steps.drop(step)
        run.steps.pop(step.path, None)
        if not step.instrument:
            return
        instrument = self.instrument(step)
        if instrument.mending == step.id:
            instrument.mending = ""
            self.commons.touched[instrument.name] = None

    def close_if_over(self, run: Run) -> None:
        """End a run whose protocol has ended, or the last step of one that was broken off."""
        over = run.trampoline.end is not None if run.broken is None else not run.steps
        if over and run.id in self.state.runs:
            self.end(run)

    def end(self, run: Run) -> None:
        """A run is over."""
        self.lab.playing.subtract(run.instruments.values())
        self.lab.lodging.subtract(run.lodgings)
        self.commons.agenda.forget(run.id)
        self.commons.steps.end(run)
        self.out.extend(end_run(self.script, self.state, run, self.at))
        self.materials.release(run.id)

    def _answer(self, run: Run, step: Step, feed: Callable[[], list[Wanted]]) -> None:
        if run.broken is not None:
            if run.aborted and step.instrument and self.instrument(step).halting:
                step.state = "halts"  # its instrument has still to be made safe
                return
            self.drop(run, step)
            self.close_if_over(run)
            return
        self.drop(run, step)
        wanted = feed()
        self._forget_stopped(run, step.trampoline)
        self._want(run, step.trampoline, wanted, step.mends)

    def _forget_stopped(self, run: Run, trampoline: Trampoline) -> None:
        """Drop steps whose branch was stopped before they left for the world."""
        if not trampoline.stopped:
            return
        for step in list(run.steps.values()):
            gone = step.trampoline is trampoline and not trampoline.waits(step.path)
            if gone and not step.is_open:
                self.drop(run, step)

    def _want(self, run: Run, trampoline: Trampoline, wanted: list[Wanted], mends: str) -> None:
        for one in wanted:
            self._enter(run, trampoline, one, mends)
        if not mends:
            self.close_if_over(run)
        elif trampoline.end is not None:
            self._recovered(run, mends, trampoline.end)

    def _enter(self, run: Run, trampoline: Trampoline, wanted: Wanted, mends: str) -> None:
        request = wanted.request
        self.commons.order += 1
        step = Step(
            id=f"{run.id}/step-{wanted.path}",
            path=wanted.path,
            request=request,
            not_after=wanted.not_after,
            order=self.commons.order,
            instrument="",
            state="settles",
            trampoline=trampoline,
            mends=mends,
        )
        run.steps[step.path] = step
        if isinstance(request, Act):
            step.state, step.since = "waits", self.at
            step.instrument = run.instruments[request.role]
            step.draws = self.materials.draws(step)
            step.labware = self._labware_of(request)
            if step.labware:
                use(run, step.path, step.labware)
            self._list(run, step)
        elif isinstance(request, Settle):
            step.not_after = None
            step.labware = self._settling(run, step)
            step.until = self.at + request.seconds
            self.commons.steps.enter(run, step)
            self.out.append(Wait(timer=f"{step.id}/settle", until=step.until))

    def _labware_of(self, act: Act) -> tuple[str, ...]:
        """What an action needs at its instrument, of the pieces that stand on sites."""
        if not self.lab.pieces:
            return ()
        operation = self.script.operations[act.role][act.operation]
        named = operation.labware_of(act.arguments)
        return tuple(name for name in named if name in self.lab.pieces)

    def _settling(self, run: Run, step: Step) -> tuple[str, ...]:
        """What stays where it is meanwhile: what was used last, or all where nothing was yet."""
        found = used_last(run, step.path)
        if found:
            use(run, step.path, found)
        return found or tuple(name for name in labware_of(run) if name in self.lab.pieces)

    def _recovered(self, run: Run, path: str, end: object) -> None:
        """A recovery has ended: try again what it was for, if that is safe and not too late."""
        del run.recoveries[path]
        step = run.steps[path]
        instrument = self.instrument(step)
        if instrument.mending == step.id:
            instrument.mending = ""
            self.commons.touched[instrument.name] = None
        is_mended = not isinstance(end, Crashed)
        if isinstance(end, Crashed):
            error = step.error or Bug(f"{step.id} was mended, and nothing was wrong with it")
            failed = f"{error} (the recovery failed too: {type(end.error).__name__})"
            step.error = type(error)(failed)
        if step.trouble == "window":
            self._end_by_window(run, step, "failed")
        elif is_mended and step.repeatable and not step.trampoline.stopping(step.path):
            self.again(run, step)
        else:
            self.give_up(run, step)

    def give_up(self, run: Run, step: Step) -> None:
        """Nothing more is done about a step: its error goes into the protocol.

        Unless its outcome is unknown and it must not be repeated: then the protocol may not decide
        about it either, and its run is broken off.
        """
        error = step.error
        if not isinstance(error, SdlError):
            raise Bug(f"{step.id} was given up, and nothing was wrong with it")
        if step.trouble == "unknown" and not step.repeatable:
            self.drop(run, step)
            self.break_off(run, str(error), "unknown")
            return
        self.throw(run, step, error)

    def _list(self, run: Run, step: Step) -> None:
        self.commons.steps.wait(run, step)
        self.commons.touched[step.instrument] = None
