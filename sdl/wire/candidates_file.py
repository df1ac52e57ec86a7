"""``candidates = "list.csv"``: the only points that there are."""

from __future__ import annotations

from collections.abc import Mapping

from sdl.model.campaign import ChoiceParameter, Parameter, RangeParameter
from sdl.model.candidates import Candidates, packed
from sdl.model.data import InputValue
from sdl.model.units import unit_of
from sdl.wire.table_file import (
    TableFile,
    as_column,
    as_number,
    looks_like_a_number,
    no_number,
    read_table,
)
from sdl.wire.toml_table import Table, did_you_mean

CANDIDATES = "candidates"
"""The key in ``[search]``; an input of that name has a table there, not text."""
MOST_BYTES = 6 * 1024 * 1024
"""Of the list as it goes with each question."""
MOSTLY = 0.9
"""Share of numbers from which on a column without a unit is one of numbers."""


class Listed:
    """The list as it was read, before the inputs that ``[search]`` says more about are known."""

    def __init__(self, file: TableFile, table: Table) -> None:
        self._file = file
        self._table = table
        self._cells = {name: file.column(name) for name in file.header}
        self._read = {name: as_column(cells) for name, cells in self._cells.items()}
        self.remarks: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return self._file.header

    def options(self, name: str) -> tuple[InputValue, ...]:
        """The different values of a column, in order of their first row."""
        return tuple(dict.fromkeys(self._read[name]))

    def guess(self, name: str) -> Parameter | None:
        """What a column is by itself: numbers are a range, text is options; None of no column."""
        if name not in self._cells:
            return None
        values = self._read[name]
        numbers = [value for value in values if not isinstance(value, str)]
        if len(numbers) < len(values) or min(numbers) == max(numbers):
            return ChoiceParameter(name=name, options=self.options(name))
        integer = all(isinstance(number, int) for number in numbers)
        return RangeParameter(name=name, low=min(numbers), high=max(numbers), integer=integer)

    def whole(self, written: Mapping[str, Parameter]) -> dict[str, Parameter]:
        """The space in the order of the columns, those guessed of which nothing is written."""
        found = {name: written.get(name) or self.guess(name) for name in self.names}
        return {name: one for name, one in found.items() if one is not None} | dict(written)

    def fitted(self, space: Mapping[str, Parameter]) -> Candidates | None:
        """The list, once each row fits the space; None after noting mistakes."""
        for name in space:
            if name not in self.names:
                hint = did_you_mean(name, self.names)
                self._table.mistake(name, f"is no column of {self._file.source!r}; {hint}")
                return None
        columns = [self._values(parameter) for parameter in space.values()]
        if not self._file.is_sound():
            return None
        rows = list(zip(*columns, strict=True))
        once = list(dict.fromkeys(rows))
        if len(once) < len(rows):
            again = len(rows) - len(once)
            self.remarks.append(f"{self._file.source}: {again} of {len(rows)} rows come again")
        found = packed(self._file.source, self._file.sha256, once, len(space))
        size = sum(len(one.rows) + len(repr(one.values)) for one in found.columns)
        if size > MOST_BYTES:
            self._table.mistake(
                CANDIDATES,
                f"takes {size / 2**20:.1f} MiB with each question to the planner, more than "
                f"{MOST_BYTES // 2**20}; use fewer rows, or numbers with fewer digits",
            )
            return None
        return found

    def _values(self, parameter: Parameter) -> list[InputValue]:
        cells = self._cells[parameter.name]
        if isinstance(parameter, ChoiceParameter):
            text = any(isinstance(option, str) for option in parameter.options)
            values = as_column(cells, text=True) if text else self._read[parameter.name]
            options = frozenset(parameter.options)
            fits = [value in options for value in values]
            wanted = "is none of the choices under [search]"
        else:
            values = self._read[parameter.name]
            fits = [not isinstance(v, str) and parameter.low <= v <= parameter.high for v in values]
            wanted = f"is no number from {parameter.low:g} to {parameter.high:g}"
            if parameter.integer:
                fits = [fit and isinstance(v, int) for fit, v in zip(fits, values, strict=True)]
                wanted = f"is no whole number from {parameter.low:g} to {parameter.high:g}"
        for row, fit, value in zip(self._file.rows, fits, values, strict=True):
            if not fit:
                self._file.mistake(row.line, f"{parameter.name} = {value!r} {wanted}")
        return values


def read_candidates(table: Table) -> Listed | None:
    """The list that ``[search]`` names; None after noting what is wrong with it."""
    file = read_table(table, CANDIDATES)
    if file is None:
        return None
    for name in file.header:
        said = table.take(name)
        is_said = isinstance(said, dict) and ("choices" in said or "descriptors" in said)
        _check_cells(file, name, is_said=is_said)
    return Listed(file, table) if file.is_sound() else None


def _check_cells(file: TableFile, name: str, *, is_said: bool) -> None:
    """Blank cells, and text in a column of numbers: it would turn all of it into options.

    ``is_said``: ``[search]`` says that the column has choices.
    """
    cells = file.column(name)
    numbers = sum(as_number(cell) is not None for cell in cells)
    has_unit = numbers > 0 and bool(unit_of(name))
    is_numeric = has_unit or numbers >= MOSTLY * len(cells) or all(map(looks_like_a_number, cells))
    for row, cell in zip(file.rows, cells, strict=True):
        if not cell or (is_numeric and not is_said and as_number(cell) is None):
            file.mistake(row.line, no_number(name, cell))
