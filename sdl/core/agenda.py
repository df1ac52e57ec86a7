"""The plan in force, how far it has come, and what it keeps waiting.

A plan is a hint that admits; the rule of ``schedule`` decides. It lets a run enter the bench, and
lets the first step of a *chain* (steps that have to follow it within short windows) start, once
their time has come, or once all that it puts before them on their instrument has started. What
the steps of chains under way are due to need is kept free for them. All other steps it only puts
in order.

It can keep nobody for ever: a plan that is old is passed over, every wait has an end of its own,
and where nothing moves on the whole bench nothing is kept. A step whose window is open is kept
until that is about to close at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sdl.core.ids import run_of, step_of
from sdl.core.lab_state import LabState
from sdl.core.plan import PlanArrived, Planned
from sdl.core.run import Run, Step
from sdl.core.timetable import EXCHANGE, Timetable, quick_s, timetable

STALE_S = 900.0
"""Lab seconds after which a plan counts no more: three times as long as one is let stand."""
ENTRY_MAX_S = 3600.0
"""Lab seconds after the last entry of a campaign for which it is kept from the next one at most;
of a step that was not there by then, since it waits."""
UNPLANNED_MAX_S = 120.0
"""The same where the plan does not know the next run: a new plan should come before."""
CHAIN_MAX_S = 1800.0
"""Lab seconds for which a step is kept at most for the sake of chains."""
OVERRUN_S = 10.0
"""Lab seconds over its time after which nobody knows when a step will end."""
MARGIN_S = 5.0
"""Lab seconds before its own window closes up to which a step may be kept."""
SPARED_S = 30.0
"""Lab seconds by which a step may be planned too late for its window and yet be in time: steps are
planned with time to spare."""
AGAIN_S = 30.0
"""Lab seconds after which a chain is looked at again that waits for others to begin."""
EARLY_S = 60.0
"""Lab seconds by which a run that has windows may enter ahead of its time, where nothing is planned
before it at its instrument."""
PATIENCE_S = 3600.0
"""Lab seconds of waiting after which a step goes before all that the plan puts before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step of a chain under way that an instrument has to be free for."""

    instrument: str
    opener: str
    """The step at whose end its window opens."""
    early: float
    """Lab time at which it will be asked for, ..."""
    late: float
    """... and at which its window closes, as far as it is known."""
    length_s: float
    """From when it is asked for to when the instrument is free again."""


@dataclass(slots=True)
class Agenda:
    """Of one lab; a plan that arrives takes the place of the one before."""

    plan: PlanArrived | None = None
    arrived: int = 0
    """Plans so far."""
    trouble: str = ""
    """Why no newer plan has come; empty while all is well."""
    begun: dict[str, None] = field(default_factory=dict)
    """Steps of the plan that have started since it came."""
    due: dict[str, Due] = field(default_factory=dict)
    """By step: what chains under way will need."""
    kept: dict[str, str] = field(default_factory=dict)
    """Steps that the plan keeps waiting, with their instruments."""
    shut: dict[str, float] = field(default_factory=dict)
    """Campaigns whose next run may not begin, and until when at most."""
    guarded: dict[str, float] = field(default_factory=dict)
    """Steps that were kept for the sake of chains, and since when."""
    entered: dict[str, float] = field(default_factory=dict)
    """By campaign: when a run of it entered last, or was kept from it first."""
    admitted: dict[str, None] = field(default_factory=dict)
    """Runs that began under a plan: it has let them in already."""
    wake: float = 0.0
    """Lab time of the last timer that was asked for."""
    _table: Timetable = field(default_factory=Timetable)
    _queues: dict[str, list[str]] = field(default_factory=dict)
    """By instrument: steps that have not started, in the plan's order."""

    def __post_init__(self) -> None:
        """What follows from the plan is worked out, not kept."""
        if self.plan is None:
            return
        self._table = timetable(self.plan.steps)
        for one in self._table.steps.values():
            if one.step not in self.begun:
                self._queues.setdefault(one.instrument, []).append(one.step)

    # What happens.

    def renewed(self, event: PlanArrived, lab: LabState) -> Agenda:
        """What is in force once a plan has come; one without steps only says what is wrong."""
        if not event.steps:
            self.trouble = event.cause
            return self
        under_way = {
            step_of(one.busy_with): one.busy_since
            for one in lab.instruments.values()
            if one.busy_with
        }
        fresh = Agenda(
            plan=event,
            arrived=self.arrived + 1,
            begun=dict.fromkeys(under_way),
            kept=self.kept,
            shut=self.shut,
            guarded=self.guarded,
            entered=self.entered,
            admitted=self.admitted,
        )
        for one in fresh._table.steps.values():
            if one.closes is not None and one.step not in fresh.begun:
                fresh._wait_for(one, "", one.opens, one.closes)
                start = max(one.opens, min(one.start, one.closes))
                fresh._expect(one, start + quick_s(one), set())
        for step, since in under_way.items():
            if step in fresh._table.steps:
                planned = fresh._table.steps[step]
                fresh._expect(planned, max(event.at, since + quick_s(planned)), set())
        return fresh

    def enter(self, run: str, campaign: str, at: float, *, is_carried: bool) -> None:
        """A run begins. Where labware is carried to it, it enters only with its first step."""
        self.shut.pop(campaign, None)
        if self.is_in_force(at) and not is_carried:
            self.entered[campaign] = at
            self.admitted[run] = None

    def sent(self, run: Run, step: Step, campaign: str, at: float) -> None:
        """A step leaves for its instrument."""
        if self.plan is None:
            return
        if is_entry(run, step):
            self.entered[campaign] = at
        self._start(step.id)
        self.due.pop(step.id, None)
        self.guarded.pop(step.id, None)
        planned = self._table.steps.get(step.id)
        if planned is not None:
            self._expect(planned, at + quick_s(planned), set())

    def done(self, step: str, at: float) -> None:
        """A step has ended well: the windows behind it are open."""
        if step in self._table.followers:
            self._expect(self._table.steps.get(step), at, set())

    def forget(self, run: str) -> None:
        """A run is over."""
        if self.plan is None:
            return
        self.admitted.pop(run, None)
        for step in [one for one in self._table.steps if run_of(one) == run]:
            self._start(step)
        self.due = {step: due for step, due in self.due.items() if run_of(step) != run}
        self.kept = {step: name for step, name in self.kept.items() if run_of(step) != run}
        self.guarded = {step: at for step, at in self.guarded.items() if run_of(step) != run}

    def _start(self, step: str) -> None:
        planned = self._table.steps.get(step)
        if planned is not None and step not in self.begun:
            self.begun[step] = None
            self._queues[planned.instrument].remove(step)

    def _expect(self, opener: Planned | None, end: float, seen: set[str]) -> None:
        """Keep room for what has to follow a step that ends at ``end``."""
        if opener is None or opener.step in seen:
            return
        seen.add(opener.step)
        for one in self._table.followers.get(opener.step, ()):
            if one.step not in self.begun:
                self._wait_for(one, opener.step, end + one.least_s, end + one.most_s)
                self._expect(one, max(end + one.least_s, one.start) + quick_s(one), seen)

    def _wait_for(self, one: Planned, opener: str, opens: float, closes: float) -> None:
        """Keep room for a step, unless the plan has given its window up: others wait in vain."""
        if self._table.late_s(one) > SPARED_S:
            return
        self.due[one.step] = Due(
            instrument=one.instrument,
            opener=opener,
            early=opens,
            late=max(opens, closes - EXCHANGE * one.carry_s),
            length_s=one.duration_s + EXCHANGE * one.carry_s,
        )

    # What follows from it.

    def is_in_force(self, at: float) -> bool:
        """Whether there is a plan that counts."""
        return self.plan is not None and at - self.plan.asked_at <= STALE_S

    def threatened(self, lab: LabState, at: float) -> str:
        """A step of a chain under way whose instrument will be busy for too long; empty: none."""
        for step, due in self.due.items():
            if due.late >= at and self._busy_until(due.instrument, lab, at) > due.late:
                return step
        return ""

    def place(self, step: Step, at: float) -> float:
        """Where the plan puts a step among those that wait: lower goes first."""
        if not self.is_in_force(at):
            return 0.0
        if at - step.since >= PATIENCE_S:
            return -math.inf
        planned = self._table.steps.get(step.id)
        return math.inf if planned is None else planned.start

    def leads(self, step: str, at: float) -> bool:
        """Whether a step is planned, and what has to follow it within a short window as well."""
        planned = self.planned(step, at)
        return planned is not None and self._table.opens(planned)

    def expected_s(self, step: str, at: float) -> float:
        """How long a step is planned to take; 0 where it is not planned."""
        planned = self.planned(step, at)
        return planned.duration_s if planned is not None else 0.0

    def quick_s(self, step: str, at: float) -> float:
        """How long a step takes where it is quick; 0 where it is not planned."""
        planned = self.planned(step, at)
        return quick_s(planned) if planned is not None else 0.0

    def is_before(self, step: str, other: str, at: float) -> bool:
        """Whether the plan puts one of two steps before the other one."""
        mine, theirs = self.planned(step, at), self.planned(other, at)
        return mine is not None and theirs is not None and mine.start < theirs.start

    def planned(self, step: str, at: float) -> Planned | None:
        """What the plan says of a step; None where it says nothing that counts."""
        return self._table.steps.get(step) if self.is_in_force(at) else None

    def may_change(self, step: str, other: str, lab: LabState, at: float) -> bool:
        """Whether a step may go to another instrument: once its time has come, if none is due."""
        planned = self.planned(step, at)
        if planned is None:
            return True
        start, length_s = at + planned.carry_s, planned.duration_s
        is_due = at >= planned.start - planned.bring_s
        return is_due and self._free(other, start, length_s, step, lab, at) <= start

    def carry_s(self, step: Step) -> float:
        """For how many lab seconds its labware is on the way, as far as it is planned."""
        planned = self._table.steps.get(step.id)
        return 0.0 if planned is None else planned.carry_s

    def player(self, run: str, role_players: tuple[str, ...], at: float) -> str:
        """Which of some instruments the plan gives to a run; empty if it says nothing."""
        if not self.is_in_force(at):
            return ""
        return self._table.player(run, role_players)

    def keeps_run(self, run: str, campaign: str, at: float) -> float:
        """Until when a run may not begin, at most; 0 if it may."""
        if not self.is_in_force(at):
            return 0.0
        return self._end(self._keeps_entry(run, campaign, at), at)

    def keeps(
        self, run: Run, step: Step, campaign: str, lab: LabState, at: float, carry_s: float = 0.0
    ) -> float:
        """Until when a step that its instrument is free for may not start, at most; 0 if it may.

        ``carry_s``: for how long its labware is on its way before.
        """
        if not self._may_keep(run, step, at):
            return 0.0
        enters = is_entry(run, step) and step.not_after is None
        until = self.keeps_out(run, step, campaign, at)
        planned = self._table.steps.get(step.id)
        if planned is not None and until <= at:
            until = self._keeps_chain(planned, step, lab, at, carry_s)
            if until > at and enters:
                until = min(until, self._barred_since(campaign, step.since, at) + ENTRY_MAX_S)
            elif until > at and step.not_after is None:
                until = min(until, self.guarded.setdefault(step.id, at) + CHAIN_MAX_S)
        return self._end(until, at)

    def keeps_out(self, run: Run, step: Step, campaign: str, at: float) -> float:
        """Until when a run may not enter with a step, at most; 0 if it may, or has."""
        enters = is_entry(run, step) and step.not_after is None and run.id not in self.admitted
        if not enters or not self._may_keep(run, step, at):
            return 0.0
        return self._end(self._keeps_entry(run.id, campaign, at, step.since), at)

    def _end(self, until: float, at: float) -> float:
        """When a wait ends: with the plan at the latest, as nothing else may happen before."""
        assert self.plan is not None
        until = min(until, self.plan.asked_at + STALE_S)
        return until if until > at else 0.0

    def _may_keep(self, run: Run, step: Step, at: float) -> bool:
        """Whether a step may be kept at all: not one that is mended, late or tried again."""
        exempt = step.attempt or step.mends or step.late or run.broken is not None
        return self.is_in_force(at) and not exempt

    def _keeps_chain(
        self, planned: Planned, step: Step, lab: LabState, at: float, carry_s: float
    ) -> float:
        """Until when a step waits for the sake of its own chain, or of another one.

        With a window of its own it waits no longer than that allows, and does not wait at all for
        what comes too late for it, nor for a turn that comes much too late.
        """
        room_s = MARGIN_S + (1 + EXCHANGE) * carry_s  # the arm may be busy, the place not cleared
        last = math.inf if step.not_after is None else step.not_after - room_s
        until = self._free(step.instrument, at + carry_s, planned.duration_s, planned.step, lab, at)
        if until <= at + carry_s or until > last:
            until = 0.0
        ready = self._follows_at(planned, lab, at, carry_s)
        closes = math.inf if step.not_after is None else step.not_after
        if self._table.opens(planned) and planned.start <= closes + SPARED_S:
            ready = max(ready, self._chain_turn(planned, at))
        return max(until, min(ready, last))

    def _chain_turn(self, planned: Planned, at: float) -> float:
        """When the turn of a chain comes; 0: now.

        Ahead of its time only where none of its steps is in the way of what is planned there and
        has not begun; and later not before what was to begin before it has.
        """
        is_due = at >= planned.start
        own = (planned, 0.0, 0.0)
        chain = self._table.chain(planned, planned.duration_s, {planned.step})
        for one, early_s, _ in [own, *chain]:
            start = at + early_s + (one.carry_s if one is not planned else 0.0)
            for other in self._queues.get(one.instrument, ()):
                theirs = self._table.steps[other]
                if run_of(other) == run_of(planned.step):
                    continue
                end = start + one.duration_s + EXCHANGE * theirs.carry_s
                if theirs.start >= (planned.start if is_due else end):
                    break
                if is_due:
                    return at + AGAIN_S
                their_end = theirs.start + theirs.duration_s + EXCHANGE * one.carry_s
                if their_end > start or theirs.start < at:
                    return planned.start
        return 0.0

    def _barred_since(self, campaign: str, since: float, at: float) -> float:
        """From when on it counts that a step is kept out which waits since lab time ``since``."""
        return max(self.entered.setdefault(campaign, at), since)

    def _keeps_entry(self, run: str, campaign: str, at: float, since: float = 0.0) -> float:
        since = self._barred_since(campaign, since, at)
        first = self._table.firsts.get(run)
        if first is not None:
            return min(self._turn(first), since + ENTRY_MAX_S)
        others = (
            one.step not in self.begun and name.rpartition("/")[0] == campaign
            for name, one in self._table.firsts.items()
        )
        return since + (ENTRY_MAX_S if any(others) else UNPLANNED_MAX_S)

    def _turn(self, first: Planned) -> float:
        """When a run may enter: one with windows not long before its time, as all of them move."""
        queue = self._queues.get(first.instrument, [])
        fetched = first.start - first.bring_s
        if queue and queue[0] != first.step:
            return fetched
        return fetched - EARLY_S if run_of(first.step) in self._table.tied else 0.0

    # Room for chains.

    def _follows_at(self, planned: Planned, lab: LabState, at: float, carry_s: float) -> float:
        """When a step may start, so that what has to follow it may as well; 0: now."""
        start, until = at + carry_s, 0.0
        for one, early_s, late_s in self._table.chain(planned, quick_s(planned), {planned.step}):
            length_s = one.duration_s + one.carry_s + planned.duration_s - quick_s(planned)
            free = self._free(one.instrument, start + early_s, length_s, one.step, lab, at)
            until = max(until, free - late_s)
        return until if until > start else 0.0

    def _free(
        self, instrument: str, early: float, length_s: float, step: str, lab: LabState, at: float
    ) -> float:
        """The first moment from ``early`` on at which an instrument is free for so long."""
        free = self._busy_until(instrument, lab, at)
        start = max(early, free)
        run = run_of(step)
        dues = [
            self._shifted(due, lab, at)
            for one, due in self.due.items()
            if due.instrument == instrument and run_of(one) != run
            if not self._may_go_first(step, one, due)
        ]
        for due in sorted(dues, key=lambda due: due.early):
            if due.late >= at and start + length_s > due.late:
                free = max(free, due.early) + due.length_s
                start = max(start, free)
        return start

    def _may_go_first(self, step: str, other: str, due: Due) -> bool:
        """Whether what another step is due after has not begun, nor will before a step has."""
        has_begun = not due.opener or due.opener in self.begun
        return not has_begun and self._table.steps[step].start < self._table.steps[other].start

    def _busy_until(self, instrument: str, lab: LabState, at: float) -> float:
        """When an instrument is free, as far as it is known."""
        one = lab.instruments.get(instrument)
        if one is None:
            return at
        if not one.ready:
            return math.inf
        if one.busy_with is None:
            return at
        planned = self._table.steps.get(step_of(one.busy_with))
        if planned is None:
            return at
        end = one.busy_since + planned.duration_s
        return math.inf if at > end + OVERRUN_S else max(at, end)

    def _shifted(self, due: Due, lab: LabState, at: float) -> Due:
        """As it is now that its opener takes longer than it was to."""
        if due.early >= at:
            return due
        opener = self._table.steps.get(due.opener)
        seat = None if opener is None else lab.instruments.get(opener.instrument)
        cid = None if seat is None else seat.busy_with
        if cid is None or step_of(cid) != due.opener:
            return due
        return Due(
            instrument=due.instrument,
            opener=due.opener,
            early=at,
            late=at + due.late - due.early,
            length_s=due.length_s,
        )


def is_entry(run: Run, step: Step) -> bool:
    """Whether a step is the first one with which a run enters the bench."""
    return len(run.trampoline.fed) == 1 and not step.attempt
