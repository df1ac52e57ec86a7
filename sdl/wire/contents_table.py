"""``[labware.library.contents]`` of ``lab.toml``: what the wells of a plate hold at first."""

from __future__ import annotations

from collections.abc import Iterator

from sdl.model.labware import LabwareKind, Stored
from sdl.wire.table_file import TableFile, as_number, no_number, read_table
from sdl.wire.toml_table import Table, did_you_mean

NEEDED = ("well", "component", "volume_ul")
"""Columns of a file of contents; ``lot`` and ``uncertainty_ul`` may be there beside them."""
MORE = ("lot", "uncertainty_ul")


def read_contents(piece: Table, kind: LabwareKind) -> tuple[Stored, ...]:
    """What a piece says of its wells: a table of them, or the name of a file with columns.

    Mistakes are noted where they are.
    """
    if "contents" not in piece:
        return ()
    if isinstance(piece.take("contents"), str):
        file = read_table(piece, "contents")
        found = [] if file is None else list(_rows(file, kind))
    else:
        found = list(_entries(piece.table("contents"), kind))
    return tuple(found)


def _entries(table: Table, kind: LabwareKind) -> Iterator[Stored]:
    """``A1 = { component = "dye", volume_ul = 200 }``, or ``"A1:H1" = { ... }`` of a block."""
    taken: set[str] = set()
    for key in table:
        entry = table.table(key)
        wells = list(block(key, kind))
        if not wells:
            table.mistake(key, _no_well(key, kind))
        stored = Stored(
            well="",
            component=entry.text("component", example='"dye"'),
            volume_ul=entry.number("volume_ul", None),
            uncertainty_ul=entry.number("uncertainty_ul", 0.0),
            lot=entry.text("lot", ""),
        )
        entry.close()
        twice = next((well for well in wells if well in taken), "")
        if twice:
            table.mistake(key, f"{twice} is there already; say once what is in it")
        wrong = _wrong(stored, kind)
        if wrong:
            entry.mistake("volume_ul", wrong)
        taken.update(wells)
        yield from (stored.of(well) for well in wells)


def _rows(file: TableFile, kind: LabwareKind) -> Iterator[Stored]:
    """A line for each well and component."""
    missing = [name for name in NEEDED if name not in file.header]
    unknown = [name for name in file.header if name not in (*NEEDED, *MORE)]
    if missing:
        file.mistake(1, f"has no column {missing[0]!r}; it needs {', '.join(NEEDED)}")
        return
    if unknown:
        hint = did_you_mean(unknown[0], (*NEEDED, *MORE))
        file.mistake(1, f"column {unknown[0]!r} means nothing here; {hint}")
    seen: set[tuple[str, str, str]] = set()
    held: dict[str, float] = {}
    for row in file.rows:
        cells = dict(zip(file.header, row.cells, strict=True))
        numbers = {n: _number(file, row.line, n, cells.get(n, "")) for n in _NUMBERS}
        stored = Stored(
            well=cells["well"],
            component=cells["component"],
            volume_ul=numbers["volume_ul"],
            uncertainty_ul=numbers["uncertainty_ul"],
            lot=cells.get("lot", ""),
        )
        key = (stored.well, stored.component, stored.lot)
        held[stored.well] = held.get(stored.well, 0.0) + stored.volume_ul
        if stored.well not in kind.wells:
            file.mistake(row.line, _no_well(stored.well, kind))
        elif not stored.component:
            file.mistake(row.line, "names no component")
        elif key in seen:
            file.mistake(row.line, f"{stored.component} in {stored.well} is there already")
        elif wrong := _wrong(stored.holding(held[stored.well]), kind):
            file.mistake(row.line, wrong)
        seen.add(key)
        yield stored


_NUMBERS = ("volume_ul", "uncertainty_ul")


def _number(file: TableFile, line: int, name: str, cell: str) -> float:
    """A cell as a number; 0 where no uncertainty is written."""
    if not cell and name not in NEEDED:
        return 0.0
    value = as_number(cell)
    if value is None:
        file.mistake(line, no_number(name, cell))
        return 0.0
    return float(value)


def block(text: str, kind: LabwareKind) -> Iterator[str]:
    """The wells of ``A1``, or of a block from one corner to the other, ``A1:C4``."""
    places = {name: (at % kind.rows, at // kind.rows) for at, name in enumerate(kind.wells)}
    first, _, last = text.partition(":")
    one, other = places.get(first), places.get(last or first)
    if one is None or other is None:
        return
    rows, columns = (sorted(pair) for pair in zip(one, other, strict=True))
    for name, (row, column) in places.items():
        if rows[0] <= row <= rows[1] and columns[0] <= column <= columns[1]:
            yield name


def _no_well(text: str, kind: LabwareKind) -> str:
    wells = kind.wells
    if not wells:
        return f"{kind.name} has no wells"
    return f'{text!r} is no well of {kind.name}, which has {wells[0]} to {wells[-1]}; or "A1:B3"'


def _wrong(stored: Stored, kind: LabwareKind) -> str:
    """What is wrong with a volume; empty if nothing is."""
    if not stored.volume_ul > 0.0:
        return f"{stored.volume_ul:g} µL; give more than 0"
    if stored.uncertainty_ul < 0.0:
        return f"an uncertainty of {stored.uncertainty_ul:g} µL; give 0 or more"
    if stored.volume_ul > kind.capacity_ul:
        return f"{stored.volume_ul:g} µL do not fit: a well holds {kind.capacity_ul:g}"
    return ""
