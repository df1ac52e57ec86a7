"""The simulated sealer: a foil that is hot enough for long enough holds, and is used up anyhow."""

from __future__ import annotations

import json

import pytest

from sdl.errors import DriverFault, OutOfMaterial
from sdl.model.labware import Plate, Well
from sdl.sim import Bench
from sdl_simulators.liquid_handler import SimulatedLiquidHandler
from sdl_simulators.sealer import SimulatedSealer

PLATE = Plate("plate-1")


@pytest.mark.parametrize(
    "temperature_c, duration_s, holds",
    [(175.0, 2.0, True), (175.0, 0.2, False), (100.0, 5.0, False)],
)
async def test_a_foil_holds_if_it_was_hot_and_long_enough(
    temperature_c: float, duration_s: float, *, holds: bool
) -> None:
    bench = Bench.instant()
    sealer = SimulatedSealer(name="sealer", bench=bench, foils=3)
    await sealer.seal(PLATE, temperature_c, duration_s)
    assert bench.floor.is_sealed("plate-1") is holds
    assert sealer.foils_left == 2


async def test_nothing_is_filled_into_a_sealed_plate_also_after_a_restart() -> None:
    bench, later = Bench.instant(), Bench.instant()
    await SimulatedSealer(name="sealer", bench=bench).seal(PLATE, 175.0, 2.0)
    later.restore(json.loads(json.dumps(bench.snapshot())))
    handler = SimulatedLiquidHandler(name="handler", bench=later, sources_ul={"dye": 1e4})
    with pytest.raises(DriverFault, match="handler: 'plate-1' is sealed"):
        await handler.dispense(Well("plate-1", "A1"), {"dye": 10.0})


async def test_the_press_warms_up_once() -> None:
    bench = Bench.instant()
    sealer = SimulatedSealer(name="sealer", bench=bench, ramp_c_s=1.0, handling_s=10.0)
    await sealer.seal(PLATE, 172.0, 2.0)
    first_s = bench.clock.now()
    await sealer.seal(PLATE, 172.0, 2.0)
    assert (first_s, bench.clock.now() - first_s) == (150.0 + 12.0, 12.0)


async def test_what_cannot_be_sealed_is_refused() -> None:
    bench = Bench.instant(plates={"plate-1": "plate-96-flat", "t": "hamilton_96_tiprack_300uL"})
    sealer = SimulatedSealer(name="sealer", bench=bench, foils=0)
    with pytest.raises(OutOfMaterial, match="no foil left; put a new roll in"):
        await sealer.seal(PLATE, 175.0, 2.0)
    with pytest.raises(DriverFault, match="t is a tip_rack; only plates are sealed"):
        await sealer.seal(Plate("t"), 175.0, 2.0)
    with pytest.raises(DriverFault, match=r"temperature_c = 300.0 is out of reach; 50 to 200"):
        await sealer.seal(PLATE, 300.0, 2.0)
