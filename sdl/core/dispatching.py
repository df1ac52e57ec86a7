"""Gives each free instrument its next step, whichever campaign that belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sdl.core.commands import Wait
from sdl.core.commons import Commons, campaign_of
from sdl.core.events import PlanArrived
from sdl.core.lab_state import InstrumentState
from sdl.core.part import Part
from sdl.core.run import Run, Step
from sdl.core.schedule import ReadyStep, next_step


class Dispatching:
    """The one place where steps leave for instruments."""

    def __init__(self, commons: Commons, parts: Mapping[str, Part]) -> None:
        """``parts``: the campaigns at work, by name; it may change."""
        self._commons = commons
        self._parts = parts

    def dispatch(self) -> None:
        """Give each free instrument its next step, and watch the windows of those that wait."""
        commons = self._commons
        kept = commons.agenda.kept
        commons.touched.update(dict.fromkeys(kept.values()))
        kept.clear()
        while commons.touched:
            names = list(commons.touched)
            commons.touched.clear()
            for name in names:
                self._serve(commons.lab.instruments[name])
            for name in names:
                if commons.waiting.get(name):
                    self._watch_windows(name)

    def _serve(self, instrument: InstrumentState) -> None:
        waiting = self._commons.waits_for(instrument.name)
        if instrument.mending:
            waiting = [(run, step) for run, step in waiting if step.mends]
        if self._commons.is_shared:  # of one that is paused, nothing is in the others' way
            waiting = [one for one in waiting if not self._is_held_back(*one)]
        if instrument.ready and instrument.busy_with is None:
            waiting = [one for one in waiting if not self._is_kept(*one)]
        if not waiting:
            return
        run, step = waiting[0] if len(waiting) == 1 else self._most_urgent(waiting, instrument)
        part = self._part(run)
        if step.not_after is not None and step.not_after < self._commons.at:
            self._commons.touched[instrument.name] = None  # there may be others behind it
            part.steps.miss(run, step)
        elif self._may_start(part, step, instrument):
            part.steps.perform(run, step, instrument)

    def _part(self, run: Run) -> Part:
        return self._parts[campaign_of(run.id)]

    def _is_held_back(self, run: Run, step: Step) -> bool:
        state, in_window = self._part(run).state, step.not_after is not None
        return bool(state.paused) and (state.paused_at_once or not in_window)

    def _is_kept(self, run: Run, step: Step) -> bool:
        """Whether the plan keeps a step waiting; not where nothing moves that it could wait for."""
        commons, agenda = self._commons, self._commons.agenda
        until = agenda.keeps(run, step, campaign_of(run.id), commons.lab, commons.at)
        if not until or self.is_still():
            return False
        agenda.kept[step.id] = step.instrument
        commons.look_again(until)
        return True

    def follow(self, plan: PlanArrived) -> None:
        """A plan has come: go by it, as far as what it speaks of is not over yet."""
        commons = self._commons
        steps = tuple(one for one in plan.steps if self._is_to_come(one.step))
        if plan.steps and not steps:
            return
        commons.agenda = commons.agenda.renewed(replace(plan, steps=steps), commons.lab)
        commons.touch_all()

    def _is_to_come(self, step: str) -> bool:
        """Whether a planned step is under way or may still start."""
        run_id, _, path = step.rpartition("/step-")
        part = self._parts.get(campaign_of(step))
        if part is None:
            return False
        run = part.state.runs.get(run_id)
        if run is None:
            number = run_id.rpartition("/run-")[2]
            return number.isdigit() and int(number) > part.state.begun
        return path in run.steps or all(fed[:2] != ("issue", path) for fed in run.trampoline.fed)

    def admits(self, part: Part) -> bool:
        """Whether the plan lets the next run of a campaign begin; where nothing moves, it does."""
        run = f"{part.name}/run-{part.state.begun + 1}"
        until = self._commons.agenda.keeps_run(run, part.name, self._commons.at)
        if not until or not part.state.ready or self.is_still():
            return True
        self._commons.agenda.shut[part.name] = until
        self._commons.look_again(until)
        return False

    def is_still(self) -> bool:
        """Whether nothing is under way on the whole bench: no action, no lapse of time."""
        if any(one.busy_with is not None for one in self._commons.lab.instruments.values()):
            return False
        steps = (step for part in self._parts.values() for _, step in part.work.all())
        return all(step.until is None for step in steps)

    def _may_start(self, part: Part, step: Step, instrument: InstrumentState) -> bool:
        if not instrument.able or instrument.busy_with is not None:
            return False
        lab, state, in_window = self._commons.lab, part.state, step.not_after is not None
        if lab.paused and (lab.paused_at_once or not in_window):
            return False
        if state.paused and (state.paused_at_once or not in_window):
            return False
        return not instrument.paused or (in_window and not instrument.paused_at_once)

    def _most_urgent(
        self, waiting: Sequence[tuple[Run, Step]], instrument: InstrumentState
    ) -> tuple[Run, Step]:
        """Of some that wait for one instrument, the one that it does next."""
        by_id = {step.id: (run, step) for run, step in waiting}
        chosen = next_step(self._ready(run, step, instrument) for run, step in waiting)
        return by_id[chosen.step]

    def _ready(self, run: Run, step: Step, instrument: InstrumentState) -> ReadyStep:
        place = self._commons.agenda.place(step, self._commons.at)
        if not self._commons.is_shared:  # nobody else is there to be weighed against
            return ReadyStep(
                step=step.id,
                run_number=run.number,
                order=step.order,
                not_after=step.not_after,
                place=place,
            )
        part = self._part(run)
        return ReadyStep(
            step=step.id,
            run_number=run.number,
            order=step.order,
            not_after=step.not_after,
            priority=part.priority,
            waited_s=self._commons.at - step.since,
            place=place,
            tag=instrument.share.start(part.name),
        )

    def _watch_windows(self, name: str) -> None:
        for _, step in self._commons.waits_for(name):
            if step.not_after is not None and not step.watched:
                step.watched = True
                self._commons.out.append(Wait(timer=f"{step.id}/window", until=step.not_after))
