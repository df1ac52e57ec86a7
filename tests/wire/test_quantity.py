"""Quantities with units, as people write them."""

from __future__ import annotations

import pytest

from sdl.wire.quantity import read_quantity

READ = [
    ("50 uL", "dye_ul", 50.0),
    ("50uL", "dye_ul", 50.0),
    ("50 µL", "dye_ul", 50.0),
    ("0.05 mL", "dye_ul", 50.0),
    ("2 min", "settle_s", 120.0),
    ("1.5 h", "settle_min", 90.0),
    ("37 °C", "incubation_c", 37.0),
    ("37 degC", "incubation_c", 37.0),
    ("98.6 degF", "incubation_c", 37.0),
    ("310.15 K", "incubation_c", 37.0),
    ("0.8 AU", "absorbance_au", 0.8),
    ("40 %", "dye_fraction", 0.4),
    ("0.4", "dye_fraction", 0.4),
    ("0.4", "dye_percent", 0.4),
    ("0.4 dimensionless", "dye_percent", 40.0),
    ("0.45 um", "wavelength_nm", 450.0),
    ("1e-3 g", "mass_mg", 1.0),
    ("-5 mm", "height_um", -5000.0),
    (" 3 ", "x", 3.0),
]


@pytest.mark.parametrize("text,name,value", READ)
def test_a_quantity_becomes_a_number_in_the_unit_of_the_name(
    text: str, name: str, value: float
) -> None:
    assert read_quantity(text, name) == pytest.approx(value, rel=1e-12)


def test_a_megapascal_is_no_millipascal() -> None:
    assert read_quantity("1 mPa", "pressure_mpa") == pytest.approx(1e-9)


REFUSED = [
    (
        "50 mg",
        "dye_ul",
        '"50 mg" does not fit: dye_ul is in µL, and mg cannot be converted to that',
    ),
    (
        "5 uL",
        "dye_fraction",
        '"5 uL" does not fit: dye_fraction is in plain numbers (no unit), '
        "and uL cannot be converted to that",
    ),
    ("5 flurbs", "dye_ul", '"flurbs" is no known unit; dye_ul is in µL'),
    (
        "5 uL",
        "x",
        '"5 uL" has a unit, but x has none (no unit suffix such as _ul or _s); give a plain number',
    ),
    ("0,7", "dye_fraction", '"0,7": decimals need a point: 0.7'),
    ("120 C", "heat_c", '"120 C" is no temperature; write "120 degC"'),
    ("104 F", "heat_c", '"104 F" is no temperature; write "104 degF"'),
    ("lots", "dye_ul", '"lots" is no quantity; write a number, or one with a unit: "50 uL"'),
    ("5 __import__('os')", "dye_ul", "\"__import__('os')\" is no known unit; dye_ul is in µL"),
    ("5 )(", "dye_ul", '")(" is no known unit; dye_ul is in µL'),
]


@pytest.mark.parametrize("text,name,message", REFUSED)
def test_what_does_not_fit_is_refused_with_both_units(text: str, name: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message follows
        read_quantity(text, name)
    assert str(caught.value) == message
