"""Numbers, points and times as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sdl.model.data import InputValue
from sdl.model.units import unit_of

_PLACES = 6
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86400


def quantity(name: str, value: InputValue, sd: float | None = None) -> str:
    """A value with its unit, and its standard deviation if known: ``0.802 ± 0.004 AU``."""
    if isinstance(value, str):
        return value
    unit = unit_of(name)
    said = f"{value:.4g}" if sd is None else _with_spread(float(value), sd)
    return said + ("" if unit in ("", "1") else f" {unit}")


def _with_spread(value: float, sd: float) -> str:
    """Both to the same decimal place, the second digit of the spread."""
    if not sd > 0 or not math.isfinite(sd):
        return f"{value:.4g} ± {sd:.2g}"
    place = 1 - math.floor(math.log10(sd))
    if not 0 <= place <= _PLACES:
        return f"{value:.4g} ± {sd:.2g}"
    return f"{value:.{place}f} ± {sd:.{place}f}"


def point(inputs: Mapping[str, InputValue]) -> str:
    """The inputs of a run in one line."""
    return ", ".join(f"{name} = {quantity(name, value)}" for name, value in inputs.items())


def duration(seconds: float) -> str:
    """A time span in the two largest units: ``2 h 05 min``."""
    if seconds < _MINUTE_S:
        return f"{seconds:.3g} s"
    if seconds < _HOUR_S:
        return f"{int(seconds // _MINUTE_S)} min {int(seconds % _MINUTE_S):02d} s"
    if seconds < _DAY_S:
        return f"{int(seconds // _HOUR_S)} h {int(seconds % _HOUR_S // _MINUTE_S):02d} min"
    return f"{int(seconds // _DAY_S)} d {int(seconds % _DAY_S // _HOUR_S):02d} h"


def spent(total: float, most: float | None) -> str:
    """``450 of at most 500``, in the currency of the campaign."""
    return f"{total:.6g}" + ("" if most is None else f" of at most {most:.6g}")


def count(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
