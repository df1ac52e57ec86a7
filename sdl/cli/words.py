"""Numbers, points and times as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from sdl.model.data import InputValue
from sdl.model.units import unit_of

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86400


def quantity(name: str, value: InputValue, sd: float | None = None) -> str:
    """A value with its unit, and its standard deviation if known: ``0.802 ± 0.004 AU``."""
    if isinstance(value, str):
        return value
    spread = "" if sd is None else f" ± {sd:.2g}"
    unit = unit_of(name)
    return f"{value:.4g}{spread}" + ("" if unit in ("", "1") else f" {unit}")


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


def count(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
