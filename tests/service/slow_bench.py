"""A handler and a reader that count as real, and take their time: what a test kills them in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sdl.model.labware import Well

TAKES_S = 1.5


class Arm:
    """Moves nothing, slowly."""

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing moves."""

    async def dispense(self, well: Well, volumes_ul: Mapping[str, float]) -> None:
        await asyncio.sleep(TAKES_S)

    async def transfer(self, source: Well, target: Well, volume_ul: float) -> None:
        await asyncio.sleep(TAKES_S)

    async def mix(self, well: Well, volume_ul: float, cycles: int) -> None:
        await asyncio.sleep(TAKES_S)


class Eye:
    """Sees the same everywhere."""

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing shines."""

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        return 0.5
