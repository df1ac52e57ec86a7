"""What is done about an action that went wrong: the first rule that fits, else what is harmless.

Without a rule: an action that may be repeated (pure or idempotent; or never started) is tried up
to three times where its driver is at fault or its outcome is unknown, and where something in the
lab kept it from starting. An unknown outcome of a ``once`` action waits at a person; on a simulated
instrument, where nobody stands, the sample is discarded. All else goes into the protocol as an
error.
"""

from __future__ import annotations

from dataclasses import replace

from sdl.authoring import Act
from sdl.core.hands import give
from sdl.core.run import Run, Step
from sdl.core.work import Work
from sdl.errors import (
    ActionRefused,
    LabFault,
    OutcomeUnknown,
    OutOfMaterial,
    SdlError,
    WindowMissed,
)
from sdl.model.policy import Rule, Trouble

ATTEMPTS_MAX = 3
"""Attempts of a repeatable action, where no rule says otherwise."""
BY_ITSELF: frozenset[Trouble] = frozenset({"driver", "unknown"})
"""Troubles after which a repeatable action is tried again without a rule."""

CLASSES: tuple[tuple[type[SdlError], Trouble], ...] = (
    (WindowMissed, "window"),
    (OutOfMaterial, "material"),
    (LabFault, "lab"),
    (OutcomeUnknown, "unknown"),
    (ActionRefused, "refused"),
)


def trouble_of(error: SdlError) -> Trouble:
    """Whose fault an error is, in the words of the error policy."""
    return next((word for kind, word in CLASSES if isinstance(error, kind)), "driver")


class Troubles:
    """The error policy of one campaign: its own rules, then those of its protocol."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._rules = (*work.state.spec.policy, *work.script.signature.policy)

    def meet(self, run: Run, step: Step, trouble: Trouble, error: SdlError) -> None:
        """Do something about a step whose attempt is over, and not well."""
        step.trouble, step.error = trouble, error
        place = self._first_that_fits(run, step, trouble)
        if trouble == "window":
            self._work.break_window(run, step, "skip" if place is None else self._rules[place].then)
        if place is None:
            self._without_rule(run, step, trouble)
            return
        step.tried[place] = step.tried.get(place, 0) + 1
        self._follow(run, step, self._rules[place])

    def has_rule(self, run: Run, step: Step, trouble: Trouble) -> bool:
        """Whether a rule says what is done about a step that has such a trouble before it began."""
        troubled = replace(step, trouble=trouble, proven=True)
        return self._first_that_fits(run, troubled, trouble) is not None

    def _first_that_fits(self, run: Run, step: Step, trouble: Trouble) -> int | None:
        for place, rule in enumerate(self._rules):
            if _speaks_of(rule, step, trouble) and self._possible(run, step, rule, place):
                return place
        return None

    def _possible(self, run: Run, step: Step, rule: Rule, place: int) -> bool:
        """Whether what a rule says can be done now, and has not been done often enough."""
        over = run.broken is not None or step.trampoline.stopping(step.path)
        match rule.then:
            case "skip" | "quarantine" | "stop":
                return True
            case "flag" | "divert" | "requeue":
                return self._possible_late(run, step, rule)
            case "ask":
                return step.trouble != "window" and (not over or step.trouble == "unknown")
            case _ if over or step.trouble == "window" or step.tried.get(place, 0) >= rule.times:
                return False
            case "retry":
                return step.repeatable
            case "other":
                return step.repeatable and self._other(step) is not None
            case "recover":
                return not step.mends

    def _possible_late(self, run: Run, step: Step, rule: Rule) -> bool:
        """Whether what a rule says about a missed window can be done now."""
        if (
            step.trouble != "window"
            or run.broken is not None
            or step.trampoline.stopping(step.path)
        ):
            return False
        if rule.then == "flag":
            return True
        state = self._work.state
        times = max(state.requeued.get(each, 0) for each in run.suggestions)
        again = state.may_requeue and times < rule.times
        return not step.mends and (again or rule.then != "requeue")

    def _follow(self, run: Run, step: Step, rule: Rule) -> None:
        work = self._work
        match rule.then:
            case "retry":
                work.again(run, step, rule.wait_s)
            case "other":
                self._change_over(run, step)
                work.again(run, step, rule.wait_s)
            case "recover" | "divert":
                work.recover(run, step, rule.protocol)
            case "flag":
                step.late = True
                work.again(run, step)
            case "requeue":
                work.requeue(run, step)
            case "ask":
                work.ask(run, step, "unknown" if step.trouble == "unknown" else "asks")
            case "quarantine":
                work.instrument(step).held = f"quarantined after {step.id}: {step.error}"
                work.give_up(run, step)
            case "stop":
                work.state.close("failures", f"{step.id}: {step.error}")
                work.give_up(run, step)
            case "skip":
                work.give_up(run, step)

    def _without_rule(self, run: Run, step: Step, trouble: Trouble) -> None:
        work = self._work
        over = run.broken is not None or step.trampoline.stopping(step.path)
        if trouble == "unknown" and not step.repeatable:
            if self._nobody_stands_there(step):
                work.give_up(run, step)
            else:
                work.ask(run, step, "unknown")
            return
        passes = trouble in BY_ITSELF or (trouble == "lab" and step.proven)
        ruled = any(_speaks_of(rule, step, trouble) for rule in self._rules)
        if passes and step.repeatable and not over and not ruled:
            if step.attempt < ATTEMPTS_MAX:
                work.again(run, step)
                return
            if trouble == "unknown":
                step.error = OutcomeUnknown(f"{step.error} (tried {step.attempt} times)")
        work.give_up(run, step)

    def _nobody_stands_there(self, step: Step) -> bool:
        """Whether the bench is simulated, or a person has looked since the command was sent."""
        looked = step.epoch < self._work.lab.checked_epoch
        return looked or self._work.instrument(step).simulated

    def _other(self, step: Step) -> str | None:
        """Another instrument that can play the role of this step now."""
        assert isinstance(step.request, Act)
        names = self._work.state.spec.roles.get(step.request.role, ())
        instruments = self._work.lab.instruments
        ready = (name for name in names if name != step.instrument and instruments[name].ready)
        return next(ready, None)

    def _change_over(self, run: Run, step: Step) -> None:
        """Give the role of a step to another instrument, for the rest of its run."""
        assert isinstance(step.request, Act)
        other = self._other(step)
        assert other is not None
        give(self._work, run, step.request.role, other)
        if step.instrument != other:  # it does not wait yet
            self._work.move(run, step, other)


def _speaks_of(rule: Rule, step: Step, trouble: Trouble) -> bool:
    if trouble not in rule.on and (rule.on or trouble == "unknown"):
        return False
    assert isinstance(step.request, Act)
    role, _, action = rule.action.rpartition(".")
    return action in ("*", step.request.operation) and role in ("", step.request.role)
