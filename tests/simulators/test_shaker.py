"""The simulated shaker: a well is mixed once its liquid moves, and long enough."""

from __future__ import annotations

import pytest

from sdl.errors import DriverFault
from sdl.model.labware import Plate, Well
from sdl.sim import Bench
from sdl.wire.labware_kinds import labware_kind
from sdl_simulators.physics import critical_rpm
from sdl_simulators.shaker import SimulatedShaker

PLATE = Plate("plate-1")
FULL, LOW = Well("plate-1", "A1"), Well("plate-1", "A2")


async def shaken(speed_rpm: float, duration_s: float) -> Bench:
    bench = Bench.instant()
    for well, volume_ul in ((FULL, 300.0), (LOW, 30.0)):
        bench.add(well, {"dye": volume_ul / 2.0, "buffer": volume_ul / 2.0})
    await SimulatedShaker(name="shaker", bench=bench).shake(PLATE, speed_rpm, duration_s)
    return bench


def test_less_liquid_and_smaller_circles_need_more_speed() -> None:
    kind = labware_kind("plate-96-flat")
    assert critical_rpm(kind, 30.0, 2.0) > critical_rpm(kind, 300.0, 2.0)
    assert critical_rpm(kind, 200.0, 1.0) > critical_rpm(kind, 200.0, 3.0)
    assert critical_rpm(kind, 200.0, 3.0) == pytest.approx(486.0, rel=0.05)
    assert critical_rpm(labware_kind("plate-384-flat"), 28.0, 2.0) > 1000.0


async def test_wells_above_their_critical_speed_are_mixed_and_the_others_are_not() -> None:
    bench = await shaken(900.0, 30.0)
    assert (bench.rest_s(FULL) > 1e9, bench.rest_s(LOW) > 1e9) == (True, False)
    bench = await shaken(2500.0, 30.0)
    assert (bench.rest_s(FULL) > 1e9, bench.rest_s(LOW) > 1e9) == (True, True)


async def test_a_moment_of_shaking_mixes_nothing() -> None:
    assert (await shaken(2500.0, 2.0)).rest_s(FULL) < 10.0


@pytest.mark.parametrize("speed_rpm", [100.0, 5000.0, float("nan")])
async def test_a_speed_out_of_reach_is_refused(speed_rpm: float) -> None:
    with pytest.raises(DriverFault, match="out of reach; 200 to 3000 rpm are possible"):
        await shaken(speed_rpm, 10.0)
