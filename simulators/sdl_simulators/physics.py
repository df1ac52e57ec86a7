"""What happens to liquids in open wells: they evaporate, and shaking moves them or does not."""

from __future__ import annotations

import math

from sdl.model.labware import LabwareKind

KELVIN = 273.15
GAS_J_MOL_K = 8.314
WATER_KG_MOL = 0.018015
WATER_KG_M3 = 1000.0
WATER_N_M = 0.072
"""Surface tension of water at room temperature."""


def saturation_pa(temperature_c: float) -> float:
    """Vapour pressure over water (Magnus; Alduchov and Eskridge, J. Appl. Meteorol. 35, 1996)."""
    return 610.94 * math.exp(17.625 * temperature_c / (temperature_c + 243.04))


def diffusivity_m2_s(temperature_c: float) -> float:
    """Of water vapour in air at sea level (Massman, Atmos. Environ. 32, 1111, 1998)."""
    return 2.178e-5 * math.pow((temperature_c + KELVIN) / KELVIN, 1.81)


def evaporated_ul(
    kind: LabwareKind,
    volume_ul: float,
    *,
    temperature_c: float,
    humidity: float,
    duration_s: float,
) -> float:
    """How much water leaves one open well (µL), at most what is in it.

    Vapour diffuses through the still air between surface and rim, and from there into the room:
    Stefan's tube (Bird, Stewart and Lightfoot, Transport Phenomena, chapter 18), whose gap grows
    as the square root of time, lengthened by pi/4 radii for the air above the opening.
    ``humidity``: relative, 0 to 1.
    """
    missing_pa = saturation_pa(temperature_c) * max(0.0, 1.0 - humidity)
    missing_mol_m3 = missing_pa / (GAS_J_MOL_K * (temperature_c + KELVIN))
    growth_m2_s = diffusivity_m2_s(temperature_c) * missing_mol_m3 * WATER_KG_MOL / WATER_KG_M3
    opening_m2 = kind.opening_mm2 * 1e-6
    dry_m = max(0.0, kind.depth_mm * 1e-3 - kind.path_cm(volume_ul) * 1e-2)
    gap_m = dry_m + math.pi / 4.0 * math.sqrt(opening_m2 / math.pi)
    sunk_m = math.sqrt(gap_m * gap_m + 2.0 * growth_m2_s * duration_s) - gap_m
    return min(volume_ul, sunk_m * opening_m2 * 1e9)


def critical_rpm(kind: LabwareKind, volume_ul: float, orbit_mm: float) -> float:
    """The orbital speed above which the liquid of a well begins to move and mix, in 1/min.

    Below it the surface tension holds it where it is (Hermann, Lehmann and Buechs, Biotechnol.
    Bioeng. 81, 178, 2003): ``sqrt(tension * diameter / (4 pi * volume * density * orbit))``.
    """
    diameter_m = 2.0 * math.sqrt(kind.opening_mm2 * 1e-6 / math.pi)
    held = 4.0 * math.pi * volume_ul * 1e-9 * WATER_KG_M3 * orbit_mm * 1e-3
    return 60.0 * math.sqrt(WATER_N_M * diameter_m / held)


def grown_ul(cells_ul: float, food_ul: float, *, rate_h: float, duration_s: float) -> float:
    """How much of the food (µL) has become cells: logistic growth, until there is none left.

    Cells and food are counted in µL of their stocks, one for one. ``rate_h``: 1/h, while food
    abounds. Two stretches of time one after the other do the same as both in one.
    """
    room_ul = cells_ul + food_ul
    if cells_ul <= 0.0 or food_ul <= 0.0:
        return 0.0
    shrunk = math.exp(-rate_h * duration_s / 3600.0)
    return room_ul / (1.0 + food_ul / cells_ul * shrunk) - cells_ul


LEAST_C, BEST_C, MOST_C = 4.9, 41.3, 47.5
"""Between which temperatures *Escherichia coli* grows, and where fastest (Rosso et al., 1993)."""


def warmth_fraction(temperature_c: float) -> float:
    """Growth rate at a temperature, as a fraction of the one at the best: 0 to 1.

    The cardinal temperature model (Rosso, Lobry and Flandrois, J. Theor. Biol. 162, 447, 1993).
    """
    if not LEAST_C < temperature_c < MOST_C:
        return 0.0
    span, below, beyond = BEST_C - LEAST_C, temperature_c - LEAST_C, temperature_c - MOST_C
    slope = span * (temperature_c - BEST_C)
    bend = (BEST_C - MOST_C) * (BEST_C + LEAST_C - 2.0 * temperature_c)
    return beyond * below * below / (span * (slope - bend))
