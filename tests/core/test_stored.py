"""Plates that hold something from the beginning: the ledger knows, and no sample comes there."""

from __future__ import annotations

from dataclasses import replace

from sdl.authoring import protocol
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core.draws import objection
from sdl.core.engine import Engine
from sdl.core.inventory import Inventory
from sdl.core.replay import fold
from sdl.model.campaign import PlateChoice, StopRule
from sdl.model.lab import Lab
from sdl.model.labware import Labware, Stored, Well
from sdl.model.stock import Transfer
from tests.core.cell import KIND
from tests.core.dye import Reading
from tests.core.floor import Floor, campaign, lab, script

STORED = (
    Stored(well="A1", component="ligand", volume_ul=100.0, uncertainty_ul=2.0, lot="L-3"),
    Stored(well="B1", component="base", volume_ul=50.0),
)
LIBRARY = Labware(name="library", kind=KIND, contents=STORED)
LAB = replace(lab(), labware=(LIBRARY, *lab().labware))


@protocol
async def picked(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    await handler.transfer(Well("library", "A1"), well, 30.0 + x_fraction)
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


def played(there: Lab = LAB, **changes: object) -> Floor:
    floor = Floor(Engine(script(picked)), seed=2, there=there)
    return floor.play(campaign(stop=StopRule(runs=3, failures=1), **changes))


def test_what_is_drawn_from_a_stored_well_is_known_with_its_lot() -> None:
    floor = played()
    inventory = floor.engine.lab.inventory
    assert inventory is not None
    moves = [move for each in floor.journal if isinstance(each, do.Book) for move in each.moves]
    assert {(move.component, move.lot, move.source) for move in moves} == {
        ("ligand", "L-3", "library/A1")
    }
    drawn_ul = sum(move.volume_ul for move in moves)
    left = {each.place: each.volume_ul for each in floor.engine.contents()}
    assert abs(left["library/A1"] - (100.0 - drawn_ul)) < 1e-6
    assert left["library/B1"] == 50.0
    assert fold(script(picked), floor.journal).state_sha256() == floor.engine.state_sha256()


def test_a_well_that_holds_too_little_is_not_drawn_from() -> None:
    little = replace(LIBRARY, contents=(replace(STORED[0], volume_ul=20.0), STORED[1]))
    floor = played(replace(LAB, labware=(little, *lab().labware)))
    (refused, *_) = [each for each in floor.journal if isinstance(each, do.Refuse)]
    assert "library/A1 holds 20 µL" in refused.reason
    assert not [each for each in floor.journal if isinstance(each, do.Perform)]


def test_a_stored_well_that_was_emptied_to_the_last_drop_is_not_drawn_from_again() -> None:
    inventory = Inventory.of(LAB)
    assert inventory is not None
    base = Well("library", "B1")
    inventory.move(Transfer(base, Well("plate-1", "A1"), 50.0), "handler", "first")
    assert str(base) not in inventory.wells
    told = objection(inventory, [Transfer(base, Well("plate-1", "B1"), 1.0)])
    assert told.startswith("library/B1 holds 0 µL, 1 µL were asked for")


def test_samples_go_into_no_well_that_holds_something_and_into_no_plate_of_stored_ones() -> None:
    assert "A1" not in LIBRARY.free_wells
    assert len(LIBRARY.free_wells) == 94
    assert not PlateChoice(kind=KIND.name).fits(LIBRARY)
    floor = played(roles={"handler": ("handler",), "reader": ("reader",), "well": ("library",)})
    begun = [each for each in floor.journal if isinstance(each, do.BeginRun)]
    assert [each.roles["well"] for each in begun] == ["library/C1", "library/D1", "library/E1"]
