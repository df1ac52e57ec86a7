"""The steps of an ELISA, without its antibodies: what washing costs, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from sdl import Well, protocol, settle, within
from sdl.capabilities import Incubator, LiquidHandler, PlateReader, Sealer, Shaker, Washer

WELL_UL = 2000.0
BLANKS = 2
"""Wells that never have any label."""
LABEL_UL = 100.0
SUBSTRATE_UL = 300.0
WARM_C = 37.0
BINDING_S = 1800.0
COLOUR_NM = 650.0
SHAKING_RPM = 900.0
SHAKING_S = 30.0
OUT_OF_WARMTH_S = 300.0
WET_WITHIN_S = 120.0
SHAKE_WITHIN_S = 95.0
READ_WITHIN_S = 60.0
SEAL_C, SEAL_S = 170.0, 2.0
ML_PER_AU = 1000.0
"""What we would give for a lower background: a millilitre of wash liquid for 0.001 AU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Washing:
    """What is left of the label, and what it cost to get rid of the rest."""

    cost_ml: float
    """Wash liquid used, and a millilitre for each 0.001 AU of label that is still there."""
    background_au: float
    """Wells that had the label less wells that never had any, at 650 nm."""


@protocol
async def elisa(
    handler: LiquidHandler,
    incubator: Incubator,
    washer: Washer,
    shaker: Shaker,
    reader: PlateReader,
    sealer: Sealer,
    wells: list[Well],
    *,
    cycles: int,
    wash_ul: float,
) -> Washing:
    """Label all wells but two, wash the plate, read what is left of the label, seal for later."""
    blank, label = wells[:BLANKS], wells[BLANKS:]
    plate = wells[0].plate
    for well in blank:
        await handler.dispense(well, {"buffer": WELL_UL})
    for well in label:
        await handler.dispense(well, {"buffer": WELL_UL - LABEL_UL, "label": LABEL_UL})
    await incubator.keep(plate, WARM_C)
    await settle(BINDING_S)
    async with within(OUT_OF_WARMTH_S):
        await washer.wash(plate, cycles, wash_ul)
    async with within(WET_WITHIN_S):  # before the first well dries up
        await handler.dispense(wells[0], {"substrate": SUBSTRATE_UL})
    for well in wells[1:]:
        await handler.dispense(well, {"substrate": SUBSTRATE_UL})
    async with within(SHAKE_WITHIN_S):
        await shaker.shake(plate, SHAKING_RPM, SHAKING_S)
    async with within(READ_WITHIN_S):  # the colour goes on developing
        first_au = await reader.absorbance(wells[0], wavelength_nm=COLOUR_NM)
    rest_au = [await reader.absorbance(well, wavelength_nm=COLOUR_NM) for well in wells[1:]]
    await sealer.seal(plate, SEAL_C, SEAL_S)
    read_au = [first_au, *rest_au]
    background_au = fmean(read_au[BLANKS:]) - fmean(read_au[:BLANKS])
    used_ml = cycles * wash_ul * len(wells) / 1000.0
    return Washing(cost_ml=used_ml + ML_PER_AU * background_au, background_au=background_au)
