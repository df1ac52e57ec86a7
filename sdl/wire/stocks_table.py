"""``[stocks.INSTRUMENT.SOURCE]`` of ``lab.toml``: what instruments have in store."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sdl.model.stock import Source, Stocks, expiry_s
from sdl.wire.toml_table import Table, did_you_mean

_OF_INSTRUMENT = ("error_ul", "error_cv")


def read_stocks(table: Table, instruments: Collection[str]) -> tuple[Stocks, ...]:
    """The stocks of each instrument that has some; mistakes are noted in the table's file."""
    found = []
    for name in table:
        if name not in instruments:
            hint = did_you_mean(name, instruments)
            table.mistake(name, f"the lab has no instrument {name!r}; {hint}")
        found.append(_stocks(table.table(name), name))
    return tuple(found)


def _stocks(table: Table, instrument: str) -> Stocks:
    error_ul, error_cv = (_not_negative(table, key, 0.0) for key in _OF_INSTRUMENT)
    sources = {
        name: _source(table.table(name), name) for name in table if name not in _OF_INSTRUMENT
    }
    if not sources:
        table.mistake(None, "names no source; write [stocks.handler.buffer] with its volume_ul")
    return Stocks(instrument=instrument, sources=sources, error_ul=error_ul, error_cv=error_cv)


def _source(table: Table, name: str) -> Source:
    if "/" in name or not name.strip():
        table.mistake(None, f"{name!r} is no name for a source; leave out '/'")
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
