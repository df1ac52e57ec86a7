"""The simulated liquid handler: liquids are neither made nor lost, and errors are as told."""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.errors import DriverFault, OutOfMaterial, UserMistake
from sdl.model.labware import Well
from sdl.sim import Bench
from sdl.wire.labware_kinds import labware_kind
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

WELLS = labware_kind("plate-96-flat").wells
A1, A2 = Well("plate-1", "A1"), Well("plate-1", "A2")
SOURCES_UL = {"dye": 3_000.0, "buffer": 4_000.0}


def handler_on(bench: Bench, **options: float) -> SimulatedLiquidHandler:
    given: dict[str, Any] = {"sources_ul": SOURCES_UL, **options}
    return SimulatedLiquidHandler(name="handler", bench=bench, **given)


volumes = st.floats(min_value=0.0, max_value=200.0)
orders = st.lists(st.tuples(st.sampled_from(WELLS[:6]), volumes, volumes), max_size=20)


@given(orders=orders, seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_what_leaves_the_sources_arrives_in_the_wells(
    orders: list[tuple[str, float, float]], seed: int
) -> None:
    async def run() -> tuple[float, float, float]:
        bench = Bench.instant(seed=seed)
        handler = handler_on(bench)
        for name, dye_ul, buffer_ul in orders:
            try:
                await handler.dispense(Well("plate-1", name), {"dye": dye_ul, "buffer": buffer_ul})
            except OutOfMaterial:
                continue
        wells = [Well("plate-1", name) for name in WELLS]
        fullest_ul = max(bench.volume_ul(well) for well in wells)
        return (
            sum(SOURCES_UL[name] - handler.left_ul(name) for name in SOURCES_UL),
            sum(bench.volume_ul(well) for well in wells),
            fullest_ul,
        )

    gone_ul, arrived_ul, fullest_ul = asyncio.run(run())
    assert gone_ul == pytest.approx(arrived_ul, abs=1e-6), f"seed {seed}"
    assert fullest_ul <= labware_kind("plate-96-flat").capacity_ul + 1e-6, f"seed {seed}"


@pytest.mark.parametrize("seed", [1, 2])
async def test_small_volumes_err_more_than_large_ones(seed: int) -> None:
    async def spread(volume_ul: float) -> float:
        bench = Bench.instant(seed=seed)
        handler = SimulatedLiquidHandler(name="h", bench=bench, sources_ul={"dye": 50_000.0})
        for name in WELLS:
            await handler.dispense(Well("plate-1", name), {"dye": volume_ul})
        moved = [bench.volume_ul(Well("plate-1", name)) for name in WELLS]
        assert statistics.mean(moved) == pytest.approx(volume_ul, rel=0.02), f"seed {seed}"
        return statistics.stdev(moved) / volume_ul

    small, large = await spread(10.0), await spread(300.0)
    assert 0.03 < small < 0.08, f"seed {seed}"
    assert large < 0.006, f"seed {seed}"


async def test_a_well_never_overflows_and_the_refusal_moves_nothing() -> None:
    bench = Bench.instant()
    handler = handler_on(bench)
    await handler.dispense(A1, {"dye": 300.0})
    before = bench.snapshot()
    with pytest.raises(OutOfMaterial, match=r"plate-1/A1 holds .* of 360 µL"):
        await handler.dispense(A1, {"dye": 50.0, "buffer": 50.0})
    assert bench.snapshot() == before


async def test_the_dead_volume_of_a_source_stays_in_it() -> None:
    handler = SimulatedLiquidHandler(
        name="h", bench=Bench.instant(), sources_ul={"dye": 300.0}, dead_volume_ul=200.0
    )
    await handler.dispense(A1, {"dye": 60.0})
    with pytest.raises(OutOfMaterial, match=r"'dye' has .* can be drawn, 60.0 µL were asked"):
        await handler.dispense(A1, {"dye": 60.0})


async def test_tips_run_out_with_a_kind_error() -> None:
    handler = handler_on(Bench.instant(), tips=3)
    await handler.dispense(A1, {"dye": 10.0, "buffer": 10.0})
    assert handler.tips_left == 1
    with pytest.raises(OutOfMaterial, match="2 fresh tips are needed, 1 are left; put a new rack"):
        await handler.dispense(A1, {"dye": 10.0, "buffer": 10.0})


async def test_tips_come_from_racks_that_the_lab_names_and_end_in_a_waste_that_fills() -> None:
    plates = {"plate-1": "plate-96-flat", "tips-1": "hamilton_96_tiprack_300uL"}
    bench = Bench.instant(plates=plates)
    handler = SimulatedLiquidHandler(
        name="h", bench=bench, sources_ul=SOURCES_UL, tip_racks=["tips-1"], waste_tips=2
    )
    assert handler.tips_left == 96
    await handler.dispense(A1, {"dye": 10.0, "buffer": 10.0})
    with pytest.raises(OutOfMaterial, match="the waste is full of used tips; empty it"):
        await handler.dispense(A1, {"dye": 10.0})
    for racks, words in ((["tips-9"], "no plate 'tips-9'"), (["plate-1"], "is no rack of tips")):
        with pytest.raises(UserMistake, match=f"h: tip_racks: .*{words}"):
            SimulatedLiquidHandler(name="h", bench=bench, sources_ul=SOURCES_UL, tip_racks=racks)


async def test_a_volume_of_zero_costs_neither_tip_nor_time() -> None:
    bench = Bench.instant()
    handler = handler_on(bench, tips=0)
    await handler.dispense(A1, {"dye": 0.0})
    assert (bench.clock.now(), bench.contents(A1)) == (0.0, {})


async def test_a_transfer_keeps_the_composition() -> None:
    bench = Bench.instant(seed=3)
    handler = handler_on(bench)
    await handler.dispense(A1, {"dye": 100.0, "buffer": 200.0})
    was = bench.contents(A1)["dye"] / bench.volume_ul(A1)
    total_ul = bench.volume_ul(A1)
    await handler.transfer(A1, A2, 120.0)
    assert bench.contents(A2)["dye"] / bench.volume_ul(A2) == pytest.approx(was)
    assert bench.volume_ul(A1) + bench.volume_ul(A2) == pytest.approx(total_ul)
    with pytest.raises(OutOfMaterial, match="plate-1/A1 holds"):
        await handler.transfer(A1, A2, 230.0)


async def test_mixing_makes_a_well_even_and_keeps_its_volume() -> None:
    bench = Bench.instant()
    handler = handler_on(bench)
    await handler.dispense(A1, {"dye": 50.0, "buffer": 50.0})
    held_ul, rest_s = bench.volume_ul(A1), bench.rest_s(A1)
    await handler.mix(A1, 60.0, 5)
    assert bench.volume_ul(A1) == held_ul
    assert rest_s < 60.0 < bench.rest_s(A1)
    with pytest.raises(OutOfMaterial, match="plate-1/A1 holds"):
        await handler.mix(A1, 200.0, 5)


async def test_larger_volumes_and_more_tipfuls_take_longer() -> None:
    async def duration_s(volume_ul: float, **options: float) -> float:
        bench = Bench.instant()
        await handler_on(bench, **options).dispense(A1, {"dye": volume_ul})
        return bench.clock.now()

    assert 10.0 < await duration_s(10.0) < await duration_s(300.0) < 30.0
    assert await duration_s(300.0) < await duration_s(300.0, tip_volume_ul=100.0)


@pytest.mark.parametrize(
    "volumes_ul, words",
    [
        ({"milk": 1.0}, "no source 'milk'; it has: dye, buffer"),
        ({"dye": -1.0}, "is no volume"),
        ({"dye": float("nan")}, "is no volume"),
    ],
)
async def test_nonsense_is_refused(volumes_ul: dict[str, float], words: str) -> None:
    with pytest.raises(DriverFault, match=words):
        await handler_on(Bench.instant()).dispense(A1, volumes_ul)


async def test_unknown_plates_wells_and_cycles_are_refused() -> None:
    handler = handler_on(Bench.instant())
    with pytest.raises(DriverFault, match="no plate 'plate-9' on the bench; it has: plate-1"):
        await handler.dispense(Well("plate-9", "A1"), {"dye": 1.0})
    with pytest.raises(DriverFault, match="has no well 'Z99'"):
        await handler.dispense(Well("plate-1", "Z99"), {"dye": 1.0})
    with pytest.raises(DriverFault, match="give 1 to 50"):
        await handler.mix(A1, 10.0, 0)


async def test_make_safe_ends_the_action_under_way() -> None:
    bench = Bench.instant()
    handler = handler_on(bench)
    action = asyncio.ensure_future(handler.dispense(A1, {"dye": 50.0, "buffer": 50.0}))
    await asyncio.sleep(0)
    await handler.make_safe()
    with pytest.raises(DriverFault, match="stopped by make_safe"):
        await action
    assert "buffer" not in bench.contents(A1)
    await handler.dispense(A1, {"dye": 50.0})  # the next action is a new decision


@pytest.mark.parametrize(
    "options, words",
    [
        ({"flow_ul_per_s": 0.0}, "handler: flow_ul_per_s = 0.0: give a number above 0"),
        ({"error_cv": -0.1}, "handler: error_cv = -0.1: give a number, 0 or more"),
        ({"dead_volume_ul": float("nan")}, "handler: dead_volume_ul = nan"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        handler_on(Bench.instant(), **options)
