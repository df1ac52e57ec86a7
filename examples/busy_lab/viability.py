"""Viability: how well living cells can be told from killed ones after an hour in the warmth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from sdl import Well, protocol, settle, within
from sdl.capabilities import Incubator, LiquidHandler, PlateReader

WELL_UL = 2000.0
FIXATIVE_UL = 500.0
WARM_C = 37.0
INCUBATION_S = 3600.0
TURBID_NM = 600.0
OUT_OF_WARMTH_S = 600.0
READ_WITHIN_S = 60.0
CANNOT_TELL = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """How far living and killed cells lie apart."""

    z_prime: float
    """1 - 3 (sd + sd) / difference of the means (Zhang, Chung and Oldenburg, 1999); at most 1,
    -1 where they cannot be told apart."""
    window_au: float
    """Mean of the living less mean of the killed, at 600 nm."""


@protocol
async def viability(
    handler: LiquidHandler,
    incubator: Incubator,
    reader: PlateReader,
    wells: list[Well],
    *,
    cells_ul: float,
) -> Separation:
    """Seed a plate, half with killed cells, keep it warm for an hour, fix the cells, read."""
    killed, live = wells[: len(wells) // 2], wells[len(wells) // 2 :]
    for source, half in (("killed", killed), ("cells", live)):
        for well in half:
            await handler.dispense(well, {"medium": WELL_UL - cells_ul, source: cells_ul})
    await incubator.keep(wells[0].plate, WARM_C)
    await settle(INCUBATION_S)
    async with within(OUT_OF_WARMTH_S):  # until then they grow on
        await handler.dispense(wells[0], {"fixative": FIXATIVE_UL})
    for well in wells[1:]:
        await handler.dispense(well, {"fixative": FIXATIVE_UL})
    async with within(READ_WITHIN_S):  # before the fixed cells sink
        first_au = await reader.absorbance(wells[0], wavelength_nm=TURBID_NM)
    rest_au = [await reader.absorbance(well, wavelength_nm=TURBID_NM) for well in wells[1:]]
    read_au = [first_au, *rest_au]
    return separation(read_au[: len(killed)], read_au[len(killed) :])


def separation(low_au: Sequence[float], high_au: Sequence[float]) -> Separation:
    """Of two groups of readings, at least two in each."""
    window_au = fmean(high_au) - fmean(low_au)
    spread_au = 3.0 * (stdev(low_au) + stdev(high_au))
    z_prime = 1.0 - spread_au / window_au if window_au > 0.0 else CANNOT_TELL
    return Separation(z_prime=max(CANNOT_TELL, z_prime), window_au=window_au)
