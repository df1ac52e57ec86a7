"""What no ledger of materials can know of a simulated lab: moves not in it, or not as told.

What a machine has moved of which no end is on record yet, what a person was wrong about, what a
copy of a node did too, what was left from another journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.inventory import place_of
from sdl.core.past import End
from sdl.core.script import Script
from sdl.model.action import Operation
from sdl.model.lab import Lab
from sdl.model.stock import Pieces, Stocks, Transfer, Wash
from sdl.sim.books import Books
from sdl.sim.world import Deed

SIGMAS = 6.0
"""Standard uncertainties by which a volume may be off."""
TAKEN_DOWN: tuple[End, ...] = ("done", "happened")
NOT_BEGUN: tuple[End, ...] = ("not_started", "did_not_happen")


@dataclass(slots=True, kw_only=True)
class Part:
    """What one command declares about one place, in µL."""

    out_ul: float = 0.0
    in_ul: float = 0.0
    spread_ul: float = 0.0
    """By how much that may be off."""


@dataclass(slots=True)
class Excuse:
    """By how much the truth may be off what the ledger says of one place, in µL."""

    less_ul: float = 0.0
    more_ul: float = 0.0

    def widen(self, part: Part, times: int, *, both: bool = False) -> None:
        """So often may the moves of one command be in the place, and not in the ledger.

        ``both``: or the other way round.
        """
        self.less_ul += times * (part.out_ul + both * part.in_ul) + part.spread_ul
        self.more_ul += times * (part.in_ul + both * part.out_ul) + part.spread_ul


class Excuses:
    """Of one simulation."""

    def __init__(self, lab: Lab, scripts: Iterable[Script], books: Books) -> None:
        """``scripts``: the protocols of all campaigns, which know what their actions move."""
        self.since = 0.0
        """Virtual seconds at which the bench was made ready for the last journal."""
        self._stocks: dict[str, Stocks] = {each.instrument: each for each in lab.stocks}
        self._moving: dict[str, Operation] = {
            name: operation
            for script in scripts
            for operations in script.operations.values()
            for name, operation in operations.items()
            if operation.moves is not None
        }
        self._books = books
        self._wrong: set[str] = set()
        """Commands of which a person said what is not so."""
        self._ends: dict[str, End] = {}
        self._parts: dict[str, dict[str, Part]] = {}
        """By command, then by place."""

    def heard(self, event: ev.StepResolved) -> None:
        """A person has said what became of a command; true is what is so of the whole of it."""
        cid = f"{event.step}/try-{event.attempt}"
        is_so = self._is_whole(cid) if event.verdict == "happened" else not self.deeds(cid)
        if event.verdict != "discard" and not is_so:
            self._wrong.add(cid)

    def deeds(self, cid: str) -> list[Deed]:
        """What machines did for a command."""
        return self._books.world.deeds.get(cid, [])

    def of_instrument(self, instrument: str) -> Iterator[Deed]:
        """What the machines of one instrument did."""
        deeds = (deed for each in self._books.world.deeds.values() for deed in each)
        return (deed for deed in deeds if deed.instrument == instrument)

    def is_measured(self, instrument: str) -> bool:
        """Whether the lab's file says how well an instrument measures out."""
        stocks = self._stocks.get(instrument)
        return stocks is not None and stocks.uncertainty_ul(1.0) > 0.0

    def unfathomed(self) -> set[str]:
        """Plates with which something was done that does not say what it moved, or how well.

        Of one that was washed nobody knows what the washer could not reach.
        """
        found: set[str] = set()
        for cid, (deed, *_) in self._books.world.deeds.items():
            operation, perform = deed.operation, self._books.performed.get(cid)
            if perform is None or operation.effect == "pure":
                continue
            is_told = operation.name in self._moving and self.is_measured(deed.instrument)
            if not is_told or any(
                isinstance(one, Wash) for one in operation.transfers(perform.args)
            ):
                found.update(operation.labware_of(perform.args))
        return found

    def by_place(self) -> defaultdict[str, Excuse]:
        """All excuses."""
        found: defaultdict[str, Excuse] = defaultdict(Excuse)
        for cid in dict.fromkeys((*self._books.world.deeds, *sorted(self._wrong))):
            for place, part in self.parts(cid).items():
                self._excuse(cid, part, found[place], is_well=not self._is_source(place))
        return found

    def _is_source(self, place: str) -> bool:
        return place.partition("/")[0] in self._stocks

    def _excuse(self, cid: str, part: Part, excuse: Excuse, *, is_well: bool) -> None:
        deeds, end = self.deeds(cid), self._end(cid)
        if cid not in self._books.tally.ours:  # of a journal that was left
            strays = sum(deed.is_under_way or deed.moved >= self.since for deed in deeds)
            if strays:
                excuse.widen(part, strays)
        elif end is None:
            excuse.widen(part, len(deeds))
        elif end in TAKEN_DOWN:
            if not self._is_whole(cid) or cid in self._wrong:
                excuse.widen(part, max(1, len(deeds)), both=True)
        elif end in NOT_BEGUN:
            happened = sum(deed.happened is not None for deed in deeds)
            if happened:
                excuse.widen(part, happened)
        else:  # in doubt, as the ledger says of sources by itself
            excuse.widen(part, len(deeds) if is_well else len(deeds) - 1)

    def _is_whole(self, cid: str) -> bool:
        """Whether all of it was done, once."""
        deeds = self.deeds(cid)
        return len(deeds) == 1 and deeds[0].is_whole

    def _end(self, cid: str) -> End | None:
        """What the engine takes a command's end for; None while it is open."""
        if cid not in self._ends:
            part = self._books.engine.campaigns.of(cid)
            over = None if part is None else part.work.past.of(cid)
            if over is None:
                return None
            if over.end == "failed":
                return "failed"  # of which a person may know more
            self._ends[cid] = over.end
        return self._ends[cid]

    def parts(self, cid: str) -> dict[str, Part]:
        """What a command declares, by place."""
        if cid not in self._parts:
            perform = self._books.performed.get(cid)
            self._parts[cid] = {} if perform is None else self._declared(perform)
        return self._parts[cid]

    def _declared(self, perform: do.Perform) -> dict[str, Part]:
        found: defaultdict[str, Part] = defaultdict(Part)
        operation = self._moving.get(perform.operation)
        stocks = self._stocks.get(perform.instrument, Stocks(instrument=perform.instrument))
        moves = operation.transfers(perform.args) if operation else ()
        for each in moves:
            if isinstance(each, Pieces):
                found[place_of(each.source, perform.instrument)].out_ul += each.count
            if not isinstance(each, Transfer):
                continue
            spread_ul = SIGMAS * stocks.uncertainty_ul(each.volume_ul)
            source = found[place_of(each.source, perform.instrument)]
            source.out_ul += each.volume_ul
            source.spread_ul += spread_ul
            if each.target is not None:
                target = found[str(each.target)]
                target.in_ul += each.volume_ul
                target.spread_ul += spread_ul
        return dict(found)
