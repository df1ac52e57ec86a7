"""A lab: its instruments, their drivers and limits, its places, its labware, broker and record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from sdl.model.data import JsonValue
from sdl.model.labware import Labware
from sdl.model.stock import Stocks

_NAME = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Bounds of one argument of one action; the node refuses what lies outside, whoever asks."""

    low: float | None = None
    high: float | None = None
    """Inclusive, in the unit of the argument's suffix; a mapping is held value by value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One instrument of the bench."""

    name: str
    """``[a-z0-9-]``, at most 40 characters."""
    driver: str
    """Entry point name or ``./file.py:Class``; nothing else tells simulator and driver apart."""
    simulated: bool
    """Whether ``driver`` names a simulator (``simulator =`` in ``lab.toml``)."""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    """Keyword arguments of the driver's constructor."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """By ``action.argument``, such as ``dispense.volumes_ul``."""
    sites: int = 0
    """How many pieces of labware may stand at it, on ``reader/1`` ... ``reader/N``; 0: it works
    on labware without a site only, wherever that stands."""
    stores: bool = False
    """Whether labware may stand on its sites for as long as it likes, as in a hotel."""
    reaches: tuple[str, ...] = ()
    """Of a transporter: the places and instruments between whose sites it moves labware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Sites that belong to no instrument: a hotel, a stack, a tray for waste."""

    name: str
    sites: int
    stores: bool = True
    """Whether labware may stand there for as long as it likes; not on a tray for waste."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Everything that ``lab.toml`` says."""

    name: str
    instruments: tuple[Instrument, ...]
    places: tuple[Place, ...] = ()
    labware: tuple[Labware, ...] = ()
    broker: str = "embedded"
    """``embedded``, or ``mqtt://[user:password@]host[:port]``, or ``mqtts://...``."""
    record: str = "sqlite:///record.sqlite"
    """SQLAlchemy URL; a relative SQLite path is relative to ``lab.toml``."""
    speed: float = 1.0
    """Lab seconds per wall second; other than 1 only where every instrument is simulated."""
    seed: int = 0
    """Seeds the noise of the simulators."""
    stocks: tuple[Stocks, ...] = ()
    """What instruments have in store; empty: nobody keeps account of materials."""
    plan: Literal["off", "auto"] = "auto"
    """``auto``: a scheduler plans where runs may overlap and have windows to keep."""

    @property
    def simulated(self) -> bool:
        """Whether no real instrument is in it."""
        return all(instrument.simulated for instrument in self.instruments)

    @property
    def sites(self) -> dict[str, tuple[str, ...]]:
        """Names of all sites, ``hotel/1`` and so on, by the instrument or place that has them."""
        having = [(one.name, one.sites) for one in self.instruments]
        having += [(one.name, one.sites) for one in self.places]
        return {name: sites_of(name, count) for name, count in having if count}

    @property
    def reached(self) -> dict[str, tuple[str, ...]]:
        """By instrument or place with sites: the transporters that move labware there."""
        return {
            name: tuple(one.name for one in self.instruments if name in one.reaches)
            for name in self.sites
        }


def sites_of(name: str, count: int) -> tuple[str, ...]:
    """Names of the sites of an instrument or a place: ``hotel/1`` ... ``hotel/20``."""
    return tuple(f"{name}/{number}" for number in range(1, count + 1))


def is_name(text: str) -> bool:
    """Whether a lab, an instrument, a campaign or a plate may be called so."""
    return _NAME.fullmatch(text) is not None


@lru_cache(maxsize=16_384)  # asked of each piece, at each look at all of them
def place_of(site: str) -> str:
    """The instrument or place that a site belongs to: ``hotel`` of ``hotel/3``."""
    return site.partition("/")[0]
