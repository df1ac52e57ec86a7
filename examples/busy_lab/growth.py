"""A growth curve: three times into the warmth and out again to be read."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from sdl import Well, protocol, settle, within
from sdl.capabilities import Incubator, LiquidHandler, PlateReader

WELL_UL = 2000.0
WARM_C = 37.0
BETWEEN_S = 3600.0
READINGS = 3
TURBID_NM = 600.0
READ_WITHIN_S = 300.0
BACK_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What grew, at 600 nm, mean of the cultures less the blank."""

    first_au: float
    """After one hour."""
    rise_au: float
    """From the first reading to the last one."""


@protocol
async def growth(
    handler: LiquidHandler,
    incubator: Incubator,
    reader: PlateReader,
    wells: list[Well],
    *,
    inoculum_ul: float,
) -> Curve:
    """Inoculate all wells but one; then warmth for an hour and a reading, three times."""
    blank, *cultures = wells
    await handler.dispense(blank, {"medium": WELL_UL})
    for well in cultures:
        await handler.dispense(well, {"medium": WELL_UL - inoculum_ul, "cells": inoculum_ul})
    await incubator.keep(blank.plate, WARM_C)
    curve_au: list[float] = []
    for reading in range(READINGS):
        if reading:
            async with within(BACK_WITHIN_S):  # they get cold
                await incubator.keep(blank.plate, WARM_C)
        await settle(BETWEEN_S)
        async with within(READ_WITHIN_S):
            blank_au = await reader.absorbance(blank, wavelength_nm=TURBID_NM)
        read = [await reader.absorbance(well, wavelength_nm=TURBID_NM) for well in cultures]
        curve_au.append(fmean(read) - blank_au)
    return Curve(first_au=curve_au[0], rise_au=curve_au[-1] - curve_au[0])
