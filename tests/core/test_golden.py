"""The whole journal of one short campaign, kept as text, so that a change of it is reviewed.

After a change that is meant: ``SDL_GOLDEN=write pytest tests/core/test_golden.py``, then read the
difference.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sdl.authoring import protocol, settle, together, within
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core.commands import Command
from sdl.core.engine import Engine
from sdl.core.events import Event
from sdl.errors import DriverFault
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from sdl.wire.journal import dump
from tests.core.floor import Chances, Floor, campaign, script

GOLDEN = Path(__file__).parent / "golden" / "two_runs.txt"


@dataclass(frozen=True)
class Reading:
    """What a run observes."""

    y_au: float


@protocol
async def assay(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """Every word of the protocol language once."""
    await handler.dispense(well, {"dye": 100.0})
    await settle(30.0)
    try:
        await together(handler.mix(well, 50.0, 3), reader.absorbance(well, 600.0))
    except* DriverFault:
        await handler.mix(well, 50.0, 3)
    async with within(60):
        return Reading(x_fraction + await reader.absorbance(well, 450.0))


def as_text(journal: list[Event | Command]) -> str:
    return "".join(f"{type(line).__name__} {dump(line)}\n" for line in journal[1:])


def test_the_journal_of_a_short_campaign_is_the_one_that_was_reviewed() -> None:
    floor = Floor(Engine(script(assay)), seed=4, chances=Chances(fail=0.15))
    floor.play(campaign(stop=StopRule(runs=2), parallel=2))
    text = as_text(floor.journal)
    if os.environ.get("SDL_GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8"), "seed 4"
