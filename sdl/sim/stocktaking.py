"""The ledger of a simulated lab, held against what its bottles and wells truly hold.

Looked at whenever lines become durable. What truly is in a place must lie between what the ledger
says of it, less what it says is in doubt, and that itself, give or take its stated uncertainty, and
what no ledger can know. Not looked at are sources that a simulator keeps under another name, and
what is moved by instruments or actions that do not say how well, or what, they move.
"""

from __future__ import annotations

from collections.abc import Sequence

from sdl.capabilities import FOILS, TIP_WASTE, TIPS
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.ids import run_of
from sdl.core.inventory import Inventory
from sdl.core.mixture import microlitres
from sdl.shell.bench import Bench
from sdl.sim.books import Books, virtual_now
from sdl.sim.excuses import SIGMAS, Excuse, Excuses
from sdl.sim.plan import Plan
from sdl.sim.trace import Trace
from sdl.wire.journal import Line, load

ROUNDING_UL = 1e-3
SEEN = ("Book", "StockRefilled", "StepResolved")
"""Lines that say something about materials."""


def item_of(source: str) -> tuple[str, str]:
    """Under which instrument and name the bench has a source, ``handler/dye``, in store."""
    instrument, _, name = source.partition("/")
    return instrument, name if name in (TIPS, TIP_WASTE, FOILS) else f"source {name}"


class Stocktaking:
    """Of one simulation."""

    def __init__(self, plan: Plan, bench: Bench, books: Books, trace: Trace) -> None:
        self._plates = [piece.name for piece in plan.lab.labware]
        self._bench = bench
        self._books = books
        self._trace = trace
        self._excuses = Excuses(plan.lab, (each.script for each in plan.prepared), books)
        self._journal = ""
        self._booked: set[str] = set()
        """Commands whose consumption is on record."""
        self._poured: dict[str, tuple[str, float]] = {}
        """By lot, what nobody has on record yet: source, and µL."""
        self._replaced: dict[str, float] = {}
        """Sources in whose place another bottle was put, and when: until that is on record, and for
        good where something may have been drawn meanwhile."""
        self._offsets_ul: dict[str, float] = {}
        """By source: how much more there was at first than the lab's file declares."""

    # What people do.

    def make_ready(self) -> None:
        """Fresh plates and full bottles, for a journal that begins."""
        self._excuses.since = virtual_now()
        self._poured.clear()
        self._replaced.clear()
        self._offsets_ul.clear()

    def pour(self, source: str, volume_ul: float, lot: str) -> None:
        """A person has poured so much more into a source, and will say so."""
        self._poured[lot] = source, volume_ul

    def replace(self, source: str) -> None:
        """A person has put another bottle in the place of one, and will say what it holds."""
        self._replaced[source] = virtual_now()
        self._offsets_ul[source] = 0.0

    # What is on record.

    def keep(self, lines: Sequence[Line]) -> None:
        """Lines are durable, and the books have taken them in."""
        if lines[-1].campaign != self._journal:
            self._journal = lines[-1].campaign
            self._booked.clear()
        inventory = self._books.engine.lab.inventory
        if inventory is not None:
            for line in lines:
                if line.type in SEEN:
                    self._note(load(line.type, line.body), inventory)
            self.look(inventory)

    def _note(self, value: object, inventory: Inventory) -> None:
        match value:
            case do.Book(why="used", cid=cid):
                self._books.hold(cid not in self._booked, f"I14: {cid} is booked twice")
                self._booked.add(cid)
            case do.Book(why="reserved"):
                self._check_promised(value, inventory)
            case ev.StockRefilled(lot=lot, source=source, replaces=replaces):
                self._poured.pop(lot, None)
                if replaces and source in self._replaced and self._is_quiet(source):
                    del self._replaced[source]
            case ev.StepResolved():
                self._excuses.heard(value)
            case _:
                pass

    def _check_promised(self, book: do.Book, inventory: Inventory) -> None:
        """I14: no run is promised what is not there."""
        for source in (level.source for level in book.levels):
            vessel = inventory.sources[source]
            kept_pl = sum(amounts.get(source, 0) for amounts in inventory.reserved.values())
            is_there = kept_pl + vessel.doubt_pl + vessel.dead_pl <= vessel.contents.volume_pl
            self._books.hold(is_there, f"I14: {book.run} is promised {source}; there is too little")

    def _is_quiet(self, source: str) -> bool:
        """Whether nothing can have been drawn from a source since it was replaced.

        And nothing is still to be taken down that was drawn before.
        """
        instrument, since = item_of(source)[0], self._replaced[source]
        is_at_work = any(
            deed.is_under_way or deed.moved >= since
            for deed in self._excuses.of_instrument(instrument)
        )
        is_open = any(
            perform.instrument == instrument and self._excuses.deeds(perform.cid)
            for perform in self._books.engine.sent()
        )
        if is_at_work or is_open:
            self._trace.count("bottle replaced amid an action")
        return not (is_at_work or is_open)

    # What must hold.

    def look(self, inventory: Inventory) -> None:
        """Hold all places against the ledger, and what is drawn against what is kept for it."""
        excuses = self._excuses.by_place()
        for source, volume_ul in self._poured.values():
            excuses[source].more_ul += volume_ul
        for source, vessel in inventory.sources.items():
            truth_ul = self._in_bottle(source)
            if truth_ul is not None:
                told_ul = microlitres(vessel.contents.volume_pl)
                offset_ul = self._offsets_ul.setdefault(source, truth_ul - told_ul)
                excuses[source].less_ul += microlitres(vessel.doubt_pl)
                self._compare(source, inventory, truth_ul - offset_ul, excuses[source])
        truths = self._in_wells()
        for well in sorted(truths):
            self._compare(well, inventory, truths[well], excuses[well])
        self._check_kept(inventory)

    def close(self) -> None:
        """At the end nothing is kept for anybody: I14."""
        inventory = self._books.engine.lab.inventory
        if inventory is not None:
            kept = sorted(inventory.reserved)
            self._books.hold(not kept, f"I14: at the end something is kept for {kept}")
            self.look(inventory)

    def _in_bottle(self, source: str) -> float | None:
        """What truly is in a source; None where nobody can tell, or is to be held to it."""
        instrument, item = item_of(source)
        if source in self._replaced or not self._excuses.is_measured(instrument):
            return None
        return self._bench.stocked(instrument, item)

    def _in_wells(self) -> dict[str, float]:
        """What truly is in each well that holds something, or should; none where plates fell."""
        if self._bench.floor.accidents:
            return {}
        inventory = self._books.engine.lab.inventory
        known = dict.fromkeys(inventory.wells, 0.0) if inventory else {}
        for plate in self._plates:
            for well in self._bench.filled(plate):
                known[str(well)] = self._bench.volume_ul(well)
        unfathomed = self._excuses.unfathomed()
        return {well: ul for well, ul in known.items() if well.partition("/")[0] not in unfathomed}

    def _compare(self, place: str, ledger: Inventory, truth_ul: float, excuse: Excuse) -> None:
        """I13: what truly is in a place is what the ledger says, within what it says of that."""
        told = ledger.contents(place)
        told_ul, spread_ul = microlitres(told.volume_pl), SIGMAS * told.uncertainty_ul + ROUNDING_UL
        least_ul = told_ul - excuse.less_ul - spread_ul
        most_ul = told_ul + excuse.more_ul + spread_ul
        self._books.hold(
            least_ul <= truth_ul <= most_ul,
            f"I13: {place} holds {truth_ul:.2f} µL; by the ledger {told_ul:.2f}, and with all that "
            f"is in doubt {least_ul:.2f} to {most_ul:.2f}",
        )

    def _check_kept(self, inventory: Inventory) -> None:
        """I14: what a machine draws is kept for its run until it is taken down."""
        for perform in self._books.engine.sent():
            kept = inventory.reserved.get(run_of(perform.cid), {})
            for place, part in self._excuses.parts(perform.cid).items():
                if place in inventory.sources and part.out_ul:
                    kept_ul = microlitres(kept.get(place, 0))
                    self._books.hold(
                        kept_ul + ROUNDING_UL >= part.out_ul,
                        f"I14: {perform.cid} draws {part.out_ul} µL of {place}, and for its run "
                        f"{kept_ul} are kept",
                    )
