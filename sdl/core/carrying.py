"""Which piece of labware is carried where next: always correct, deterministic, needs no plan.

A piece stands on one site and goes to a site that nothing stands on and nothing goes to. No carry
is begun after which some piece could never get where it has to go: that is the Banker's test of
Lawley, Reveliotis and Ferreira (1998, doi 10.1023/A:1008048429082) on sites, with the places that
a piece may still need as its claim. It looks for an order in which every piece that is out of store
can come to its end, or into store, with the sites that are free then; as pieces only give sites
back, it takes the first order that it finds. An answer of *safe* is therefore one whole way out.

Where no transporter leads, a person carries: anywhere, any number of pieces, and only over a leg
that no transporter could do.

Who needs a piece at a place says so by a ``Want``. Wants come in order of urgency. The site that
one could take if a carrier were free is kept for it from those after it. A piece that stands in the
way is put into store, unless its run holds it where it is.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TypeAlias

Bound: TypeAlias = Callable[[str], str]
"""The place where a piece is wanted; empty: nowhere."""
PERSON = ""
"""Stands for a person among the carriers."""
PERSONS_LEG = 1_000
"""Legs of a transporter that are rather gone than to ask a person."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """Sites, and who carries between which: what does not change while a lab is at work."""

    sites: Mapping[str, tuple[str, ...]]
    """By place: an instrument or a store."""
    stores: tuple[str, ...]
    """Places that are no instrument: a piece may stay there for as long as it likes."""
    carriers: Mapping[str, frozenset[str]]
    """By transporter: the places that it reaches."""

    @cached_property
    def place_of(self) -> Mapping[str, str]:
        """By site."""
        return {site: place for place, sites in self.sites.items() for site in sites}

    @cached_property
    def _far(self) -> dict[str, dict[str, int]]:
        """By end, and start: how far it is."""
        return {}

    @cached_property
    def _next(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """By start and end: the places that are one leg nearer to the end."""
        return {}

    def carriers_between(self, source: str, target: str) -> list[str]:
        """Transporters that reach both places; a person where there is none."""
        able = [name for name, reach in self.carriers.items() if {source, target} <= reach]
        return able or [PERSON]

    def nearer(self, source: str, target: str) -> tuple[str, ...]:
        """Places to which one leg leads, and from which it is least far."""
        key = (source, target)
        if key not in self._next:
            self._next[key] = self._nearer(source, target)
        return self._next[key]

    def _nearer(self, source: str, target: str) -> tuple[str, ...]:
        legs = {
            place: self.far(place, target) + self._leg(source, place)
            for place in self.sites
            if place != source
        }
        least = min(legs.values(), default=0)
        near = [place for place, number in legs.items() if number == least]
        return tuple(sorted(near, key=lambda place: place not in self.stores))

    def far(self, source: str, target: str) -> int:
        """How far one place is from another, in legs."""
        if target not in self._far:
            self._far[target] = self._far_from(target)
        return self._far[target][source]

    def _leg(self, source: str, target: str) -> int:
        """How far one leg is."""
        if self.carriers_between(source, target) != [PERSON]:
            return 1
        # Rather out of a store: elsewhere, what waits for a person is in the way.
        return PERSONS_LEG if source in self.stores else PERSONS_LEG + 2

    def _far_from(self, target: str) -> dict[str, int]:
        """By place: how far it is from there."""
        far: dict[str, int] = {}
        waiting = [(0, target)]
        while waiting:
            legs, place = heapq.heappop(waiting)
            if place in far:
                continue
            far[place] = legs
            for other in self.sites:
                if other not in far:
                    heapq.heappush(waiting, (legs + self._leg(other, place), other))
        return far


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of labware that stands somewhere."""

    name: str
    site: str
    """Where it stands, or is on its way to."""
    leaves: str = ""
    """The site that it is being taken from, while it is on its way."""
    held: bool = False
    """Whether something acts on it, or its run lets it settle where it stands."""
    claim: tuple[str, ...] = ()
    """Places at which its runs may still need it."""
    home: str = ""
    """The site that it rather has than another one, where it is put into store."""

    @property
    def moves(self) -> bool:
        """Whether it is on its way."""
        return bool(self.leaves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A step that needs a piece at a place."""

    step: str
    piece: str
    place: str
    beside: frozenset[str] = frozenset()
    """What the step needs there, too: that is not put away for its sake."""
    ahead: bool = False
    """Whether the piece comes only later: a site is kept for it, or cleared."""
    but: frozenset[str] = frozenset()
    """Transporters that have to be ready for what is more urgent."""
    alike: bool = False
    """Whether others follow that differ from it in their pieces alone, each with at least as much
    beside: where it leads nowhere, they do not either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """One leg."""

    piece: str
    source: str
    target: str
    """Sites."""
    carrier: str
    step: str
    """For whose sake."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """Where everything is, and who may carry now."""

    floor: Floor
    pieces: dict[str, Piece]
    free_carriers: tuple[str, ...]
    closed: frozenset[str] = frozenset()
    """Places that nothing may be brought to or taken from now, as they are at work."""
    blocked: frozenset[str] = frozenset()
    """Sites on which something may stand of which nobody knows."""
    taken: dict[str, str] = field(init=False)
    """By site: what stands there, is on its way there, or is being taken away."""
    free: dict[str, list[str]] = field(init=False)
    """By place: its sites that nothing stands on or goes to."""
    idle: dict[str, list[Piece]] = field(init=False)
    """By place that is no store: what stands there and may be carried away."""
    out: list[Piece] = field(init=False)
    """What is at, or on its way to, a place that is no store."""
    left: dict[str, int] = field(init=False)
    """By place: how many of its sites something is being taken from."""
    rank: dict[str, int] = field(init=False)
    """Of each piece, in the order of all."""
    _away: dict[str, None] = field(init=False)
    """Pieces that are out of store, or on their way."""
    passed: set[tuple[str, str]] = field(init=False)
    """Starts and ends between which ``next_carry`` has found that nothing more is to be had."""
    _shut: dict[tuple[str, str], bool] = field(init=False)
    """By start and end, as far as asked: whether nothing can be brought nearer, with no site kept
    for anybody."""

    def __post_init__(self) -> None:
        self.rank = {name: number for number, name in enumerate(self.pieces)}
        self.taken = dict.fromkeys(self.blocked, "")
        self.free, self._away = {}, {}
        self._stand(self.pieces.values(), self.floor.sites)

    def go_on(
        self, changed: Sequence[Piece], free_carriers: tuple[str, ...], closed: frozenset[str]
    ) -> None:
        """Be what stands a while later. ``changed``: pieces that were here before; no others."""
        sites = dict.fromkeys(site for one in changed for site in (one.site, one.leaves) if site)
        for was in [self.pieces[piece.name] for piece in changed]:
            for site in [one for one in (was.site, was.leaves) if one]:
                self.taken.pop(site, None)
                sites[site] = None
        self.taken.update(dict.fromkeys(self.blocked & sites.keys(), ""))
        self.pieces.update({piece.name: piece for piece in changed})
        self.free_carriers, self.closed = free_carriers, closed
        self._stand(changed, {self.floor.place_of[site] for site in sites})

    def _stand(self, changed: Iterable[Piece], places: Iterable[str]) -> None:
        """Take in where some pieces stand. ``places``: where that changes which sites are free."""
        place_of, stores = self.floor.place_of, self.floor.stores
        for piece in changed:
            self.taken.update(dict.fromkeys(filter(None, (piece.site, piece.leaves)), piece.name))
            self._away.pop(piece.name, None)
            if piece.leaves or place_of[piece.site] not in stores:
                self._away[piece.name] = None
        for place in places:
            sites = self.floor.sites[place]
            self.free[place] = [site for site in sites if site not in self.taken]
        away = [self.pieces[name] for name in sorted(self._away, key=self.rank.__getitem__)]
        self.out = [one for one in away if place_of[one.site] not in stores]
        self.idle = {place: [] for place in self.floor.sites}
        self.left, self._shut, self.passed = {}, {}, set()
        for piece in away:
            place = place_of[piece.site]
            if piece.leaves:
                leaves = place_of[piece.leaves]
                self.left[leaves] = self.left.get(leaves, 0) + 1
            elif not (piece.held or place in self.closed):
                self.idle[place].append(piece)

    def place(self, piece: Piece) -> str:
        """The place at which, or on the way to which, a piece is."""
        return self.floor.place_of[piece.site]

    def is_shut(self, source: str, target: str) -> bool:
        """Whether nothing can be brought from one place nearer to another now."""
        if (source, target) in self.passed:
            return True
        known = self._shut.get((source, target))
        if known is None:
            is_known = source in self.floor.sites
            known = not is_known or _is_shut(self, source, target, set())
            self._shut[source, target] = known
        return known

    def with_carriers(self, free: tuple[str, ...]) -> Standing:
        """The same with these carriers free."""
        other = copy(self)
        other.free_carriers = free
        return other

    def with_claims(self, claims: Mapping[str, tuple[str, ...]]) -> Standing:
        """The same with other claims of some of what is out of store."""
        other = copy(self)
        other.out = [replace(one, claim=claims.get(one.name, one.claim)) for one in self.out]
        return other


def is_safe(standing: Standing, carry: Carry | None = None) -> bool:
    """Whether there is an order in which every piece can come to its end.

    ``carry``: with all as it is once that has been begun.
    """
    open_sites = _open_sites(standing, carry)
    if sum(open_sites[store] for store in standing.floor.stores) > len(standing.out):
        return True  # all of them could go into store, one after the other
    waiting = list(standing.out) if carry is None else _out_after(standing, carry)
    return all(gone is not None for gone, _ in _gone(standing, waiting, open_sites))


def in_the_way(standing: Standing) -> set[str]:
    """Of the pieces that are out of store, those that the others could not get past.

    Two that each want the other's site come to no end in which neither gives way.
    """
    each = _gone(standing, list(standing.out), _open_sites(standing))
    return {gone.name for gone, has_ended in each if gone is not None and not has_ended}


def _open_sites(standing: Standing, carry: Carry | None = None) -> dict[str, int]:
    """By place, once what is on its way has come."""
    found = {place: len(free) for place, free in standing.free.items()}
    for place, number in standing.left.items():  # what a piece is being taken from is free soon
        found[place] += number
    if carry is not None:
        found[standing.floor.place_of[carry.target]] -= 1
        found[standing.floor.place_of[carry.source]] += 1
    return found


def _gone(
    standing: Standing, waiting: list[Piece], open_sites: dict[str, int]
) -> Iterator[tuple[Piece | None, bool]]:
    """Pieces in an order in which they can go, and whether to their end or into store for a while.

    None where no other can go. ``waiting`` and ``open_sites`` are used up.
    """
    while waiting:
        ended = next((piece for piece in waiting if _may_end(standing, piece, open_sites)), None)
        if ended is None and not any(open_sites[store] for store in standing.floor.stores):
            yield None, False
            return
        gone = ended or waiting[0]
        waiting.remove(gone)
        _end(standing, gone, open_sites)
        yield gone, ended is not None


def _out_after(standing: Standing, carry: Carry) -> list[Piece]:
    """What is out of store once a carry has been begun, in the order of all pieces."""
    moved = replace(standing.pieces[carry.piece], site=carry.target, leaves=carry.source)
    out = [piece for piece in standing.out if piece.name != carry.piece]
    if standing.place(moved) not in standing.floor.stores:
        insort(out, moved, key=lambda piece: standing.rank[piece.name])
    return out


def _may_end(standing: Standing, piece: Piece, open_sites: Mapping[str, int]) -> bool:
    """Whether every place of its claim has a site for it, with all others where they are now."""
    here = standing.place(piece)
    return all(place == here or open_sites[place] for place in piece.claim)


def _end(standing: Standing, piece: Piece, open_sites: dict[str, int]) -> None:
    """It comes to its end: into a store that has room, else it stays at its last place."""
    floor, here = standing.floor, standing.place(piece)
    last = piece.claim[-1] if piece.claim else here
    rest = next((store for store in floor.stores if open_sites[store]), last)
    open_sites[here] += 1
    open_sites[rest] -= 1


def next_carry(
    standing: Standing, wants: Iterable[Want], bound: Bound = lambda _: ""
) -> Carry | None:
    """The carry to begin now, for the most urgent want that may have one; None if none may.

    ``wants``: the most urgent one first. ``bound``: where pieces that stand in the way are wanted
    themselves. To be asked again after each carry that was begun.
    """
    if not standing.free_carriers:
        return None
    kept: set[str] = set()
    shut: set[tuple[str, str]] = set()
    standing.passed.clear()
    for want in wants:
        piece = standing.pieces.get(want.piece)
        if piece is None or (here := standing.place(piece)) == want.place:
            continue
        if want.ahead and (site := _open(standing, want.place, kept)):
            kept.update(site)
            continue
        if (here, want.place) in shut:  # a thousand may wait for one instrument
            continue
        if not want.ahead and _is_shut(standing, here, want.place, kept):
            shut.add((here, want.place))
            standing.passed.add((here, want.place))
            continue
        carry = None
        for carry in _towards(standing, want, piece, kept, bound):
            if not is_safe(standing, carry):
                continue
            if carry.carrier in standing.free_carriers and carry.carrier not in want.but:
                return carry
            kept.add(carry.target)
            break
        if carry is None and want.alike and not (piece.moves or piece.held):
            standing.passed.add((here, want.place))
    return None


def _towards(
    standing: Standing, want: Want, piece: Piece, kept: set[str], bound: Bound
) -> Iterator[Carry]:
    """Legs that bring a piece nearer to where it is wanted, the best first, or make room for it.

    ``bound``: where a piece is wanted.
    """
    if want.ahead:
        yield from _room(standing, want, want.place, kept, bound)
        return
    if piece.moves or piece.held or standing.place(piece) in standing.closed:
        return
    nearer = standing.floor.nearer(standing.place(piece), want.place)
    for place in nearer:
        if _goes_on(standing, place, want.place):
            yield from _legs(standing, want, piece, _open(standing, place, kept, piece.home))
    for place in nearer:
        if not _open(standing, place, kept) and _goes_on(standing, place, want.place):
            yield from _room(standing, want, place, kept, bound)


def _is_shut(standing: Standing, source: str, target: str, kept: set[str]) -> bool:
    """Whether nothing can be brought from one place towards another, nor room be made for it."""
    return source in standing.closed or not any(
        _open(standing, place, kept) or standing.idle[place]
        for place in standing.floor.nearer(source, target)
        if _goes_on(standing, place, target)
    )


def _goes_on(standing: Standing, relay: str, target: str) -> bool:
    """Whether a piece would not come to rest on the way, at an instrument that others want."""
    floor = standing.floor
    if relay == target or relay in floor.stores:
        return True
    following = floor.nearer(relay, target)
    carriers = {name for place in following for name in floor.carriers_between(relay, place)}
    return any(name in standing.free_carriers for name in carriers)


def _room(
    standing: Standing, want: Want, place: str, kept: set[str], bound: Bound
) -> Iterator[Carry]:
    """Carries of what stands at a place for no reason: to where it is wanted, or into store."""
    if place in standing.floor.stores:
        return
    for other in standing.idle[place]:
        if other.name in want.beside:
            continue
        aim = bound(other.name) or place
        for towards in standing.floor.nearer(place, aim) if aim != place else ():
            if towards == aim:  # a relay could come to rest on the way
                targets = _open(standing, towards, kept)
                yield from _legs(standing, want, other, targets)
        for store in _stores(standing.floor, place, other):
            for towards in standing.floor.nearer(place, store):
                targets = _open(standing, towards, kept, other.home)
                yield from _legs(standing, want, other, targets)


def _stores(floor: Floor, place: str, piece: Piece) -> list[str]:
    """Where a piece may be put away, the nearest first, its home before others as near."""
    home = floor.place_of.get(piece.home, "")
    return sorted(floor.stores, key=lambda store: (floor.far(place, store), store != home))


def _open(standing: Standing, place: str, kept: set[str], home: str = "") -> list[str]:
    """The first site of a place that may be taken, ``home`` if it may; empty if none may."""
    if place in standing.closed:
        return []
    is_home = home not in kept and standing.floor.place_of.get(home) == place
    if is_home and home not in standing.taken:
        return [home]
    return list(islice((site for site in standing.free[place] if site not in kept), 1))


def _legs(standing: Standing, want: Want, piece: Piece, targets: Sequence[str]) -> Iterator[Carry]:
    """By each carrier that could, those that are free for it first."""
    place_of, free = standing.floor.place_of, set(standing.free_carriers) - want.but
    for target in targets:
        able = standing.floor.carriers_between(place_of[piece.site], place_of[target])
        for carrier in sorted(able, key=lambda name: name not in free):
            yield Carry(
                piece=piece.name, source=piece.site, target=target, carrier=carrier, step=want.step
            )
