"""Tables beside a campaign file, as CSV or Parquet, and their mistakes by line."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import Place, UserMistake, said
from sdl.model.data import InputValue
from sdl.wire.parquet import cells_of
from sdl.wire.toml_table import Table

MOST_ROWS = 200_000
MOST_TOLD = 5
"""Mistakes of one file that are told one by one."""
_WHOLE = re.compile(r"[+-]?\d{1,15}")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_PERCENT = re.compile(r"[+-]?\d+([.,]\d+)?\s*%")
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of it."""

    line: int
    cells: tuple[str, ...]


class TableFile:
    """A table with a header line, as text; what is wrong with it is told beside the campaign's."""

    def __init__(
        self, table: Table, source: str, path: Path, sha256: str, lines: Sequence[Row]
    ) -> None:
        """``lines``: with the names of the columns in the first."""
        self.source = source
        """As the campaign file names it."""
        self.sha256 = sha256
        self._table = table
        self._file = str(path)
        self._told = 0
        self.header = lines[0].cells if lines else ()
        self.rows = lines[1:]

    def mistake(self, line: int, message: str) -> None:
        """Note a mistake at one of its lines; only the first few are told."""
        self._told += 1
        if self._told <= MOST_TOLD:
            mistakes = self._table.file.mistakes
            mistakes.append(UserMistake(message, Place(self._file, line)))

    def is_sound(self) -> bool:
        """Whether no mistake was found so far."""
        return self._told == 0

    def column(self, name: str) -> list[str]:
        """The cells of a column. ValueError if there is none of that name."""
        place = self.header.index(name)
        return [row.cells[place] for row in self.rows]


def read_table(table: Table, key: str) -> TableFile | None:
    """The file that a key of a campaign file names; None after noting a mistake.

    Parquet; or UTF-8, a header line, and cells between commas, semicolons or tabs.
    """
    source = table.text(key, example='"list.csv"')
    path = _beside(table, source)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        table.mistake(
            key, f"{source!r} is no CSV or Parquet file; save the table as CSV, with a header line"
        )
        return None
    try:
        raw = path.read_bytes()
        lines = list(read(raw))
    except UnicodeDecodeError:
        table.mistake(key, f"{source!r} is not UTF-8 text; save it as CSV UTF-8")
        return None
    except OSError as error:
        table.mistake(key, f"{source!r} cannot be read: {error.strerror}; correct the path")
        return None
    except ImportError as error:
        table.mistake(key, f"{source!r} {error}")
        return None
    except ValueError as error:
        table.mistake(key, f"{source!r} cannot be read as Parquet: {said(error)}; save it anew")
        return None
    found = TableFile(table, source, path, hashlib.sha256(raw).hexdigest(), lines)
    _check(found, table, key)
    return found if found.is_sound() and found.rows else None


def _beside(table: Table, source: str) -> Path:
    return Path(table.file.places.file).parent / source


def _csv(raw: bytes) -> Iterator[Row]:
    text = raw.decode("utf-8-sig")
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield Row(reader.line_num, tuple(cell.strip() for cell in cells))


def _parquet(raw: bytes) -> Iterator[Row]:
    """Lines are numbered as those of the same table saved as CSV."""
    for line, cells in enumerate(cells_of(raw), start=1):
        yield Row(line, cells)


_READERS = {".csv": _csv, ".tsv": _csv, ".txt": _csv, ".parquet": _parquet}
"""By the end of a file's name."""


def _check(found: TableFile, table: Table, key: str) -> None:
    if not found.rows:
        table.mistake(key, f"{found.source!r} has no rows; it needs a header line and rows")
        return
    if len(found.rows) > MOST_ROWS:
        found.mistake(1, f"{len(found.rows):,} rows; use at most {MOST_ROWS:,}")
    for name in dict.fromkeys(found.header):
        if not name:
            found.mistake(1, "a column has no name; name each in the first line")
        elif found.header.count(name) > 1:
            found.mistake(1, f"{found.header.count(name)} columns are called {name!r}; keep one")
    for row in found.rows:
        if len(row.cells) != len(found.header):
            cells, width = len(row.cells), len(found.header)
            found.mistake(row.line, f"{cells} cells, but the header line names {width} columns")


def as_value(cell: str) -> InputValue:
    """A cell as a whole number, a number, or text."""
    if _WHOLE.fullmatch(cell):
        return int(cell)
    found = as_number(cell)
    return cell if found is None else found


def as_number(cell: str) -> float | None:
    """A cell as a finite number; None if it is none."""
    try:
        found = float(cell)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def as_cell(cell: str, *, text: bool) -> InputValue:
    """A cell of a column of text, or else as a number if it is one."""
    return cell if text else as_value(cell)


def looks_like_a_number(cell: str) -> bool:
    """Whether it is a number, or one as people write it: with a comma, or a percent sign."""
    return as_number(cell) is not None or any(p.fullmatch(cell) for p in (_COMMA, _PERCENT))


def no_number(name: str, cell: str) -> str:
    """What to tell of a cell that should be a number and is none."""
    hint = ""
    if not cell:
        return f"{name} has no value; fill it in, or remove the row"
    if _COMMA.fullmatch(cell):
        hint = f"; decimals need a point: {cell.replace(',', '.')}"
    elif _PERCENT.fullmatch(cell):
        hint = "; write the number without its percent sign"
    return f"{name} = {cell!r} is no number{hint}"


def as_column(cells: Sequence[str], *, text: bool = False) -> list[InputValue]:
    """The cells of a column as numbers if all of them are, and else as text."""
    values = [as_value(cell) for cell in cells]
    return list(cells) if text or any(isinstance(value, str) for value in values) else values
