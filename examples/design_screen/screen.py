"""Screen: express one design of the list and measure how much of it binds."""

# ruff: noqa: ARG001 - by the numbers the planner learns; the station needs the sequence alone.

from __future__ import annotations

from dataclasses import dataclass

from sdl import protocol
from sdl.capabilities import Workstation


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What one run observes."""

    bound_percent: float
    """Share of the design that is bound, with noise: a little below 0 or above 100 at times."""


@protocol
async def screen(
    station: Workstation,
    *,
    design: str,
    net_charge: float,
    hydropathy: float,
    moment: float,
    aromatic_fraction: float,
    component_1: float,
    component_2: float,
    component_3: float,
    component_4: float,
    component_5: float,
) -> Binding:
    """One experiment; the numbers are those that belong to the sequence in the list."""
    found = await station.make({"design": design})
    return Binding(bound_percent=found["bound_percent"])
