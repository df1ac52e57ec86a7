"""Tight chains: an action that opens a short window begins once what follows can follow in time.

From its forecast it is known of each run which action has to start soon after which other one ends.
Before the first of two is begun, the instrument of the second must be free of what stays there, or
be freed by then, and the arm that brings the plate must not have too much to do that is as urgent.
While the first one goes on, the place of the second is kept for it and cleared. Nothing is held
meanwhile: the first action only waits, and for nothing that waits for it in turn. What stays at an
instrument has a step there that begins without a chain of its own.

A step that is in a window itself is not held back any more once that is about to close: it would
be late for certain, the next one perhaps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sdl.authoring import Act
from sdl.core.commons import Commons
from sdl.core.floor import PERSON, Floor
from sdl.core.following import TIGHT_S
from sdl.core.ids import campaign_of
from sdl.core.lab_state import InstrumentState
from sdl.core.let import is_let
from sdl.core.lids import moves_for
from sdl.core.roster import Roster
from sdl.core.run import Run, Step
from sdl.model.lab import place_of

MOVE_S = 30.0
"""Lab seconds that a carry is taken to last before one has ended."""
LEAST_S = 1.0
"""Lab seconds that a carry takes at least, whatever was told."""
OVERDUE, OVERDUE_S = 2.0, 60.0
"""A step hangs that takes longer than so many times what it took lately, and so many seconds."""
SPARE_S = 30.0
"""Lab seconds before the end of its own window after which a step is not held back any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A tight action that will be wanted at an instrument soon, or waits for it already."""

    run: Run
    step: Step
    """The first of the two while it goes on; else the tight one itself."""
    follows: str
    """The tight one."""
    labware: tuple[str, ...]
    source: str
    """Where it comes from."""
    instrument: str
    role: str
    due: float
    """Lab time at which it has to be there, as far as that is known."""
    within_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A promise that can be kept only by transporters that begin nothing else now."""

    follows: str
    """The tight action."""
    due: float
    carriers: frozenset[str]


class Chains:
    """Tight chains of all runs on one lab."""

    def __init__(self, commons: Commons, roster: Roster, floor: Floor) -> None:
        self._commons = commons
        self._roster = roster
        self._floor = floor

    def promises(self) -> list[Promise]:
        """All that is tight, will be wanted soon or is by now, and has not come to its place."""
        lab, steps = self._commons.lab, self._commons.steps
        turn = {name: number for number, name in enumerate(self._roster)}
        found: dict[tuple[int, int, int], list[Promise]] = {}
        in_window = (one for waiting in steps.in_window.values() for one in waiting.values())
        for run, step in (*steps.at_work.values(), *in_window):
            if not run.chains:
                continue
            key = turn[campaign_of(run.id)], run.number, step.order
            if step.is_open and self._goes_on(step):
                found[key] = list(self._leading(run, step))
            elif step.state == "waits" and step.deadline is not None:
                state = self._roster[campaign_of(run.id)].state
                if is_let(lab, state, step, lab.instruments[step.instrument]):
                    found[key] = list(self._waiting(run, step))
        return [promise for key in sorted(found) for promise in found[key]]

    def _goes_on(self, step: Step) -> bool:
        """Whether a step that was sent may end soon: nobody waits for one that hangs."""
        instrument = self._commons.lab.instruments[step.instrument]
        took_s = self._took_s(step)
        over_s = self._commons.at - instrument.busy_since - OVERDUE * took_s
        return instrument.able and (took_s == 0.0 or over_s <= OVERDUE_S)

    def _took_s(self, step: Step) -> float:
        """How long such a step took lately; 0 where none has ended yet."""
        assert isinstance(step.request, Act)
        expected_s = self._commons.agenda.expected_s(step.id, self._commons.at)
        if expected_s:
            return expected_s
        return self._commons.lab.took.get(f"{step.instrument}/{step.request.operation}", 0.0)

    def _leading(self, run: Run, step: Step) -> Iterator[Promise]:
        """What must follow a step that goes on, or could begin."""
        for following in run.chains.get(step.path, ()):
            instrument = run.instruments[following.role]
            if instrument != step.instrument:
                yield Promise(
                    run=run,
                    step=step,
                    follows=f"{run.id}/step-{following.path}",
                    labware=following.labware,
                    source=step.instrument,
                    instrument=instrument,
                    role=following.role,
                    due=self._commons.at + self._left_s(step) + following.within_s,
                    within_s=following.within_s,
                )

    def _waiting(self, run: Run, step: Step) -> Iterator[Promise]:
        """A tight step that has still to be brought what it needs."""
        lab = self._commons.lab
        away = [name for name in step.labware if not lab.pieces[name].is_at(step.instrument)]
        assert step.not_after is not None
        left_s = step.not_after - self._commons.at
        if away and 0.0 <= left_s <= TIGHT_S:
            assert isinstance(step.request, Act)
            yield Promise(
                run=run,
                step=step,
                follows=step.id,
                labware=step.labware,
                source=place_of(lab.pieces[away[0]].site),
                instrument=step.instrument,
                role=step.request.role,
                due=step.not_after,
                within_s=left_s,
            )

    def _left_s(self, step: Step) -> float:
        """How long a step will still take, as it took lately."""
        took_s = self._took_s(step)
        if not step.is_open:
            return took_s
        instrument = self._commons.lab.instruments[step.instrument]
        return max(0.0, instrument.busy_since + took_s - self._commons.at)

    def objection(self, run: Run, step: Step, promises: Sequence[Promise] | None = None) -> str:
        """Why a step that could begin should not yet, in words; empty if nothing speaks against it.

        One that is in a window itself waits for nobody whose own is longer, and for nothing any
        more once it is about to close. ``promises``: those of now, where they are known already.
        """
        if not run.chains.get(step.path):
            return ""
        if self._commons.agenda.leads(step.id, self._commons.at):
            return ""  # who keeps the plan sees to that, and knows more
        if step.not_after is not None and step.not_after - self._commons.at <= SPARE_S:
            return ""
        leading = list(self._leading(run, step))
        limit = math.inf if step.not_after is None else step.not_after
        others = [
            each
            for each in (self.promises() if promises is None else promises)
            if each.run is not run and (each.step.is_open or each.due < limit)
        ]
        for promise in leading:
            reason = self._none_ready(promise, others)
            if reason:
                return f"{reason}, where it has to be within {promise.within_s:g} s after this"
        return ""

    def _none_ready(self, promise: Promise, others: list[Promise]) -> str:
        """Why none of those that may do what follows is ready for it; empty where one is."""
        state = self._roster[campaign_of(promise.run.id)].state
        names = [promise.instrument]
        if promise.role in state.spec.pooled:
            pool = state.spec.roles[promise.role]
            names += [name for name in pool if name != promise.instrument]
        reasons = (self._not_ready(replace(promise, instrument=one), others) for one in names)
        first = next(reasons)
        return first and next((reason for reason in reasons if not reason), first)

    def _not_ready(self, promise: Promise, others: list[Promise]) -> str:
        instrument = self._commons.lab.instruments[promise.instrument]
        if not instrument.ready:
            return f"until {instrument.name} is fit for use"
        sites = self._floor.sites.get(instrument.name, ())
        promised = sum(one.instrument == instrument.name for one in others)
        if sites and len(sites) - self._staying(instrument, promise.run) - promised < 1:
            return f"until {instrument.name} is free"
        return self._carriers_busy(promise, others)

    def _staying(self, instrument: InstrumentState, me: Run) -> int:
        """Pieces at an instrument that something is to be done with there, or that settle there."""
        steps = self._commons.steps
        return sum(
            any(
                run is not me and self._stays(run, step, instrument)
                for run, step in steps.naming[piece].values()
            )
            for piece in steps.pieces_at.get(instrument.name, ())
        )

    def _stays(self, run: Run, step: Step, instrument: InstrumentState) -> bool:
        """Whether the labware of a step, which is at an instrument, will be there for a while."""
        if not step.instrument:
            return True
        if step.instrument != instrument.name or self._may_wait(run, step):
            return False
        part = self._roster.of(run.id)
        assert part is not None
        waits = step.state == "waits"
        return not waits or is_let(self._commons.lab, part.state, step, instrument)

    @staticmethod
    def _may_wait(run: Run, step: Step) -> bool:
        """Whether a step could itself be held back here, and so is in nobody's way for sure."""
        return step.state == "waits" and bool(run.chains.get(step.path))

    def _carriers_busy(self, promise: Promise, others: list[Promise]) -> str:
        able = self._carriers(promise)
        if not able:
            return ""
        move_s = self._way_s(promise)
        same = [one for one in others if set(self._carriers(one)) & set(able)]
        shortest_s = min(one.within_s for one in (promise, *same))
        room = max(1, int(shortest_s / move_s) - 1) * len(able)
        if len(same) < room:
            return ""
        return f"until {' or '.join(able)} has time to bring it to {promise.instrument}"

    def _carriers(self, promise: Promise) -> list[str]:
        """Transporters that can take it up; none where a person has to."""
        return next(self._legs(promise), [])

    def _way_s(self, promise: Promise) -> float:
        """How long it is on its way, by the slowest transporter of each leg."""
        legs = [[self._move_s(name) for name in able] for able in self._legs(promise)]
        return sum(max(leg, default=MOVE_S) for leg in legs)

    def _legs(self, promise: Promise) -> Iterator[list[str]]:
        """The transporters of each leg of its way; none of a leg that is a person's."""
        place, end = promise.source, promise.instrument
        if not {place, end} <= self._floor.sites.keys():
            return
        while place != end:
            nearer = self._floor.nearer(place, end)[0]
            able = self._floor.carriers_between(place, nearer)
            yield [name for name in able if name != PERSON]
            place = nearer

    def _move_s(self, carrier: str) -> float:
        lab = self._commons.lab
        move_s = max(LEAST_S, lab.took.get(f"{carrier}/move", MOVE_S))
        return moves_for(lab.lids) * move_s

    def awaited(self, promises: Sequence[Promise], calls: Sequence[Call]) -> frozenset[str]:
        """Transporters that will be needed at once before one more carry could end."""
        called = {name for call in calls for name in call.carriers}
        return frozenset(called).union(
            name
            for promise in promises
            for name in self._carriers(promise)
            if self._begins_in_s(promise) < self._move_s(name)
        )

    def _begins_in_s(self, promise: Promise) -> float:
        """Until it can be fetched, and its instrument is ready for it; as long as actions took."""
        if promise.step.is_open and self._took_s(promise.step) == 0.0:
            return math.inf  # nobody knows yet
        waits_s = self._soonest_s(promise.step) if promise.step.is_open else 0.0
        instrument = self._commons.lab.instruments[promise.instrument]
        if not instrument.ready:
            return math.inf
        busy = self._at_work_on(instrument)
        if busy is not None:
            known = self._goes_on(busy) and self._took_s(busy) > 0.0
            waits_s = max(waits_s, self._soonest_s(busy) if known else math.inf)
        return waits_s

    def calls(self, promises: Sequence[Promise]) -> list[Call]:
        """Whom no transporter may keep waiting for as long as one more carry takes, by the plan.

        ``promises``: those of now, here and there.
        """
        found: list[Call] = []
        if not self._commons.agenda.is_in_force(self._commons.at):
            return found
        for promise in promises:
            names = [name for name in self._carriers(promise) if self._is_late_after(promise, name)]
            if names:
                call = Call(follows=promise.follows, due=promise.due, carriers=frozenset(names))
                found.append(call)
        return found

    def _is_late_after(self, promise: Promise, carrier: str) -> bool:
        """Whether one more carry before makes a promise late that could be kept without it.

        Between the moment at which its action may end and that at which it is due to.
        """
        clear_s = self._clear_in_s(promise)
        if promise.step.is_open and not self._quick_s(promise.step):
            return False  # nobody knows that well enough
        ends = {self._soonest_s(promise.step), self._left_s(promise.step)}
        for opens_s in ends if promise.step.is_open else {0.0}:
            least_s, most_s = (
                self._there_in_s(promise, free_s, clear_s, opens_s)
                for free_s in (0.0, self._move_s(carrier))
            )
            if least_s <= opens_s + promise.within_s < most_s:
                return True
        return False

    def _there_in_s(
        self, promise: Promise, free_s: float, clear_s: float | None, opens_s: float
    ) -> float:
        """When it can be at its place: what stands there is taken away first, then it is brought.

        ``free_s``: from when on the transporter is free. ``clear_s``: and the place can be cleared.
        """
        way_s = self._way_s(promise)
        if clear_s is not None:
            free_s = max(free_s, clear_s) + way_s
        return max(free_s, opens_s) + way_s

    def _clear_in_s(self, promise: Promise) -> float | None:
        """When what stands in its place may be taken away at the earliest; None: nothing does."""
        instrument = self._commons.lab.instruments[promise.instrument]
        there = self._commons.steps.pieces_at.get(instrument.name, {})
        sites = self._floor.sites.get(instrument.name, ())
        if len(sites) > sum(name not in promise.labware for name in there):
            return None
        busy = self._at_work_on(instrument)
        if busy is None:
            is_idle = instrument.ready and not self._staying(instrument, promise.run)
            return 0.0 if is_idle else math.inf
        is_known = self._goes_on(busy) and self._quick_s(busy) > 0.0
        return self._soonest_s(busy) if is_known else math.inf

    def _quick_s(self, step: Step) -> float:
        """How long a step takes where it is quick; 0 where it is not planned."""
        return self._commons.agenda.quick_s(step.id, self._commons.at)

    def _soonest_s(self, step: Step) -> float:
        """How long a step that goes on will still take where it is quick, as far as is known."""
        instrument = self._commons.lab.instruments[step.instrument]
        took_s = self._quick_s(step) or self._took_s(step)
        return max(0.0, instrument.busy_since + took_s - self._commons.at)

    def _at_work_on(self, instrument: InstrumentState) -> Step | None:
        """The step of a campaign whose command an instrument is busy with."""
        part = self._roster.get(campaign_of(instrument.busy_with or ""))
        found = part.work.by_cid(instrument.busy_with or "") if part is not None else None
        return found[1] if found is not None and found[1].is_open else None
