"""Quantities as people write them (``50 uL``) to plain numbers in the unit of a name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sdl.model.units import unit_of

if TYPE_CHECKING:
    from pint import Quantity, UnitRegistry

_WRITTEN = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*")
_UNIT = re.compile(r"[A-Za-zµμ°%][A-Za-z0-9µμ°%·/*^ -]*")

_FOR_PINT = {"AU": "dimensionless", "1": "dimensionless", "%": "percent", "°C": "degC"}
"""Our sign for a unit where pint knows it by another name: to pint an AU is a distance."""

_TEMPERATURES = ("°C", "K")


def read_quantity(text: str, name: str) -> float:
    """The number that ``text`` means in the unit of ``name``'s suffix.

    ValueError says what is wrong, naming both units where their dimensions differ.
    """
    wanted = unit_of(name)
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no quantity; write a number, or one with a unit: "50 uL"')
    if match[2] is None:
        return float(match[1])
    if match[2] == wanted:
        return float(match[1])
    if not wanted:
        raise ValueError(
            f'"{text}" has a unit, but {name} has none (no unit suffix such as _ul or _s); '
            "give a plain number"
        )
    return _convert(float(match[1]), match[2], wanted, name)


def _convert(value: float, unit: str, wanted: str, name: str) -> float:
    said = "plain numbers (no unit)" if wanted == "1" else wanted
    if re.fullmatch(r",\d+", unit):
        raise ValueError(f'"{value:g}{unit}": decimals need a point: {value:g}.{unit[1:]}')
    if wanted in _TEMPERATURES and unit in ("C", "F"):
        raise ValueError(f'"{value:g} {unit}" is no temperature; write "{value:g} deg{unit}"')
    if not _UNIT.fullmatch(unit):
        raise ValueError(f'"{unit}" is no known unit; {name} is in {said}')
    import pint  # noqa: PLC0415 -- takes a third of a second, and few files need it

    try:
        given: Quantity[float] = _registry().Quantity(value, _FOR_PINT.get(unit, unit))
        meant: Quantity[float] = given.to(_FOR_PINT.get(wanted, wanted))
    except pint.DimensionalityError as error:
        raise ValueError(
            f'"{value:g} {unit}" does not fit: {name} is in {said}, '
            f"and {unit} cannot be converted to that"
        ) from error
    except (pint.PintError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(f'"{unit}" is no known unit; {name} is in {said}') from error
    # Fifteen digits: what a person wrote in decimal stays what they wrote (60 s, not 60.000...01).
    return float(f"{meant.magnitude:.15g}")


@lru_cache(maxsize=1)
def _registry() -> UnitRegistry[float]:
    import pint  # noqa: PLC0415 -- see above

    return pint.UnitRegistry()
