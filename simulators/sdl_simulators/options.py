"""What simulators ask of their options."""

from __future__ import annotations

import math
from itertools import pairwise

from sdl.errors import DriverFault, UserMistake


def check_above_0(name: str, **options: float) -> None:
    """UserMistake if an option of the instrument ``name`` is not a number above 0."""
    for option, value in options.items():
        if not 0.0 < value < math.inf:
            raise UserMistake(f"{name}: {option} = {value}: give a number above 0")


def check_not_negative(name: str, **options: float) -> None:
    """UserMistake if an option of the instrument ``name`` is negative or no number."""
    for option, value in options.items():
        if not 0.0 <= value < math.inf:
            raise UserMistake(f"{name}: {option} = {value}: give a number, 0 or more")


def check_order(name: str, **bounds: float) -> None:
    """UserMistake unless the options, given from the lowest to the highest, grow."""
    named = list(bounds.items())
    for (low, low_value), (high, high_value) in pairwise(named):
        if not low_value < high_value:
            raise UserMistake(
                f"{name}: {low} = {low_value} is not below {high} = {high_value}; swap them"
            )


def check_within(name: str, what: str, value: float, low: float, high: float, unit: str) -> None:
    """DriverFault if what an action asks for is beyond the instrument, or no number."""
    if not low <= value <= high:
        raise DriverFault(
            f"{name}: {what} = {value} is out of reach; {low:g} to {high:g} {unit} are possible"
        )


def check_lasts(name: str, duration_s: float) -> None:
    """DriverFault if an action would take no time, or no end."""
    if not 0.0 < duration_s < math.inf:
        raise DriverFault(f"{name}: {duration_s} s is no duration; give a number above 0")
