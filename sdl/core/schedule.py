"""Which of the ready steps an instrument does next: always correct, needs no plan.

Earliest end of a maximum lag first, then the oldest run, then the order of asking. A step that
can still keep its window is never passed over for one that has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sdl.authoring import Act


@dataclass(frozen=True, slots=True)
class ReadyStep:
    """An action that only waits for its instrument."""

    step: str
    """``dye-450/run-7/step-2``."""
    run_number: int
    order: int
    """Grows with each step that became ready."""
    instrument: str
    act: Act
    not_after: float | None


def next_step(ready: Iterable[ReadyStep], instrument: str) -> ReadyStep | None:
    """The step that this free instrument should do now; None if none waits for it."""
    waiting = [step for step in ready if step.instrument == instrument]
    return min(waiting, key=_urgency, default=None)


def _urgency(step: ReadyStep) -> tuple[float, int, int]:
    deadline = math.inf if step.not_after is None else step.not_after
    return (deadline, step.run_number, step.order)
