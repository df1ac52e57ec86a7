"""Whom the plan keeps waiting, asked by those who let runs begin, steps leave and plates come."""

from __future__ import annotations

from dataclasses import replace

from sdl.core.commons import CARRY, Commons
from sdl.core.ids import campaign_of
from sdl.core.part import Part
from sdl.core.plan import PlanArrived
from sdl.core.roster import Roster
from sdl.core.run import Run, Step


class Admittance:
    """The plan in force, as seen from the bench."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster

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
        part = self._roster.get(campaign_of(step))
        if part is None:
            return False
        run = part.state.runs.get(run_id)
        if run is None:
            number = run_id.rpartition("/run-")[2]
            return number.isdigit() and int(number) > part.state.begun
        return path in run.steps or all(fed[:2] != ("issue", path) for fed in run.trampoline.fed)

    def admits(self, part: Part) -> bool:
        """Whether the plan lets the next run of a campaign begin; where nothing moves, it does.

        Where labware is carried, it begins: what it needs is not brought before its time.
        """
        if self._commons.lab.pieces:
            return True
        run = f"{part.name}/run-{part.state.begun + 1}"
        until = self._commons.agenda.keeps_run(run, part.name, self._commons.at)
        if not until or not part.state.ready or self.is_still():
            return True
        self._commons.agenda.shut[part.name] = until
        self._commons.look_again(until)
        return False

    def keeps(self, run: Run, step: Step) -> bool:
        """Whether the plan keeps a step waiting; not where nothing moves that it could wait for.

        Nor a carry: whoever wanted it has been let in.
        """
        commons, agenda = self._commons, self._commons.agenda
        if agenda.plan is None or CARRY in run.id:
            return False
        until = agenda.keeps(run, step, campaign_of(run.id), commons.lab, commons.at)
        return until > commons.at and not self.is_still() and self._kept(step, until)

    def keeps_out(self, run: Run, step: Step) -> bool:
        """Whether nothing is brought for a step yet.

        Its run may not enter the bench, or it would only wait where its labware is brought, in the
        way of others. Only to be asked where there is a plan, and where not everything is still.
        """
        commons, agenda = self._commons, self._commons.agenda
        campaign = campaign_of(run.id)
        carry_s = agenda.carry_s(step)
        until = agenda.keeps(run, step, campaign, commons.lab, commons.at, carry_s)
        return self._kept(step, max(0.0, until - carry_s))

    @property
    def may_keep(self) -> bool:
        """Whether there is a plan that could keep anybody now."""
        return self._commons.agenda.plan is not None and not self.is_still()

    def _kept(self, step: Step, until: float) -> bool:
        if until <= self._commons.at:
            return False
        self._commons.agenda.kept[step.id] = step.instrument
        self._commons.look_again(until)
        return True

    def is_still(self) -> bool:
        """Whether nothing is under way on the whole bench: no action, no lapse of time.

        A person who carries something may never come, so that nobody is kept for their sake.
        """
        if any(one.busy_with is not None for one in self._commons.lab.instruments.values()):
            return False
        return all(step.until is None for _, step in self._commons.steps.at_work.values())
