"""Labware: kinds with their geometry, the pieces of a lab, whole plates and single wells."""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal, TypeAlias

Category = Literal["plate", "tip_rack", "trough", "tube", "lid"]

HOLDS_LIQUID: tuple[Category, ...] = ("plate", "trough", "tube")


@dataclass(frozen=True, slots=True)
class Plate:
    """One whole plate, or another piece of labware, such as ``Plate("plate-1")``."""

    labware: str

    def __str__(self) -> str:
        return self.labware


@dataclass(frozen=True, slots=True)
class Well:
    """One well of one plate, such as ``Well("plate-1", "A1")``."""

    labware: str
    name: str

    @property
    def plate(self) -> Plate:
        """The plate that it is a part of: ``incubator.keep(well.plate, 37.0)``."""
        return Plate(self.labware)

    def __str__(self) -> str:
        return f"{self.labware}/{self.name}"


Wells: TypeAlias = Well | tuple[Well, ...]
"""What plays one labware role in one run: a well, or several of one plate."""


def several(wells: Wells) -> tuple[Well, ...]:
    """The wells of a role, be it one or many."""
    return (wells,) if isinstance(wells, Well) else wells


def written(wells: Iterable[Well]) -> str:
    """Wells as a record has them: ``plate-1/A1``, or ``plate-1/A1,plate-1/B1``."""
    return ",".join(map(str, wells))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabwareKind:
    """The geometry of one kind of labware: plain numbers, so that a journal can hold it.

    Nobody writes one by hand: the reader of ``lab.toml`` takes it from PyLabRobot's definitions.
    """

    name: str
    """As PyLabRobot names the definition: ``cor_96_wellplate_360uL_Fb``."""
    category: Category
    rows: int
    columns: int
    """Of wells or tips; 1 by 1 for a trough, 0 by 0 for a lid."""
    capacity_ul: float
    """Of one well or tip; 0 for a lid."""
    length_mm: float
    width_mm: float
    height_mm: float
    """Outer size, without what lies on it."""
    opening_mm2: float = 0.0
    """Area of the top of one well; 0 where there is none."""
    depth_mm: float = 0.0
    """From the rim of a well down to its inner bottom."""
    filling: tuple[tuple[float, float], ...] = ()
    """Height of the liquid (mm) and volume (µL) of one well, both growing, from the bottom up."""

    @property
    def wells(self) -> tuple[str, ...]:
        """Names down the columns, ``A1 B1 ... H12``, the order in which wells are used up."""
        return _names(self.rows, self.columns) if self.category in HOLDS_LIQUID else ()

    @property
    def count(self) -> int:
        """How many wells or tips it has."""
        return self.rows * self.columns

    def path_cm(self, volume_ul: float) -> float:
        """Height of ``volume_ul`` in one well, in cm: the path of a vertical light beam.

        Straight between the points of ``filling``, and on in the same slope above the last one.
        """
        height_mm = 0.0
        for (low_mm, low_ul), (high_mm, high_ul) in pairwise(((0.0, 0.0), *self.filling)):
            if high_ul <= low_ul:
                continue
            height_mm = low_mm + (high_mm - low_mm) * (volume_ul - low_ul) / (high_ul - low_ul)
            if volume_ul <= high_ul:
                break
        return height_mm / 10.0


@cache
def _names(rows: int, columns: int) -> tuple[str, ...]:
    """Of all wells of such a plate, down the columns."""
    return tuple(f"{_letters(row)}{column + 1}" for column in range(columns) for row in range(rows))


def _letters(row: int) -> str:
    """``A`` ... ``Z``, ``AA`` ... ``AF``: the rows of a plate with 1,536 wells."""
    letters = string.ascii_uppercase
    more, last = divmod(row, len(letters))
    return (letters[more - 1] if more else "") + letters[last]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """So much of one component, of one lot, is in one well at first."""

    well: str
    component: str
    volume_ul: float
    """Above 0."""
    uncertainty_ul: float = 0.0
    """Standard uncertainty of that."""
    lot: str = ""
    """Empty where that is not known."""

    def of(self, well: str) -> Stored:
        """The same in another well."""
        return replace(self, well=well)

    def holding(self, volume_ul: float) -> Stored:
        """Another volume of the same."""
        return replace(self, volume_ul=volume_ul)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labware:
    """One piece of labware of the lab."""

    name: str
    kind: LabwareKind
    at: str = ""
    """The site where it stands at first, ``hotel/3``; empty: where every instrument reaches it."""
    contents: tuple[Stored, ...] = ()
    """What its wells hold at first; nothing is in those that are not named."""
    on: str = ""
    """Of a lid: the plate that it closes, and lies on at first."""
    parks: str = ""
    """Of a lid: the site where it lies while it is off, ``lids/1``; nothing else comes there."""

    @property
    def free_wells(self) -> tuple[str, ...]:
        """The wells that hold nothing at first, in the order in which they are used up."""
        held = {one.well for one in self.contents}
        return tuple(name for name in self.kind.wells if name not in held)

    @property
    def rests(self) -> str:
        """Where it is at first: a site, or the plate that a lid lies on; empty where on neither."""
        return self.at or self.on
