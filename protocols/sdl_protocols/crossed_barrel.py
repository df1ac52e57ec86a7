"""Crossed barrel: print one structure of crossed struts and crush it."""

from __future__ import annotations

from dataclasses import dataclass

from sdl import protocol
from sdl.capabilities import Workstation


@dataclass(frozen=True, slots=True, kw_only=True)
class CrushTest:
    """What one run observes."""

    toughness_j: float
    """Area under the force-displacement curve, in joules."""


@protocol
async def crossed_barrel(
    station: Workstation,
    *,
    strut_count: int,
    twist_deg: float,
    strut_radius_mm: float,
    wall_mm: float,
) -> CrushTest:
    """Print and crush one structure; the recipe's keys are the columns of the data set."""
    found = await station.make(
        {"n": strut_count, "theta": twist_deg, "r": strut_radius_mm, "t": wall_mm}
    )
    return CrushTest(toughness_j=found["toughness"])
