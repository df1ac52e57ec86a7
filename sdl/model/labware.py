"""Plates and their wells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Well:
    """One well of one plate, such as ``Well("plate-1", "A1")``."""

    labware: str
    name: str

    def __str__(self) -> str:
        return f"{self.labware}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateKind:
    """The geometry that matters to liquids and light. Wells are round with a flat bottom."""

    name: str
    rows: int
    columns: int
    capacity_ul: float
    well_diameter_mm: float

    @property
    def wells(self) -> tuple[str, ...]:
        """Names down the columns, ``A1 B1 ... H12``, the order in which wells are used up."""
        return _names(self.rows, self.columns)

    def path_cm(self, volume_ul: float) -> float:
        """Height of ``volume_ul`` in one well, in cm: the path of a vertical light beam."""
        area_cm2 = math.pi * (self.well_diameter_mm / 20.0) ** 2
        return volume_ul * 1e-3 / area_cm2


@cache
def _names(rows: int, columns: int) -> tuple[str, ...]:
    """Of all wells of such a plate, down the columns."""
    return tuple(
        f"{chr(ord('A') + row)}{column + 1}" for column in range(columns) for row in range(rows)
    )


PLATE_KINDS = {
    kind.name: kind
    for kind in (
        # ANSI/SLAS 1-4 footprints; well sizes of common flat-bottom polystyrene plates.
        PlateKind(
            name="plate-96-flat", rows=8, columns=12, capacity_ul=360.0, well_diameter_mm=6.4
        ),
        PlateKind(
            name="plate-384-flat", rows=16, columns=24, capacity_ul=112.0, well_diameter_mm=3.6
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labware:
    """One plate of the lab, by name and kind."""

    name: str
    kind: str
    """A key of ``PLATE_KINDS``."""
