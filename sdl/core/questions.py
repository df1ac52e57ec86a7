"""Steps that wait for a person, and what becomes of them by the person's word.

The first word holds. A later one, or one that the node's own word came before, changes nothing;
the sample is flagged.
"""

from __future__ import annotations

from sdl.authoring import Act
from sdl.core import events as ev
from sdl.core.lab_state import LOST_S
from sdl.core.past import Over
from sdl.core.run import AT_A_PERSON, Run, Step
from sdl.core.work import Work
from sdl.errors import OutcomeUnknown
from sdl.model.data import JsonValue

SAID: dict[ev.Verdict, str] = {
    "happened": "it happened",
    "did_not_happen": "it did not happen",
    "discard": "discard the sample",
}


class Questions:
    """What a campaign wants to know from a person."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def resolve(self, event: ev.StepResolved) -> None:
        """Take a person's word in."""
        found = self._open(event)
        if found is None:
            self._too_late(event)
            return
        run, step = found
        self._settle(run, step, event)

    def discard_all(self, by: str) -> None:
        """A person has looked at the whole bench: nothing that is unclear is worth waiting for."""
        for run, step in self._work.all():
            if self._asks(step, self._work.at) and run.steps.get(step.path) is step:
                self.discard(run, step, by)

    def discard(self, run: Run, step: Step, by: str) -> None:
        """Ask nobody about a step: somebody has looked at the bench."""
        event = ev.StepResolved(
            at=self._work.at, step=step.id, verdict="discard", by=by, note="bench checked"
        )
        self._settle(run, step, event)

    def objection(self, event: ev.StepResolved) -> str:
        """Why a person's word makes no sense now; empty if it does."""
        found = self._open(event)
        if found is None:
            return self._nothing_asked(event)
        _, step = found
        if event.verdict not in step.verdicts:
            if step.is_open:
                return f"{step.instrument} is away, and may still do it; say happened or discard"
            return (
                f"the node of {step.instrument} says that it was done; only its result is missing"
            )
        if event.verdict != "happened":
            return "" if event.result is None else "a result goes only with: it happened"
        _, wrong = self._result(step, event.result)
        if not wrong:
            return ""
        return f"{wrong}; give what the action gave as its result, or discard the sample"

    def _open(self, event: ev.StepResolved) -> tuple[Run, Step] | None:
        found = self._work.seek(event.step)
        if found is None or not self._asks(found[1], event.at):
            return None
        return found if event.attempt in (0, found[1].attempt) else None

    def _asks(self, step: Step, at: float) -> bool:
        """Whether a person may say what became of it."""
        if step.state in AT_A_PERSON:
            return True
        return step.is_open and self._work.instrument(step).is_lost(at)

    def _over(self, event: ev.StepResolved) -> Over | None:
        """What became of what a late answer is about."""
        if event.attempt:
            return self._work.past.of(f"{event.step}/try-{event.attempt}")
        return self._work.past.of_step(event.step)

    def _settle(self, run: Run, step: Step, event: ev.StepResolved) -> None:
        work = self._work
        work.free(step)
        verdict = event.verdict if event.verdict in step.verdicts else "discard"
        work.close(step, verdict, result=event.result, by=event.by)
        match verdict:
            case "happened":
                value, wrong = self._result(step, event.result)
                if wrong:
                    work.throw(run, step, OutcomeUnknown(f"{event.by} says it happened; {wrong}"))
                else:
                    work.resume(run, step, value, event.result)
            case "did_not_happen":
                step.proven = True
                if run.broken is not None or step.trampoline.stopping(step.path):
                    work.throw(run, step, OutcomeUnknown(f"{event.by} says it did not happen"))
                else:
                    work.again(run, step)
            case "discard":
                note = f": {event.note}" if event.note else ""
                work.drop(run, step)
                work.break_off(run, f"{step.id} was discarded by {event.by}{note}", "unknown")

    def _result(self, step: Step, result: JsonValue) -> tuple[object, str]:
        """What the protocol receives, and what is wrong with it."""
        assert isinstance(step.request, Act)
        operation = self._work.script.operations[step.request.role][step.request.operation]
        try:
            return operation.load_result(result), ""
        except TypeError as error:
            return None, str(error) if result is not None else f"{operation.name} gives a result"

    def _too_late(self, event: ev.StepResolved) -> None:
        over = self._over(event)
        if over is not None:
            self._work.flag(
                over,
                f"{event.by} said too late: {SAID[event.verdict]}; {_known(over)}",
            )

    def _nothing_asked(self, event: ev.StepResolved) -> str:
        step_id, over, found = event.step, self._over(event), self._work.seek(event.step)
        if found is not None and event.attempt not in (0, found[1].attempt):
            return f"{step_id} is at attempt {found[1].attempt} by now, not at {event.attempt}"
        if over is not None and found is None:
            return f"{step_id} waits for nobody: {_known(over)}"
        if found is not None and found[1].is_open:
            instrument = self._work.instrument(found[1])
            if not instrument.online:
                return (
                    f"{instrument.name} is away ({instrument.absence}); if it is not back within "
                    f"{LOST_S:.0f} s, you may say what became of {step_id}"
                )
        asked = [step.id for _, step in self._work.all() if self._asks(step, event.at)]
        hint = f"open questions: {', '.join(asked)}" if asked else "there is no open question"
        return f"{step_id} asks nothing; {hint}"


def _known(over: Over) -> str:
    """What its end is taken for."""
    match over.end:
        case "happened" | "did_not_happen" | "discard":
            return f"{over.by} said before: {SAID[over.end]}"
        case "not_started":
            return "its node said that it never started"
        case "unknown":
            return "its outcome is unknown, and nobody is asked any more"
        case _:
            return f"its node said: {over.end}"
