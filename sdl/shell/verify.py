"""Checks a record against itself: the chain of each journal, and the tables against the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, Engine, Table, delete, insert, select

from sdl.core.events import EVENTS
from sdl.shell.changes import Cell, Key
from sdl.shell.reading import page
from sdl.shell.rowset import RowSet
from sdl.shell.stalled import take_time
from sdl.shell.tables import JOURNAL, PROJECTED, SNAPSHOT
from sdl.wire.journal import GENESIS, Line

_EVENT_NAMES = frozenset(kind.__name__ for kind in EVENTS)
Rows: TypeAlias = Mapping[Key, Mapping[str, Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where a journal stops holding together."""

    campaign: str
    seq: int
    """The first line that is missing, or does not fit the line before it."""
    reason: str

    def __str__(self) -> str:
        return f"{self.campaign}: line {self.seq} {self.reason}"


def first_break(engine: Engine, campaign: str | None) -> Break | None:
    """The first line, campaigns by name, that is missing or was changed.

    A chain cannot show that its last lines were cut off, nor that all of it was written anew:
    keep the head of a finished campaign somewhere else too.
    """
    with engine.connect() as connection, _any_bytes(connection):
        names = [campaign] if campaign is not None else _journals(connection)
        for name in names:
            broken = _first_break_of(connection, name)
            if broken is not None:
                return broken
    return None


def _journals(connection: Connection) -> list[str]:
    query = select(JOURNAL.c.campaign).distinct().order_by(JOURNAL.c.campaign)
    return list(connection.execute(query).scalars())


def _first_break_of(connection: Connection, campaign: str) -> Break | None:
    expected, previous = 1, GENESIS
    for line in _lines(connection, campaign):
        if line.seq != expected:
            return Break(campaign=campaign, seq=expected, reason="is missing")
        if line.kind != ("event" if line.type in _EVENT_NAMES else "command"):
            return Break(campaign=campaign, seq=expected, reason=f"says it is a {line.kind}")
        if line.hash != line.expected_hash(previous):
            return Break(
                campaign=campaign,
                seq=expected,
                reason="was changed, or the line before it: its hash does not fit",
            )
        expected, previous = expected + 1, line.hash
    return None


def _lines(connection: Connection, campaign: str) -> Iterator[Line]:
    after = 0
    while found := page(connection, campaign, after):
        yield from found
        after = found[-1].seq


@contextmanager
def _any_bytes(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 any more as some text, whose hash then does not fit."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.text_factory = lambda stored: stored.decode(errors="replace")
    try:
        yield
    finally:
        driver.text_factory = str


def rebuild_tables(engine: Engine, *, check: bool) -> list[str]:
    """Compare every table with what the journal says, and write it anew unless ``check``.

    All in one transaction; a sentence for each row that is missing, extra or different.
    """
    begin = "BEGIN" if check else "BEGIN IMMEDIATE"
    differences: list[str] = []
    with engine.connect().execution_options(sqlite_begin=begin) as connection, connection.begin():
        take_time(connection)
        known: list[Cell] = []
        """Campaigns and sessions that a journal makes."""
        for name in _journals(connection):
            wanted = RowSet()
            wanted.add_lines(_lines(connection, name))
            owners: list[Cell] = [
                name,
                *(key[0] for key in wanted.inserts["campaign"] if key[0] != name),
            ]
            known += owners
            for table in PROJECTED.values():
                made = _complete(table, wanted)
                differences += _differences(table.name, made, _present(connection, table, owners))
                if not check:
                    _replace(connection, table, owners, made)
        for table in PROJECTED.values():
            differences += _strays(connection, table, known, check=check)
        if not check:
            connection.execute(delete(SNAPSHOT))  # taken anew by whoever goes on
    return differences


def _complete(table: Table, wanted: RowSet) -> Rows:
    columns = [column.name for column in table.columns]
    return {
        key: {column: values.get(column) for column in columns}
        for key, values in wanted.inserts[table.name].items()
    }


def _key(table: Table, row: Mapping[str, Cell]) -> Key:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _present(connection: Connection, table: Table, owners: list[Cell]) -> Rows:
    query = select(table).where(table.c.campaign.in_(owners))
    found = (dict(row) for row in connection.execute(query).mappings())
    return {_key(table, row): row for row in found}


def _differences(table: str, made: Rows, present: Rows) -> Iterator[str]:
    for key, row in made.items():
        name = " ".join(str(part) for part in key)
        there = present.get(key)
        if there is None:
            yield f"{table} {name}: the row is missing; journal line {row['seq']} makes it"
            continue
        for column, value in row.items():
            if there[column] != value:
                yield (
                    f"{table} {name}: {column} is {there[column]!r}, by the journal it is {value!r}"
                )
    for key in present.keys() - made.keys():
        name = " ".join(str(part) for part in key)
        yield f"{table} {name}: the row is there, but no journal line makes it"


def _replace(connection: Connection, table: Table, owners: list[Cell], made: Rows) -> None:
    connection.execute(delete(table).where(table.c.campaign.in_(owners)))
    if made:
        connection.execute(insert(table), [dict(row) for row in made.values()])


def _strays(
    connection: Connection, table: Table, known: list[Cell], *, check: bool
) -> Iterator[str]:
    """Rows of campaigns that have no journal at all."""
    stray = table.c.campaign.not_in(known)
    for row in connection.execute(select(table).where(stray)).mappings():
        name = " ".join(str(part) for part in _key(table, dict(row)))
        yield f"{table.name} {name}: the row is there, but its campaign has no journal"
    if not check:
        connection.execute(delete(table).where(stray))
