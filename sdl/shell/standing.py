"""Where each piece of labware of the virtual bench physically stands, and what collides there.

What the orchestrator believes is another matter: this is what an arm finds when it grips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from sdl.errors import DriverFault, UserMistake
from sdl.model.lab import Lab, place_of

FLOOR = "the floor"
"""Where it lies after it was dropped, until a person takes it up."""
AWAY = "a shelf off the bench"
"""Where a person has put what they took off."""
ACCIDENTS_MAX = 100
"""That are remembered, the first ones: what follows an accident is rarely news."""


@dataclass(slots=True)
class Stay:
    """A piece is kept at an instrument under some conditions, such as warmth, since some time."""

    by: str
    since: float
    """Lab time (s)."""
    conditions: dict[str, float]


@dataclass(slots=True)
class Standing:
    """Where one piece stands, whether it is closed, and how it is kept."""

    declared: str
    """The site that ``lab.toml`` says; where it says another one later, somebody has moved it."""
    at: str
    """A site, an arm that has it in its gripper, ``FLOOR``; empty: within everybody's reach."""
    sealed: bool = False
    stay: Stay | None = None
    kind: str = ""
    """Of a plate that a person has brought, of which ``lab.toml`` says nothing."""


@dataclass(slots=True, kw_only=True)
class Stood:
    """All that a floor remembers; a part of the bench's snapshot."""

    pieces: dict[str, Standing] = field(default_factory=dict)
    accidents: list[str] = field(default_factory=list)


class Floor:
    """The sites of a lab and the labware on them. Mutable, a part of one ``Bench``."""

    def __init__(self, lab: Lab, changed: Callable[[], None]) -> None:
        """``changed`` is called after each change of what a snapshot holds."""
        self._declared = {piece.name: piece.rests for piece in lab.labware}
        self._lids = {piece.name: piece.on for piece in lab.labware if piece.on}
        self._parks = {piece.name: piece.parks for piece in lab.labware if piece.on}
        self._sites = {site: name for name, sites in lab.sites.items() for site in sites}
        self._reaches = {one.name: frozenset(one.reaches) for one in lab.instruments}
        self._changed = changed
        self._in_use: Counter[tuple[str, str]] = Counter()
        """By instrument and piece: how many actions are under way."""
        self._keepers: dict[str, Callable[[str, Stay], None]] = {}
        self.state = Stood()
        self.restore(Stood())

    def restore(self, saved: Stood) -> None:
        """Go on from what was remembered, but for what ``lab.toml`` now says otherwise.

        UserMistake if two pieces would stand on one site then.
        """
        pieces = {
            name: old if old is not None and old.declared == at else Standing(at, at)
            for name, at in self._declared.items()
            for old in (saved.pieces.get(name),)
        }
        others = saved.pieces.keys() - pieces.keys()
        pieces |= {name: saved.pieces[name] for name in sorted(others) if saved.pieces[name].kind}
        on = Counter(each.at for each in pieces.values() if each.at in self._sites)
        twice = [site for site, count in on.items() if count > 1]
        if twice:
            raise UserMistake(
                f"in the saved state of the simulated bench two pieces stand on {twice[0]!r}; "
                "delete it to begin as lab.toml says"
            )
        self.state = Stood(pieces=pieces, accidents=saved.accidents)
        self._changed()

    @property
    def sites(self) -> AbstractSet[str]:
        """Names of all sites."""
        return self._sites.keys()

    def clear_up(self) -> None:
        """Everything stands again where ``lab.toml`` says, as a person sees to before a start."""
        pieces = self.state.pieces
        for name in [name for name in pieces if name not in self._declared]:
            del pieces[name]
        for name, piece in pieces.items():
            piece.at = self._declared[name]
        self._changed()

    def bring(self, labware: str, kind: str) -> None:
        """A plate that ``lab.toml`` does not know is there from now on, off the bench at first."""
        if labware not in self.state.pieces:
            self.state.pieces[labware] = Standing(AWAY, AWAY, kind=kind)
            self._changed()

    def brought(self, labware: str) -> str:
        """The kind of a plate that was brought; empty where ``lab.toml`` says it, or none is."""
        piece = self.state.pieces.get(labware)
        return piece.kind if piece is not None else ""

    def site(self, labware: str) -> str:
        """Where a piece is: a site, an arm, ``FLOOR``, or empty. DriverFault if there is none."""
        return self._piece(labware).at

    def on(self, site: str) -> str:
        """The piece that stands on a site, or is in an arm's gripper; empty if none."""
        return next((name for name, each in self.state.pieces.items() if each.at == site), "")

    def check_at(self, instrument: str, labware: str) -> None:
        """DriverFault unless a piece stands at an instrument, or within everybody's reach."""
        at = self.site(labware)
        if at and place_of(at) != instrument:
            where = f"stands on {at!r}" if at in self._sites else f"is on {at}"
            where = f"is in the gripper of {at!r}" if at in self._reaches else where
            raise DriverFault(f"{instrument}: {labware!r} {where}, not here; bring it first")

    def check_open(self, instrument: str, labware: str) -> None:
        """DriverFault if a piece is sealed, or its lid is on."""
        if self._piece(labware).sealed:
            raise DriverFault(f"{instrument}: {labware!r} is sealed; nothing gets in or out")
        lid = self.on(labware)
        if lid:
            raise DriverFault(f"{instrument}: {lid!r} lies on {labware!r}; take it off")

    @contextmanager
    def at_work(self, instrument: str, labware: str) -> Iterator[None]:
        """Work on a piece that stands at the instrument: an arm that grips it now breaks things.

        What another instrument keeps, on no site, has been brought from there by somebody.
        """
        self.check_at(instrument, labware)
        stay = self._piece(labware).stay
        if stay is not None and stay.by != instrument:
            self.release(labware)
        self._in_use[instrument, labware] += 1
        try:
            yield
        finally:
            left = self._in_use[instrument, labware] - 1
            self._in_use[instrument, labware] = max(0, left)

    def let_go(self, instrument: str) -> None:
        """An instrument stands still, and whatever it worked on is free: its power has failed."""
        for key in [key for key in self._in_use if key[0] == instrument]:
            del self._in_use[key]

    def seal(self, labware: str) -> None:
        """Close a piece, until the end of its days."""
        self._piece(labware).sealed = True
        self._changed()

    def is_sealed(self, labware: str) -> bool:
        """Whether it is closed."""
        return self._piece(labware).sealed

    # Keeping

    def keeper(self, instrument: str, then: Callable[[str, Stay], None]) -> None:
        """``then(labware, stay)`` is called when a piece that ``instrument`` keeps is released."""
        self._keepers[instrument] = then

    def keep(self, labware: str, stay: Stay) -> None:
        """A piece is kept from now on, until it is taken away or released."""
        self._piece(labware).stay = stay
        self._changed()

    def kept_by(self, instrument: str) -> dict[str, Stay]:
        """The pieces that an instrument keeps."""
        stays = {name: piece.stay for name, piece in self.state.pieces.items()}
        return {name: stay for name, stay in stays.items() if stay and stay.by == instrument}

    def release(self, labware: str) -> None:
        """A piece is kept no longer; nothing happens if it was not."""
        piece = self._piece(labware)
        stay, piece.stay = piece.stay, None
        if stay is None:
            return
        self._changed()
        if stay.by in self._keepers:
            self._keepers[stay.by](labware, stay)

    # Moves

    def check_reach(self, arm: str, *sites: str) -> None:
        """DriverFault if one of the sites does not exist, or is not within an arm's reach."""
        reached = self._reaches.get(arm, frozenset())
        for site in sites:
            if site not in self._sites:
                raise DriverFault(f"{arm}: there is no site {site!r}; lab.toml names them")
            if self._sites[site] not in reached:
                places = ", ".join(sorted(reached)) or "nothing"
                raise DriverFault(f"{arm}: {site!r} is out of reach; it reaches {places}")

    def lift(self, arm: str, labware: str, source: str) -> None:
        """Take a piece up from its site; one that is in the gripper already stays in it.

        DriverFault if it is not there, or an instrument is at work on it, which is an accident.
        """
        piece, held = self._piece(labware), self.on(arm)
        if held and held != labware:
            raise DriverFault(f"{arm}: {held!r} is in its gripper still; take it out")
        if held:
            return
        if not piece.at:
            raise DriverFault(f"{arm}: {labware!r} has no site; give it at = ... in lab.toml")
        if self._resting(labware) != source:
            there = self.on(source)
            found = f"finds {there!r}" if there else "grips nothing"
            raise DriverFault(f"{arm}: {found} on {source!r}, where {labware!r} should stand")
        if any(count for (_, piece), count in self._in_use.items() if piece == labware):
            self._accident(f"{arm} gripped {labware!r} on {source!r} while it was worked on")
        self.release(labware)
        piece.at = arm
        self._changed()

    def set_down(self, arm: str, labware: str, target: str) -> None:
        """Set down what is in the gripper. DriverFault, an accident, if something stands there."""
        there, plate = self.on(target), self._lids.get(labware, "")
        if plate and there == plate:
            self.put(labware, plate)
            return
        if there and there != labware:
            self._piece(labware).at = FLOOR
            self._accident(f"{arm} set {labware!r} down on {target!r}, where {there!r} stands")
        self.put(labware, target)

    def parks(self, labware: str) -> str:
        """The site where a lid lies while it is off; empty of what is no lid."""
        return self._parks.get(labware, "")

    def is_on_plate(self, labware: str) -> bool:
        """Whether it is a lid that lies on its plate."""
        return self._piece(labware).at == self._lids.get(labware, FLOOR) != FLOOR

    def is_free_for(self, labware: str, site: str) -> bool:
        """Whether a piece can be set down on a site; a lid on its plate as well."""
        return self.on(site) in ("", labware, self._lids.get(labware, ""))

    def _resting(self, labware: str) -> str:
        """The site on which a piece stands; a lid that is on, that of its plate."""
        at = self._piece(labware).at
        return self._piece(at).at if at in self.state.pieces else at

    def drop(self, arm: str, labware: str) -> NoReturn:
        """Lose what is in the gripper: always a DriverFault, and an accident."""
        self._piece(labware).at = FLOOR
        self._accident(f"{arm} dropped {labware!r}")

    def put(self, labware: str, site: str) -> None:
        """Set a piece on a site, as a person may do with their hands.

        DriverFault if something else stands there: a person sees it.
        """
        there = self.on(site) if site in self._sites else ""
        if there not in ("", labware):
            raise DriverFault(f"{there!r} stands on {site!r} already; {labware!r} finds no room")
        self.release(labware)
        self._piece(labware).at = site
        self._changed()

    def rearrange(self, sites: Mapping[str, str]) -> tuple[str, ...]:
        """A person has set several pieces down: site by piece; empty: off the bench.

        All are taken up before the first one is set down. One that stands there already is left
        in peace. Returns, in words, which of them found no room; those are off the bench now.
        """
        where = {name: site or AWAY for name, site in sites.items() if name in self.state.pieces}
        moved = {name: site for name, site in where.items() if self.site(name) != site}
        for name in moved:
            self.put(name, AWAY)
        wrong = []
        for name, site in moved.items():
            try:
                self.put(name, site)
            except DriverFault as fault:
                wrong.append(str(fault))
        return tuple(wrong)

    @property
    def accidents(self) -> tuple[str, ...]:
        """What has gone wrong physically, in the order in which it did."""
        return tuple(self.state.accidents)

    def _accident(self, what: str) -> NoReturn:
        if len(self.state.accidents) < ACCIDENTS_MAX:
            self.state.accidents.append(what)
        self._changed()
        raise DriverFault(f"accident: {what}; a person has to look")

    def _piece(self, labware: str) -> Standing:
        piece = self.state.pieces.get(labware)
        if piece is None:
            known = ", ".join(sorted(self.state.pieces)) or "none"
            raise DriverFault(f"there is no plate {labware!r} on the bench; it has: {known}")
        return piece
