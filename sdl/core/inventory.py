"""The ledger of materials: what each source and each well holds, and what is reserved for whom.

Plain values only, and every change is a pure function of what is told, so that a replay of a
journal gives the same ledger and a snapshot can hold it. Places are named as people name them:
``handler/buffer`` is a source of an instrument, ``plate-1/A1`` a well. A source that the lab's file
does not declare is taken to have enough; what comes from it is counted, and so is what is thrown
away: the sum of all never changes but by a refill.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sdl.core.amounts import Content, Level, Moved, Shortage, Task
from sdl.core.mixture import (
    MOST_UL,
    Mixture,
    Portion,
    microlitres,
    picolitres,
    spoken,
)
from sdl.core.vessel import Vessel, stored_in, vessels_of
from sdl.errors import LimitReached, OutOfMaterial
from sdl.model.lab import Lab
from sdl.model.labware import Labware, Well
from sdl.model.stock import Move, Pieces, Transfer, Wash, expiry_s


@dataclass(slots=True)
class Inventory:
    """Contents and reservations of one lab."""

    sources: dict[str, Vessel]
    """Those that are declared, by place."""
    capacities_pl: dict[str, int]
    """Of one well, by labware."""
    well_counts: dict[str, int] = field(default_factory=dict)
    """By labware."""
    accuracy: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By instrument: standard uncertainty of a volume in µL, and as a share of it."""
    wells: dict[str, Mixture] = field(default_factory=dict)
    """Those that hold anything."""
    stored: tuple[str, ...] = ()
    """Those of which the lab's file says what they hold: empty, they are known to be."""
    in_doubt: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """By well, command and component, in picolitres: what it may have filled in or drawn off, as
    nobody knows how far it got."""
    waste: Mixture = field(default_factory=Mixture)
    undeclared_pl: dict[str, int] = field(default_factory=dict)
    """What was drawn from sources that are not declared."""
    reserved: dict[str, dict[str, int]] = field(default_factory=dict)
    """By run, then by source, in picolitres; none is 0."""
    tasks: dict[str, Task] = field(default_factory=dict)
    """Open ones, by source."""
    asked: int = 0
    """Tasks so far."""

    @classmethod
    def of(cls, lab: Lab) -> Inventory | None:
        """What the lab's file declares; None where it declares nothing, and nothing is kept."""
        if not (lab.stocks or any(piece.contents for piece in lab.labware)):
            return None
        stored = stored_in(lab.labware)
        return cls(
            sources={
                f"{stocks.instrument}/{name}": vessel
                for stocks in lab.stocks
                for name, vessel in vessels_of(stocks).items()
            },
            capacities_pl={plate.name: picolitres(plate.kind.capacity_ul) for plate in lab.labware},
            well_counts={plate.name: len(plate.kind.wells) for plate in lab.labware},
            accuracy={one.instrument: (one.error_ul, one.error_cv) for one in lab.stocks},
            wells=stored,
            stored=tuple(stored),
        )

    def bring(self, plate: Labware) -> None:
        """There is one more plate, and nothing is in it."""
        self.capacities_pl[plate.name] = picolitres(plate.kind.capacity_ul)
        self.well_counts[plate.name] = len(plate.kind.wells)

    # What is there.

    def contents(self, place: str) -> Mixture:
        """What a well or a source holds; nothing where nothing is known of it."""
        source = self.sources.get(place)
        return self.wells.get(place, Mixture()) if source is None else source.contents

    def reserved_pl(self, source: str) -> int:
        """What is reserved in a source, for all runs."""
        return sum(amounts.get(source, 0) for amounts in self.reserved.values())

    def free_pl(self, source: str) -> int:
        """What may still be reserved in a declared source."""
        return max(0, self.sources[source].usable_pl - self.reserved_pl(source))

    def level(self, source: str) -> Level:
        """How a declared source stands."""
        vessel = self.sources[source]
        return Level(
            source=source,
            volume_ul=microlitres(vessel.contents.volume_pl),
            uncertainty_ul=vessel.contents.uncertainty_ul,
            reserved_ul=microlitres(self.reserved_pl(source)),
            doubt_ul=microlitres(vessel.doubt_pl),
            free_ul=microlitres(self.free_pl(source)),
            lots=tuple(sorted({each.lot for each in vessel.contents.portions})),
            is_counted=vessel.is_counted,
        )

    def described(self) -> tuple[Content, ...]:
        """What is in each place, by component; sources first."""
        mixtures = {place: vessel.contents for place, vessel in self.sources.items()} | self.wells
        found = []
        for place in dict.fromkeys((*mixtures, *self.in_doubt)):
            mixture, doubts = mixtures.get(place, Mixture()), self._doubts(place)
            for component in dict.fromkeys((*(one.component for one in mixture.portions), *doubts)):
                content = _content(place, mixture, component)
                found.append(replace(content, doubt_ul=microlitres(doubts.get(component, 0))))
        return tuple(found)

    def _doubts(self, well: str) -> dict[str, int]:
        """What is in doubt of a well, in picolitres by component."""
        found: dict[str, int] = {}
        for amounts in self.in_doubt.get(well, {}).values():
            for component, volume_pl in amounts.items():
                found[component] = found.get(component, 0) + volume_pl
        return found

    def total_pl(self) -> dict[str, int]:
        """All there is of each component anywhere, less what undeclared sources gave."""
        held = [one.contents for one in self.sources.values()]
        found: dict[str, int] = {}
        for mixture in (*held, *self.wells.values(), self.waste):
            for each in mixture.portions:
                found[each.component] = found.get(each.component, 0) + each.volume_pl
        for source, volume_pl in self.undeclared_pl.items():
            component = source.partition("/")[2]
            found[component] = found.get(component, 0) - volume_pl
        return {component: volume_pl for component, volume_pl in sorted(found.items()) if volume_pl}

    # Moves.

    def transfers(self, moves: Iterable[Move], instrument: str) -> Iterator[Transfer]:
        """What actions move, well by well: of a wash that is all that is in the plate by now.

        Pieces are thrown away, where they are counted.
        """
        for each in moves:
            if isinstance(each, Transfer):
                yield each
                continue
            if isinstance(each, Pieces):
                vessel = self.sources.get(place_of(each.source, instrument))
                if vessel is not None and vessel.is_counted and each.count:
                    yield Transfer(each.source, None, float(each.count))
                continue
            yield from self._washed(each, instrument)

    def _washed(self, wash: Wash, instrument: str) -> tuple[Transfer, ...]:
        name = wash.plate.labware
        rinsed = Transfer(wash.liquid, None, wash.volume_ul * self.well_counts.get(name, 0))
        held = [
            Transfer(Well(name, place.partition("/")[2]), None, microlitres(mixture.volume_pl))
            for place, mixture in sorted(self.wells.items())
            if place.partition("/")[0] == name
        ]
        if place_of(wash.waste, instrument) not in self.sources:
            return (rinsed, *held)
        drawn_off_ul = sum(one.volume_ul for one in (rinsed, *held))
        return (rinsed, *held, Transfer(wash.waste, None, drawn_off_ul))

    def check(self, transfer: Transfer, instrument: str) -> None:
        """OutOfMaterial or LimitReached if a transfer cannot be: what, where, what to do."""
        volume_pl, source = picolitres(transfer.volume_ul), place_of(transfer.source, instrument)
        vessel = self.sources.get(source)
        if vessel is not None:
            there = vessel.contents.volume_pl
            if volume_pl > there - vessel.dead_pl:
                raise OutOfMaterial(
                    f"{source} holds {vessel.spoken(there)}, of which "
                    f"{vessel.spoken(max(0, there - vessel.dead_pl))} can be drawn; "
                    f"{vessel.spoken(volume_pl)} were asked for; refill it: sdl refill {source} "
                    f"{vessel.amount}"
                )
        elif isinstance(transfer.source, Well):
            there = self.contents(source).volume_pl
            if volume_pl > there:
                raise OutOfMaterial(
                    f"{source} holds {spoken(there)}, {spoken(volume_pl)} were asked for; "
                    "fill it first, or draw less"
                )
        if transfer.target is not None:
            self._check_room(transfer.target, volume_pl)

    def move(self, transfer: Transfer, instrument: str, cause: str) -> tuple[Moved, ...]:
        """Make a transfer as it is asked for, or raise as ``check`` does and change nothing.

        ``cause``: names the error of the volume that this instrument moves.
        """
        self.check(transfer, instrument)
        return self._made(transfer, instrument, cause, picolitres(transfer.volume_ul))

    def take_down(
        self, transfer: Transfer, instrument: str, cause: str
    ) -> tuple[tuple[Moved, ...], str]:
        """Enter a transfer that has happened, whatever the ledger thought of it beforehand.

        Where there was too little, or no room, as much as can have been; and a sentence about it.
        """
        try:
            return self.move(transfer, instrument, cause), ""
        except (OutOfMaterial, LimitReached) as error:
            complaint = str(error)
        if not 0.0 < transfer.volume_ul <= MOST_UL:
            return (), complaint
        source = place_of(transfer.source, instrument)
        volume_pl = picolitres(transfer.volume_ul)
        if source in self.sources or isinstance(transfer.source, Well):
            volume_pl = min(volume_pl, self.contents(source).volume_pl)
        if transfer.target is not None and transfer.target.labware in self.capacities_pl:
            volume_pl = min(volume_pl, self._room_pl(transfer.target))
        return self._made(transfer, instrument, cause, volume_pl), complaint

    def _made(
        self, transfer: Transfer, instrument: str, cause: str, volume_pl: int
    ) -> tuple[Moved, ...]:
        source = place_of(transfer.source, instrument)
        error_ul, error_cv = self.accuracy.get(instrument, (0.0, 0.0))
        spread_ul = math.hypot(error_ul, error_cv * transfer.volume_ul)
        vessel = self.sources.get(source)
        if vessel is not None and vessel.is_counted:
            spread_ul = 0.0
        if vessel is None and isinstance(transfer.source, str):
            self.undeclared_pl[source] = self.undeclared_pl.get(source, 0) + volume_pl
            errors = {cause: spread_ul} if spread_ul else {}
            there = (Portion(transfer.source, "", volume_pl, errors),) if volume_pl else ()
            drawn = Mixture(there)
        else:
            split = self.contents(source).split(volume_pl, cause, spread_ul)
            self._put(source, split.left)
            drawn = split.drawn
        target = "" if transfer.target is None else str(transfer.target)
        if target:
            self._put(target, self.contents(target).plus(drawn))
        else:
            self.waste = self.waste.plus(drawn)
        return tuple(
            Moved(
                component=each.component,
                lot=each.lot,
                source=source,
                target=target,
                volume_ul=microlitres(each.volume_pl),
                uncertainty_ul=each.uncertainty_ul,
            )
            for each in drawn.portions
        )

    def _put(self, place: str, contents: Mixture) -> None:
        if place in self.sources:
            self.sources[place].contents = contents
        elif contents.portions:
            self.wells[place] = contents
        else:
            self.wells.pop(place, None)

    def _room_pl(self, well: Well) -> int:
        return self.capacities_pl[well.labware] - self.contents(str(well)).volume_pl

    def _check_room(self, well: Well, volume_pl: int) -> None:
        if well.labware not in self.capacities_pl:
            known = ", ".join(self.capacities_pl) or "none"
            raise LimitReached(
                f"the lab has no labware {well.labware!r} for {well}; it has {known}"
            )
        if volume_pl > self._room_pl(well):
            raise LimitReached(
                f"{well} holds {spoken(self.contents(str(well)).volume_pl)} of "
                f"{spoken(self.capacities_pl[well.labware])}; {spoken(volume_pl)} more would "
                "overflow it; use a fresh well"
            )

    # Reservations.

    def shortages(
        self, needs: Mapping[str, int], at: float, claims: Mapping[str, int] | None = None
    ) -> tuple[Shortage, ...]:
        """What is not there of what a run needs, by source in picolitres, at lab time ``at``.

        ``claims``: what others that have begun will want of what is still free.
        """
        found, claimed = [], claims or {}
        for source in sorted(needs):
            if source in self.sources and needs[source] > 0:
                free_pl = max(0, self.free_pl(source) - claimed.get(source, 0))
                short = self.short(source, needs[source], free_pl, self.expired(source, at))
                if short.missing_pl or short.expired:
                    found.append(short)
        return tuple(found)

    def short(self, source: str, needed_pl: int, free_pl: int, expired: str = "") -> Shortage:
        """What is wanted of a declared source, held against what there is."""
        vessel = self.sources[source]
        return Shortage(
            source=source,
            needed_pl=needed_pl,
            free_pl=free_pl,
            expired=expired,
            amount=vessel.amount,
            is_counted=vessel.is_counted,
        )

    def reserve(self, run: str, needs: Mapping[str, int]) -> None:
        """Keep this for a run; of sources that are not declared nothing need be kept.

        OutOfMaterial if it is not there; then nothing is reserved.
        """
        amounts = {
            source: volume_pl
            for source, volume_pl in sorted(needs.items())
            if source in self.sources and volume_pl > 0
        }
        for source, volume_pl in amounts.items():
            free_pl = self.free_pl(source)
            if volume_pl > free_pl:
                raise OutOfMaterial(self.short(source, volume_pl, free_pl).reason)
        mine = self.reserved.setdefault(run, {})
        for source, volume_pl in amounts.items():
            mine[source] = mine.get(source, 0) + volume_pl
        self._tidy(run)

    def use(self, run: str, source: str, volume_pl: int) -> None:
        """So much of what was reserved for a run is no longer to come, for it was drawn."""
        mine = self.reserved.get(run, {})
        if source in mine:
            mine[source] = max(0, mine[source] - volume_pl)
        self._tidy(run)

    def doubt(self, run: str, source: str, volume_pl: int, cid: str) -> None:
        """A command may have drawn so much for a run: it is kept aside until a person has looked.

        Once for each command, however often that is said.
        """
        if source in self.sources and cid not in self.sources[source].doubts:
            self.sources[source].doubts[cid] = volume_pl
            self.use(run, source, volume_pl)

    def doubt_wells(self, transfers: Iterable[Transfer], cid: str) -> None:
        """A command may have made these transfers, or some, or a part of one."""
        self.lift_wells(cid)
        for each in transfers:
            for well in (one for one in (each.source, each.target) if isinstance(one, Well)):
                amounts = self.in_doubt.setdefault(str(well), {}).setdefault(cid, {})
                for component, volume_pl in self._composed(each).items():
                    amounts[component] = amounts.get(component, 0) + volume_pl

    def lift_wells(self, cid: str) -> None:
        """It is known what a command did to the wells that it touched."""
        for well in [well for well, doubts in self.in_doubt.items() if cid in doubts]:
            del self.in_doubt[well][cid]
            if not self.in_doubt[well]:
                del self.in_doubt[well]

    def _composed(self, transfer: Transfer) -> dict[str, int]:
        """What a transfer would move at most, in picolitres by component."""
        if not 0.0 < transfer.volume_ul <= MOST_UL:
            return {}
        volume_pl = picolitres(transfer.volume_ul)
        if isinstance(transfer.source, str):
            return {transfer.source: volume_pl}
        there = self.contents(str(transfer.source))
        drawn = there.split(min(volume_pl, there.volume_pl)).drawn
        components = dict.fromkeys(one.component for one in drawn.portions)
        return {component: drawn.of_component(component) for component in components}

    def lift(self, run: str, source: str, volume_pl: int, cid: str) -> None:
        """What a command may have drawn is in doubt no more, and kept for its run again.

        As far as there is so much, where another bottle has been put there meanwhile.
        """
        if source in self.sources:
            was_pl = self.sources[source].doubts.pop(cid, None)
            mine = self.reserved.setdefault(run, {})
            more_pl = min(volume_pl, self.free_pl(source)) if was_pl is None else was_pl
            mine[source] = mine.get(source, 0) + more_pl
            self._tidy(run)

    def release(self, run: str) -> dict[str, int]:
        """Nothing more is kept for a run; what was, by source."""
        return self.reserved.pop(run, {})

    def _tidy(self, run: str) -> None:
        left = {source: pl for source, pl in self.reserved.get(run, {}).items() if pl > 0}
        if left:
            self.reserved[run] = dict(sorted(left.items()))
        else:
            self.reserved.pop(run, None)

    # Refills.

    def objection(
        self, source: str, volume_ul: float, expires: str, at: float, *, replaces: bool
    ) -> str:
        """Why a refill cannot be, as a sentence for the person; empty if it can."""
        if source not in self.sources:
            known = ", ".join(self.sources)
            return f"no source {source!r} is declared in the lab's file; there are: {known}"
        try:
            volume_pl = picolitres(volume_ul)
            until_s = expiry_s(expires)
        except LimitReached as error:
            return str(error)
        except ValueError:
            return f"{expires!r} is no day; write it as 2027-03-01"
        if until_s <= at:
            return f"a lot that expired on {expires} must not be filled in"
        vessel = self.sources[source]
        if vessel.is_counted and volume_ul != int(volume_ul):
            return f"{source} is counted: give a whole number of pieces, not {volume_ul:g}"
        after_pl = volume_pl + (0 if replaces else vessel.contents.volume_pl)
        if vessel.capacity_pl is not None and after_pl > vessel.capacity_pl:
            return (
                f"{source} would hold {vessel.spoken(after_pl)}, and holds "
                f"{vessel.spoken(vessel.capacity_pl)} at most; say --replaces if that is all that "
                "is in it now"
            )
        if volume_pl == 0 and not replaces:
            return f"give {'a number' if vessel.is_counted else 'a volume'} above 0"
        return ""

    def refill(
        self, source: str, volume_ul: float, lot: str, expires: str, *, replaces: bool
    ) -> str:
        """A person has filled a source up; one to which there was no objection.

        Returns the task that asked for it; empty if none did.

        ``replaces``: it is all that is in it now, whatever was there before and in doubt of it.
        """
        vessel, name = self.sources[source], source.partition("/")[2]
        fresh = Mixture.of(name, volume_ul, lot)
        if replaces:
            vessel.contents = fresh
            vessel.doubts.clear()
            vessel.expiries.clear()
        else:
            vessel.contents = vessel.contents.plus(fresh)
        there = {each.lot for each in vessel.contents.portions}
        if lot and expires:
            vessel.expiries[lot] = expires
        vessel.expiries = {each: day for each, day in vessel.expiries.items() if each in there}
        task = self.tasks.pop(source, None)
        return "" if task is None else task.id

    def expired(self, source: str, at: float) -> str:
        """Why nothing of a declared source is good at lab time ``at``; empty if it is."""
        for lot, day in sorted(self.sources[source].expiries.items()):
            if at >= expiry_s(day):
                return f"lot {lot or '?'} expired on {day}"
        return ""


def place_of(source: Well | str, instrument: str) -> str:
    """How a well, or a source of an instrument, is called in the ledger."""
    return str(source) if isinstance(source, Well) else f"{instrument}/{source}"


def instrument_of(source: str) -> str:
    """The instrument that has a declared source."""
    return source.partition("/")[0]


def _content(place: str, mixture: Mixture, component: str) -> Content:
    its = Mixture(tuple(one for one in mixture.portions if one.component == component))
    fraction, fraction_uncertainty = mixture.fraction(component)
    errors: dict[str, float] = {}
    for each in its.portions:
        for name, volume_ul in each.errors.items():
            errors[name] = errors.get(name, 0.0) + volume_ul
    return Content(
        place=place,
        component=component,
        lots=tuple(each.lot for each in its.portions),
        volume_ul=microlitres(its.volume_pl),
        uncertainty_ul=its.uncertainty_ul,
        fraction=fraction,
        fraction_uncertainty=fraction_uncertainty,
        mostly_from=max(errors, key=lambda name: abs(errors[name]), default=""),
    )
