"""What sources and wells held when a lab was at work last, for the next time that it is.

Of a source that the lab's file describes as it did then, the record is believed: what was drawn and
filled in since is known. Where the file says something else by now, somebody has looked, and the
file is believed. Wells that were used stay so, unless a person says that a fresh plate stands
there. What was kept for runs that had not ended is in doubt, as some of it may have been drawn.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.amounts import Level, Moved
from sdl.core.ids import campaign_of
from sdl.core.mixture import microlitres, picolitres
from sdl.errors import UserMistake
from sdl.model.campaign import PlateChoice
from sdl.model.lab import Lab
from sdl.model.stock import Remnant, Source
from sdl.shell.left_standing import Moves, last_at_work
from sdl.wire.journal import load

LINES = (
    "CampaignStarted",
    "StockLeft",
    "WellsLeft",
    "BeginRun",
    "Book",
    "StockRefilled",
    "AskPlate",
    "PlateBrought",
)
"""Lines of a journal that say what is where."""
ALL = "all"
"""In place of names of plates: every one of them."""


def check_fresh(lab: Lab, fresh: Collection[str]) -> None:
    """UserMistake if a plate is said to be a fresh one that the lab does not have."""
    known = [piece.name for piece in lab.labware]
    unknown = [name for name in fresh if name not in (*known, ALL)]
    if unknown:
        raise UserMistake(
            f"--fresh {unknown[0]}: the lab has no such labware; it has: {', '.join(known)}"
        )


def left_over(
    record: Moves, lab: Lab, at: float, fresh: Collection[str] = ()
) -> tuple[ev.StockLeft | ev.WellsLeft, ...]:
    """What is to be taken over as work begins at lab time ``at``; nothing of one in simulation.

    ``fresh``: plates of which a person says that they are new ones, or ``ALL``.
    """
    last = last_at_work(record, lab)
    if last is None:
        return ()
    journal, then = last
    left = _Left(then)
    for type_name, body in record.of_types(journal, LINES):
        left.take(load(type_name, body))
    return (*left.stocks(lab, journal, at), *left.wells(lab, journal, at, fresh))


class _Left:
    """The books of one journal."""

    def __init__(self, lab: Lab) -> None:
        self._sources = _sources(lab)
        self._kinds = {piece.name: piece.kind for piece in lab.labware}
        self._stored = {piece.name: piece.contents for piece in lab.labware}
        self._wanted: dict[str, str] = {}
        """Kinds of fresh plates that were asked for, by task."""
        self._held: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        """By place, then component and lot, in picolitres."""
        self._variance: dict[str, float] = defaultdict(float)
        """Of what a well holds, in µL²."""
        self._expiries: dict[str, dict[str, str]] = defaultdict(dict)
        """By source, then lot."""
        self._levels: dict[str, Level] = {}
        self._touched: set[str] = set()
        """Sources that are not any more as the lab's file said."""
        self._used: dict[str, dict[str, None]] = defaultdict(dict)
        self._owners: dict[str, str] = {}
        self._plates: dict[str, Mapping[str, PlateChoice]] = {}
        """By campaign and role."""
        self._filled: ev.StockRefilled | None = None
        for place, source in self._sources.items():
            self._fill(place, source.volume_ul, source.lot, source.expires)
        for piece in lab.labware:
            for one in piece.contents:
                place = f"{piece.name}/{one.well}"
                self._held[place][one.component, one.lot] += picolitres(one.volume_ul)
                self._variance[place] += one.uncertainty_ul**2

    def take(self, value: object) -> None:
        """The next line."""
        match value:
            case ev.CampaignStarted(campaign=campaign):
                self._plates[campaign.name] = campaign.plates
            case ev.StockLeft(source=place, left=left):
                self._touched.add(place)
                self._held[place].clear()
                self._expiries[place].clear()
                for one in left:
                    self._fill(place, one.volume_ul, one.lot, one.expires)
            case ev.WellsLeft(labware=plate, used=used, owner=owner):
                self._use(plate, used, owner)
                self._hold(value)
            case do.BeginRun():
                self._begin(value)
            case ev.StockRefilled():
                self._filled = value
            case do.Book():
                self._book(value)
            case do.AskPlate(task=task, kind=kind):
                self._wanted[task] = kind
            case ev.PlateBrought(labware=plate, task=task):
                alike = (one for one in self._kinds.values() if one.name == self._wanted[task])
                self._kinds.setdefault(plate, next(alike))
            case _:
                pass

    def _fill(self, place: str, volume_ul: float, lot: str, expires: str) -> None:
        component = place.partition("/")[2]
        self._held[place][component, lot] += picolitres(volume_ul)
        if lot and expires:
            self._expiries[place][lot] = expires

    def _hold(self, left: ev.WellsLeft) -> None:
        for place in [one for one in self._held if one.partition("/")[0] == left.labware]:
            self._held[place].clear()
            self._variance[place] = 0.0
        for one in left.left:
            self._held[one.place][one.component, one.lot] += picolitres(one.volume_ul)
            self._variance[one.place] += one.uncertainty_ul**2

    def _begin(self, run: do.BeginRun) -> None:
        campaign = campaign_of(run.run)
        for role, played in run.roles.items():
            for well in played.split(",") if "/" in played else ():
                plate, _, name = well.partition("/")
                choice = self._plates.get(campaign, {}).get(role)
                self._use(plate, (name,), campaign if choice and choice.kind else "")

    def _use(self, plate: str, wells: Collection[str], owner: str) -> None:
        self._used[plate].update(dict.fromkeys(wells))
        self._owners.setdefault(plate, owner)

    def _book(self, book: do.Book) -> None:
        self._levels.update({level.source: level for level in book.levels})
        if book.why == "refilled" and self._filled is not None:
            filled, self._filled = self._filled, None
            self._touched.add(filled.source)
            if filled.replaces:
                self._held[filled.source].clear()
                self._expiries[filled.source].clear()
            self._fill(filled.source, filled.volume_ul, filled.lot, filled.expires)
        for moved in book.moves:
            self._move(moved)

    def _move(self, moved: Moved) -> None:
        kind, volume_pl = (moved.component, moved.lot), picolitres(moved.volume_ul)
        self._touched.add(moved.source)
        for place, sign in ((moved.source, -1), (moved.target, 1)):
            self._held[place][kind] += sign * volume_pl
            self._variance[place] += moved.uncertainty_ul**2

    # What is left of it.

    def stocks(self, lab: Lab, journal: str, at: float) -> Iterator[ev.StockLeft]:
        """Of sources that the lab's file describes as it did then."""
        for place, source in _sources(lab).items():
            level = self._levels.get(place)
            kept_ul = 0.0 if level is None else level.reserved_ul + level.doubt_ul
            is_changed = place in self._touched or kept_ul > 0.0
            if level is not None and is_changed and source == self._sources.get(place):
                yield ev.StockLeft(
                    at=at,
                    source=place,
                    journal=journal,
                    left=tuple(self._remnants(place, level.uncertainty_ul)),
                    doubt_ul=kept_ul,
                )

    def wells(
        self, lab: Lab, journal: str, at: float, fresh: Collection[str]
    ) -> Iterator[ev.WellsLeft]:
        """Of plates that are of the kind that they were then."""
        for piece in lab.labware:
            is_same = self._kinds.get(piece.name) == piece.kind
            is_same = is_same and self._stored.get(piece.name, ()) == piece.contents
            is_fresh = piece.name in fresh or ALL in fresh
            used = tuple(self._used.get(piece.name, ()))
            held = sorted(one for one in self._held if one.partition("/")[0] == piece.name)
            left = [each for one in held for each in self._remnants(one, self._spread_ul(one))]
            if is_same and not is_fresh and (used or left or piece.contents):
                yield ev.WellsLeft(
                    at=at,
                    labware=piece.name,
                    journal=journal,
                    used=used,
                    owner=self._owners.get(piece.name, ""),
                    left=tuple(left),
                )

    def _spread_ul(self, well: str) -> float:
        return math.sqrt(self._variance[well])

    def _remnants(self, place: str, uncertainty_ul: float) -> Iterator[Remnant]:
        """What a place holds, each part as uncertain as it is large."""
        held = {kind: pl for kind, pl in sorted(self._held[place].items()) if pl > 0}
        whole_pl = sum(held.values())
        for (component, lot), volume_pl in held.items():
            yield Remnant(
                place=place,
                component=component,
                lot=lot,
                volume_ul=microlitres(volume_pl),
                uncertainty_ul=uncertainty_ul * volume_pl / whole_pl,
                expires=self._expiries[place].get(lot, ""),
            )


def _sources(lab: Lab) -> dict[str, Source]:
    return {
        f"{stocks.instrument}/{name}": source
        for stocks in lab.stocks
        for name, source in stocks.sources.items()
    }
