"""What a simulator says beforehand is what it then takes and, noise aside, gives."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.forecast import forecast
from sdl.core.script import Script
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Labware, Plate, Well
from sdl.shell.foresight import AFTER, Simulators, methods_of, predictions_of
from sdl.shell.offered import offered_by
from sdl.sim import Bench, Prediction
from sdl.wire.labware_kinds import labware_kind
from sdl.wire.signature import read_signature
from sdl_protocols.crossed_barrel import crossed_barrel
from sdl_protocols.dye_assay import dye_assay
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.arm import SimulatedArm
from sdl_simulators.data_emulator import DataEmulator
from sdl_simulators.hotel import SimulatedHotel
from sdl_simulators.incubator import SimulatedIncubator
from sdl_simulators.liquid_handler import SimulatedLiquidHandler
from sdl_simulators.sealer import SimulatedSealer
from sdl_simulators.shaker import SimulatedShaker
from sdl_simulators.washer import SimulatedWasher

ALL = (
    SimulatedLiquidHandler,
    SimulatedAbsorbanceReader,
    DataEmulator,
    SimulatedArm,
    SimulatedHotel,
    SimulatedIncubator,
    SimulatedSealer,
    SimulatedShaker,
    SimulatedWasher,
)
WELL = Well("plate-1", "A1")
LAB = Lab(
    name="bench",
    instruments=(
        Instrument(
            name="handler",
            driver="liquid-handler",
            simulated=True,
            options={"sources_ul": {"dye": 20000.0, "buffer": 50000.0}},
        ),
        Instrument(name="reader", driver="absorbance-reader", simulated=True),
        Instrument(
            name="station",
            driver="data-emulator",
            simulated=True,
            options={"dataset": "crossed_barrel"},
        ),
        Instrument(name="broken", driver="data-emulator", simulated=True),
        Instrument(name="real", driver="./no_such.py:Thing", simulated=False),
    ),
    labware=(Labware(name="plate-1", kind=labware_kind("plate-96-flat")),),
)


@pytest.mark.parametrize("kind", ALL)
def test_each_action_of_our_simulators_is_predicted_with_its_own_arguments(kind: type) -> None:
    offered, told = offered_by(kind), predictions_of(kind)
    assert told.keys() == offered.keys()
    for name, method in told.items():
        assert list(inspect.signature(method).parameters)[1:] == list(offered[name].parameters)


async def filled(bench: Bench, handler: SimulatedLiquidHandler) -> float:
    await handler.dispense(WELL, {"buffer": 150.0})
    return bench.clock.now()


@settings(max_examples=40, deadline=None)
@given(dye_ul=st.floats(0.0, 100.0), buffer_ul=st.floats(0.0, 100.0), cycles=st.integers(1, 50))
def test_the_liquid_handler_takes_what_it_says(
    dye_ul: float, buffer_ul: float, cycles: int
) -> None:
    bench = Bench.instant()
    handler = SimulatedLiquidHandler(
        name="h", bench=bench, sources_ul={"dye": 2e4, "buffer": 2e4}, tip_volume_ul=60.0
    )
    volumes = {"dye": dye_ul, "buffer": buffer_ul}

    async def check() -> None:
        at = await filled(bench, handler)
        said = [
            handler.predict_dispense(WELL, volumes),
            handler.predict_transfer(WELL, Well("plate-1", "B1"), 70.0),
            handler.predict_mix(WELL, 50.0, cycles),
        ]
        other = Well("plate-1", "B1")
        actions: list[Callable[[], Awaitable[None]]] = [
            lambda: handler.dispense(WELL, volumes),
            lambda: handler.transfer(WELL, other, 70.0),
            lambda: handler.mix(WELL, 50.0, cycles),
        ]
        for action, expected in zip(actions, said, strict=True):
            await action()
            assert bench.clock.now() - at == pytest.approx(expected.duration_s, abs=1e-6)
            at = bench.clock.now()

    asyncio.run(check())


async def test_what_works_on_whole_plates_takes_what_it_says() -> None:
    bench = Bench.instant(plates={"plate-1": "plate-96-flat"})
    plate = Plate("plate-1")
    incubator = SimulatedIncubator(name="i", bench=bench)
    shaker = SimulatedShaker(name="s", bench=bench)
    washer = SimulatedWasher(name="w", bench=bench)
    sealer = SimulatedSealer(name="x", bench=bench)
    actions: list[tuple[Callable[[], Prediction], Callable[[], Awaitable[None]]]] = [
        (lambda: incubator.predict_keep(plate, 37.0), lambda: incubator.keep(plate, 37.0)),
        (lambda: shaker.predict_shake(plate, 600, 30), lambda: shaker.shake(plate, 600, 30)),
        (lambda: washer.predict_wash(plate, 3, 200), lambda: washer.wash(plate, 3, 200)),
        (lambda: sealer.predict_seal(plate, 175, 2), lambda: sealer.seal(plate, 175, 2)),
        (lambda: sealer.predict_seal(plate, 175, 2), lambda: sealer.seal(plate, 175, 2)),
    ]
    for foresee, act in actions:
        said, at = foresee(), bench.clock.now()
        await act()
        assert bench.clock.now() - at == pytest.approx(said.duration_s)


async def test_what_carries_and_finds_plates_takes_what_it_says() -> None:
    at, sites = {"plate-1": "hotel/1"}, {"hotel": 2, "reader": 1}
    bench = Bench.instant(at=at, sites=sites, reaches={"arm": ("hotel", "reader")})
    positions_mm = {"hotel": [300.0, 100.0], "reader": [-200.0, 300.0]}
    arm = SimulatedArm(name="arm", bench=bench, positions_mm=positions_mm)
    hotel = SimulatedHotel(name="hotel", bench=bench)
    assert await hotel.locate("plate-1") == "hotel/1"
    looked_s = bench.clock.now()
    assert looked_s == hotel.predict_locate("plate-1").duration_s
    move = ("plate-1", "hotel/1", "reader/1")
    said = arm.predict_move(*move)
    await arm.move(*move)
    assert bench.clock.now() - looked_s == pytest.approx(said.duration_s)


async def test_the_reader_says_what_it_would_read_without_noise() -> None:
    bench = Bench.instant()
    handler = SimulatedLiquidHandler(name="h", bench=bench, sources_ul={"dye": 2e4})
    reader = SimulatedAbsorbanceReader(
        name="r", bench=bench, noise_au=0.0, noise_cv=0.0, unmixed_cv=0.0
    )
    empty = reader.predict_absorbance(WELL, 450.0)
    await handler.dispense(WELL, {"dye": 60.0})
    said = reader.predict_absorbance(WELL, 450.0)
    at, version = bench.clock.now(), bench.version
    assert reader.predict_absorbance(WELL, 450.0) == said
    assert bench.version == version, "to ask changes nothing"
    assert await reader.absorbance(WELL, 450.0) == pytest.approx(said.result)
    assert bench.clock.now() - at == said.duration_s
    assert empty.result == pytest.approx(0.04, abs=1e-3)


async def test_the_emulator_says_the_mean_of_what_was_measured() -> None:
    emulator = DataEmulator(name="e", bench=Bench.instant(), dataset="crossed_barrel")
    recipe = {"n": 6, "theta": 0, "r": 1.5, "t": 0.7}
    said = emulator.predict_make(recipe)
    assert said.duration_s == 3600.0
    assert isinstance(said.result, Mapping)
    seen = [(await emulator.make(recipe))["toughness"] for _ in range(20)]
    assert min(seen) <= said.result["toughness"] <= max(seen)


def test_simulators_of_a_lab_predict_and_the_others_are_silent(tmp_path: Path) -> None:
    simulators = Simulators(LAB, tmp_path)
    arguments = {"well": {"labware": "plate-1", "name": "A1"}, "wavelength_nm": 450.0}
    said = simulators.predict("reader", "absorbance", arguments)  # type: ignore[arg-type]
    assert isinstance(said, Prediction)
    assert said.duration_s == 12.0
    for name in ("broken", "real", "nobody"):
        assert simulators.predict(name, "make", {"recipe": {}}) is None
    assert simulators.predict("reader", "make", {"recipe": {}}) is None


def sealing(simulators: Simulators, temperature_c: float) -> float:
    said = simulators.predict("sealer", "seal", sealed(temperature_c))
    assert said is not None
    return said.duration_s


def sealed(temperature_c: float) -> dict[str, JsonValue]:
    return {"plate": {"labware": "plate-1"}, "temperature_c": temperature_c, "duration_s": 2.0}


def perform(cid: str, temperature_c: float) -> do.Perform:
    return do.Perform(
        cid=cid,
        step="dye/run-1/step-1",
        attempt=1,
        instrument="sealer",
        operation="seal",
        effect="once",
        args=sealed(temperature_c),
        memory="boot-1",
        not_after=None,
    )


def test_a_sealer_that_is_warm_is_foreseen_warm_until_it_is_made_safe(tmp_path: Path) -> None:
    sealer = Instrument(name="sealer", driver="sealer", simulated=True)
    simulators = Simulators(replace(LAB, instruments=(sealer,)), tmp_path)
    cold_s, pressing_s = 148.0 + 12.0, 12.0
    assert sealing(simulators, 170.0) == cold_s
    simulators.take(perform("a", 170.0))
    simulators.take(ev.CommandFailed(at=1.0, cid="a", phase="during", kind="driver", reason="-"))
    assert sealing(simulators, 170.0) == cold_s, "what failed has warmed it who knows how far"
    simulators.take(perform("b", 170.0))
    assert sealing(simulators, 170.0) == cold_s, "it is under way"
    simulators.take(ev.CommandDone(at=161.0, cid="b", result=None, duration_s=160.0))
    assert (sealing(simulators, 170.0), sealing(simulators, 150.0)) == (pressing_s, 32.0)
    simulators.take(do.Halt(id="dye/halt-1", instrument="sealer", reason="a person asked"))
    assert sealing(simulators, 170.0) == cold_s


@pytest.mark.parametrize("kind", [SimulatedSealer, SimulatedIncubator])
def test_what_an_action_leaves_behind_is_told_with_its_own_arguments(kind: type) -> None:
    offered, after = offered_by(kind), methods_of(kind, AFTER)
    assert after
    for name, method in after.items():
        assert list(inspect.signature(method).parameters)[1:] == list(offered[name].parameters)


def test_the_forecast_of_a_protocol_of_ours_is_whole(tmp_path: Path) -> None:
    simulators = Simulators(LAB, tmp_path)
    script = Script.of(dye_assay, read_signature(dye_assay))
    found = forecast(
        script,
        {"dye_fraction": 0.5},
        {"well": WELL},
        {"handler": "handler", "reader": "reader"},
        (simulators,),
    )
    assert found.partial == ""
    dispense_s = 2 * (8.0 + 2 * (2.0 + 100.0 / 94.0))
    assert [step.duration_s for step in found.steps] == pytest.approx([dispense_s, 12.0])
    assert found.end_s == pytest.approx(dispense_s + 30.0 + 12.0)
    inputs = {"strut_count": 6, "twist_deg": 0.0, "strut_radius_mm": 1.5, "wall_mm": 0.7}
    barrel = Script.of(crossed_barrel, read_signature(crossed_barrel))
    one = forecast(barrel, inputs, {}, {"station": "station"}, (simulators,))
    assert (one.end_s, one.partial) == (3600.0, "")
    alone = forecast(barrel, inputs, {}, {"station": "station"}, ())
    assert (alone.end_s, alone.partial) == (86400.0, ""), "a mapping that nobody predicts has all"
