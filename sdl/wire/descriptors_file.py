"""``descriptors = "ligands.csv"``: numbers that say how the options of an input differ.

A first column with the options, and a column of numbers for each descriptor. Descriptors that are
computed, such as those of a SMILES string, would be made here, too.
"""

from __future__ import annotations

from sdl.model.data import InputValue
from sdl.model.descriptors import Descriptors
from sdl.wire.csv_file import CsvFile, as_number, read_csv
from sdl.wire.toml_table import Table

MOST_NUMBERS = 200_000
"""Options times descriptors; they go with each question to the planner."""


class Described:
    """The table as it was read, with the options in its own order."""

    def __init__(self, file: CsvFile, table: Table) -> None:
        self._file = file
        self._table = table
        self._rows = {row.cells[0]: row for row in file.rows}

    @property
    def options(self) -> tuple[InputValue, ...]:
        """All that it describes, as names."""
        return tuple(self._rows)

    def of(self, options: tuple[InputValue, ...]) -> Descriptors | None:
        """The rows of these options; None after noting mistakes."""
        file, names = self._file, self._file.header[1:]
        missing = [str(option) for option in options if str(option) not in self._rows]
        if missing:
            named = ", ".join(missing[:5])
            self._table.mistake("descriptors", f"{file.source!r} has no row for {named}")
            return None
        rows = []
        for option in options:
            row = self._rows[str(option)]
            numbers = [as_number(cell) for cell in row.cells[1:]]
            for name, cell, number in zip(names, row.cells[1:], numbers, strict=True):
                if number is None:
                    file.mistake(row.line, f"{name} = {cell!r} is no number")
            rows.append(tuple(number for number in numbers if number is not None))
        if not file.is_sound():
            return None
        return Descriptors(names=names, rows=tuple(rows), source=file.source, sha256=file.sha256)


def read_descriptors(table: Table) -> Described | None:
    """The table that an input names; None after noting what is wrong with it."""
    file = read_csv(table, "descriptors")
    if file is None:
        return None
    if len(file.header) < 2:  # noqa: PLR2004 - a name and a number
        file.mistake(1, "needs a column of options, and one or more columns of numbers")
    if len(file.rows) * len(file.header) > MOST_NUMBERS:
        file.mistake(1, f"has more than {MOST_NUMBERS:,} numbers; leave out some columns")
    seen: set[str] = set()
    for row in file.rows:
        if row.cells[0] in seen:
            file.mistake(row.line, f"{row.cells[0]!r} has a row already; keep one")
        seen.add(row.cells[0])
    return Described(file, table) if file.is_sound() else None
