"""What an action will probably take and give, told by whoever knows before it is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Of one action with its arguments. A hint: nothing becomes wrong when it does not hold."""

    duration_s: float
    """Lab seconds from start to end, 0 or more."""
    spread_s: float = 0.0
    """Standard deviation of that."""
    result: object = None
    """What the action will give, of its declared type; None where that is not known, or nothing."""
