"""Dye assay: mix a dye with buffer in one well and read its absorbance."""

from __future__ import annotations

from dataclasses import dataclass

from sdl import Well, protocol, settle, within
from sdl.capabilities import LiquidHandler, PlateReader

WELL_VOLUME_UL = 200.0
WAVELENGTH_NM = 450.0
READ_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DyeReading:
    """What one run observes."""

    absorbance_au: float
    """At 450 nm, through the filling height of the well."""


@protocol
async def dye_assay(
    handler: LiquidHandler,
    reader: PlateReader,
    well: Well,
    *,
    dye_fraction: float,
    settle_s: float = 30.0,
) -> DyeReading:
    """Fill one well with dye and buffer, let it settle, read it."""
    dye_ul = dye_fraction * WELL_VOLUME_UL
    await handler.dispense(well, {"dye": dye_ul, "buffer": WELL_VOLUME_UL - dye_ul})
    await settle(settle_s)
    async with within(READ_WITHIN_S):
        absorbance_au = await reader.absorbance(well, wavelength_nm=WAVELENGTH_NM)
    return DyeReading(absorbance_au=absorbance_au)
