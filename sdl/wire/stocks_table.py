"""``[stocks.INSTRUMENT.SOURCE]`` of ``lab.toml``: what instruments have in store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import TypeAlias

from sdl.model.labware import Labware
from sdl.model.stock import Source, Stocks, expiry_s
from sdl.wire.toml_table import Table, did_you_mean

_OF_INSTRUMENT = ("error_ul", "error_cv")
Racks: TypeAlias = Mapping[str, int]
"""Racks of tips among the labware, and how many each holds."""


def read_stocks(
    table: Table, instruments: Collection[str], labware: Iterable[Labware]
) -> tuple[Stocks, ...]:
    """The stocks of each instrument that has some; mistakes are noted in the table's file."""
    found = []
    racks = {one.name: one.kind.count for one in labware if one.kind.category == "tip_rack"}
    for name in table:
        if name not in instruments:
            hint = did_you_mean(name, instruments)
            table.mistake(name, f"the lab has no instrument {name!r}; {hint}")
        found.append(_stocks(table.table(name), name, racks))
    return tuple(found)


def _stocks(table: Table, instrument: str, racks: Racks) -> Stocks:
    error_ul, error_cv = (_not_negative(table, key, 0.0) for key in _OF_INSTRUMENT)
    sources = {
        name: _source(table.table(name), name, racks)
        for name in table
        if name not in _OF_INSTRUMENT
    }
    if not sources:
        table.mistake(None, "names no source; write [stocks.handler.buffer] with its volume_ul")
    return Stocks(instrument=instrument, sources=sources, error_ul=error_ul, error_cv=error_cv)


def _source(table: Table, name: str, racks: Racks) -> Source:
    if "/" in name or not name.strip():
        table.mistake(None, f"{name!r} is no name for a source; leave out '/'")
    if "pieces" in table or "racks" in table:
        return _counted(table, name, racks)
    source = Source(
        volume_ul=_not_negative(table, "volume_ul", None),
        dead_volume_ul=_not_negative(table, "dead_volume_ul", 0.0),
        capacity_ul=table.maybe_number("capacity_ul"),
        lot=table.text("lot", ""),
        expires=_day(table, "expires"),
    )
    if source.capacity_ul is not None and source.capacity_ul < source.volume_ul:
        table.mistake(
            "capacity_ul", f"{source.capacity_ul:g} is below volume_ul ({source.volume_ul:g})"
        )
    table.close()
    return source


def _counted(table: Table, name: str, racks: Racks) -> Source:
    """A supply of pieces: at first there are as many as it holds, unless ``capacity`` says more."""
    pieces = table.whole("pieces", 0) if "pieces" in table else _in_racks(table, name, racks)
    capacity = table.whole("capacity", pieces)
    source = Source(
        volume_ul=float(pieces),
        capacity_ul=float(capacity),
        lot=table.text("lot", ""),
        expires=_day(table, "expires"),
        is_counted=True,
    )
    if pieces < 0:
        table.mistake("pieces", f"{pieces} is below 0; give 0 or more")
    elif capacity < max(pieces, 1):
        table.mistake("capacity", f"{capacity} is too few for {pieces} pieces; give more")
    table.close()
    return source


def _in_racks(table: Table, name: str, racks: Racks) -> int:
    """How many tips there are in the racks that are named."""
    named = table.take("racks")
    if not isinstance(named, list) or not named:
        table.mistake("racks", f'needs names of racks of tips, such as ["{name}-1"]')
        return 1
    count = 0
    for one in map(str, named):
        if one not in racks:
            table.mistake("racks", f"{one!r} is no rack of tips; {did_you_mean(one, racks)}")
        count += racks.get(one, 0)
    return max(count, 1)


def _not_negative(table: Table, key: str, default: float | None) -> float:
    value = table.number(key, default)
    if value < 0.0:
        table.mistake(key, f"{value:g} is below 0; give 0 or more")
        return 0.0
    return value


def _day(table: Table, key: str) -> str:
    """A date, bare or in quotes, as text."""
    value = table.take(key)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if value is None:
        return ""
    try:
        expiry_s(value)
    except (TypeError, ValueError):
        table.mistake(key, f"{value!r} is no day; write {key} = 2027-03-01")
        return ""
    return str(value)
