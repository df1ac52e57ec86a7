"""Materials of a lab: what its instruments have in store, and what an action does to contents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from sdl.model.labware import Plate, Well


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A liquid, or pieces, that an instrument has in store, as it is when a campaign starts."""

    volume_ul: float
    """0 or more, what cannot be drawn included."""
    dead_volume_ul: float = 0.0
    """What cannot be drawn."""
    capacity_ul: float | None = None
    """How much it holds at most; None where nobody has said."""
    lot: str = ""
    """Of what is in it; empty where that is not known."""
    expires: str = ""
    """Last day of that lot, such as ``2027-03-01``, in UTC; empty if it keeps."""
    is_counted: bool = False
    """Tips and the like: each of its µL is one piece, and all of them are whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocks:
    """What one instrument has in store, and how well it measures out."""

    instrument: str
    sources: Mapping[str, Source] = field(default_factory=dict)
    """By the name that its actions use."""
    error_ul: float = 0.0
    error_cv: float = 0.0
    """A volume v that it moves has the standard uncertainty sqrt(error_ul² + (error_cv · v)²)."""

    def uncertainty_ul(self, volume_ul: float) -> float:
        """Standard uncertainty of one volume that it moves."""
        return math.hypot(self.error_ul, self.error_cv * volume_ul)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remnant:
    """How much of one component, of one lot, was left in one place."""

    place: str
    """``handler/buffer``, ``plate-1/A1``."""
    component: str
    lot: str
    """Empty where that is not known."""
    volume_ul: float
    """Above 0."""
    uncertainty_ul: float
    """Standard uncertainty of that."""
    expires: str = ""
    """Last day of the lot, as in ``Source``."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """An action moves some of what is in one place to another."""

    source: Well | str
    """A well, or a source of the instrument itself by its name."""
    target: Well | None
    """None: it is thrown away."""
    volume_ul: float
    """0 or more."""


@dataclass(frozen=True, slots=True)
class Wash:
    """An action draws off all that the wells of a plate hold, and rinses each of them."""

    plate: Plate
    liquid: str
    """The source of the instrument that it rinses with."""
    volume_ul: float
    """Of that through each well, 0 or more; it is thrown away as well."""
    waste: str = ""
    """The instrument's room for all that is thrown away, in µL; empty: there is no end to it."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """An action uses up so many pieces of a supply of its instrument, such as tips.

    Where the lab's file does not count that supply, nobody does.
    """

    source: str
    count: int
    """0 or more."""


Move: TypeAlias = Transfer | Wash | Pieces


def expiry_s(expires: str) -> float:
    """Lab time at which a lot is no longer good: the end of its last day in UTC; infinity if none.

    ValueError if it is no date.
    """
    if not expires:
        return math.inf
    day = date.fromisoformat(expires) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
