"""The unit of a number stands at the end of its name."""

from __future__ import annotations

import pytest

from sdl.model.units import label, unit_of


@pytest.mark.parametrize(
    "name, unit, words",
    [
        ("volume_ul", "µL", "volume (µL)"),
        ("absorbance_au", "AU", "absorbance (AU)"),
        ("dye_fraction", "1", "dye fraction"),
        ("settle_s", "s", "settle (s)"),
        ("drug_mg_ml", "mg/mL", "drug (mg/mL)"),
        ("total_flow_ul_min", "µL/min", "total flow (µL/min)"),
        ("efficiency_percent", "%", "efficiency (%)"),
        ("surfactant", "", "surfactant"),
        ("s", "", "s"),
        ("_s", "", " s"),
        ("pore_size", "", "pore size"),
    ],
)
def test_a_name_says_its_unit(name: str, unit: str, words: str) -> None:
    assert (unit_of(name), label(name)) == (unit, words)
