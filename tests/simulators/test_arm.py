"""The simulated arm: plates are where it put them, and what goes wrong breaks things."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Plate, Well
from sdl.shell.standing import FLOOR
from sdl.sim import Bench
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.arm import SimulatedArm
from sdl_simulators.incubator import SimulatedIncubator
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

A1 = Well("plate-1", "A1")


def bench_with(**more: str) -> Bench:
    """Two plates in a hotel of four sites, and whatever else is named, by name and kind."""
    at = {"plate-1": "hotel/1", "plate-2": "hotel/2"} | dict.fromkeys(more, "hotel/3")
    return Bench.instant(
        plates={"plate-1": "plate-96-flat", "plate-2": "plate-96-flat", **more},
        at=at,
        sites={"hotel": 4, "reader": 1, "incubator": 2, "far": 1},
        reaches={"arm": ("hotel", "reader", "incubator"), "other": ("hotel", "reader")},
    )


def arm_on(bench: Bench, **options: Any) -> SimulatedArm:  # noqa: ANN401 - any option
    return SimulatedArm(name="arm", bench=bench, **options)


async def test_a_plate_stands_where_the_arm_has_put_it() -> None:
    bench = bench_with()
    await arm_on(bench).move("plate-1", "hotel/1", "reader/1")
    assert (bench.floor.site("plate-1"), bench.floor.on("hotel/1")) == ("reader/1", "")
    assert bench.clock.now() == pytest.approx(600.0 / 500.0 * 2 + 3 * 1.0 + 2 * 0.5)


async def test_an_instrument_works_only_on_what_stands_at_it() -> None:
    bench = bench_with()
    bench.add(A1, {"dye": 20.0, "buffer": 180.0})
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    handler = SimulatedLiquidHandler(name="handler", bench=bench, sources_ul={"dye": 1e4})
    with pytest.raises(DriverFault, match="'plate-1' stands on 'hotel/1', not here; bring it"):
        await reader.absorbance(A1, 450.0)
    with pytest.raises(DriverFault, match="handler: 'plate-1' stands on 'hotel/1', not here"):
        await handler.dispense(A1, {"dye": 20.0})
    await arm_on(bench).move("plate-1", "hotel/1", "reader/1")
    assert await reader.absorbance(A1, 450.0) > 0.1


async def test_two_plates_on_one_site_are_an_accident_that_is_remembered() -> None:
    bench = bench_with()
    bench.add(A1, {"dye": 20.0})
    bench.add(Well("plate-2", "A1"), {"dye": 20.0})
    with pytest.raises(DriverFault, match="accident: arm set 'plate-1' down on 'hotel/2', where"):
        await arm_on(bench).move("plate-1", "hotel/1", "hotel/2")
    assert bench.floor.site("plate-1") == FLOOR
    assert bench.floor.site("plate-2") == "hotel/2"
    assert (bench.filled("plate-1"), len(bench.filled("plate-2"))) == ((), 1)
    again = bench_with()
    again.restore(json.loads(json.dumps(bench.snapshot())))
    assert again.floor.accidents == bench.floor.accidents != ()


async def test_what_falls_lies_on_the_floor_and_has_spilled() -> None:
    bench = bench_with()
    bench.add(A1, {"dye": 20.0})
    arm = arm_on(bench, faults=[{"action": "move", "kind": "drop", "on_call": 1}])
    with pytest.raises(DriverFault, match="accident: arm dropped 'plate-1'"):
        await arm.move("plate-1", "hotel/1", "reader/1")
    assert bench.filled("plate-1") == ()
    with pytest.raises(DriverFault, match="grips nothing on 'hotel/1', where 'plate-1' should"):
        await arm.move("plate-1", "hotel/1", "reader/1")
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    with pytest.raises(DriverFault, match="'plate-1' is on the floor, not here"):
        await reader.absorbance(A1, 450.0)
    bench.floor.put("plate-1", "hotel/1")  # a person
    await arm.move("plate-1", "hotel/1", "reader/1")


async def test_a_stop_in_mid_air_leaves_the_plate_in_the_gripper_for_the_next_move() -> None:
    bench = bench_with()
    arm = arm_on(bench)
    moving = asyncio.ensure_future(arm.move("plate-1", "hotel/1", "reader/1"))
    for _ in range(3):  # turns of the loop: one for each stretch of work
        await asyncio.sleep(0)
    assert bench.floor.site("plate-1") == "arm"
    await arm.make_safe()
    with pytest.raises(DriverFault, match="stopped by make_safe"):
        await moving
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    with pytest.raises(DriverFault, match="'plate-1' is in the gripper of 'arm', not here"):
        await reader.absorbance(A1, 450.0)
    with pytest.raises(DriverFault, match="'plate-1' is in its gripper still"):
        await arm.move("plate-2", "hotel/2", "reader/1")
    await arm.move("plate-1", "hotel/1", "reader/1")
    assert bench.floor.site("plate-1") == "reader/1"


async def test_a_plate_that_is_worked_on_is_not_to_be_gripped() -> None:
    bench = bench_with()
    bench.floor.put("plate-1", "incubator/1")
    incubator = SimulatedIncubator(name="incubator", bench=bench)
    keeping = asyncio.ensure_future(incubator.keep(Plate("plate-1"), 37.0))
    await asyncio.sleep(0)
    bench.floor.check_at("incubator", "plate-1")
    with pytest.raises(DriverFault, match=r"accident: arm gripped 'plate-1' .* was worked on"):
        bench.floor.lift("arm", "plate-1", "incubator/1")
    await keeping
    bench.floor.lift("arm", "plate-1", "incubator/1")


@pytest.mark.parametrize(
    "words, asked",
    [
        ("there is no plate 'plate-9'", ("plate-9", "hotel/1", "reader/1")),
        ("there is no site 'reader/2'", ("plate-1", "hotel/1", "reader/2")),
        (
            "'far/1' is out of reach; it reaches hotel, incubator, reader",
            ("plate-1", "hotel/1", "far/1"),
        ),
        (
            "finds 'plate-2' on 'hotel/2', where 'plate-1' should",
            ("plate-1", "hotel/2", "reader/1"),
        ),
        ("grips nothing on 'hotel/3'", ("plate-1", "hotel/3", "reader/1")),
    ],
)
async def test_what_cannot_be_is_refused_and_moves_nothing(
    words: str, asked: tuple[str, str, str]
) -> None:
    bench = bench_with()
    with pytest.raises(DriverFault, match=words):
        await arm_on(bench).move(*asked)
    assert [bench.floor.site(name) for name in ("plate-1", "plate-2")] == ["hotel/1", "hotel/2"]
    assert bench.floor.accidents == ()


async def test_labware_without_a_site_cannot_be_carried() -> None:
    bench = Bench.instant(sites={"hotel": 2}, reaches={"arm": ("hotel",)})
    with pytest.raises(DriverFault, match=r"'plate-1' has no site; give it at = ... in lab.toml"):
        await arm_on(bench).move("plate-1", "hotel/1", "hotel/2")


async def test_what_does_not_fit_between_the_fingers_is_refused() -> None:
    bench = bench_with(tube="cor_falcon_tube_50mL_Vb")
    with pytest.raises(DriverFault, match="the gripper takes 70 to 132 mm"):
        await arm_on(bench).move("tube", "hotel/3", "hotel/4")


async def test_longer_ways_and_slower_arms_take_longer() -> None:
    async def duration_s(**options: Any) -> float:  # noqa: ANN401 - any option
        bench = bench_with()
        await arm_on(bench, **options).move("plate-1", "hotel/1", "reader/1")
        return bench.clock.now()

    near = {"hotel": [200.0, 0.0], "reader": [200.0, 100.0]}
    far = {"hotel": [400.0, 0.0], "reader": [-400.0, 100.0]}
    assert await duration_s(positions_mm=near) < await duration_s(positions_mm=far)
    assert await duration_s() < await duration_s(speed_mm_s=100.0)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"speed_mm_s": 0.0}, "arm: speed_mm_s = 0.0: give a number above 0"),
        ({"positions_mm": {"hotel": [700.0, 0.0]}}, "at most 600 mm away"),
        ({"positions_mm": {"hotel": [1.0]}}, r"give \[x, y\]"),
        ({"narrowest_mm": 140.0}, "narrowest_mm = 140.0 is not below widest_mm = 132.0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        arm_on(bench_with(), **options)
