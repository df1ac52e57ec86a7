"""The carries that a plan has to find time for, and the sites that labware takes meanwhile.

Each step whose labware stands elsewhere is preceded by a carry, or by two by way of a store where
pieces are in each other's way; behind its last step labware is put away. A site is taken from the
start of the carry that brings something to the end of the one that takes it away, so that a plan
which is complete cannot lock up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sdl.core.chains import MOVE_S
from sdl.core.floor import PERSON
from sdl.core.outlook import Berth, Outlook
from sdl.core.safety import in_the_way
from sdl.core.standing import Piece, Standing
from sdl.scheduling.model import Activity, Demand, Fixed, Hold, Lag, Mode, Placed, Resource
from sdl.shell.plan_outings import Foreseen, Ways, outings

ABSENT_S = 600
"""Lab seconds for which an instrument that is out of use is taken to stay so."""
PERSON_S = 300
"""Lab seconds for which a person is taken to need for a carry."""
SITES = "sites of "
"""In the names of resources: of so many sites an instrument has."""


@dataclass(slots=True)
class _Track:
    """Where a piece of labware will be, as far as it is followed."""

    place: str
    since: str
    """The activity at whose start it takes its site there; empty in store."""
    last: list[str] = field(default_factory=list)
    """What was done with it since it came there."""
    chooser: str = ""
    """The step that says which instrument of a pool the place is; empty: there is no choice."""
    settles_s: int = 0
    """Seconds from now up to which it settles there."""


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
    groups: dict[str, str] = field(default_factory=dict)
    """By run: the one of whose group its steps are, as all use one plate; itself where alone."""
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By step of a pooled role: the instruments that it may be planned at, if several."""
    _settles: dict[str, float] = field(default_factory=dict)
    """By step: seconds for which its labware stays where it is behind it."""
    _modes_of: dict[str, tuple[Mode, ...]] = field(default_factory=dict)
    _tracks: dict[str, _Track] = field(default_factory=dict)

    @classmethod
    def of(cls, outlook: Outlook, steps: Mapping[str, Foreseen], now: str) -> Carries:
        """Those of all steps, outing by outing."""
        found = cls(outlook, now)
        if outlook.floor is None:
            found.choices = {each.id: found._pool(each) for each in steps.values()}
            return found
        for berth in outlook.berths:
            found._begin(berth)
        found._aside = found._in_the_way(steps.values())
        found._settle(steps)
        by_run: dict[str, list[Foreseen]] = {run.run: [] for run in outlook.runs}
        for each in sorted(steps.values(), key=lambda one: one.step.start_s):
            by_run[each.run.run].append(each)
        for outing in outings([*by_run.values()], found._ways(), found._settles):
            found._follow(outing)
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
        return self._modes_of[name][0].duration_s

    def around(self, step: str) -> list[str]:
        """The carries for the sake of one step: before it, and behind it."""
        return [
            name for each in (self.asides, self.brings, self.away) for name in each.get(step, ())
        ]

    def carrier(self, name: str, mode: int) -> str:
        """Who does a carry in one of its modes; empty where it has no other."""
        modes = self._modes_of[name]
        return modes[mode].name if len(modes) > 1 else ""

    def placed(self, name: str, start_s: int, carrier: str) -> Placed:
        """A carry as it was planned, by a transporter if that still could do it."""
        modes = self._modes_of[name]
        mode = next((at for at, one in enumerate(modes) if one.name == carrier), 0)
        end_s = start_s + modes[mode].duration_s
        return Placed(activity=name, mode=mode, start_s=start_s, end_s=end_s)

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
        last = [since] if berth.carry_since is not None else []
        self._tracks[berth.piece] = _Track(place=berth.place, since=held, last=last)

    def _in_the_way(self, steps: Iterable[Foreseen]) -> set[str]:
        """Of the pieces that are out of store, those that the others could not get past."""
        floor = self.outlook.floor
        assert floor is not None
        claims: dict[str, dict[str, None]] = {one.piece: {} for one in self.outlook.berths}
        for each in steps:
            for piece in each.step.labware if each.run.so_far is not None else ():
                if piece in claims and each.step.instrument in floor.sites:
                    claims[piece][each.step.instrument] = None
        pieces = {
            one.piece: Piece(name=one.piece, site=one.site, claim=tuple(claims[one.piece]))
            for one in self.outlook.berths
        }
        return in_the_way(Standing(floor=floor, pieces=pieces, free_carriers=()))

    def _settle(self, steps: Mapping[str, Foreseen]) -> None:
        """How long what is done with labware keeps it where it is."""
        for each in steps.values():
            for after in each.step.after:
                before = f"{each.run.run}/step-{after.step}"
                self._settles[before] = max(self._settles.get(before, 0.0), after.lag_s)
            for piece in each.step.labware if each.run.so_far is not None else ():
                if piece in self._tracks:
                    track = self._tracks[piece]
                    track.settles_s = max(track.settles_s, each.release_s)

    def _ways(self) -> Ways:
        floor = self.outlook.floor
        assert floor is not None
        return Ways(
            at=self.outlook.at,
            places={piece: track.place for piece, track in self._tracks.items()},
            carry_s=max(map(self._move_s, floor.carriers), default=PERSON_S),
        )

    def _follow(self, outing: Sequence[Foreseen]) -> None:
        """All that some runs do with the labware that they share, until it is put away."""
        floor, group = self.outlook.floor, outing[0].run.run
        assert floor is not None
        used: dict[str, None] = {}
        self._choose(outing)
        for each in outing:
            self.groups[each.run.run] = group
            for piece in each.step.labware:
                if piece not in self._tracks or each.step.instrument not in floor.sites:
                    continue
                track = self._tracks[piece]
                if track.place != each.step.instrument:
                    self._bring(each, piece, track, is_first=piece not in used)
                elif track.since not in ("", self.now) and not each.is_fixed:
                    self.lags.append(Lag(before=track.since, after=each.id))
                track.last.append(each.id)
                used[piece] = None
                if not each.is_fixed:
                    self._free.add(each.id)
        for piece in used:
            if self._tracks[piece].since:
                self._put_away(piece, self._tracks[piece], group)

    def _choose(self, outing: Sequence[Foreseen]) -> None:
        """Which steps of an outing may be planned at any instrument of their pools.

        Each such step is brought its one piece, which is carried on behind it, by whoever it is.
        """
        place = {piece: track.place for piece, track in self._tracks.items()}
        if len({each.run.run for each in outing}) > 1:
            return
        for each, after in zip(outing, [*outing[1:], None], strict=True):
            pool, pieces = self._pool(each), [one for one in each.step.labware if one in place]
            stays = after is not None and after.step.instrument in pool
            is_one = len(pieces) == 1 and len(pool) > 1 and self._are_alike(pool)
            if is_one and not stays and place[pieces[0]] not in pool:
                self.choices[each.id] = pool
            place.update(dict.fromkeys(pieces, each.step.instrument))

    def _pool(self, each: Foreseen) -> tuple[str, ...]:
        """Who may do a step, first the one that it waits for now."""
        mine = each.step.instrument
        pool = () if each.is_fixed else each.run.pools.get(each.step.role, ())
        able = {seat.name for seat in self.outlook.seats if seat.is_able}
        return (mine, *(name for name in pool if name != mine and name in able))

    def _are_alike(self, pool: Sequence[str]) -> bool:
        """Whether a carry to or from any of some instruments is the same."""
        floor = self.outlook.floor
        assert floor is not None
        reached = {
            tuple(name for name, reach in floor.carriers.items() if one in reach) for one in pool
        }
        return len(reached) == 1 and all(len(floor.sites.get(one, ())) == 1 for one in pool)

    def _bring(self, each: Foreseen, piece: str, track: _Track, *, is_first: bool) -> None:
        name, group = f"{each.id} with {piece}", self.groups[each.run.run]
        if each.is_fixed:
            return  # it is there, whatever is said
        if piece in self._aside:
            self._aside.remove(piece)
            is_free = any(one in self._free for one in track.last)
            self._put_aside(each, piece, track, group if is_free else piece)  # others come between
        elif is_first and track.since and each.run.so_far is None:
            self._put_aside(each, piece, track, group)
        self._carry(name, track, each.step.instrument, group, each.release_s)
        self.brings.setdefault(each.id, []).append(name)
        self.lags.append(Lag(before=name, after=each.id))
        track.since, track.chooser = name, each.id if each.id in self.choices else ""

    def _put_aside(self, each: Foreseen, piece: str, track: _Track, group: str) -> None:
        """Let it wait in store until there is room for it, or it is wanted."""
        name, store = f"{each.id} puts aside {piece}", self._store(piece)
        if store and store != track.place:
            self._carry(name, track, store, group, each.release_s)
            self.asides.setdefault(each.id, []).append(name)

    def _put_away(self, piece: str, track: _Track, group: str) -> None:
        store = self._store(piece)
        if store and store != track.place:
            name = f"{group or piece} puts away {piece}"
            for last in track.last[-1:] or [""]:
                self.away.setdefault(last, []).append(name)
            self._carry(name, track, store, group or piece)

    def _carry(self, name: str, track: _Track, target: str, group: str, release_s: int = 0) -> None:
        """Carry a piece on, once all is done with it where it is."""
        modes = tuple(self._modes(track.place, target))
        release_s = max(release_s, track.settles_s)
        activity = Activity(name=name, modes=modes, group=group, release_s=release_s)
        self.activities.append(activity)
        self._modes_of[name] = modes
        for last in track.last:
            least_s = math.ceil(self._settles.get(last, 0.0))
            self.lags.append(Lag(before=last, after=name, minimum_s=least_s))
        if track.since:
            self._hold(track, name)
        track.place, track.since, track.last, track.settles_s = target, "", [name], 0
        track.chooser = ""

    def _hold(self, track: _Track, last: str) -> None:
        """A site is taken up to the end of a carry, at whichever instrument was chosen."""
        places = self.choices.get(track.chooser, (track.place,))
        for mode, place in enumerate(places):
            name, mine = SITES + place, track.chooser
            hold = Hold(resource=name, first=track.since, last=last, activity=mine, mode=mode)
            self.holds.append(hold)

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
                    duration_s=self._move_s(name),
                    demands=self._demands(name, source, target),
                    name=name,
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
