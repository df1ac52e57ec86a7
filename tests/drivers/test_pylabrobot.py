"""The PyLabRobot drivers on PyLabRobot's own simulated backends."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypedDict, Unpack

import pytest

from sdl import Well
from sdl.errors import DriverFault, OutcomeUnknown, OutOfMaterial, UserMistake
from sdl.model.data import JsonValue
from sdl.testing.driver_contract import driver_contract
from sdl_drivers.pylabrobot_bridge import faults_named
from sdl_drivers.pylabrobot_liquid_handler import PyLabRobotLiquidHandler
from sdl_drivers.pylabrobot_plate_reader import PyLabRobotPlateReader
from sdl_protocols.dye_assay import dye_assay

BACKENDS = "pylabrobot.liquid_handling.backends"
CHATTERBOX = f"{BACKENDS}.LiquidHandlerChatterboxBackend"
OT2 = f"{BACKENDS}.opentrons_simulator.OpentronsOT2Simulator"
READER = "pylabrobot.plate_reading.PlateReaderChatterboxBackend"
PLATE = "cor_falcon_96_wellplate_275uL_Fb"
LABWARE: dict[str, dict[str, JsonValue]] = {
    "plate-1": {"kind": PLATE, "slot": 1},
    "reservoir": {"kind": "nest_12_troughplate_15000uL_Vb", "slot": 2},
    "tips-1": {"kind": "hamilton_96_tiprack_300uL", "slot": 3},
}
A1, B1, D1 = (Well("plate-1", name) for name in ("A1", "B1", "D1"))


class Options(TypedDict, total=False):
    """What a test may change."""

    backend: str
    labware: dict[str, dict[str, JsonValue]]
    channel: int
    sources: dict[str, dict[str, JsonValue]]
    tip_racks: list[str]
    backend_options: dict[str, JsonValue]
    state_file: str


def handler(**options: Unpack[Options]) -> PyLabRobotLiquidHandler:
    given: dict[str, Any] = {
        "backend": CHATTERBOX,
        "labware": LABWARE,
        "sources": {
            "dye": {"at": "reservoir/A1", "volume_ul": 1000},
            "buffer": {"at": "reservoir/A2", "volume_ul": 10000},
        },
        "tip_racks": ["tips-1"],
    }
    return PyLabRobotLiquidHandler(**{**given, **options})


def reader() -> PyLabRobotPlateReader:
    return PyLabRobotPlateReader(backend=READER, plates={"plate-1": PLATE})


def held_ul(driver: PyLabRobotLiquidHandler, name: str) -> float:
    plate = driver.robot.deck.get_resource("plate-1")
    return float(plate.get_item(name).tracker.get_used_volume())


ON_OT2: Options = {  # its right pipette takes tips of 10 µL: many strokes
    "backend": OT2,
    "channel": 1,
    "labware": {**LABWARE, "tips-1": {"kind": "hamilton_96_tiprack_10uL_filter", "slot": 3}},
}


@pytest.mark.parametrize("options", [{"backend": CHATTERBOX}, ON_OT2], ids=["chatterbox", "ot2"])
async def test_the_dye_protocol_runs_on_them_without_a_change(options: Options) -> None:
    arm, eye = handler(**options), reader()
    await arm.connect()
    await eye.connect()
    eye.reader.backend.dummy_absorbance = [[0.1 * row] * 12 for row in range(8)]
    found = await dye_assay(arm, eye, B1, dye_fraction=0.25, settle_s=0.0)
    assert found.absorbance_au == pytest.approx(0.1)
    assert held_ul(arm, "B1") == pytest.approx(200.0)
    await eye.disconnect()
    await arm.disconnect()


async def test_each_liquid_takes_a_fresh_tip_and_leaves_none_behind() -> None:
    driver = handler()
    await driver.connect()
    await driver.dispense(A1, {"dye": 20.0, "buffer": 30.0})
    rack = driver.robot.deck.get_resource("tips-1")
    assert sum(spot.has_tip() for spot in rack.get_all_items()) == 94
    assert not driver.robot.head[0].has_tip


async def test_large_volumes_take_several_strokes_of_one_tip() -> None:
    driver = handler()
    await driver.connect()
    await driver.dispense(D1, {"buffer": 450.0})
    rack = driver.robot.deck.get_resource("tips-1")
    assert held_ul(driver, "D1") == pytest.approx(450.0)
    assert sum(spot.has_tip() for spot in rack.get_all_items()) == 95
    assert not driver.robot.head[0].has_tip


async def test_transfer_and_mix_move_what_they_say() -> None:
    driver = handler()
    await driver.connect()
    await driver.dispense(A1, {"buffer": 100.0})
    await driver.transfer(A1, B1, 40.0)
    await driver.mix(B1, 20.0, 3)
    assert (held_ul(driver, "A1"), held_ul(driver, "B1")) == pytest.approx((60.0, 40.0))
    with pytest.raises(OutOfMaterial, match=r"holds 60.0 µL, 61.0 µL were asked for"):
        await driver.transfer(A1, B1, 61.0)


async def test_too_little_liquid_and_overflow_are_out_of_material_and_move_nothing() -> None:
    driver = handler()
    await driver.connect()
    with pytest.raises(OutOfMaterial, match=r"holds 1000.0 µL, 1001.0 µL were asked for; refill"):
        await driver.dispense(A1, {"buffer": 10.0, "dye": 1001.0})
    with pytest.raises(OutOfMaterial, match="has room for"):
        await driver.dispense(A1, {"buffer": 600.0})
    assert held_ul(driver, "A1") == 0.0


async def test_tips_run_out_with_a_kind_error() -> None:
    driver = handler()
    await driver.connect()
    driver.robot.deck.get_resource("tips-1").empty()
    with pytest.raises(OutOfMaterial, match="1 fresh tips are needed, 0 are left; put a new rack"):
        await driver.dispense(A1, {"dye": 10.0})


async def test_a_tip_left_by_a_failed_action_is_thrown_away_first() -> None:
    driver = handler()
    await driver.connect()
    rack = driver.robot.deck.get_resource("tips-1")
    await driver.robot.pick_up_tips([rack.get_item("A1")], use_channels=[0])
    await driver.dispense(A1, {"dye": 10.0})
    assert held_ul(driver, "A1") == pytest.approx(10.0)


async def test_the_state_file_remembers_tips_and_volumes(tmp_path: Path) -> None:
    state = str(tmp_path / "deck.json")
    first = handler(state_file=state)
    await first.connect()
    await first.dispense(A1, {"dye": 100.0})
    second = handler(state_file=state)
    await second.connect()
    assert held_ul(second, "A1") == pytest.approx(100.0)
    with pytest.raises(OutOfMaterial, match=r"holds 900.0 µL"):
        await second.dispense(B1, {"dye": 950.0})


async def test_what_is_not_there_is_named() -> None:
    driver = handler()
    await driver.connect()
    with pytest.raises(DriverFault, match="no source 'milk'; there are: dye, buffer"):
        await driver.dispense(A1, {"milk": 1.0})
    with pytest.raises(DriverFault, match="there is no 'plate-9'"):
        await driver.dispense(Well("plate-9", "A1"), {"dye": 1.0})
    with pytest.raises(DriverFault, match="has no well 'Z99'"):
        await driver.dispense(Well("plate-1", "Z99"), {"dye": 1.0})


async def test_an_action_before_connect_is_a_driver_fault() -> None:
    eye = reader()
    with pytest.raises(DriverFault, match="setup has not finished"):
        await eye.absorbance(A1, 450.0)


@pytest.mark.parametrize(
    "raised, ours",
    [
        (TimeoutError("no answer"), OutcomeUnknown),
        (ConnectionResetError("gone"), OutcomeUnknown),
        (ValueError("odd"), DriverFault),
        (OutOfMaterial("ours already"), OutOfMaterial),
    ],
)
def test_errors_of_a_backend_become_ours(raised: Exception, ours: type[Exception]) -> None:
    with pytest.raises(ours, match=str(raised)), faults_named("moving"):
        raise raised


@pytest.mark.parametrize(
    "nm, words",
    [(450.5, "give a whole number"), (float("nan"), "give"), (100.0, "200 to 1000")],
)
async def test_a_wavelength_out_of_reach_is_refused(nm: float, words: str) -> None:
    eye = reader()
    await eye.connect()
    with pytest.raises(DriverFault, match=words):
        await eye.absorbance(A1, nm)


async def test_a_reading_that_is_no_number_is_a_driver_fault() -> None:
    eye = reader()
    await eye.connect()
    eye.reader.backend.dummy_absorbance = [[float("inf")] * 12 for _ in range(8)]
    with pytest.raises(DriverFault, match="saturated, or not read"):
        await eye.absorbance(A1, 450.0)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"backend": "pylabrobot.nonsense.Backend"}, "cannot make 'pylabrobot.nonsense.Backend'"),
        ({"backend": "pathlib.PurePath"}, "makes .*Path, not LiquidHandlerBackend"),
        ({"backend_options": {"channels": 3}}, "cannot make .* with {'channels': 3}"),
        ({"tip_racks": ["plate-1"]}, "'plate-1' is no tip rack"),
        ({"sources": {"dye": {"at": "reservoir/A1"}}}, "source 'dye': write"),
        ({"labware": {"plate-1": {"kind": PLATE}}}, "labware 'plate-1': give slot = 1 to 11"),
        ({"labware": {"plate-1": {}}}, "'plate-1' is not on the deck yet"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: Options, words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        handler(**options)


async def test_a_driver_below_proven_says_so_when_it_connects(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        await handler().connect()
        await reader().connect()
    assert sum("graded 'simulated'" in record.getMessage() for record in caplog.records) == 2


def test_the_liquid_handler_keeps_the_driver_contract() -> None:
    driver_contract(
        handler,
        try_out={"dispense": {"well": A1, "volumes_ul": {"dye": 20.0, "buffer": 30.0}}},
    )


def test_the_plate_reader_keeps_the_driver_contract() -> None:
    driver_contract(reader, try_out={"absorbance": {"well": A1, "wavelength_nm": 450.0}})
