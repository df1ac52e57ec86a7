"""Units that the last words of a name stand for: ``volume_ul`` is in µL, ``settle_s`` in s."""

from __future__ import annotations

from collections.abc import Mapping

UNITS: Mapping[str, str] = {
    # volume, mass, amount
    "nl": "nL",
    "ul": "µL",
    "ml": "mL",
    "l": "L",
    "ng": "ng",
    "ug": "µg",
    "mg": "mg",
    "g": "g",
    "kg": "kg",
    "umol": "µmol",
    "mmol": "mmol",
    "mol": "mol",
    # concentration and flow
    "ng_ul": "ng/µL",
    "ug_ml": "µg/mL",
    "mg_ml": "mg/mL",
    "g_l": "g/L",
    "nmol_l": "nmol/L",
    "umol_l": "µmol/L",
    "mmol_l": "mmol/L",
    "mol_l": "mol/L",
    "ul_s": "µL/s",
    "ul_min": "µL/min",
    "ml_min": "mL/min",
    # time and frequency
    "us": "µs",
    "ms": "ms",
    "s": "s",
    "min": "min",
    "h": "h",
    "hours": "h",
    "hz": "Hz",
    "khz": "kHz",
    "rpm": "1/min",
    # length
    "nm": "nm",
    "um": "µm",
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "deg": "°",
    # temperature, pressure, energy, electricity
    "c": "°C",
    "k": "K",
    "pa": "Pa",
    "kpa": "kPa",
    "mpa": "MPa",
    "bar": "bar",
    "mbar": "mbar",
    "j": "J",
    "mj": "mJ",
    "w": "W",
    "mw": "mW",
    "mv": "mV",
    "v": "V",
    "ma": "mA",
    "ev": "eV",
    # light
    "au": "AU",
    "rfu": "RFU",
    "lux": "lx",
    # numbers without a dimension
    "percent": "%",
    "fraction": "1",
    "ratio": "1",
    "count": "1",
    "ph": "1",
}
"""Suffix to unit; ``1`` marks a number without a dimension."""


def unit_of(name: str) -> str:
    """The unit of a quantity by the end of its name; empty where the name says none."""
    suffix = _suffix(name)
    return UNITS[suffix] if suffix else ""


def label(name: str) -> str:
    """The name for people: ``absorbance_au`` is ``absorbance (AU)``."""
    suffix = _suffix(name)
    if not suffix or UNITS[suffix] == "1":
        return name.replace("_", " ")
    return f"{name[: -len(suffix) - 1].replace('_', ' ')} ({UNITS[suffix]})"


def _suffix(name: str) -> str:
    """The longest known suffix after at least one other word; empty if there is none."""
    words = name.split("_")
    for start in range(1, len(words)):
        suffix = "_".join(words[start:])
        if suffix in UNITS and words[start - 1]:
            return suffix
    return ""
