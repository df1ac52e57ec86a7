"""A plate that was washed is empty by the ledger, and the wash liquid is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.capabilities import Sealer, Washer
from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.core.inventory import Inventory
from sdl.core.replay import fold
from sdl.model.action import operations_of
from sdl.model.campaign import StopRule
from sdl.model.data import JsonValue
from sdl.model.labware import Plate, Well
from sdl.model.stock import Pieces, Source, Stocks, Transfer, Wash
from tests.core.cell import KIND, Cell, cell, cell_campaign, cell_script, wash_assay
from tests.core.floor import Chances

A1, B1, OTHER = Well("plate-1", "A1"), Well("plate-1", "B1"), Well("plate-2", "A1")
RINSED_UL = 2 * 100.0 * len(KIND.wells)
"""What ``wash_assay`` asks for: two cycles of 100 µL."""


def stocks(wash_ul: float, waste_ul: float | None = None) -> tuple[Stocks, ...]:
    sources = {"wash": Source(volume_ul=wash_ul)}
    if waste_ul is not None:
        sources["liquid_waste"] = Source(volume_ul=waste_ul)
    return (
        Stocks(instrument="handler", sources={"dye": Source(volume_ul=5_000.0)}, error_ul=0.5),
        Stocks(instrument="washer", sources=sources),
    )


def ledger(waste_ul: float | None = None) -> Inventory:
    inventory = Inventory.of(replace(cell(2), stocks=stocks(100_000.0, waste_ul)))
    assert inventory is not None
    for well in (A1, B1, OTHER):
        inventory.move(Transfer("dye", well, 120.0), "handler", "filled")
    return inventory


def test_all_that_is_in_the_wells_of_a_plate_goes_to_waste_and_nothing_is_lost() -> None:
    inventory = ledger()
    before = inventory.total_pl()
    moves = operations_of(Washer)["wash"].transfers(
        {"plate": {"labware": "plate-1"}, "cycles": 2, "volume_ul": 100.0}
    )
    assert moves == (Wash(Plate("plate-1"), "wash", 200.0, "liquid_waste"),)
    for transfer in inventory.transfers(moves, "washer"):
        inventory.take_down(transfer, "washer", "washed")
    assert list(inventory.wells) == [str(OTHER)]
    assert inventory.level("washer/wash").volume_ul == 100_000.0 - RINSED_UL
    assert inventory.total_pl() == before


def test_what_is_drawn_off_takes_room_for_waste_where_that_is_declared() -> None:
    inventory = ledger(waste_ul=50_000.0)
    before = inventory.total_pl()
    wash = Wash(Plate("plate-1"), "wash", 200.0, "liquid_waste")
    for transfer in inventory.transfers((wash,), "washer"):
        inventory.take_down(transfer, "washer", "washed")
    drawn_off_ul = RINSED_UL + 2 * 120.0
    assert inventory.level("washer/liquid_waste").volume_ul == 50_000.0 - drawn_off_ul
    assert inventory.total_pl() == before


def test_a_seal_uses_up_a_foil() -> None:
    arguments: dict[str, JsonValue] = {
        "plate": {"labware": "plate-1"},
        "temperature_c": 165.0,
        "duration_s": 2.0,
    }
    assert operations_of(Sealer)["seal"].transfers(arguments) == (Pieces("foils", 1),)
    foils = Source(volume_ul=3.0, is_counted=True)
    sealer = Stocks(instrument="sealer", sources={"foils": foils})
    inventory = Inventory.of(replace(cell(1), stocks=(sealer,)))
    assert inventory is not None
    for transfer in inventory.transfers((Pieces("foils", 1),), "sealer"):
        inventory.take_down(transfer, "sealer", "sealed")
    assert inventory.level("sealer/foils").volume_ul == 2.0


def test_a_wash_that_failed_on_the_way_leaves_the_wells_in_doubt() -> None:
    inventory = ledger()
    wash = Wash(Plate("plate-1"), "wash", 200.0)
    inventory.doubt_wells(inventory.transfers((wash,), "washer"), "try-1")
    found = {one.place: one.doubt_ul for one in inventory.described() if one.component == "dye"}
    assert found == {"handler/dye": 0.0, str(A1): 120.0, str(B1): 120.0, str(OTHER): 0.0}


def played(wash_ul: float, waste_ul: float | None = None) -> Cell:
    """Three runs of which each fills a well, has its plate washed, and fills it again."""
    floor = Cell(
        Engine(cell_script(wash_assay)),
        seed=1,
        chances=Chances(),
        simulated=False,
        clock="wall",
        there=cell(1, hotel=1),
        stocks=stocks(wash_ul, waste_ul),
    )
    floor.play(cell_campaign(range(1, 2), stop=StopRule(runs=3, failures=100)))
    return floor


def test_a_well_that_is_filled_again_after_a_wash_holds_what_came_then() -> None:
    floor = played(10 * RINSED_UL)
    assert not any(isinstance(one, do.Flag) for one in floor.journal)
    used = [
        book.levels[0].volume_ul
        for book in floor.journal
        if isinstance(book, do.Book) and book.why == "used"
        if book.levels[0].source == "washer/wash"
    ]
    assert used == pytest.approx([(10 - washed) * RINSED_UL for washed in (1, 2, 3)])
    inventory = floor.engine.lab.inventory
    assert inventory is not None
    assert [mixture.volume_pl for mixture in inventory.wells.values()] == [100_000_000]
    again = fold(cell_script(wash_assay), floor.journal)
    assert again.state_sha256() == floor.engine.state_sha256()


def test_a_run_does_not_begin_without_enough_to_wash_with() -> None:
    floor = played(2.5 * RINSED_UL)
    (asked,) = [one for one in floor.journal if isinstance(one, do.AskRefill)]
    assert (asked.source, asked.missing_ul) == ("washer/wash", 0.5 * RINSED_UL)
    before = floor.journal[: floor.journal.index(asked)]
    assert sum(isinstance(one, do.BeginRun) for one in before) == 2


def test_a_run_does_not_begin_without_room_for_what_is_washed_off() -> None:
    floor = played(10 * RINSED_UL, waste_ul=2.5 * RINSED_UL)
    (asked,) = [one for one in floor.journal if isinstance(one, do.AskRefill)]
    assert asked.source == "washer/liquid_waste"
    before = floor.journal[: floor.journal.index(asked)]
    assert sum(isinstance(one, do.BeginRun) for one in before) == 2
