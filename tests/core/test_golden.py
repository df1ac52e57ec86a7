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
from sdl.core.commands import Command, Release
from sdl.core.engine import Engine
from sdl.core.events import (
    AbortRequested,
    Event,
    LabStopRequested,
    PauseRequested,
    StepResolved,
)
from sdl.errors import DriverFault
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from sdl.model.policy import Rule
from sdl.wire.journal import dump
from tests.core.floor import Chances, Floor, campaign, script

GOLDEN = Path(__file__).parent / "golden"


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


@protocol
async def mend(reader: PlateReader, handler: LiquidHandler, well: Well) -> None:
    """Look at the well, then rinse it."""
    await reader.absorbance(well, 600.0)
    await handler.mix(well, 50.0, 1)


def check(name: str, floor: Floor) -> None:
    """The journal is the one that was reviewed, or is written anew where that is asked for."""
    text, path = as_text(floor.journal), GOLDEN / name
    if os.environ.get("SDL_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"seed {floor.seed}"


def test_the_journal_of_a_short_campaign_is_the_one_that_was_reviewed() -> None:
    floor = Floor(Engine(script(assay)), seed=4, chances=Chances(fail=0.15))
    check("two_runs.txt", floor.play(campaign(stop=StopRule(runs=2), parallel=2)))


def test_the_journal_of_a_bad_day_is_the_one_that_was_reviewed() -> None:
    """Nodes die, words get lost and come twice, people pause, abort, stop and answer."""
    odds = Chances(unknown=0.15, fail=0.05, refuse=0.05, lose=0.05, repeat=0.1, incidents=4)
    floor = Floor(Engine(script(assay, mend=mend)), seed=440, chances=odds, simulated=False)
    recover = Rule(then="recover", on=("driver", "refused"), protocol="mend")
    check("a_bad_day.txt", floor.play(campaign(stop=StopRule(runs=2), policy=(recover,))))
    seen = {type(line) for line in floor.journal}
    assert {AbortRequested, LabStopRequested, PauseRequested, StepResolved, Release} <= seen
