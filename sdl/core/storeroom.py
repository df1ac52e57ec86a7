"""The lab's side of its ledger: what is declared, what people are asked for and fill up.

All campaigns of a lab draw on one ledger. Where the lab's file declares no stocks, there is none,
and nothing is done here.
"""

from __future__ import annotations

from collections.abc import Iterable

from sdl.core import events as ev
from sdl.core.amounts import Moved, Shortage, Task
from sdl.core.commands import AskRefill, Book, BookedFor
from sdl.core.commons import Commons
from sdl.core.inventory import instrument_of
from sdl.core.mixture import microlitres
from sdl.core.remnants import put_in_store, take_out


class Storeroom:
    """Writes what happens in the ledger of one lab on record."""

    def __init__(self, commons: Commons) -> None:
        self._commons = commons

    def declare(self, *, attended: bool) -> None:
        """The journal begins with what the lab's file declares.

        ``attended``: whether a person may come by and refill; nobody does in virtual time.
        """
        inventory = self._commons.lab.inventory
        if inventory is not None:
            inventory.attended = attended
            self.book("declared", inventory.sources)

    def take_over(self, event: ev.StockLeft | ev.WellsLeft) -> None:
        """What is there from before, in place of what the lab's file says."""
        lab = self._commons.lab
        if isinstance(event, ev.WellsLeft):
            told = take_out(lab, event)
        else:
            told = put_in_store(lab.inventory, event) if lab.inventory is not None else ""
            self.book("left", [event.source])
        if told:
            lab.left.append(told)

    def ask(self, short: Shortage) -> None:
        """Ask a person to refill a source, unless one was asked already."""
        inventory = self._commons.lab.inventory
        if inventory is None or short.source in inventory.tasks:
            return
        inventory.asked += 1
        task = Task(
            id=f"{self._commons.name}/refill-{inventory.asked}",
            source=short.source,
            missing_ul=microlitres(short.missing_pl),
            reason=short.reason,
            since=self._commons.at,
        )
        inventory.tasks[short.source] = task
        self._commons.out.append(
            AskRefill(
                task=task.id,
                source=task.source,
                missing_ul=task.missing_ul,
                reason=task.reason,
            )
        )

    def refill(self, event: ev.StockRefilled) -> None:
        """Take a person's word in, unless it makes no sense."""
        inventory = self._commons.lab.inventory
        if inventory is None or self.objection(event):
            return
        task = inventory.refill(
            event.source, event.volume_ul, event.lot, event.expires, replaces=event.replaces
        )
        self.book("refilled", [event.source], task=task)
        self.look_again([event.source])

    def look_again(self, sources: Iterable[str]) -> None:
        """There may be more of these than before for steps that are short of it."""
        if self._commons.lab.checks_draws:
            self._commons.touched.update(dict.fromkeys(map(instrument_of, sources)))

    def objection(self, event: ev.StockRefilled) -> str:
        """Why a refill makes no sense, as a sentence for the person; empty if it does."""
        inventory = self._commons.lab.inventory
        if inventory is None:
            return "the lab's file declares no stocks, so that nobody keeps account: add [stocks]"
        return inventory.objection(
            event.source, event.volume_ul, event.expires, event.at, replaces=event.replaces
        )

    def book(
        self,
        why: BookedFor,
        sources: Iterable[str],
        run: str = "",
        cid: str = "",
        moves: tuple[Moved, ...] = (),
        task: str = "",
    ) -> None:
        """Put a change of the ledger on record, with the levels of sources that are declared."""
        inventory = self._commons.lab.inventory
        if inventory is None:
            return
        declared = dict.fromkeys(source for source in sources if source in inventory.sources)
        levels = tuple(inventory.level(source) for source in declared)
        if levels or moves:
            book = Book(why=why, run=run, cid=cid, moves=moves, levels=levels, task=task)
            self._commons.out.append(book)
