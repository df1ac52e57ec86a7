"""The rows of leases in the database: every change is one statement that compares and swaps."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import URL, Engine, Insert, Update, insert, select, update
from sqlalchemy.exc import IntegrityError

from sdl.errors import LeaseLost
from sdl.shell.database import faults
from sdl.shell.stalled import end_stalled
from sdl.shell.tables import LEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One row as it was seen."""

    epoch: int
    """Rises with each holder."""
    holder: str
    """Machine, lab folder and process id; empty: it was given back."""
    beat: int
    """Rises with each renewal and each journal line written."""


class Leases:
    """All leases of one database. RecordAway or RecordFault where it does not answer."""

    def __init__(self, engine: Engine, url: URL, lock: AbstractContextManager[object]) -> None:
        """``lock``: of the record, whose connection a database in memory shares."""
        self._engine = engine
        self._url = url
        self._lock = lock

    def held(self, lab: str) -> Held | None:
        """The row of a lab; None if nobody has ever led it."""
        with self._lock, faults(self._url), self._engine.connect() as connection:
            found = connection.execute(select(LEASE).where(LEASE.c.lab == lab)).first()
        if found is None:
            return None
        return Held(epoch=found.epoch, holder=found.holder, beat=found.beat)

    def swap(self, lab: str, holder: str, epoch: int, former: Held | None) -> bool:
        """Make the lease ours if the row is still as it was seen."""
        row = {"holder": holder, "epoch": epoch, "beat": 0 if former is None else former.beat + 1}
        if former is not None:
            with self._lock, faults(self._url), self._engine.begin() as connection:
                end_stalled(connection)  # it may be the former holder's, which has the row locked
            same = (LEASE.c.epoch == former.epoch) & (LEASE.c.beat == former.beat)
            return self._changed(update(LEASE).where(LEASE.c.lab == lab, same).values(**row))
        return self._changed(insert(LEASE).values(lab=lab, **row))

    def renew(self, lab: str, epoch: int) -> bool:
        """Say that we are alive; False if the lease is another's."""
        ours = update(LEASE).where(LEASE.c.lab == lab, LEASE.c.epoch == epoch)
        return self._changed(ours.values(beat=LEASE.c.beat + 1))

    def release(self, lab: str, epoch: int) -> bool:
        """Give it back; False if it was another's already."""
        ours = update(LEASE).where(LEASE.c.lab == lab, LEASE.c.epoch == epoch)
        return self._changed(ours.values(holder="", beat=LEASE.c.beat + 1))

    def _changed(self, statement: Insert | Update) -> bool:
        """Whether a row was written; not where another one was quicker."""
        exclusive = self._engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        with self._lock, faults(self._url):
            try:
                with exclusive.begin() as connection:
                    done = connection.execute(statement)
                    return isinstance(statement, Insert) or done.rowcount == 1
            except IntegrityError:
                return False


def lost(lab: str, epoch: int, held: Held | None = None) -> LeaseLost:
    """The words for one that was taken over from. ``held``: by whom, where that is known."""
    by = f" ({held.holder})" if held and held.holder else ""
    now = f"its epoch is {held.epoch}, ours was {epoch}" if held else f"our epoch was {epoch}"
    return LeaseLost(
        f"another orchestrator{by} leads lab {lab!r} now: {now}; nothing was written, and nothing "
        "more was sent from here"
    )
