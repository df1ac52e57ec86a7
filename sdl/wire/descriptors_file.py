"""``descriptors = "ligands.csv"`` and ``smiles``: numbers that say how the options differ.

A first column with the options, and a column of numbers for each descriptor. Those that are
computed come from a column of SMILES strings, or from strings that the campaign's file gives.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdl.model.data import InputValue
from sdl.model.descriptors import Descriptors
from sdl.wire.smiles import COMPUTED, Molecules
from sdl.wire.table_file import TableFile, as_number, read_table
from sdl.wire.toml_table import Table, did_you_mean

MOST_NUMBERS = 200_000
"""Options times descriptors; they go with each question to the planner."""


class Described:
    """The table as it was read, with the options in its own order."""

    def __init__(self, file: TableFile, table: Table, smiles: str = "") -> None:
        """``smiles``: the column of such strings; empty where there is none."""
        self._file = file
        self._table = table
        self._rows = {row.cells[0]: row for row in file.rows}
        self._smiles = file.header.index(smiles) if smiles else None

    @property
    def options(self) -> tuple[InputValue, ...]:
        """All that it describes, as names."""
        return tuple(self._rows)

    def of(self, options: tuple[InputValue, ...]) -> Descriptors | None:
        """The rows of these options; None after noting mistakes."""
        file = self._file
        missing = [str(option) for option in options if str(option) not in self._rows]
        if missing:
            named = ", ".join(missing[:5])
            self._table.mistake("descriptors", f"{file.source!r} has no row for {named}")
            return None
        places = [at for at in range(1, len(file.header)) if at != self._smiles]
        rows = [self._numbers(str(option), places) for option in options]
        computed = Descriptors(names=(), rows=((),) * len(rows), source="")
        if self._smiles is not None and file.is_sound():
            texts = {str(one): self._rows[str(one)].cells[self._smiles] for one in options}
            computed = _computed(texts, self._table) or computed
        if not file.is_sound():
            return None
        names = tuple(file.header[at] for at in places)
        both = [one + other for one, other in zip(rows, computed.rows, strict=True)]
        source = " and ".join(part for part in (file.source, computed.source) if part)
        return Descriptors(
            names=names + computed.names, rows=tuple(both), source=source, sha256=file.sha256
        )

    def _numbers(self, option: str, places: list[int]) -> tuple[float, ...]:
        """Of one option; what is no number is a mistake."""
        row, found = self._rows[option], list[float]()
        for at in places:
            number = as_number(row.cells[at])
            if number is None:
                name, cell = self._file.header[at], row.cells[at]
                self._file.mistake(row.line, f"{name} = {cell!r} is no number")
            else:
                found.append(number)
        return tuple(found)


class Drawn:
    """SMILES strings of options, as the campaign's file gives them."""

    def __init__(self, texts: Mapping[str, str], table: Table) -> None:
        self._texts = texts
        self._table = table

    @property
    def options(self) -> tuple[InputValue, ...]:
        """All that it describes, as names."""
        return tuple(self._texts)

    def of(self, options: tuple[InputValue, ...]) -> Descriptors | None:
        """What is computed of these options; None after noting mistakes."""
        missing = [str(option) for option in options if str(option) not in self._texts]
        if missing:
            self._table.mistake("smiles", f"says nothing of {', '.join(missing[:5])}")
            return None
        return _computed({str(one): self._texts[str(one)] for one in options}, self._table)


def _computed(texts: Mapping[str, str], table: Table) -> Descriptors | None:
    """By option; None after noting mistakes."""
    try:
        molecules = Molecules()
    except ImportError as error:
        table.mistake("smiles", str(error))
        return None
    found = dict(zip(texts, molecules.described(texts.values()), strict=True))
    wrong = [f"{option} = {texts[option]!r}" for option, row in found.items() if row is None]
    if wrong:
        table.mistake(
            "smiles", f"{', '.join(wrong[:5])}: no SMILES that RDKit can read; correct it"
        )
        return None
    rows = tuple(row for row in found.values() if row is not None)
    return Descriptors(names=COMPUTED, rows=rows, source=molecules.method)


def read_descriptors(table: Table) -> Described | Drawn | None:
    """What an input says of its options; None where it says nothing, or after noting mistakes."""
    if "descriptors" not in table:
        return _drawn(table) if "smiles" in table else None
    file = read_table(table, "descriptors")
    column = table.text("smiles", example='"smiles"') if "smiles" in table else ""
    if file is None:
        return None
    if column and column not in file.header[1:]:
        hint = did_you_mean(column, file.header[1:])
        table.mistake("smiles", f"{file.source!r} has no column {column!r}; {hint}")
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
    return Described(file, table, column) if file.is_sound() else None


def _drawn(table: Table) -> Drawn:
    """``smiles = { L1 = "CCO", L2 = "c1ccccc1" }``."""
    written = table.table("smiles", needed=True)
    found = {name: written.text(name, example='"CCO"') for name in written}
    written.close()
    return Drawn(found, table)
