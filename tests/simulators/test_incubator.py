"""The simulated incubator: warmth takes time, open wells lose water and nothing else."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Plate, Well
from sdl.sim import Bench
from sdl.wire.labware_kinds import labware_kind
from sdl_simulators.incubator import SimulatedIncubator
from sdl_simulators.physics import critical_rpm, evaporated_ul, saturation_pa

PLATE, A1 = Plate("plate-1"), Well("plate-1", "A1")
DAY_S = 86_400.0


def incubator_on(bench: Bench, **options: Any) -> SimulatedIncubator:  # noqa: ANN401 - any option
    return SimulatedIncubator(name="incubator", bench=bench, **options)


async def held_after(duration_s: float, *, seal: bool = False, **options: Any) -> dict[str, float]:  # noqa: ANN401 - any option
    bench = Bench.instant()
    bench.add(A1, {"dye": 20.0, "buffer": 180.0})
    if seal:
        bench.floor.seal("plate-1")
    await incubator_on(bench, **options).incubate(PLATE, duration_s, 37.0)
    return dict(bench.contents(A1))


async def test_the_chamber_warms_first_and_stays_warm_for_the_next_plate() -> None:
    bench = Bench.instant()
    incubator = incubator_on(bench, ramp_c_min=0.5, room_c=22.0)
    await incubator.incubate(PLATE, 600.0, 37.0)
    assert bench.clock.now() == pytest.approx(15.0 / 0.5 * 60.0 + 600.0)
    assert incubator.temperature_c == 37.0
    await incubator.incubate(PLATE, 600.0, 37.0)
    assert bench.clock.now() == pytest.approx(15.0 / 0.5 * 60.0 + 1200.0)


async def test_only_water_evaporates_so_what_is_dissolved_becomes_stronger() -> None:
    held = await held_after(DAY_S)
    assert held["dye"] == 20.0
    assert 140.0 < held["buffer"] < 175.0
    assert (await held_after(DAY_S, volatile=["ethanol"]))["buffer"] == 180.0


async def test_damp_air_short_times_and_seals_save_water() -> None:
    lost = {
        name: 180.0 - held["buffer"]
        for name, held in {
            "long": await held_after(DAY_S),
            "short": await held_after(3600.0),
            "dry": await held_after(3600.0, humidity_fraction=0.5),
            "damp": await held_after(3600.0, humidity_fraction=1.0),
            "sealed": await held_after(DAY_S, seal=True),
        }.items()
    }
    assert lost["sealed"] == lost["damp"] == 0.0
    assert 0.0 < lost["short"] < lost["long"]
    assert lost["dry"] == pytest.approx(10.0 * lost["short"], rel=0.1)


async def test_a_well_dries_up_and_no_further() -> None:
    held = await held_after(100 * DAY_S, humidity_fraction=0.2)
    assert held == {"dye": 20.0}


def test_evaporation_follows_stefans_tube() -> None:
    kind = labware_kind("plate-96-flat")
    args = {"temperature_c": 37.0, "humidity": 0.5}
    hour, four = (evaporated_ul(kind, 50.0, duration_s=s, **args) for s in (3600.0, 14_400.0))
    assert hour < four < 4.0 * hour  # the gap grows
    fuller = evaporated_ul(kind, 300.0, duration_s=3600.0, **args)
    assert fuller > hour  # a surface near the rim is nearer to the dry air
    assert saturation_pa(37.0) == pytest.approx(6275.0, rel=0.01)  # steam tables
    assert saturation_pa(20.0) == pytest.approx(2339.0, rel=0.01)


async def test_plates_at_one_setting_share_the_chamber_and_another_setting_waits() -> None:
    plates = {f"plate-{n}": "plate-96-flat" for n in (1, 2)}
    bench = Bench.instant(plates=plates)
    incubator = incubator_on(bench)
    first = asyncio.ensure_future(incubator.incubate(PLATE, 3600.0, 37.0))
    await asyncio.sleep(0)
    with pytest.raises(DriverFault, match="it is at 37 degrees and 0 rpm for another plate; wait"):
        await incubator.incubate(Plate("plate-2"), 3600.0, 42.0)
    await asyncio.gather(first, incubator.incubate(Plate("plate-2"), 3600.0, 37.0))
    await incubator.incubate(Plate("plate-2"), 3600.0, 42.0)


async def test_shaking_mixes_above_the_critical_speed_and_not_below() -> None:
    async def mixed(rpm: float) -> bool:
        bench = Bench.instant()
        bench.add(A1, {"dye": 100.0, "buffer": 100.0})
        await incubator_on(bench).incubate(PLATE, 60.0, 37.0, rpm)
        return bench.rest_s(A1) > 1e9

    critical = critical_rpm(labware_kind("plate-96-flat"), 200.0, 2.0)
    assert await mixed(critical + 50.0)
    assert not await mixed(critical - 50.0)


async def test_make_safe_switches_the_heater_off_and_spoils_the_incubation() -> None:
    bench = Bench.instant()
    incubator = incubator_on(bench)
    keeping = asyncio.ensure_future(incubator.incubate(PLATE, 3600.0, 37.0))
    await asyncio.sleep(0)
    await incubator.make_safe()
    with pytest.raises(DriverFault, match="stopped by make_safe"):
        await keeping
    assert incubator.temperature_c == 22.0


@pytest.mark.parametrize(
    "asked, words",
    [
        ((0.0, 37.0), "0.0 s is no duration"),
        ((math.inf, 37.0), "inf s is no duration"),
        ((60.0, 95.0), "temperature_c = 95.0 is out of reach; 4 to 50 degrees"),
        ((60.0, 37.0, 5000.0), "shaking_rpm = 5000.0 is out of reach; 0 to 1200 rpm"),
    ],
)
async def test_what_is_out_of_reach_is_refused(asked: tuple[float, ...], words: str) -> None:
    with pytest.raises(DriverFault, match=words):
        await incubator_on(Bench.instant()).incubate(PLATE, *asked)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"low_c": 60.0}, "low_c = 60.0 is not below high_c = 50.0"),
        ({"humidity_fraction": 1.5}, "humidity_fraction = 1.5: give 0 to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        incubator_on(Bench.instant(), **options)
