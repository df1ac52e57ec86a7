"""Plate assay: mix a dye with buffer in as many wells as there are samples, and read them all."""

from __future__ import annotations

from dataclasses import dataclass

from sdl import DriverFault, Well, protocol, settle, within
from sdl.capabilities import LiquidHandler, PlateReader

WELL_VOLUME_UL = 200.0
WAVELENGTH_NM = 450.0
READ_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What a campaign searches: one sample."""

    dye_fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one sample gives."""

    absorbance_au: float
    """At 450 nm, through the filling height of the well."""


@protocol
async def plate_assay(
    handler: LiquidHandler,
    reader: PlateReader,
    wells: list[Well],
    *,
    mixtures: list[Mixture],
    settle_s: float = 30.0,
) -> list[Reading | None]:
    """Fill a well for each sample, let all of them settle, read one after the other."""
    for well, mixture in zip(wells, mixtures, strict=True):
        dye_ul = mixture.dye_fraction * WELL_VOLUME_UL
        await handler.dispense(well, {"dye": dye_ul, "buffer": WELL_VOLUME_UL - dye_ul})
    await settle(settle_s)
    found: list[Reading | None] = []
    async with within(READ_WITHIN_S):
        for well in wells:
            try:
                absorbance_au = await reader.absorbance(well, wavelength_nm=WAVELENGTH_NM)
            except DriverFault:
                found.append(None)  # this sample has failed; the others are as good as before
            else:
                found.append(Reading(absorbance_au=absorbance_au))
    return found
