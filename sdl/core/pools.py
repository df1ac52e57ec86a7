"""Of a pooled role any of its instruments does each step: which of them, is decided here.

A step that waits, and one that has to follow soon what goes on, are asked for by one instrument at
a time. While that has no room for it and another one of the pool has, it changes over; the most
urgent one chooses first, and what is at an instrument, or is carried for it, stays with that. An
instrument has room where it is fit for use and idle, as far as nothing on its sites stays there.

Nobody changes over where the pieces that are out of store could not all come to their ends then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter

from sdl.authoring import Act
from sdl.core.commons import Commons
from sdl.core.hands import give, stays
from sdl.core.lab_state import InstrumentState
from sdl.core.let import Turns, Urgency, is_let
from sdl.core.open_steps import Entry
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.run import Run, Step
from sdl.core.safety import is_safe
from sdl.core.transport import Transport
from sdl.model.lab import place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Room that is needed at an instrument."""

    urgency: Urgency
    part: Part
    run: Run
    role: str
    instrument: str
    """The one that is asked for it."""
    labware: tuple[str, ...]
    name: str
    """Of the step that needs it."""
    step: Step | None
    """The one that waits; None where it is still to follow."""


class Pools:
    """The pooled roles of all campaigns on one lab."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster
        self.transport: Transport | None = None
        """Who carries labware, where any stands on sites."""
        self.changed: set[tuple[str, str]] = set()
        """Runs and roles that have changed over within this turn: not again before the next."""

    def change(self) -> bool:
        """Let steps change over to instruments that have room for them; whether any did."""
        peers = self._peers()
        rooms = {name: self._room(name) for name in peers}
        seen: set[str] = set()
        is_changed = False
        for demand in self._demands(peers, rooms):
            chosen = "" if demand.name in seen else self._chosen(demand, rooms)
            seen.add(demand.name)
            if not chosen:
                continue
            rooms[chosen] -= 1
            if chosen != demand.instrument:
                give(demand.part.work, demand.run, demand.role, chosen)
                self.changed.add((demand.run.id, demand.role))
                is_changed = True
        return is_changed

    def heed(self, part: Part, run: Run) -> None:
        """Let the roles of a run go to those at which its next steps are planned."""
        spec, lab = part.state.spec, self._commons.lab
        for demand in self._ahead_of(part, run) if spec.pooled else ():
            planned = self._commons.agenda.planned(demand.name, self._commons.at)
            name = "" if planned is None else planned.instrument
            if name == run.instruments[demand.role] or name not in spec.roles[demand.role]:
                continue
            is_able = lab.instruments[name].able and self._may_change(demand)
            if is_able and self._is_safe(demand, name):
                give(part.work, run, demand.role, name)

    def heed_all(self) -> None:
        """A plan has come."""
        for part in self._roster.values():
            for run in part.state.runs.values():
                self.heed(part, run)

    def _ahead_of(self, part: Part, run: Run) -> list[Demand]:
        """Steps of pooled roles that wait, or follow soon what goes on."""
        found = {}
        for step in run.steps.values():
            if step.state == "waits" and isinstance(step.request, Act):
                found[step.request.role] = step.path, step.labware
            for one in run.chains.get(step.path, ()) if step.is_open else ():
                found.setdefault(one.role, (one.path, one.labware))
        return [
            Demand(
                urgency=(0.0, 0, 0, 0.0, 0),
                part=part,
                run=run,
                role=role,
                instrument=run.instruments[role],
                labware=labware,
                name=f"{run.id}/step-{path}",
                step=None,
            )
            for role, (path, labware) in found.items()
            if role in part.state.spec.pooled
        ]

    def _peers(self) -> dict[str, set[str]]:
        """By instrument of any pool, in the order of the lab: those that it shares one with."""
        specs = [part.state.spec for part in self._roster.values()]
        found: dict[str, set[str]] = {}
        for pool in [spec.roles[role] for spec in specs for role in spec.pooled]:
            for name in pool:
                found.setdefault(name, set()).update(pool)
        return {name: found[name] for name in self._commons.lab.instruments if name in found}

    # What is asked for.

    def _demands(self, peers: Mapping[str, set[str]], rooms: Mapping[str, int]) -> Iterator[Demand]:
        """What needs room at these, the most urgent first, as far as any of its peers has some.

        Steps that wait, and those that are to follow what goes on; not what is there already.
        """
        steps, turns = self._commons.steps, Turns(self._commons.lab)
        with_room = {name for name, pool in peers.items() if any(rooms[one] for one in pool)}
        queues = [
            (name, [(run, step) for *_, run, step in lacks])
            for (name, source, _), lacks in steps.in_lanes()
            if name in with_room and source != name
        ]
        queues += [
            (name, sorted(steps.with_labware(name, ()), key=_age))
            for name in peers
            if name in with_room
        ]
        waiting = [self._queue(entries, peers[name], rooms, turns) for name, entries in queues]
        promised = self._promised(with_room) if with_room else iter(())
        return merge(*waiting, promised, key=attrgetter("urgency"))

    def _queue(
        self, entries: Iterable[Entry], peers: set[str], rooms: Mapping[str, int], turns: Turns
    ) -> Iterator[Demand]:
        for run, step in entries:
            if not any(rooms[name] for name in peers):
                return
            part = self._roster.of(run.id)
            assert part is not None
            assert isinstance(step.request, Act)
            yield Demand(
                urgency=turns.of_any(part, run, step, self._players(part, step)),
                part=part,
                run=run,
                role=step.request.role,
                instrument=step.instrument,
                labware=step.labware,
                name=step.id,
                step=step,
            )

    @staticmethod
    def _players(part: Part, step: Step) -> tuple[str, ...]:
        """Who may do a step."""
        assert isinstance(step.request, Act)
        spec, role = part.state.spec, step.request.role
        return spec.roles[role] if role in spec.pooled else (step.instrument,)

    def _promised(self, names: set[str]) -> Iterator[Demand]:
        """Those that are to follow what goes on, the first to be due first."""
        promises = [] if self.transport is None else self.transport.chains.promises()
        for promise in sorted(promises, key=attrgetter("due")):
            if promise.instrument in names and promise.step.is_open:
                part = self._roster.of(promise.run.id)
                assert part is not None
                yield Demand(
                    urgency=(promise.due, 0, 0, 0.0, 0),
                    part=part,
                    run=promise.run,
                    role=promise.role,
                    instrument=promise.instrument,
                    labware=promise.labware,
                    name=promise.follows,
                    step=None,
                )

    # Who has room.

    def _room(self, name: str) -> int:
        """For how many pieces more an instrument has room now, or has once it is cleared."""
        instrument = self._commons.lab.instruments[name]
        if not instrument.able or instrument.busy_with is not None or instrument.mending:
            return 0
        sites = self._commons.lab.sites.get(name, 0)
        if self.transport is None or not sites:
            return 1
        return sites - self._staying(instrument)

    def _staying(self, instrument: InstrumentState) -> int:
        """How much of what is at an instrument, or comes there, has something to do there."""
        steps, lost = self._commons.steps, self._commons.steps.lost
        return sum(
            piece in lost
            or any(
                step.instrument in ("", instrument.name) or step.state != "waits"
                for _, step in steps.naming[piece].values()
            )
            for piece in steps.pieces_at.get(instrument.name, ())
        )

    def _chosen(self, demand: Demand, rooms: dict[str, int]) -> str:
        """Which instrument a demand gets; empty: none has room for it."""
        names: tuple[str, ...] = (demand.instrument,)
        spec = demand.part.state.spec
        if demand.role in spec.pooled and any(rooms[name] for name in spec.roles[demand.role]):
            names = spec.roles[demand.role] if self._may_change(demand) else names
        able = [name for name in names if rooms[name] > 0 and self._is_let(demand, name)]
        able.sort(key=lambda name: self._rank(demand, name))
        mine = demand.instrument
        return next((name for name in able if name == mine or self._is_well(demand, name)), "")

    def _is_well(self, demand: Demand, name: str) -> bool:
        """Whether neither the plan nor the way of any piece speaks against a change."""
        lab, at = self._commons.lab, self._commons.at
        is_able = lab.instruments[demand.instrument].able
        if is_able and not self._commons.agenda.may_change(demand.name, name, lab, at):
            return False
        return self._is_safe(demand, name)

    def _is_let(self, demand: Demand, name: str) -> bool:
        instrument, step = self._commons.lab.instruments[name], demand.step
        if step is None:
            return instrument.ready
        if step.deadline is not None and step.deadline < self._commons.at:
            return False
        return is_let(self._commons.lab, demand.part.state, step, instrument)

    def _may_change(self, demand: Demand) -> bool:
        """Whether a demand may go to another one of its pool now."""
        run, role = demand.run, demand.role
        is_new = (run.id, role) not in self.changed
        return is_new and not stays(self._commons.lab, run, role, demand.instrument)

    def _rank(self, demand: Demand, name: str) -> tuple[int, bool, bool]:
        """Less: rather this one. Near, free of all other labware, and asked already."""
        if self.transport is None or not demand.labware:
            return 0, False, name != demand.instrument
        here = place_of(self._commons.lab.pieces[demand.labware[0]].site)
        floor, there = self.transport.floor, self._commons.steps.pieces_at.get(name, {})
        far = floor.far(here, name) if {here, name} <= floor.sites.keys() else 0
        is_full = len(there) >= len(floor.sites.get(name, ()))
        return far, is_full, name != demand.instrument

    def _is_safe(self, demand: Demand, name: str) -> bool:
        """Whether everything could still come to its end, were a role to change hands."""
        if self.transport is None:
            return True
        deck = self.transport.deck
        standing = deck.standing()
        claims = deck.claims.after(demand.run, demand.role, name)
        return is_safe(standing.with_claims(claims))


def _age(entry: Entry) -> tuple[float, float, int]:
    """The turn of one that waits among those of its campaign that wait for the same."""
    run, step = entry
    return math.inf if step.not_after is None else step.not_after, run.began, step.order
