"""A plan of the scheduler, as it comes into the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One step in a plan; of a run that has not begun, by the number that it will have."""

    step: str
    instrument: str
    start: float
    """Lab time."""
    duration_s: float
    """Expected, in lab seconds."""
    quick_s: float = 0.0
    """Lab seconds after which it may be over where all goes fast; 0: nobody knows."""
    bring_s: float = 0.0
    """Lab seconds before its start at which its labware is to be fetched; 0: it is there."""
    carry_s: float = 0.0
    """Lab seconds for which its labware is on the way then."""
    away_s: float | None = None
    """Lab seconds after its end at which its labware is to be put away; None: not after it."""
    carriers: tuple[tuple[str, str], ...] = ()
    """Of its carries that several transporters could do: the carry, and the one that is to."""
    opened_by: str = ""
    """The step at whose end the short window opens in which this one has to start, if any."""
    least_s: float = 0.0
    """From that end to its start at least, ..."""
    most_s: float = 0.0
    """... and at most."""
    opens: float = 0.0
    """Of a window that is open, or settles: lab time before which it cannot start, ..."""
    closes: float | None = None
    """... and after which it is late; None where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanArrived:
    """The scheduler answered, or was given up on: then there are no steps, and a cause."""

    at: float
    basis: int
    """Number of the journal line whose state it was made for."""
    asked_at: float
    """Lab time of that state."""
    status: Literal["optimal", "feasible", "repaired", "unknown"]
    """*repaired*: the plan before, shifted to where it can be. *unknown*: there is none."""
    cause: str
    """Why it was asked for; without steps, what went wrong."""
    steps: tuple[Planned, ...] = ()
    ends: tuple[tuple[str, float], ...] = ()
    """Lab time at which each run is expected to end."""
    breaks: tuple[str, ...] = ()
    """Steps whose windows the plan cannot keep."""
    found_by: str = ""
    """The method that it came from."""
    seconds: float = 0.0
    """Wall seconds that were spent on it; 0 in virtual time."""
    versions: tuple[tuple[str, str], ...] = ()
