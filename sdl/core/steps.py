"""Steps out to free instruments, and what is heard of them on the way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast

from sdl.authoring import Act
from sdl.core import events as ev
from sdl.core.commands import Flag, Greet, Query, Refuse, Release, Resend, Wait
from sdl.core.lab_state import InstrumentState
from sdl.core.past import contradiction
from sdl.core.run import Run, Step
from sdl.core.tables import MOVES, State
from sdl.core.troubles import Troubles, trouble_of
from sdl.core.work import Work
from sdl.errors import (
    ActionRefused,
    DriverFault,
    LabFault,
    OutcomeUnknown,
    OutOfMaterial,
    SdlError,
    WindowMissed,
)
from sdl.model.data import JsonValue
from sdl.model.policy import Trouble

FAULTS: dict[ev.FaultKind, Callable[[str], SdlError]] = {
    "driver": DriverFault,
    "lab": LabFault,
    "material": OutOfMaterial,
    "refused": ActionRefused,
}


ARGUMENTS_MAX = 240 * 1024
"""Bytes that the arguments of one action may have as JSON, so that a message can carry them."""


RELEASE_S = 5.0
"""Lab seconds between two tries of a step whose node may not have heard that it was released."""
RELEASES_MAX = 10
"""Attempts of such a step, after which it failed."""


def greeting(instrument: InstrumentState) -> Greet:
    """To its node, with all that was heard of it."""
    after = instrument.seq or None
    return Greet(
        instrument=instrument.name, boot=instrument.boot, after=after, memory=instrument.memory
    )


_PLAIN = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def unfit(arguments: Mapping[str, JsonValue]) -> str:
    """Why no message can carry these arguments; empty if one can."""
    if not arguments:
        return ""
    try:
        text = _PLAIN.encode(arguments)
        size = len(text.encode())
    except ValueError as error:  # also of a text that is no Unicode
        return f"its arguments are no JSON: {error}"
    if size > ARGUMENTS_MAX:
        return (
            f"its arguments are {size} bytes, over the cap of {ARGUMENTS_MAX}; store large data "
            "as a file and give its name"
        )
    return ""


ENDS = (ev.CommandDone, ev.CommandFailed, ev.CommandUnknown)
PROOFS = (ev.CommandStarted, ev.CommandDone)
"""That a node was released, and has heard so."""


class Steps:
    """What is sent to instruments, and what comes back."""

    def __init__(self, work: Work, troubles: Troubles) -> None:
        self._work = work
        self._troubles = troubles

    def rewind_timers(self) -> None:
        """Set all timers again, after a restart."""
        for _, step in self._work.all():
            if step.until is not None:
                purpose = "settle" if step.state == "settles" else f"again-{step.attempt}"
                self._work.out.append(Wait(timer=f"{step.id}/{purpose}", until=step.until))
            if step.prompted is not None:
                self._work.out.append(Wait(timer=f"{step.id}/prompt", until=step.prompted))
            if step.watched and step.deadline is not None:
                self._work.out.append(Wait(timer=f"{step.id}/window", until=step.deadline))

    # Out to the instruments.

    def perform(self, run: Run, step: Step, instrument: InstrumentState) -> None:
        """Command a step whose instrument is free."""
        work, act = self._work, cast("Act", step.request)
        operation = work.script.operations[act.role][act.operation]
        work.send(run, step)
        step.effect = instrument.effect(act.operation, operation.effect)
        wrong = unfit(act.arguments)
        if wrong:
            work.free(step)
            work.close(step, "not_started")
            refused = ActionRefused(f"{act.operation} on {step.instrument} was not sent: {wrong}")
            self._meet(run, step, refused, proven=True)
            return
        wrong = work.materials.objection(step)
        if wrong:
            self._refuse(run, step, f"{act.operation} on {step.instrument} was not sent: {wrong}")
            return
        work.materials.secure(step)
        work.out.append(work.perform_of(step))

    def _refuse(self, run: Run, step: Step, reason: str) -> None:
        """It cannot be: not sent, and met as if its driver had refused it."""
        work, perform = self._work, self._work.perform_of(step)
        work.out.append(
            Refuse(
                cid=perform.cid,
                step=perform.step,
                attempt=perform.attempt,
                instrument=perform.instrument,
                operation=perform.operation,
                effect=perform.effect,
                args=perform.args,
                not_after=perform.not_after,
                reason=reason,
            )
        )
        work.free(step)
        work.close(step, "not_started")
        self._meet(run, step, OutOfMaterial(reason), proven=True)

    # Back from the instruments.

    def heard(self, event: ev.CommandWord) -> None:
        """Take word of a command in, unless it is late or old."""
        found = self._work.by_cid(event.cid)
        if found is None:
            self._too_late(event)
            return
        run, step = found
        if isinstance(event, ev.CommandStarted) and event.boot:
            self._began(run, step, event.boot)
        instrument = self._work.lab.instruments[step.instrument]
        is_old = self._is_old(instrument, step.memory, event.seq)
        if is_old and not isinstance(event, ENDS):
            return
        moves = MOVES.get(cast("State", step.state))
        move = moves.get(type(event)) if moves else None
        if move is None:
            return
        step.state = move
        is_proof = isinstance(event, PROOFS) and event.cid != instrument.released_amid
        if instrument.released and is_proof:
            instrument.released = ()
        if step.late and step.late_s is None and isinstance(event, PROOFS):
            self._began_late(run, step, event)
        match event:
            case ev.CommandDone():
                self._done(run, step, event)
            case ev.CommandFailed():
                self._failed(run, step, event)
            case ev.CommandUnknown(reason=reason):
                self._unknown(run, step, reason)
            case _:
                pass

    def _began(self, run: Run, step: Step, boot: str) -> None:
        """A node has told its driver; a second one that does so has a copy of its journal."""
        if boot in step.boots:
            return
        step.boots = (*step.boots, boot)
        if len(step.boots) > 1:
            reason = (
                f"{step.cid} was started by two nodes, boots {' and '.join(step.boots)}: they "
                "share a journal, or have copies of one; switch one of them off"
            )
            self._work.out.append(Flag(run=run.id, step=step.id, reason=reason))

    def _began_late(self, run: Run, step: Step, event: ev.CommandStarted | ev.CommandDone) -> None:
        """A step has started although its window was broken: note by how much."""
        assert step.not_after is not None
        lasted_s = event.duration_s if isinstance(event, ev.CommandDone) else 0.0
        step.late_s = max(0.0, event.at - lasted_s - step.not_after)
        self._work.break_window(run, step, "flag")

    def forgotten(self, instrument: InstrumentState) -> None:
        """A node came back with another memory: what the former one held is unknown."""
        found = self._work.by_cid(instrument.busy_with) if instrument.busy_with else None
        if found is not None and found[1].memory != instrument.memory:
            found[1].state = "unknown"
            self._unknown(*found, "its node has another journal and does not know the command")

    def unheard(self, cid: str) -> None:
        """Nothing was heard of a command for too long."""
        found = self._work.by_cid(cid)
        if found is None or not found[1].is_open:
            return
        _, step = found
        instrument = self._work.instrument(step)
        if not instrument.online:
            return
        # Sent: it may never have arrived. Later: its end may have been lost on the way back.
        if step.state == "sent" and instrument.memory == step.memory:
            self._work.out.append(Resend(cid=cid))
            return
        if step.state == "accepted":  # it may be the greeting that was lost
            self._work.out.append(greeting(instrument))
        self._work.out.append(Query(cid=cid))

    def not_seen(self, event: ev.CommandNotSeen) -> None:
        """A node does not know a command: it has not come yet, or another journal was meant."""
        found = self._work.by_cid(event.cid)
        if found is None or not found[1].is_open:
            return
        run, step = found
        if step.memory == event.memory:
            # From the very node it was meant for: it is on its way, or this is a late repetition.
            if step.state == "sent":
                self._work.out.append(Resend(cid=event.cid))
        elif event.memory == self._work.instrument(step).memory:
            step.state = "unknown"
            self._unknown(run, step, "its node has another journal and does not know the command")

    def conflict(self, event: ev.CommandConflict) -> None:
        """Two different commands under one id: one of them is not what the record says."""
        found = self._work.by_cid(event.cid)
        over = self._work.past.of(event.cid)
        if over is not None and not over.flagged:
            self._work.flag(over, event.reason)
        elif found is not None and found[1].is_open:
            run, step = found
            self._work.out.append(Flag(run=run.id, step=step.id, reason=event.reason))
            step.state = "unknown"
            self._unknown(run, step, event.reason)

    def _too_late(self, event: ev.CommandWord) -> None:
        over = self._work.past.of(event.cid)
        if over is None:
            return
        instrument = self._work.lab.instruments[over.instrument]
        self._is_old(instrument, over.memory, event.seq)
        if isinstance(event, ev.CommandDone | ev.CommandFailed) and not over.flagged:
            reason = contradiction(over, event)
            if reason:
                self._work.flag(over, reason)

    @staticmethod
    def _is_old(instrument: InstrumentState, memory: str, seq: int) -> bool:
        """Whether a word was passed by later ones of the same journal already; notes its number."""
        if seq == 0:
            return False
        if memory != instrument.memory:
            instrument.former[memory] = max(seq, instrument.former.get(memory, 0))
            return False
        if seq <= instrument.seq:
            return True
        instrument.seq = seq
        return False

    def _done(self, run: Run, step: Step, event: ev.CommandDone) -> None:
        work, act = self._work, cast("Act", step.request)
        work.free(step)
        work.close(step, "done", result=event.result)
        if work.lab.pieces:
            work.lab.learn(step.instrument, act.operation, event.duration_s)
        try:
            value = work.script.operations[act.role][act.operation].load_result(event.result)
        except TypeError as error:
            step.was_done = True
            self._meet(run, step, DriverFault(str(error)), proven=False)
            return
        work.resume(run, step, value, event.result)

    def _failed(self, run: Run, step: Step, event: ev.CommandFailed) -> None:
        work, instrument = self._work, self._work.instrument(step)
        proven = event.phase == "before_start"
        stop = instrument.stopped
        work.free(step)
        work.close(step, "not_started" if proven else "failed")
        if stop and run.broken is None:
            if proven and not step.trampoline.stopping(step.path):
                work.again(run, step)  # refused because of the stop: it waits for its end
                return
            run.disturbed = run.disturbed or stop
        if proven and event.kind == "lab" and self._did_not_hear(run, step, instrument):
            return
        self._meet(run, step, self._fault(step, event), proven=proven)

    def _did_not_hear(self, run: Run, step: Step, instrument: InstrumentState) -> bool:
        """Whether its node may still be stopped, as a release got lost; it is released again."""
        over = run.broken is not None or step.trampoline.stopping(step.path)
        if over or not instrument.released or step.attempt >= RELEASES_MAX:
            return False
        lifts = instrument.lift_again(*instrument.lifted)  # an older order may have come back
        self._work.out.append(Release(instrument=instrument.name, lifts=lifts))
        self._work.again(run, step, RELEASE_S)
        return True

    def _fault(self, step: Step, event: ev.CommandFailed) -> SdlError:
        late = step.deadline is not None and self._work.at > step.deadline
        if event.kind == "refused" and late:
            return WindowMissed(event.reason)
        return FAULTS[event.kind](event.reason)

    def _unknown(self, run: Run, step: Step, reason: str) -> None:
        work, act = self._work, cast("Act", step.request)
        work.free(step)
        told = f"{step.id} ({act.operation} on {step.instrument}): {reason}"
        self._meet(run, step, OutcomeUnknown(told), proven=False)
        if work.instrument(step).asking != step.id:  # it is tried again, or given up, by itself
            work.close(step, "unknown")

    def _meet(self, run: Run, step: Step, error: SdlError, *, proven: bool) -> None:
        step.proven = proven
        if run.aborted:
            self._work.throw(run, step, error)
            return
        self._troubles.meet(run, step, trouble_of(error), error)

    # Timers.

    def fired(self, timer: str) -> None:
        """A moment has come."""
        step_id, _, purpose = timer.rpartition("/")
        found = self._work.seek(step_id)
        if found is None:
            return  # it ended before its timer did
        run, step = found
        if purpose == "settle" and step.state == "settles":
            self._work.resume(run, step, None)
        elif purpose == "prompt":
            self._work.commons.touched[step.instrument] = None
        elif purpose == "window" and step.state == "waits" and not step.late:
            self.miss(run, step)
        elif purpose == f"again-{step.attempt}" and step.state == "rests":
            if step.trampoline.stopping(step.path):
                self._work.give_up(run, step)
            else:
                self._work.again(run, step)

    def miss(self, run: Run, step: Step) -> None:
        """Its window has closed, and it was not commanded."""
        act = cast("Act", step.request)
        is_there = self._work.lab.are_at(step.labware, step.instrument)
        why = "the instrument was not free" if is_there else f"{step.labware[0]} was not there"
        why = self._work.materials.lack(step) or f"{why} in time"
        missed = WindowMissed(
            f"{act.operation} on {step.instrument} could not start within its maximum lag: {why}"
        )
        self._meet(run, step, missed, proven=True)

    def has_rule(self, run: Run, step: Step, trouble: Trouble) -> bool:
        """Whether the error policy has a rule for a step that was not commanded for a trouble."""
        return self._troubles.has_rule(run, step, trouble)

    def lack(self, run: Run, step: Step, error: SdlError) -> None:
        """What it would need will not come, and it was not commanded."""
        self._meet(run, step, error, proven=True)
