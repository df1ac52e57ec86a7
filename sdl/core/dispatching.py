"""Gives each free instrument its next step, whichever campaign that belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from sdl.core.accounts import Accounts
from sdl.core.admittance import Admittance
from sdl.core.chains import SPARE_S
from sdl.core.commands import Wait
from sdl.core.commons import Commons
from sdl.core.lab_state import InstrumentState
from sdl.core.let import is_let
from sdl.core.open_steps import Entry
from sdl.core.part import Part
from sdl.core.pools import Pools
from sdl.core.roster import Roster
from sdl.core.run import Run, Step
from sdl.core.schedule import ReadyStep, in_turn, next_step
from sdl.core.shortfall import Shortfall
from sdl.core.transport import Transport


class Dispatching:
    """The one place where steps leave for instruments."""

    def __init__(self, commons: Commons, roster: Roster, accounts: Accounts, pools: Pools) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster
        self.admittance = Admittance(commons, roster)
        self._accounts = accounts
        self._pools = pools
        self._shortfall = Shortfall(commons, roster)
        self._short: dict[str, list[Entry]] = {}
        """By instrument, as it was served last: those that lack something."""
        self.transport: Transport | None = None
        """Who carries labware, where any stands on sites."""

    def dispatch(self) -> None:
        """Give each free instrument its next step, and watch the windows of those that wait."""
        commons = self._commons
        kept = commons.agenda.kept
        commons.touched.update(dict.fromkeys(kept.values()))
        kept.clear()
        self._look_at_chains()
        there = {} if self.transport is None else self.transport.deck.at_instruments()
        while commons.touched:
            names = list(commons.touched)
            commons.touched.clear()
            for name in names:
                self._serve(commons.lab.instruments[name], there.get(name, set()))
            for name in names:
                self._watch_windows(name)
                self._shortfall.ask(self._short.pop(name))
                self._accounts.book(commons.lab.instruments[name])

    def queue(self, name: str) -> list[str]:
        """Ids of the steps that wait for an instrument, in the order it would do them now."""
        instrument = self._commons.lab.instruments[name]
        waiting = _but(self._commons.waits_for(name), self._shortfall.of(instrument))
        return [each.step for each in in_turn(self._ready(*one, instrument) for one in waiting)]

    def held_back(self, step: str) -> str:
        """Why a step is not begun before what follows it is ready; empty if it may be."""
        part = self._roster.of(step)
        found = part.work.seek(step) if part else None
        return self.transport.chains.objection(*found) if self.transport and found else ""

    def _look_at_chains(self) -> None:
        """What was held back for what follows it may begin by now."""
        if self.transport is None:
            return  # where nothing is carried, nothing is held back
        for name, leading in self._commons.steps.leading.items():
            if leading:
                self._commons.touched[name] = None

    def _serve(self, instrument: InstrumentState, there: set[str]) -> None:
        """``there``: the labware that stands at it."""
        if self.transport is not None:
            self.transport.lids.forget(instrument.name)
        short = self._short[instrument.name] = self._shortfall.of(instrument)
        if self._shortfall.fail(instrument, short):
            self._commons.touched[instrument.name] = None  # there may be others behind it
            return
        # What its labware has still to be brought for may wait.
        waiting = self._commons.steps.with_labware(instrument.name, there)
        if instrument.mending:
            waiting = [(run, step) for run, step in waiting if step.mends]
        waiting = self._not_held_back(_but(waiting, short))
        if self._commons.is_shared:  # of one that is paused, nothing is in the others' way
            waiting = [one for one in waiting if not self._is_held_back(*one)]
        if instrument.ready and instrument.busy_with is None:
            waiting = [one for one in waiting if not self.admittance.keeps(*one)]
        if not waiting:
            return
        run, step = waiting[0] if len(waiting) == 1 else self._most_urgent(waiting, instrument)
        part = self._part(run)
        if step.deadline is not None and step.deadline < self._commons.at:
            self._commons.touched[instrument.name] = None  # there may be others behind it
            part.steps.miss(run, step)
        elif (
            self._may_start(part, step, instrument)
            and not self._gives_way(part, run, step)
            and self._has_lids_right(part, step)
        ):
            part.steps.perform(run, step, instrument)
            if run.chains.get(step.path):
                self._pools.heed(part, run)
                self._pools.change()  # before another one that needs the same begins

    def _has_lids_right(self, part: Part, step: Step) -> bool:
        return self.transport is None or self.transport.lids.are_right(part.script, step)

    def _gives_way(self, part: Part, run: Run, step: Step) -> bool:
        return self.transport is not None and self.transport.gives_way(part, run, step)

    def _not_held_back(self, waiting: list[tuple[Run, Step]]) -> list[tuple[Run, Step]]:
        """Those for which all is ready that must follow soon; none while one in a window waits."""
        if self.transport is None or not any(step.path in run.chains for run, step in waiting):
            return waiting
        chains = self.transport.chains
        promises = chains.promises()
        held = {step.id: step for run, step in waiting if chains.objection(run, step, promises)}
        for step in held.values():
            if step.not_after is not None and step.prompted is None:
                step.prompted = step.not_after - SPARE_S
                self._commons.out.append(Wait(timer=f"{step.id}/prompt", until=step.prompted))
        if any(step.not_after is not None for step in held.values()):
            return []
        return [one for one in waiting if one[1].id not in held]

    def _part(self, run: Run) -> Part:
        part = self._roster.of(run.id)
        assert part is not None
        return part

    def _is_held_back(self, run: Run, step: Step) -> bool:
        state, in_window = self._part(run).state, step.not_after is not None
        return bool(state.paused) and (state.paused_at_once or not in_window)

    def _may_start(self, part: Part, step: Step, instrument: InstrumentState) -> bool:
        free = instrument.busy_with is None and not instrument.approached
        return free and is_let(self._commons.lab, part.state, step, instrument)

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
        for _, step in self._commons.steps.in_window[name].values():
            if step.deadline is not None and not step.watched:
                step.watched = True
                self._commons.out.append(Wait(timer=f"{step.id}/window", until=step.deadline))


def _but(waiting: list[Entry], others: list[Entry]) -> list[Entry]:
    """Those that are none of the others."""
    if not others:
        return waiting
    names = {step.id for _, step in others}
    return [one for one in waiting if one[1].id not in names]
