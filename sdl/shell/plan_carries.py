"""The carries that a plan has to find time for, and the sites that labware takes meanwhile.

Each step whose labware stands elsewhere is preceded by a carry, or by two by way of a store where
pieces are in each other's way; behind its last step labware is put away. A site is taken from the
start of the carry that brings something to the end of the one that takes it away, so that a plan
which is complete cannot lock up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sdl.core.carrying import PERSON
from sdl.core.chains import MOVE_S
from sdl.core.forecast import ForecastStep
from sdl.core.outlook import Berth, Outlook, RunAhead
from sdl.scheduling.model import Activity, Demand, Fixed, Hold, Lag, Mode, Resource

ABSENT_S = 600
"""Lab seconds for which an instrument that is out of use is taken to stay so."""
PERSON_S = 300
"""Lab seconds for which a person is taken to need for a carry."""
SITES = "sites of "
"""In the names of resources: of so many sites an instrument has."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step of the question."""

    id: str
    step: ForecastStep
    run: RunAhead
    length_s: int
    release_s: int
    """Seconds from now before which neither it nor a carry for it begins."""
    is_fixed: bool
    """Whether its instrument is busy with it; one that rests before it is tried again is not."""


@dataclass(slots=True)
class _Track:
    """Where a piece of labware will be, as far as it is followed."""

    place: str
    since: str
    """The activity at whose start it takes its site there; empty in store."""
    last: str = ""
    """What was done with it last."""


@dataclass
class Carries:
    """All of one question."""

    outlook: Outlook
    now: str
    """The activity that stands for the present moment."""
    activities: list[Activity] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    lags: list[Lag] = field(default_factory=list)
    brings: dict[str, list[str]] = field(default_factory=dict)
    """By step: the carries that bring it what it needs."""
    asides: dict[str, list[str]] = field(default_factory=dict)
    """By step: the carries that first take that out of the others' way."""
    away: dict[str, list[str]] = field(default_factory=dict)
    """By step: the carries that put away what it needed last."""
    busy: set[str] = field(default_factory=set)
    """Transporters that are known to be under way, and for how long."""
    _aside: set[str] = field(default_factory=set)
    """Pieces that go into store before they are brought anywhere else, as they are in the way."""
    _free: set[str] = field(default_factory=set)
    """Steps that are planned, and not under way."""
    _lengths: dict[str, int] = field(default_factory=dict)
    _tracks: dict[str, _Track] = field(default_factory=dict)

    @classmethod
    def of(cls, outlook: Outlook, steps: Mapping[str, Foreseen], now: str) -> Carries:
        """Those of all steps, run by run in the order of the outlook."""
        found = cls(outlook, now)
        if outlook.floor is None:
            return found
        for berth in outlook.berths:
            found._begin(berth)
        found._aside = found._in_the_way(steps.values())
        for run in outlook.runs:
            each = [one for one in steps.values() if one.run.run == run.run]
            found._follow(run, sorted(each, key=lambda one: one.step.start_s))
        for piece, track in found._tracks.items():
            if track.since:
                found._put_away(piece, track, "")
        return found

    @property
    def resources(self) -> Iterator[Resource]:
        """The sites of instruments; a store is taken to have room."""
        floor = self.outlook.floor
        used = {hold.resource for hold in self.holds}
        for place, sites in floor.sites.items() if floor is not None else ():
            if SITES + place in used:
                yield Resource(name=SITES + place, capacity=len(sites))

    def length_s(self, name: str) -> int:
        """Of a carry, in the first of its modes."""
        return self._lengths[name]

    def _begin(self, berth: Berth) -> None:
        """Where a piece is now, or is on its way to."""
        floor, since = self.outlook.floor, ""
        assert floor is not None
        if berth.place not in floor.stores:
            since = self.now
        if berth.carry_since is not None:
            since = f"carry of {berth.piece}"
            start_s = min(0, math.floor(berth.carry_since - self.outlook.at))
            end_s = max(1, start_s + self._move_s(berth.carrier))
            if any(seat.name == berth.carrier and not seat.is_able for seat in self.outlook.seats):
                end_s = max(end_s, ABSENT_S)
            self.busy.add(berth.carrier)
            mode = Mode(
                duration_s=end_s - start_s, demands=self._demands(berth.carrier, berth.place, "")
            )
            fixed = Fixed(mode=0, start_s=start_s, end_s=end_s)
            self.activities.append(Activity(name=since, modes=(mode,), fixed=fixed))
        held = "" if berth.place in floor.stores else since
        last = since if berth.carry_since is not None else ""
        self._tracks[berth.piece] = _Track(place=berth.place, since=held, last=last)

    def _in_the_way(self, steps: Iterable[Foreseen]) -> set[str]:
        """Of the pieces that are out of store, those that the others could not get past.

        Two that each want the other's site have no plan in which neither gives way.
        """
        floor = self.outlook.floor
        assert floor is not None
        room = {place: len(sites) for place, sites in floor.sites.items()}
        out = {
            one.piece: [one.place] for one in self.outlook.berths if one.place not in floor.stores
        }
        for each in steps:
            for piece in each.step.labware if each.run.so_far is not None else ():
                if piece in out and each.step.instrument in room:
                    out[piece].append(each.step.instrument)
        for here, *_ in out.values():
            room[here] -= 1
        found: set[str] = set()
        while out and floor.stores:
            ends = (
                piece
                for piece, (here, *others) in out.items()
                if all(place == here or room[place] > 0 for place in others)
            )
            gone = next(ends, "")
            if not gone:
                gone = next(iter(out))
                found.add(gone)
            room[out.pop(gone)[0]] += 1
        return found

    def _follow(self, run: RunAhead, steps: list[Foreseen]) -> None:
        """All that one run does with its labware, and where that is left."""
        floor, mine = self.outlook.floor, dict[str, _Track]()
        assert floor is not None
        for each in steps:
            for piece in each.step.labware:
                if piece not in self._tracks or each.step.instrument not in floor.sites:
                    continue
                track = mine.get(piece)
                if track is None:
                    track = mine[piece] = self._first(run, piece)
                if track.place != each.step.instrument:
                    self._bring(each, piece, track)
                track.last = each.id
                if not each.is_fixed:
                    self._free.add(each.id)
        for piece, track in mine.items():
            if track.since:
                self._put_away(piece, track, run.run)

    def _first(self, run: RunAhead, piece: str) -> _Track:
        """Where a run finds a piece; one that others use before it, in store."""
        found = self._tracks[piece]
        if run.so_far is not None or not (found.since or found.last):
            self._tracks[piece] = _Track(place=found.place, since="", last=found.last)
            return found
        return _Track(place=self._store(piece), since="")

    def _bring(self, each: Foreseen, piece: str, track: _Track) -> None:
        name = f"{each.id} with {piece}"
        if each.is_fixed:
            return  # it is there, whatever is said
        if piece in self._aside:
            self._aside.remove(piece)
            self._put_aside(each, piece, track)
        self._carry(name, track, each.step.instrument, each.run.run, each.release_s)
        self.brings.setdefault(each.id, []).append(name)
        self.lags.append(Lag(before=name, after=each.id))
        track.place, track.since = each.step.instrument, name

    def _put_aside(self, each: Foreseen, piece: str, track: _Track) -> None:
        """Let it wait in store until there is room for it."""
        name, store = f"{each.id} puts aside {piece}", self._store(piece)
        group = each.run.run if track.last in self._free else piece  # others come in between
        self._carry(name, track, store, group, each.release_s)
        self.asides.setdefault(each.id, []).append(name)
        track.place, track.since, track.last = store, "", name

    def _put_away(self, piece: str, track: _Track, group: str) -> None:
        store = self._store(piece)
        if store and store != track.place:
            name = f"{group or piece} puts away {piece}"
            self._carry(name, track, store, group or piece)
            self.away.setdefault(track.last, []).append(name)

    def _carry(self, name: str, track: _Track, target: str, group: str, release_s: int = 0) -> None:
        modes = tuple(self._modes(track.place, target))
        activity = Activity(name=name, modes=modes, group=group, release_s=release_s)
        self.activities.append(activity)
        self._lengths[name] = modes[0].duration_s
        if track.last:
            self.lags.append(Lag(before=track.last, after=name))
        if track.since:
            self.holds.append(Hold(resource=SITES + track.place, first=track.since, last=name))

    def _store(self, piece: str) -> str:
        floor = self.outlook.floor
        assert floor is not None
        home = next(one.home for one in self.outlook.berths if one.piece == piece)
        return home if home in floor.stores else next(iter(floor.stores), "")

    def _modes(self, source: str, target: str) -> Iterator[Mode]:
        """One for each transporter that does it alone; else all legs in one."""
        floor = self.outlook.floor
        assert floor is not None
        able = floor.carriers_between(source, target)
        if able != [PERSON]:
            for name in able:
                yield Mode(
                    duration_s=self._move_s(name), demands=self._demands(name, source, target)
                )
            return
        length_s, legs = 0, dict[str, None]()
        place = source
        while place != target:
            nearer = floor.nearer(place, target)[0]
            carrier = floor.carriers_between(place, nearer)[0]
            length_s += self._move_s(carrier)
            legs[carrier] = None
            place = nearer
        demands = tuple(Demand(resource=name) for name in legs if name != PERSON)
        yield Mode(duration_s=length_s, demands=demands)

    def _demands(self, carrier: str, source: str, target: str) -> tuple[Demand, ...]:
        """The transporter, and instruments that are at work on something else on other sites."""
        floor = self.outlook.floor
        assert floor is not None
        names = dict.fromkeys([carrier] if carrier != PERSON else [])
        for place in (source, target):
            if place and place not in floor.stores and len(floor.sites[place]) > 1:
                names[place] = None
        return tuple(Demand(resource=name) for name in names)

    def _move_s(self, carrier: str) -> int:
        if carrier == PERSON:
            return PERSON_S
        return max(1, math.ceil(self.outlook.move_s.get(carrier, MOVE_S)))
