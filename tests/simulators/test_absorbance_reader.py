"""The simulated reader: Beer and Lambert hold until stray light and saturation say otherwise."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Well
from sdl.sim import Bench
from sdl.wire.labware_kinds import labware_kind
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader

A1 = Well("plate-1", "A1")
QUIET: dict[str, Any] = {"noise_au": 0.0, "noise_cv": 0.0, "unmixed_cv": 0.0}


async def seen(
    dye_ul: float, buffer_ul: float, wavelength_nm: float = 450.0, **options: float
) -> float:
    bench = Bench.instant()
    bench.add(A1, {"dye": dye_ul, "buffer": buffer_ul})
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench, **{**QUIET, **options})
    return await reader.absorbance(A1, wavelength_nm)


async def test_low_absorbance_grows_linearly_with_the_fraction_of_dye() -> None:
    blank, low, high = await seen(0.0, 200.0), await seen(20.0, 180.0), await seen(40.0, 160.0)
    assert blank == pytest.approx(0.04, abs=1e-4)
    assert (high - blank) / (low - blank) == pytest.approx(2.0, rel=1e-3)


async def test_absorbance_follows_the_filling_height() -> None:
    plate = labware_kind("plate-96-flat")
    value = await seen(20.0, 180.0, stray=0.0)
    assert value - 0.04 == pytest.approx(3.4 * 0.1 * plate.path_cm(200.0))
    alone = await seen(20.0, 0.0, stray=0.0)
    assert alone - 0.04 == pytest.approx(3.4 * plate.path_cm(20.0))


async def test_an_empty_well_shows_the_plate_alone() -> None:
    reader = SimulatedAbsorbanceReader(name="reader", bench=Bench.instant(), **QUIET)
    assert await reader.absorbance(A1, 450.0) == pytest.approx(0.04, abs=1e-4)


async def test_the_band_peaks_where_it_should() -> None:
    at = {nm: await seen(50.0, 150.0, nm) for nm in (400.0, 450.0, 500.0, 700.0)}
    assert at[450.0] > at[400.0] == pytest.approx(at[500.0])
    assert at[700.0] == pytest.approx(0.04, abs=1e-3)


async def test_stray_light_bends_high_absorbance_and_saturation_is_a_fault() -> None:
    true = await seen(300.0, 0.0, stray=0.0)
    assert await seen(300.0, 0.0, stray=1e-3) < true - 0.1
    with pytest.raises(DriverFault, match=r"plate-1/A1 is saturated at 450 nm .over 3 AU."):
        await seen(300.0, 0.0, max_au=3.0)


@pytest.mark.parametrize("nm", [349.0, 1001.0, float("nan")])
async def test_a_wavelength_out_of_reach_is_refused(nm: float) -> None:
    with pytest.raises(DriverFault, match="350 to 1000 nm are possible"):
        await seen(10.0, 10.0, nm)


async def test_an_unmixed_well_reads_less_steadily_until_it_has_settled_or_is_mixed() -> None:
    async def spread(wait_s: float, *, stir: bool = False) -> float:
        values = []
        for seed in range(60):
            bench = Bench.instant(seed=seed)
            reader = SimulatedAbsorbanceReader(name="reader", bench=bench, read_s=0.0)
            bench.add(A1, {"dye": 70.0, "buffer": 130.0})
            if stir:
                bench.stir(A1)
            await bench.clock.sleep(wait_s)
            values.append(await reader.absorbance(A1, 450.0))
        return statistics.stdev(values) / statistics.mean(values)

    at_once = await spread(0.0)
    assert at_once > 0.03
    assert await spread(60.0) < 0.01
    assert await spread(0.0, stir=True) < 0.01


def test_a_spectrum_that_is_not_whole_is_refused() -> None:
    with pytest.raises(UserMistake, match=r"reader: spectra\.dye must give au_per_cm, peak_nm"):
        SimulatedAbsorbanceReader(
            name="reader", bench=Bench.instant(), spectra={"dye": {"peak_nm": 450.0}}
        )
