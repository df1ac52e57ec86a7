"""What stands where at one moment, and the legs that it may be carried over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import islice

from sdl.core.floor import Floor


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
            known = not is_known or self.shuts_out(source, target, set())
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

    def shuts_out(self, source: str, target: str, kept: Collection[str]) -> bool:
        """Whether nothing can be brought towards a place from another, nor room be made for it."""
        return source in self.closed or not any(
            self._leads_on(place, target, kept) for place in self.floor.nearer(source, target)
        )

    def _leads_on(self, place: str, target: str, kept: Collection[str]) -> bool:
        """Whether a piece may go over a place, or something on the way may be moved."""
        is_clear = self.open_site(place, kept) and self.through(place, target, kept) is not None
        return bool(is_clear) or any(self.idle[each] for each in self.floor.corridor(place, target))

    def through(
        self, relay: str, target: str, kept: Collection[str], *, whoever: bool = False
    ) -> list[str] | None:
        """The sites over which a piece can go on from a relay, up to where it may rest.

        None if it would come to a stand on the way, on a site that others may have to get past.
        ``whoever``: with all carriers as if they were free.
        """
        floor = self.floor
        if relay == target or relay in floor.stores:
            return []
        for place in floor.nearer(relay, target):
            sites = [site for site in self.free[place] if site not in kept][:1]
            able = floor.carriers_between(relay, place)
            if sites and (whoever or any(name in self.free_carriers for name in able)):
                beyond = self.through(place, target, kept, whoever=whoever)
                if beyond is not None:
                    return sites + beyond
        return None

    def passes(self, piece: Piece, aim: str, kept: Collection[str]) -> list[str]:
        """The sites ahead of a piece that is on its way over a relay; empty where it is not.

        Nothing but who carries it, or work at its next place, keeps it there.
        """
        here = self.place(piece)
        if here in self.floor.stores or not self.floor.is_between(here, aim):
            return []
        return self.through(here, aim, kept, whoever=True) or []

    def open_site(self, place: str, kept: Collection[str], home: str = "") -> list[str]:
        """The first site of a place that may be taken, ``home`` if it may; empty if none may."""
        if place in self.closed:
            return []
        is_home = home not in kept and self.floor.place_of.get(home) == place
        if is_home and home not in self.taken:
            return [home]
        return list(islice((site for site in self.free[place] if site not in kept), 1))
