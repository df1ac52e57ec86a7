"""The simulated washer: each cycle thins the residue, and liquids are neither made nor lost."""

from __future__ import annotations

from typing import Any

import pytest

from sdl.errors import DriverFault, OutOfMaterial
from sdl.model.labware import Plate, Well
from sdl.sim import Bench
from sdl_simulators.washer import SUPPLY, WASTE, SimulatedWasher

PLATE, A1 = Plate("plate-1"), Well("plate-1", "A1")


async def washed(cycles: int, volume_ul: float, **options: Any) -> Bench:  # noqa: ANN401 - any option
    bench = Bench.instant(seed=5)
    bench.add(A1, {"dye": 200.0})
    washer = SimulatedWasher(name="washer", bench=bench, **options)
    await washer.wash(PLATE, cycles, volume_ul)
    return bench


@pytest.mark.parametrize("cycles", [1, 2, 3])
async def test_each_cycle_thins_the_residue_by_the_same_factor(cycles: int) -> None:
    bench = await washed(cycles, 297.0, residual_ul=3.0, fill_cv=0.0)
    assert bench.volume_ul(A1) == pytest.approx(3.0)
    assert bench.contents(A1)["dye"] == pytest.approx(3.0 * 0.01**cycles, rel=1e-6)


async def test_all_wells_hold_the_residue_afterwards_and_what_came_went_to_the_waste() -> None:
    bench = await washed(2, 250.0)
    held_ul = sum(bench.volume_ul(well) for well in bench.filled("plate-1"))
    assert len(bench.filled("plate-1")) == 96
    assert held_ul == pytest.approx(96 * 3.0)
    supplied_ul = 2_000_000.0 - bench.left("washer", SUPPLY)
    wasted_ul = 4_000_000.0 - bench.left("washer", WASTE)
    assert 200.0 + supplied_ul == pytest.approx(held_ul + wasted_ul)
    assert supplied_ul == pytest.approx(2 * 96 * 250.0, rel=0.02), "seed 5"


@pytest.mark.parametrize(
    "asked, options, error, words",
    [
        ((0, 200.0), {}, DriverFault, "cycles = 0: give 1 to 20"),
        ((1, float("nan")), {}, DriverFault, "nan µL is no volume"),
        ((1, 400.0), {}, OutOfMaterial, "400 µL do not fit into the wells"),
        ((3, 300.0), {"supply_ul": 50_000.0}, OutOfMaterial, "86.4 mL of buffer are needed, 50.0"),
        ((3, 300.0), {"waste_ul": 50_000.0}, OutOfMaterial, "has room for 50.0 mL, 86.6 are com"),
    ],
)
async def test_what_cannot_be_washed_is_refused_and_changes_nothing(
    asked: tuple[int, float], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await washed(*asked, **options)


async def test_a_sealed_plate_is_not_washed() -> None:
    bench = Bench.instant()
    bench.floor.seal("plate-1")
    with pytest.raises(DriverFault, match="washer: 'plate-1' is sealed; nothing gets in or out"):
        await SimulatedWasher(name="washer", bench=bench).wash(PLATE, 1, 100.0)
