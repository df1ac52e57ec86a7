"""``lab.toml`` to a ``Lab``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from sdl.model.alert import Alert
from sdl.model.lab import Instrument, Lab, Limit, is_name
from sdl.wire.alert_table import read_alert
from sdl.wire.lab_sites import (
    check_reaches,
    read_labware,
    read_places,
    read_reaches,
    read_sites,
    read_stores,
)
from sdl.wire.stocks_table import read_stocks
from sdl.wire.toml_table import NAME_RULE, Places, Table, TomlFile

_RECORDS = ("sqlite", "postgresql")
_BROKERS = ("mqtt", "mqtts")
MOST_SPEED = 1_000_000.0
"""Lab seconds per wall second; beyond it, `sdl simulate` is the right clock."""
_LIMIT_NAME = re.compile(r"([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabFile:
    """A lab, and the file that it was read from."""

    lab: Lab
    folder: Path
    """Relative paths in the file start here."""
    places: Places
    alert: Alert | None = None
    """Whom to call when a person is needed; it is no part of what a journal keeps of the lab."""

    @property
    def record_url(self) -> str:
        """The record's address, an SQLite file by its full path."""
        url = self.lab.record
        head, slashes, path = url.partition(":///")
        if not head.startswith("sqlite") or path in {"", ":memory:"} or not slashes:
            return url
        return f"{head}:///{self.folder / path}"


def open_lab(path: Path) -> LabFile:
    """Read ``lab.toml``. UserMistake (or UserMistakes) with file and line."""
    file = TomlFile(path)
    alert = read_alert(file.top)
    lab = _lab(file.top)
    file.finish()
    return LabFile(lab=lab, folder=path.resolve().parent, places=file.places, alert=alert)


def read_lab(path: Path) -> Lab:
    """The lab that ``lab.toml`` describes. UserMistake (or UserMistakes) with file and line."""
    return open_lab(path).lab


def _lab(top: Table) -> Lab:
    head = top.table("lab", needed=True)
    machines = top.table("instruments", needed=True)
    instruments = tuple(_instruments(machines))
    places = tuple(read_places(top.table("places")))
    labware = tuple(read_labware(top.table("labware"), instruments, places))
    lab = Lab(
        name=head.name("name"),
        broker=_broker(head),
        record=_record(head),
        speed=_speed(head),
        seed=head.whole("seed", 0),
        instruments=instruments,
        places=places,
        labware=labware,
        stocks=read_stocks(top.table("stocks"), list(top.table("instruments")), labware),
        plan=_plan(top.table("scheduling")),
    )
    head.close()
    top.close()
    check_reaches(machines, lab)
    _names(top, lab)
    real = [one.name for one in lab.instruments if one.driver and not one.simulated]
    if lab.speed != 1 and real:
        head.mistake("speed", f"time cannot be sped up, {real[0]} is a real instrument; remove it")
    return lab


def _plan(table: Table) -> Literal["off", "auto"]:
    plan = table.text("plan", "auto")
    table.close()
    if plan == "off":
        return "off"
    if plan != "auto":
        table.mistake("plan", f'{plan!r} is no way to plan; write "auto" or "off"')
    return "auto"


def _names(top: Table, lab: Lab) -> None:
    """An instrument, a place and a piece of labware never have the same name."""
    taken = {instrument.name: "an instrument" for instrument in lab.instruments}
    for place in lab.places:
        if place.name in taken:
            top.file.mistake(
                ("places", place.name), f"{taken[place.name]} has this name; choose another"
            )
        taken.setdefault(place.name, "a place")
    for piece in lab.labware:
        if piece.name in taken:
            top.file.mistake(
                ("labware", piece.name), f"{taken[piece.name]} has this name; choose another"
            )


def _broker(head: Table) -> str:
    url = head.text("broker", "embedded")
    if url == "embedded":
        return url
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in _BROKERS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        head.mistake("broker", f'{url!r} is no broker; write "embedded" or "mqtt://host:1883"')
    return url


def _record(head: Table) -> str:
    url = head.text("record", "sqlite:///record.sqlite")
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.partition("+")[0] not in _RECORDS:
        head.mistake(
            "record",
            f'{url!r} is no database; write "sqlite:///record.sqlite" or "postgresql://host/name"',
        )
    return url


def _speed(head: Table) -> float:
    speed = head.number("speed", 1.0)
    if not 0 < speed <= MOST_SPEED:
        head.mistake("speed", f"{speed:g} is out of range; use more than 0, at most {MOST_SPEED:g}")
    return speed


def _instruments(table: Table) -> list[Instrument]:
    if not list(table) and "instruments" in table.file.top:
        table.mistake(None, "a lab needs at least one instrument; add a table [instruments.reader]")
    return [_instrument(table, name) for name in table]


def _instrument(parent: Table, name: str) -> Instrument:
    if not is_name(name):
        parent.mistake(name, f"is no name for an instrument: {NAME_RULE}")
    table = parent.table(name)
    simulated = "simulator" in table
    if simulated and "driver" in table:
        table.mistake("driver", "an instrument has a simulator or a driver, not both")
    limits, sites = table.table("limits"), read_sites(table)
    return Instrument(
        name=name,
        simulated=simulated,
        driver=table.text("simulator" if simulated else "driver", example='"entry-point"'),
        limits={key: _limit(limits, key) for key in limits},
        sites=sites,
        stores=read_stores(table, sites),
        reaches=read_reaches(table),
        options={key: value for key, value in table.rest().items() if key != "driver"},
    )


def _limit(limits: Table, key: str) -> Limit:
    match = _LIMIT_NAME.fullmatch(key)
    if match is None:
        limits.mistake(key, 'name an action and its argument, "dispense.volumes_ul", in quotes')
        return Limit()
    table = limits.table(key)
    argument = match[2]
    low = table.maybe_number("from", unit_name=argument)
    high = table.maybe_number("to", unit_name=argument)
    table.close()
    if low is None and high is None:
        limits.mistake(key, "a limit needs from, to or both: { from = 0, to = 300 }")
    if low is not None and high is not None and low > high:
        limits.mistake(key, f"from ({low:g}) is above to ({high:g}); swap them")
    return Limit(low=low, high=high)
