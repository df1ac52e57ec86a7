"""Writes lines and rows through the driver's own cursor, with SQL that SQLAlchemy compiled once.

Going through SQLAlchemy's execution for each group would cost more than the writing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from sqlalchemy import BindParameter, Column, Engine, bindparam, insert, literal_column, update
from sqlalchemy.pool import StaticPool

from sdl.shell.changes import Cell
from sdl.shell.leases import lost
from sdl.shell.tables import JOURNAL, LEASE, PROJECTED
from sdl.wire.journal import Line

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine.interfaces import DBAPICursor

    from sdl.shell.rowset import RowSet


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with positional places, and the columns whose values go into them, in order."""

    sql: str
    columns: tuple[str, ...]

    def run(self, cursor: DBAPICursor, values: Sequence[Sequence[Cell]]) -> None:
        """Once for each row of values."""
        if len(values) == 1:
            cursor.execute(self.sql, values[0])
        else:
            cursor.executemany(self.sql, values)


class Pen:
    """The one connection that a record writes with."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection = engine.raw_connection()
        self._begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else ""
        self._journal = self._insert("journal")
        self._line_values = cast(
            "Callable[[Line], tuple[Cell, ...]]", attrgetter(*self._journal.columns)
        )
        self._inserts = {name: self._insert(name) for name in PROJECTED}
        renewal = (
            update(LEASE)
            .where(LEASE.c.lab == bindparam("key_lab"), LEASE.c.epoch == bindparam("key_epoch"))
            .values(beat=LEASE.c.beat + literal_column("1"))
        )
        compiled = renewal.compile(dialect=engine.dialect)
        self._renewal = Statement(str(compiled), ("lab", "epoch"))
        self._update = lru_cache(maxsize=256)(self._compile_update)

    def write(
        self, lines: Sequence[Line], changed: RowSet, fence: tuple[str, int] | None = None
    ) -> None:
        """All of it in one transaction, durable on return.

        ``fence``: lab and epoch of the lease under which it is written; LeaseLost if that is
        another's. After an error nothing of it is written, unless the error is about the commit.
        """
        try:
            cursor = self._connection.cursor()
            if self._begin:
                cursor.execute(self._begin)
            if fence is not None:
                self._renew(cursor, *fence)
            with self._batch():
                self._journal.run(cursor, [self._line_values(line) for line in lines])
                self.write_rows(cursor, changed)
                cursor.close()
            self._connection.commit()
        except BaseException:
            with suppress(Exception):  # the connection may be gone, and with it the transaction
                self._connection.rollback()
            raise

    def _renew(self, cursor: DBAPICursor, lab: str, epoch: int) -> None:
        cursor.execute(self._renewal.sql, (lab, epoch))
        if cursor.rowcount != 1:
            raise lost(lab, epoch)

    def write_rows(self, cursor: DBAPICursor, changed: RowSet) -> None:
        """New rows, then changed ones."""
        for table, made in changed.inserts.items():
            if made:
                statement = self._inserts[table]
                columns = statement.columns
                statement.run(
                    cursor, [[row.get(column) for column in columns] for row in made.values()]
                )
        for table in changed.updates:
            for names, found in changed.updates_by_columns(table).items():
                self._update(table, names).run(
                    cursor, [[*values.values(), *key] for key, values in found]
                )

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def discard(self) -> None:
        """Close the connection for good: it may be dead, or hold what is not on disk."""
        if not isinstance(self._engine.pool, StaticPool):  # a database in memory would be gone
            with suppress(Exception):
                self._connection.invalidate()
        with suppress(Exception):
            self._connection.close()

    def _batch(self) -> AbstractContextManager[object]:
        """PostgreSQL: send all statements of a group without waiting for each answer."""
        if self._engine.dialect.name == "sqlite":
            return nullcontext()
        return cast("psycopg.Connection", self._connection.driver_connection).pipeline()

    def _insert(self, name: str) -> Statement:
        table = JOURNAL if name == "journal" else PROJECTED[name]
        compiled = insert(table).compile(
            dialect=self._engine.dialect, column_keys=[column.name for column in table.columns]
        )
        return Statement(str(compiled), tuple(column.name for column in table.columns))

    def _compile_update(self, name: str, columns: tuple[str, ...]) -> Statement:
        """Sets the columns of one row, found by its key, whose values come last."""
        table = PROJECTED[name]
        # Left to itself SQLAlchemy would set columns in the order of the table.
        values: list[tuple[Column[Cell], BindParameter[Cell]]] = [
            (table.c[column], bindparam(f"new_{column}")) for column in columns
        ]
        keys = [column == bindparam(f"key_{column.name}") for column in table.primary_key.columns]
        compiled = (
            update(table).where(*keys).ordered_values(*values).compile(dialect=self._engine.dialect)
        )
        return Statement(str(compiled), columns)
