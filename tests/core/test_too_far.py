"""Windows that no carry can keep are told before anything begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from sdl.authoring import protocol, settle, together, within
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core.forecast import Forecast, forecast
from sdl.core.needs import AsTold
from sdl.core.too_far import TooFar, Way, too_far
from sdl.core.transport import floor_of
from sdl.model.lab import Lab
from sdl.model.labware import Well
from tests.core.cell import Reading, cell, cell_script, quick_read

LEG_S = 40.0
RELAY = {"arm": ("handler", "washer", "hotel"), "arm-2": ("hotel", "reader")}
POOLS = {"handler": ("handler",), "reader": ("reader",), "washer": ("washer",)}


@protocol
async def washed_in_between(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    async with within(60.0):
        await washer.wash(well.plate, cycles=2, volume_ul=100.0)
        await settle(10.0)
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@protocol
async def late_by_itself(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    async with within(60.0):
        await settle(90.0)
        await handler.dispense(well, {"dye": 200.0 * x_fraction})
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@protocol
async def side_by_side(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    async with within(60.0):
        au, _ = await together(reader.absorbance(well, wavelength_nm=450.0), settle(1.0))
    return Reading(au)


def of_run(function: object) -> Forecast:
    wells = {"well": Well("plate-1", "A1")}
    players = {role: names[0] for role, names in POOLS.items()}
    return forecast(cell_script(function), {"x_fraction": 0.5}, wells, players, (AsTold(),))


def missed(
    function: object,
    lab: Lab,
    leg_s: float = LEG_S,
    pools: Mapping[str, Sequence[str]] = POOLS,
) -> list[TooFar]:
    found = of_run(function)
    assert not found.partial
    pieces = {piece.name for piece in lab.labware if piece.at}
    return [*too_far(found, floor_of(lab), pieces, pools, lambda *_: leg_s)]


def test_a_window_that_is_shorter_than_the_way_is_told_with_both_ends_and_who_carries() -> None:
    (one,) = missed(quick_read, cell(1, reaches=RELAY))
    assert one.before is not None
    assert (one.before.operation, one.step.operation) == ("dispense", "absorbance")
    assert (one.labware, one.needed_s, one.within_s) == ("plate-1", 2 * LEG_S, 60.0)
    assert one.way == Way(takes_s=2 * LEG_S, carriers=("arm", "arm-2"))


@pytest.mark.parametrize("leg_s,late", [(30.0, 0), (30.1, 1)])
def test_a_window_as_long_as_the_way_can_be_kept(leg_s: float, late: int) -> None:
    assert len(missed(quick_read, cell(1, reaches=RELAY), leg_s)) == late


def test_one_arm_that_reaches_both_ends_is_taken() -> None:
    assert missed(quick_read, cell(1)) == []


def test_a_person_is_a_carrier_where_no_arm_leads() -> None:
    (one,) = missed(quick_read, cell(1, reaches={}), 300.0)
    assert one.way == Way(takes_s=300.0, carriers=("",))


def test_the_nearest_of_those_that_may_play_a_role_is_taken() -> None:
    pools = {**POOLS, "reader": ("reader", "handler")}
    assert missed(quick_read, cell(1, reaches=RELAY), pools=pools) == []


def test_what_every_instrument_reaches_is_not_carried() -> None:
    there = cell(1, reaches=RELAY)
    everywhere = tuple(replace(piece, at="") for piece in there.labware)
    assert missed(quick_read, replace(there, labware=everywhere)) == []


def test_carries_and_what_is_done_between_them_add_up() -> None:
    assert missed(washed_in_between, cell(1), 25.0) == []
    (late,) = missed(washed_in_between, cell(1), 25.1)
    assert late.step.operation == "absorbance"
    assert late.needed_s == pytest.approx(60.2)


def test_what_is_late_without_a_carry_is_nothing_for_the_arms() -> None:
    assert of_run(late_by_itself).steps[0].is_late
    assert missed(late_by_itself, cell(1)) == []


def test_the_way_counts_within_a_fork() -> None:
    (one,) = missed(side_by_side, cell(1, reaches=RELAY))
    assert one.needed_s == 2 * LEG_S
