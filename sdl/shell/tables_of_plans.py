"""The table of what the scheduler answered."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.shell.columns import Big, Key, Prose, metadata, table


@table("plan", metadata)
@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan as it came, or why none did: then it has no steps, and the one before stays in force.

    At any moment the plan's age is the lab time since ``asked_at`` of the last one with steps.
    """

    campaign: Key[str]
    """The journal's: a lab has one plan, whosesoever the steps are."""
    seq: Key[Big]
    asked_at: float
    """When the lab stood as the plan takes it to stand."""
    arrived_at: float
    status: str
    """``optimal``, ``feasible``, ``repaired`` or ``unknown``."""
    cause: Prose
    """Why it was asked for; without steps, what went wrong."""
    found_by: str
    seconds: float
    """Wall seconds that were spent on it; 0 in virtual time."""
    steps: int
    breaks: int
    """Steps whose windows it cannot keep."""
    last_seq: Big
