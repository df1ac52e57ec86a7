"""The bench: one seed gives one history, a snapshot goes on as if nothing had been, faults come."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable

import pytest

from sdl.errors import DriverFault, OutOfMaterial, UserMistake
from sdl.model.labware import Well
from sdl.shell.bench import InstantClock
from sdl.sim import Bench, FaultOptions
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

Pair = tuple[Bench, SimulatedLiquidHandler, SimulatedAbsorbanceReader]
WELLS = tuple(Well("plate-1", f"A{column}") for column in range(1, 9))


async def readings(pair: Pair, wells: tuple[Well, ...]) -> list[float]:
    _, handler, reader = pair
    values = []
    for well in wells:
        await handler.dispense(well, {"dye": 60.0, "buffer": 140.0})
        values.append(await reader.absorbance(well, 450.0))
    return values


async def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    lab: Callable[[int], Pair],
) -> None:
    assert await readings(lab(7), WELLS) == await readings(lab(7), WELLS)
    assert await readings(lab(7), WELLS) != await readings(lab(8), WELLS)


async def test_a_restored_bench_goes_on_identically(lab: Callable[[int], Pair]) -> None:
    whole = await readings(lab(5), WELLS)
    first, second = lab(5), lab(5)
    begun = await readings(first, WELLS[:3])
    saved = json.loads(json.dumps(first[0].snapshot()))
    second[0].restore(saved)
    await second[0].clock.sleep(first[0].clock.now())
    assert begun + await readings(second, WELLS[3:]) == whole
    assert second[1].left_ul("dye") < 20_000.0 - 8 * 55.0


async def test_draws_do_not_depend_on_what_other_instruments_do(
    lab: Callable[[int], Pair],
) -> None:
    alone, crowded = lab(4)[0], lab(4)[0]
    for _ in range(5):
        crowded.random("handler")
    assert alone.random("reader").random() == crowded.random("reader").random()


async def test_the_version_grows_with_every_change(lab: Callable[[int], Pair]) -> None:
    bench, handler, reader = lab(1)
    seen = [bench.version]
    await handler.dispense(WELLS[0], {"dye": 10.0})
    seen.append(bench.version)
    await reader.absorbance(WELLS[0], 450.0)
    seen.append(bench.version)
    bench.contents(WELLS[0])
    assert seen[0] < seen[1] < seen[2] == bench.version


def test_a_changed_full_amount_means_that_somebody_refilled() -> None:
    bench = Bench.instant()
    bench.stock_up("handler", {"source dye": 100.0})
    bench.use("handler", "source dye", 40.0)
    bench.stock_up("handler", {"source dye": 100.0})
    assert bench.left("handler", "source dye") == 60.0
    bench.stock_up("handler", {"source dye": 120.0})
    assert bench.left("handler", "source dye") == 120.0


def test_a_broken_snapshot_and_an_unknown_kind_of_plate_are_refused() -> None:
    with pytest.raises(UserMistake, match="cannot be read"):
        Bench.instant().restore({"wells": 3})
    with pytest.raises(UserMistake, match="'bucket' is no kind of labware; `sdl labware` lists"):
        Bench.instant(plates={"plate-1": "bucket"})


def test_a_well_gives_no_more_than_it_holds() -> None:
    bench = Bench.instant()
    bench.add(WELLS[0], {"dye": 10.0})
    with pytest.raises(OutOfMaterial, match=r"holds 10.0 µL; 11.0 µL were asked for"):
        bench.take(WELLS[0], 11.0)
    assert bench.take(WELLS[0], 10.0) == {"dye": 10.0}
    assert bench.take(WELLS[0], 0.0) == {}


async def test_side_by_side_sleeps_take_the_time_of_the_longest() -> None:
    clock = InstantClock()
    await asyncio.gather(clock.sleep(10.0), clock.sleep(25.0), clock.sleep(5.0))
    assert clock.now() == 25.0


def reader_with(faults: FaultOptions, *, seed: int = 0) -> tuple[Bench, SimulatedAbsorbanceReader]:
    bench = Bench.instant(seed=seed)
    return bench, SimulatedAbsorbanceReader(name="reader", bench=bench, faults=faults)


async def test_a_raise_fault_comes_on_its_call_and_only_then() -> None:
    _, reader = reader_with([{"action": "absorbance", "kind": "raise", "on_call": 2}])
    await reader.absorbance(WELLS[0], 450.0)
    with pytest.raises(DriverFault, match="reader: absorbance failed, as the fault plan"):
        await reader.absorbance(WELLS[0], 450.0)
    await reader.absorbance(WELLS[0], 450.0)


async def test_nan_and_wrong_type_faults_spoil_the_result() -> None:
    _, reader = reader_with(
        [
            {"action": "absorbance", "kind": "nan", "on_call": 1},
            {"action": "absorbance", "kind": "wrong_type", "on_call": 2},
        ]
    )
    assert math.isnan(await reader.absorbance(WELLS[0], 450.0))
    spoiled: object = await reader.absorbance(WELLS[0], 450.0)
    assert isinstance(spoiled, str)


async def test_a_slow_fault_takes_its_factor_longer() -> None:
    bench, reader = reader_with(
        [{"action": "absorbance", "kind": "slow", "on_call": 1, "factor": 5.0}]
    )
    await reader.absorbance(WELLS[0], 450.0)
    assert bench.clock.now() == 60.0


async def test_a_hang_fault_never_answers() -> None:
    _, reader = reader_with([{"action": "absorbance", "kind": "hang", "on_call": 1}])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.absorbance(WELLS[0], 450.0), 0.02)


async def test_faults_by_chance_come_as_often_as_told_and_by_seed() -> None:
    async def failed(seed: int) -> list[int]:
        _, reader = reader_with(
            [{"action": "absorbance", "kind": "raise", "probability": 0.2}], seed=seed
        )
        found = []
        for call in range(200):
            try:
                await reader.absorbance(WELLS[0], 450.0)
            except DriverFault:
                found.append(call)
        return found

    assert await failed(1) == await failed(1) != await failed(2)
    assert 20 <= len(await failed(1)) <= 60


@pytest.mark.parametrize(
    "fault, words",
    [
        ({"action": "dance", "kind": "raise", "on_call": 1}, "no action 'dance'; it has: absor"),
        ({"action": "absorbance", "kind": "explode", "on_call": 1}, "faults: 0.kind: Input should"),
        ({"action": "absorbance", "kind": "raise"}, "is never due; give on_call or probability"),
        ({"action": "absorbance", "kind": "raise", "probability": 2.0}, "is not in 0 to 1"),
        ({"action": "absorbance", "kind": "raise", "oncall": 2}, "faults: 0.oncall: "),
    ],
)
def test_a_fault_plan_that_makes_no_sense_is_refused(
    fault: dict[str, str | int | float], words: str
) -> None:
    with pytest.raises(UserMistake, match=words):
        reader_with([fault])
