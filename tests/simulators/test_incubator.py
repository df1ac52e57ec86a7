"""The simulated incubator: warmth takes time, open wells lose water, cells grow on their food."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Plate, Well
from sdl.sim import Bench
from sdl.wire.labware_kinds import labware_kind
from sdl_simulators.arm import SimulatedArm
from sdl_simulators.incubator import SimulatedIncubator
from sdl_simulators.physics import (
    critical_rpm,
    evaporated_ul,
    grown_ul,
    saturation_pa,
    warmth_fraction,
)

PLATE, A1 = Plate("plate-1"), Well("plate-1", "A1")
OTHER = Plate("plate-2")
DAY_S = 86_400.0
WARM: dict[str, Any] = {"set_point_c": 37.0, "look_s": 0.0}


def incubator_on(bench: Bench, **options: Any) -> SimulatedIncubator:  # noqa: ANN401 - any option
    return SimulatedIncubator(name="incubator", bench=bench, **options)


def bench_with_sites() -> Bench:
    """Two plates in an incubator of two slots, and an arm."""
    return Bench.instant(
        plates=dict.fromkeys((PLATE.labware, OTHER.labware), "plate-96-flat"),
        at={PLATE.labware: "incubator/1", OTHER.labware: "incubator/2"},
        sites={"incubator": 2, "hotel": 2},
        reaches={"arm": ("incubator", "hotel")},
    )


async def take_out(bench: Bench, plate: Plate = PLATE) -> None:
    site = bench.floor.site(plate.labware)
    arm = SimulatedArm(name="arm", bench=bench)
    await arm.move(plate.labware, site, site.replace("incubator", "hotel"))


async def held_after(duration_s: float, *, seal: bool = False, **options: Any) -> dict[str, float]:  # noqa: ANN401 - any option
    bench = bench_with_sites()
    bench.add(A1, {"dye": 20.0, "buffer": 180.0})
    if seal:
        bench.floor.seal("plate-1")
    await incubator_on(bench, **options).keep(PLATE, 37.0)
    await bench.clock.sleep(duration_s)
    await take_out(bench)
    return dict(bench.contents(A1))


async def test_the_chamber_warms_first_and_stays_warm_for_the_next_plate() -> None:
    bench = bench_with_sites()
    incubator = incubator_on(bench, ramp_c_min=0.5, room_c=22.0, look_s=3.0)
    await incubator.keep(PLATE, 37.0)
    assert bench.clock.now() == pytest.approx(15.0 / 0.5 * 60.0 + 3.0)
    assert incubator.temperature_c == 37.0
    await incubator.keep(OTHER, 37.0)
    assert bench.clock.now() == pytest.approx(15.0 / 0.5 * 60.0 + 6.0)


async def test_a_chamber_that_has_its_temperature_already_takes_a_look_only() -> None:
    bench = bench_with_sites()
    incubator = incubator_on(bench, set_point_c=37.0, look_s=3.0)
    said = incubator.predict_keep(PLATE, 37.0)
    await incubator.keep(PLATE, 37.0)
    assert bench.clock.now() == said.duration_s == 3.0


async def test_a_prediction_is_what_the_warming_takes() -> None:
    bench = bench_with_sites()
    incubator = incubator_on(bench)
    said = incubator.predict_keep(PLATE, 30.0, 200.0)
    await incubator.keep(PLATE, 30.0, 200.0)
    assert bench.clock.now() == said.duration_s


async def test_the_instrument_is_free_while_plates_are_kept_and_each_has_its_own_time() -> None:
    bench = bench_with_sites()
    others = Well(OTHER.labware, "A1")
    for well in (A1, others):
        bench.add(well, {"buffer": 200.0})
    incubator = incubator_on(bench, humidity_fraction=0.5, **WARM)
    await incubator.keep(PLATE, 37.0)
    await bench.clock.sleep(3600.0)
    await incubator.keep(OTHER, 37.0)
    await bench.clock.sleep(3600.0)
    await take_out(bench)
    await take_out(bench, OTHER)
    kind = labware_kind("plate-96-flat")
    for well, hours in ((A1, 2.0), (others, 1.0)):
        lost_ul = evaporated_ul(
            kind, 200.0, temperature_c=37.0, humidity=0.5, duration_s=hours * 3600.0
        )
        assert 200.0 - bench.volume_ul(well) == pytest.approx(lost_ul, rel=0.01)


async def test_asking_twice_does_the_same_as_asking_once() -> None:
    bench = bench_with_sites()
    incubator = incubator_on(bench, **WARM)
    await incubator.keep(PLATE, 37.0)
    before = bench.floor.kept_by("incubator")
    await bench.clock.sleep(3600.0)
    await incubator.keep(PLATE, 37.0)
    assert bench.floor.kept_by("incubator") == before


async def test_a_plate_out_of_the_incubator_loses_nothing_more() -> None:
    bench = bench_with_sites()
    bench.add(A1, {"buffer": 200.0})
    await incubator_on(bench, **WARM).keep(PLATE, 37.0)
    await bench.clock.sleep(3600.0)
    await take_out(bench)
    left_ul = bench.volume_ul(A1)
    await bench.clock.sleep(3600.0)
    bench.floor.put("plate-1", "hotel/2")
    assert bench.volume_ul(A1) == left_ul < 200.0


async def test_a_plate_without_a_site_is_kept_until_another_instrument_works_on_it() -> None:
    bench = Bench.instant()
    bench.add(A1, {"buffer": 200.0})
    await incubator_on(bench, **WARM).keep(PLATE, 37.0)
    await bench.clock.sleep(3600.0)
    with bench.floor.at_work("reader", "plate-1"):
        assert bench.volume_ul(A1) < 200.0
    assert bench.floor.kept_by("incubator") == {}


async def test_a_plate_that_stands_elsewhere_is_refused() -> None:
    bench = bench_with_sites()
    await take_out(bench)
    with pytest.raises(DriverFault, match="incubator: 'plate-1' stands on 'hotel/1', not here"):
        await incubator_on(bench).keep(PLATE, 37.0)


async def test_a_restart_forgets_neither_the_warmth_nor_the_time() -> None:
    bench, again = bench_with_sites(), bench_with_sites()
    bench.add(A1, {"buffer": 200.0})
    await incubator_on(bench, look_s=0.0).keep(PLATE, 37.0)
    again.restore(json.loads(json.dumps(bench.snapshot())))
    after = incubator_on(again, look_s=0.0)
    assert after.temperature_c == 37.0
    await again.clock.sleep(bench.clock.now() + 3600.0)
    await take_out(again)
    lost_ul = evaporated_ul(
        labware_kind("plate-96-flat"), 200.0, temperature_c=37.0, humidity=0.95, duration_s=3600.0
    )
    assert 200.0 - again.volume_ul(A1) == pytest.approx(lost_ul, rel=0.01)


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


async def test_cells_grow_on_their_food_and_the_well_stays_as_full() -> None:
    async def kept(hours: float, temperature_c: float, seal: bool) -> dict[str, float]:
        bench = bench_with_sites()
        bench.add(A1, {"cells": 2.0, "killed": 2.0, "medium": 196.0})
        if seal:
            bench.floor.seal("plate-1")
        await incubator_on(bench, growth_h={"cells": 2.0}).keep(PLATE, temperature_c)
        await bench.clock.sleep(hours * 3600.0)
        await take_out(bench)
        return dict(bench.contents(A1))

    warm, cold = await kept(1.0, 37.0, seal=True), await kept(1.0, 4.0, seal=True)
    assert 6.0 < warm["cells"] < 2.0 * 7.4, "at most as fast as at the best temperature"
    assert (cold["cells"], warm["killed"]) == (2.0, 2.0)
    assert sum(warm.values()) == pytest.approx(200.0)
    full = await kept(48.0, 37.0, seal=False)
    assert full["cells"] == pytest.approx(198.0)
    assert "medium" not in full


def test_growth_doubles_at_first_and_ends_with_the_food() -> None:
    hour = grown_ul(1.0, 1e9, rate_h=0.6931, duration_s=3600.0)
    assert hour == pytest.approx(1.0, rel=1e-3)
    assert grown_ul(1.0, 9.0, rate_h=1.0, duration_s=1e9) == pytest.approx(9.0)
    assert grown_ul(0.0, 9.0, rate_h=1.0, duration_s=1e9) == 0.0


@given(st.floats(0.01, 100.0), st.floats(0.0, 1000.0), st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_growth_does_not_depend_on_how_often_one_looks(
    cells_ul: float, food_ul: float, first_s: float, second_s: float
) -> None:
    def grown(cells: float, food: float, duration_s: float) -> float:
        return grown_ul(cells, food, rate_h=1.2, duration_s=duration_s)

    part = grown(cells_ul, food_ul, first_s)
    rest = grown(cells_ul + part, food_ul - part, second_s)
    whole = grown(cells_ul, food_ul, first_s + second_s)
    assert part + rest == pytest.approx(whole, rel=1e-6, abs=1e-6)


def test_growth_is_fastest_at_the_best_temperature_and_stops_outside_the_range() -> None:
    assert warmth_fraction(41.3) == pytest.approx(1.0)
    assert 0.7 < warmth_fraction(37.0) < 1.0
    assert warmth_fraction(4.0) == warmth_fraction(50.0) == 0.0
    cold, warm, hot = (warmth_fraction(degrees) for degrees in (20.0, 30.0, 46.5))
    assert cold < warm < 1.0
    assert hot < 1.0


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
    bench = bench_with_sites()
    incubator = incubator_on(bench)
    first = asyncio.ensure_future(incubator.keep(PLATE, 37.0))
    await asyncio.sleep(0)
    with pytest.raises(DriverFault, match="at 37 degrees and 0 rpm for 'plate-1'; wait until"):
        await incubator.keep(OTHER, 42.0)
    await asyncio.gather(first, incubator.keep(OTHER, 37.0))
    with pytest.raises(DriverFault, match="or use another incubator"):
        await incubator.keep(OTHER, 37.0, 200.0)
    await take_out(bench)
    await incubator.keep(OTHER, 42.0)


async def test_shaking_mixes_above_the_critical_speed_and_not_below() -> None:
    async def mixed(rpm: float) -> bool:
        bench = bench_with_sites()
        bench.add(A1, {"dye": 100.0, "buffer": 100.0})
        await incubator_on(bench).keep(PLATE, 37.0, rpm)
        await bench.clock.sleep(60.0)
        await take_out(bench)
        return bench.rest_s(A1) > 1e9

    critical = critical_rpm(labware_kind("plate-96-flat"), 200.0, 2.0)
    assert await mixed(critical + 50.0)
    assert not await mixed(critical - 50.0)


async def test_make_safe_switches_the_heater_off_and_ends_the_keeping() -> None:
    bench = bench_with_sites()
    bench.add(A1, {"buffer": 200.0})
    incubator = incubator_on(bench, **WARM)
    await incubator.keep(PLATE, 37.0)
    await bench.clock.sleep(3600.0)
    await incubator.make_safe()
    left_ul = bench.volume_ul(A1)
    assert (incubator.temperature_c, bench.floor.kept_by("incubator")) == (22.0, {})
    await bench.clock.sleep(3600.0)
    await take_out(bench)
    assert bench.volume_ul(A1) == left_ul < 200.0


async def test_make_safe_while_it_warms_up_keeps_nothing() -> None:
    bench = bench_with_sites()
    incubator = incubator_on(bench)
    warming = asyncio.ensure_future(incubator.keep(PLATE, 37.0))
    await asyncio.sleep(0)
    await incubator.make_safe()
    with pytest.raises(DriverFault, match="stopped by make_safe"):
        await warming
    assert (incubator.temperature_c, bench.floor.kept_by("incubator")) == (22.0, {})


@pytest.mark.parametrize(
    "asked, words",
    [
        ((95.0,), "temperature_c = 95.0 is out of reach; 4 to 50 degrees"),
        ((37.0, 5000.0), "shaking_rpm = 5000.0 is out of reach; 0 to 1200 rpm"),
    ],
)
async def test_what_is_out_of_reach_is_refused(asked: tuple[float, ...], words: str) -> None:
    with pytest.raises(DriverFault, match=words):
        await incubator_on(Bench.instant()).keep(PLATE, *asked)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"low_c": 60.0}, "low_c = 60.0 is not below high_c = 50.0"),
        ({"humidity_fraction": 1.5}, "humidity_fraction = 1.5: give 0 to 1"),
        ({"growth_h": {"cells": -1.0}}, "growth_h.cells = -1.0: give a number, 0 or more"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        incubator_on(Bench.instant(), **options)
