"""Kinds of labware, by name, from PyLabRobot's definitions: the one module that loads them.

Its package is loaded when the first kind is asked for, in a tenth of a second. A definition is
called once, with warnings and prints held back, and only its numbers are kept: the volume and tip
tracking of PyLabRobot, switches of the whole process, are neither read nor set here.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from sdl.errors import UserMistake
from sdl.model.labware import Category, LabwareKind

if TYPE_CHECKING:
    from pylabrobot.resources import (  # type: ignore[import-untyped]
        Container,
        ItemizedResource,
        Resource,
    )

SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "plate-96-flat": "cor_96_wellplate_360uL_Fb",
        "plate-384-flat": "Greiner_384_wellplate_28ul_Fb",
    }
)
"""Names that a lab may use where the very make of the plate does not matter."""
DEFAULT_KIND = "plate-96-flat"

_Definition: TypeAlias = Callable[..., Any]
_FETCHED = "pylabrobot.resources.opentrons."
"""Tip racks defined there are fetched over the network, each time a process first asks."""
_NO_KIND = ("load_ot_tip_rack",)
_POINTS = 24
"""Of the filling curve of a well whose height PyLabRobot computes by a formula."""
_NEAREST = 3


def labware_kind(name: str) -> LabwareKind:
    """The geometry of a kind, by PyLabRobot's name or a short one.

    UserMistake if there is none, with the nearest names; or if it has no geometry here.
    """
    return _read(SHORT_NAMES.get(name, name))


def names_of_kinds() -> tuple[str, ...]:
    """All names that ``labware_kind`` may know, the short ones first."""
    return (*SHORT_NAMES, *sorted(_definitions()))


def all_kinds(*words: str) -> Iterator[LabwareKind]:
    """Every kind with these words in its name; names that PyLabRobot gave up are left out.

    It takes seconds: all definitions are called, and plates of 1,536 wells are slow to make.
    """
    for name in sorted(_definitions(), key=str.lower):
        if not all(word.lower() in name.lower() for word in words):
            continue
        try:
            kind = _read(name)
        except UserMistake:
            continue
        if kind.name == name:
            yield kind


@cache
def _read(name: str) -> LabwareKind:
    definition = _definitions().get(name)
    if definition is None:
        raise UserMistake(f"{name!r} is no kind of labware; {_near(name)}`sdl labware` lists all")
    if definition.__module__.startswith(_FETCHED) and "tiprack" in name:
        raise UserMistake(
            f"PyLabRobot fetches the definition of {name!r} over the network; "
            "take a kind that it carries, `sdl labware` lists them"
        )
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # a name that was given up still names its successor
            return _kind(name, definition(name="x"))
    except (NotImplementedError, TypeError, ValueError) as error:
        raise UserMistake(f"PyLabRobot has no geometry of {name!r}: {error}") from error


def _near(name: str) -> str:
    """The nearest names, as a hint; small and capital letters count as the same."""
    known = {each.lower(): each for each in names_of_kinds()}
    near = difflib.get_close_matches(name.lower(), known, n=_NEAREST, cutoff=0.5)
    return f"the nearest are {', '.join(known[each] for each in near)}; " if near else ""


@cache
def _definitions() -> Mapping[str, _Definition]:
    """The functions of PyLabRobot that make plates, racks, troughs, tubes and lids."""
    import pylabrobot.resources as defined  # type: ignore[import-untyped]  # noqa: PLC0415 - a tenth of a second

    makes = (defined.Plate, defined.TipRack, defined.Trough, defined.Tube, defined.Lid)
    return {
        name: thing
        for name, thing in vars(defined).items()
        if inspect.isfunction(thing) and not name.startswith("_") and name not in _NO_KIND
        if inspect.isclass(made := inspect.signature(thing).return_annotation)
        and issubclass(made, makes)
    }


def _kind(name: str, made: Resource) -> LabwareKind:
    from pylabrobot.resources import (  # noqa: PLC0415
        Container,
        ItemizedResource,
        Lid,
    )

    # A name that was given up makes what its successor makes, whose model is its name.
    named = made.model if made.model in _definitions() else name
    size: dict[str, Any] = {
        "name": named,
        "length_mm": float(made.get_size_x()),
        "width_mm": float(made.get_size_y()),
        "height_mm": float(made.get_size_z()),
    }
    if isinstance(made, Lid):
        return LabwareKind(category="lid", rows=0, columns=0, capacity_ul=0.0, **size)
    if isinstance(made, Container):
        category: Category = "trough" if made.category == "trough" else "tube"
        return LabwareKind(category=category, rows=1, columns=1, **_hollow(made), **size)
    if not isinstance(made, ItemizedResource):
        raise TypeError(f"it makes a {type(made).__name__}")
    return _of_many(made, size)


def _of_many(made: ItemizedResource[Any], size: Mapping[str, Any]) -> LabwareKind:
    """A plate of wells, or a rack of tips."""
    from pylabrobot.resources import Plate  # noqa: PLC0415

    first = made.get_item(0)
    grid: dict[str, Any] = {"rows": int(made.num_items_y), "columns": int(made.num_items_x)}
    if isinstance(made, Plate):
        return LabwareKind(category="plate", **grid, **_hollow(first), **size)
    tip_ul = float(first.make_tip().maximal_volume)
    return LabwareKind(category="tip_rack", **grid, capacity_ul=tip_ul, **size)


def _hollow(container: Container) -> dict[str, Any]:
    """What a well, a trough or a tube holds, and how high."""
    across_mm, along_mm = float(container.get_size_x()), float(container.get_size_y())
    capacity_ul = float(container.max_volume)
    if not 0.0 < capacity_ul < math.inf:
        raise ValueError(f"its capacity is {capacity_ul}")
    area_mm2 = across_mm * along_mm * (math.pi / 4.0 if _is_round(container) else 1.0)
    return {
        "capacity_ul": capacity_ul,
        "opening_mm2": area_mm2,
        "depth_mm": float(container.get_size_z()),
        "filling": _filling(container, capacity_ul, area_mm2),
    }


def _is_round(container: Container) -> bool:
    from pylabrobot.resources import CrossSectionType, Tube, Well  # noqa: PLC0415

    if isinstance(container, Well):
        return bool(container.cross_section_type == CrossSectionType.CIRCLE)
    return isinstance(container, Tube)


def _filling(
    container: Container, capacity_ul: float, area_mm2: float
) -> tuple[tuple[float, float], ...]:
    """Measured heights, else PyLabRobot's formula, else straight walls on a flat bottom."""
    measured = container.height_volume_data
    if measured is not None:
        return tuple(sorted((float(mm), float(ul)) for mm, ul in measured.items()))
    if container.supports_compute_height_volume_functions():
        points = _computed(container, capacity_ul)
        if points:
            return points
    return ((0.0, 0.0), (capacity_ul / area_mm2, capacity_ul))


def _computed(container: Container, capacity_ul: float) -> tuple[tuple[float, float], ...]:
    """Points of a formula; some end below the capacity, some go back by their rounding."""
    points = [(0.0, 0.0)]
    for number in range(1, _POINTS + 1):
        volume_ul = capacity_ul * (number / _POINTS) ** 3  # in a cone, heights go by the third root
        try:
            height_mm = float(container.compute_height_from_volume(volume_ul))
        except ValueError:  # above what the formula is good for
            break
        if points[-1][0] < height_mm < math.inf:
            points.append((height_mm, volume_ul))
    return tuple(points) if len(points) > 1 else ()
