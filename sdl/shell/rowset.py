"""Rows about to be written: the changes of many lines merged into at most one per row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sdl.shell.changes import Cell, Change, Insert, Key
from sdl.shell.projection import SILENT, rows
from sdl.wire.journal import Line, load

Values = dict[str, Cell]


@dataclass(slots=True)
class RowSet:
    """New rows and changed rows by table and key.

    An update of a row that the same set inserts goes into the insert, and a later update of a
    row goes over an earlier one, so the order in which the rows are written does not matter.
    """

    inserts: dict[str, dict[Key, Values]] = field(default_factory=lambda: defaultdict(dict))
    updates: dict[str, dict[Key, Values]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, change: Change) -> None:
        """Take one change in."""
        table, key = change.table, change.key
        if isinstance(change, Insert):
            self.inserts[table][key] = dict(change.values)
            return
        known = self.inserts[table].get(key)
        if known is None:
            known = self.updates[table].setdefault(key, {})
        known.update(change.values)

    def add_lines(self, lines: Iterable[Line]) -> None:
        """Take in what the lines make and change."""
        for line in lines:
            if line.type not in SILENT:
                for change in rows(line, load(line.type, line.body)):
                    self.add(change)

    def updates_by_columns(self, table: str) -> Mapping[tuple[str, ...], list[tuple[Key, Values]]]:
        """The changed rows of one table, those together that change the same columns."""
        grouped: dict[tuple[str, ...], list[tuple[Key, Values]]] = defaultdict(list)
        for key, values in self.updates[table].items():
            grouped[tuple(values)].append((key, values))
        return grouped
