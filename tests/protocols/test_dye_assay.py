"""Protocols run under plain asyncio against simulators, without engine, node or broker."""

from __future__ import annotations

import pytest

from sdl import Well
from sdl.errors import OutOfMaterial
from sdl.sim import Bench
from sdl_protocols.crossed_barrel import crossed_barrel
from sdl_protocols.dye_assay import dye_assay
from sdl_protocols.lipid_nanoparticles import lipid_nanoparticles
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.data_emulator import DataEmulator
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

SOURCES_UL = {"dye": 20_000.0, "buffer": 50_000.0}


async def test_a_protocol_needs_five_lines_of_plain_asyncio() -> None:
    bench = Bench.instant(seed=1)
    handler = SimulatedLiquidHandler(name="handler", bench=bench, sources_ul=SOURCES_UL)
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    found = await dye_assay(handler, reader, Well("plate-1", "A1"), dye_fraction=0.36, settle_s=0.0)
    assert found.absorbance_au == pytest.approx(0.80, abs=0.08)


async def test_more_dye_absorbs_more_and_the_target_lies_inside_the_search_range() -> None:
    bench = Bench.instant(seed=2)
    handler = SimulatedLiquidHandler(name="handler", bench=bench, sources_ul=SOURCES_UL)
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    wells = [Well("plate-1", f"{row}1") for row in "ABCDE"]
    fractions = (0.05, 0.2, 0.4, 0.7, 0.95)
    values = [
        (await dye_assay(handler, reader, well, dye_fraction=fraction, settle_s=0.0)).absorbance_au
        for well, fraction in zip(wells, fractions, strict=True)
    ]
    assert values == sorted(values)
    assert values[1] < 0.80 < values[2]


async def test_an_empty_source_ends_the_protocol_with_a_lab_fault() -> None:
    bench = Bench.instant()
    handler = SimulatedLiquidHandler(
        name="handler", bench=bench, sources_ul={"dye": 210.0, "buffer": 50_000.0}
    )
    reader = SimulatedAbsorbanceReader(name="reader", bench=bench)
    with pytest.raises(OutOfMaterial, match=r"source 'dye' has 10.0 µL"):
        await dye_assay(handler, reader, Well("plate-1", "A1"), dye_fraction=0.5, settle_s=0.0)


async def test_the_lipid_protocol_measures_a_formulation_of_the_data() -> None:
    station = DataEmulator(name="station", bench=Bench.instant(), dataset="lnp3")
    found = await lipid_nanoparticles(
        station,
        drug_input_mg=48.0,
        solid_lipid="Stearic_acid",
        solid_lipid_input_mg=96.0,
        liquid_lipid_input_mg=24.0,
        surfactant_input_fraction=0.0025,
    )
    assert found.encap_efficiency_fraction == pytest.approx(0.6464, abs=1e-4)
    assert found.drug_loading_fraction == pytest.approx(0.2019, abs=1e-4)
    assert found.particle_diameter_arb == pytest.approx(3.296, abs=1e-3)


async def test_the_crossed_barrel_protocol_measures_a_structure_of_the_data() -> None:
    station = DataEmulator(name="station", bench=Bench.instant(), dataset="crossed_barrel")
    found = await crossed_barrel(
        station, strut_count=6, twist_deg=0.0, strut_radius_mm=1.5, wall_mm=0.7
    )
    assert 0.5 < found.toughness_j < 3.0
