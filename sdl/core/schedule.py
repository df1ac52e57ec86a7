"""Which of the ready steps an instrument does next: always correct, needs no plan.

Earliest end of a maximum lag first, then the oldest run, then the order of asking. A step that
can still keep its window is never passed over for one that has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyStep:
    """An action that only waits for its instrument."""

    step: str
    """``dye-450/run-7/step-2``."""
    run_number: int
    order: int
    """Grows with each step that became ready."""
    not_after: float | None


def next_step(ready: Iterable[ReadyStep]) -> ReadyStep:
    """Which of the steps that wait for one instrument it should do now; at least one waits."""
    return min(ready, key=_urgency)


def _urgency(step: ReadyStep) -> tuple[float, int, int]:
    deadline = math.inf if step.not_after is None else step.not_after
    return (deadline, step.run_number, step.order)
