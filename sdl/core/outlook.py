"""What is to be planned, taken out of an engine between two events: a value for another thread.

It holds all runs that have entered the bench and the next ones of each campaign, in turn; of each
what its protocol was told so far, so that a forecast of it can be made elsewhere. Runs that have
no suggestion yet are taken to be like the last one that has.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

from sdl.core.agenda import is_entry
from sdl.core.commons import Commons
from sdl.core.engine import Engine
from sdl.core.floor import Floor
from sdl.core.forecast import SoFar
from sdl.core.ids import step_of
from sdl.core.lids import moves_for
from sdl.core.part import Part
from sdl.core.plan import PlanArrived
from sdl.core.run import Run
from sdl.core.samples import arguments_of
from sdl.core.script import Script
from sdl.model.campaign import PlateChoice
from sdl.model.data import Arguments
from sdl.model.lab import place_of
from sdl.model.labware import Well, Wells

MOVE = "/move"
"""Behind the name of a transporter: the action that carries."""
COMING_MAX = 48
"""Runs that have not entered the bench and are planned all the same: fewer of them hide what is
still to come, and the plan of those that are seen puts off what it could do now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAhead:
    """A run that goes on, or will begin."""

    run: str
    script: Script
    inputs: Arguments
    wells: Mapping[str, Wells]
    players: Mapping[str, str]
    so_far: SoFar | None
    """None of one that has not begun."""
    has_entered: bool
    """Whether any of its steps was ever sent."""
    priority: int
    weight: float
    """Of its campaign: its share of a contended instrument, relative to the others'."""
    pools: Mapping[str, tuple[str, ...]]
    """By role that is pooled: the instruments that may do its steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An instrument as it is now."""

    name: str
    is_able: bool
    busy_with: str
    """Step; empty where it is free."""
    busy_since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Berth:
    """Where a piece of labware stands, or is on its way to."""

    piece: str
    site: str
    place: str
    home: str
    """The place where it stood at first."""
    carrier: str = ""
    """Who carries it; empty: a person, or nobody."""
    carry_since: float | None = None
    """Lab time at which its carry began; None: it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The bench and its runs at one moment."""

    at: float
    seats: tuple[Seat, ...]
    runs: tuple[RunAhead, ...]
    plan: PlanArrived | None
    """The one in force."""
    floor: Floor | None = None
    """None where nothing is carried."""
    berths: tuple[Berth, ...] = ()
    """Of labware that is not lost."""
    move_s: Mapping[str, float] = field(default_factory=dict)
    """By transporter: lab seconds that a carry takes, lids and all, where one has ended yet."""

    @property
    def may_overlap(self) -> bool:
        """Whether more than one run may be at work at a time."""
        return len(self.runs) > 1


def outlook(engine: Engine, at: float, coming_max: int = COMING_MAX) -> Outlook:
    """All that a planner may know of an engine at lab time ``at``, its last event or later."""
    commons = engine.commons
    parts = [part for part in engine.campaigns.values() if not part.state.concluded]
    entered: list[RunAhead] = []
    begun: list[list[RunAhead]] = []
    for part in parts:
        outside: list[RunAhead] = []
        for run in part.state.runs.values():
            if run.broken is None and _has_entered(run):
                entered.append(_flying(part, run, commons, has_entered=True))
            elif run.broken is None and len(outside) < coming_max:
                outside.append(_flying(part, run, commons, has_entered=False))
        begun.append(outside)
    playing = Counter(commons.lab.playing)
    to_come = [
        [*first, *_coming(part, playing, coming_max)]
        for first, part in zip(begun, parts, strict=True)
    ]
    in_turn = [run for some in zip_longest(*to_come) for run in some if run is not None]
    plan = commons.agenda.plan if commons.agenda.is_in_force(at) else None
    return Outlook(
        at=at,
        seats=tuple(_seats(commons)),
        runs=(*entered, *in_turn[:coming_max]),
        plan=plan,
        floor=engine.floor,
        berths=tuple(_berths(commons)) if engine.floor is not None else (),
        move_s=_move_s(commons),
    )


def _berths(commons: Commons) -> Iterator[Berth]:
    carries = {one.piece: one for one in commons.lab.carries.values()}
    for piece in commons.lab.pieces.values():
        carry = carries.get(piece.name)
        if not piece.lost:
            yield Berth(
                piece=piece.name,
                site=piece.site,
                place=place_of(piece.site),
                home=place_of(piece.home),
                carrier="" if carry is None else carry.carrier,
                carry_since=None if carry is None else carry.since,
            )


def _move_s(commons: Commons) -> dict[str, float]:
    took, moves = commons.lab.took, moves_for(commons.lab.lids)
    return {key.removesuffix(MOVE): moves * took[key] for key in took if key.endswith(MOVE)}


def _seats(commons: Commons) -> Iterator[Seat]:
    for one in commons.lab.instruments.values():
        yield Seat(
            name=one.name,
            is_able=one.ready,
            busy_with=step_of(one.busy_with or ""),
            busy_since=one.busy_since,
        )


def _has_entered(run: Run) -> bool:
    return not all(is_entry(run, step) for step in run.steps.values())


def _flying(part: Part, run: Run, commons: Commons, *, has_entered: bool) -> RunAhead:
    started = {
        step.path: commons.lab.instruments[step.instrument].busy_since
        for step in run.steps.values()
        if step.instrument and step.is_open
    }
    return RunAhead(
        run=run.id,
        script=part.script,
        inputs=run.inputs,
        wells=run.wells,
        players=dict(run.instruments),
        so_far=SoFar(fed=tuple(run.trampoline.fed), started=started),
        has_entered=has_entered,
        priority=part.priority,
        weight=part.state.terms.weight,
        pools=_pools(part, run.lodgings),
    )


def _pools(part: Part, lodgings: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Those of a run; not where its labware lives."""
    spec = part.state.spec
    return {role: spec.roles[role] for role in spec.pooled if not {*spec.roles[role]} & {*lodgings}}


def _coming(part: Part, playing: Counter[str], most: int) -> list[RunAhead]:
    """The next runs of a campaign, as many as may be in flight beside those that are.

    Not those for which no wells are left: they cannot begin.
    """
    state = part.state
    if state.closing or state.paused or not (state.trials or state.ready):
        return []
    size = 1 if state.spec.batch is None else state.spec.batch.size
    left = math.ceil((state.spec.stop.runs - state.samples_begun) / size)
    suggested = [state.suggestions[one].inputs for one in state.ready]
    last = suggested[-1] if suggested else next(reversed(state.trials.values())).inputs
    found: list[RunAhead] = []
    taken: set[Well] = set()
    for place in range(min(state.runs_at_once, left, most)):
        some = suggested[place * size : (place + 1) * size] or [last] * size
        each = [{**inputs, **state.spec.fixed} for inputs in some]
        wells = _wells(part, len(each), taken)
        if wells is None:
            break
        players = _players(part, playing)
        playing.update(players.values())
        found.append(
            RunAhead(
                run=f"{part.name}/run-{state.begun + 1 + place}",
                script=part.script,
                inputs=arguments_of(state.spec, part.script.signature, each),
                wells=wells,
                players=players,
                so_far=None,
                has_entered=False,
                priority=part.priority,
                weight=state.terms.weight,
                pools=_pools(part, ()),
            )
        )
    return found


def _players(part: Part, playing: Mapping[str, int]) -> dict[str, str]:
    """As ``casting`` will choose them: those with the fewest roles, as far as it is known."""
    chosen: dict[str, str] = {}
    for role in part.script.signature.roles:
        if not role.is_labware:
            names = part.state.spec.roles[role.name]
            chosen[role.name] = min(names, key=lambda name: _load(name, playing, chosen))
    return chosen


def _load(name: str, playing: Mapping[str, int], chosen: Mapping[str, str]) -> int:
    return playing.get(name, 0) + Counter(chosen.values())[name]


def _wells(part: Part, samples: int, taken: set[Well]) -> dict[str, Wells] | None:
    """Free wells for each role, which are ``taken`` then; None where there are too few."""
    wells: dict[str, Wells] = {}
    for role in part.script.signature.roles:
        if role.is_labware:
            choice = part.state.spec.plates.get(role.name, PlateChoice())
            count = (choice.count or samples) if role.is_list else 1
            found = part.casting.plates.free(role.name, count, taken)
            if not found:
                return None
            wells[role.name] = found if role.is_list else found[0]
            taken.update(found)
    return wells
