"""An instrument for tests: a heater that takes its time to be made safe."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from sdl.authoring import action


class Heater:
    """``bake`` waits, switches the heater on, and leaves it on or off."""

    def __init__(self, *, name: str, bench: object, safe_s: float = 0.0) -> None:
        """``safe_s``: what ``make_safe`` takes, whoever cancels it."""
        self.safe_s = safe_s
        self.on = False
        self.baked = 0
        self.made_safe = 0
        self.busy: list[str] = []
        """What goes on now; more than one thing at a time would garble a serial line."""
        self.clashes: list[tuple[str, ...]] = []

    async def connect(self) -> None:
        """Nothing to connect to."""

    async def disconnect(self) -> None:
        """Nothing to disconnect from."""

    async def make_safe(self) -> None:
        """Switch the heater off, and see to it that it cools."""
        self.busy.append("make_safe")
        if self.busy.count("make_safe") > 1:
            self.clashes.append(tuple(self.busy))
        self.on = False
        until_s = asyncio.get_running_loop().time() + self.safe_s
        while (left_s := until_s - asyncio.get_running_loop().time()) > 0.0:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(left_s)
        self.busy.remove("make_safe")
        self.made_safe += 1

    @action("once", timeout_s=100.0)
    async def bake(self, lead_s: float, time_s: float) -> None:
        """Wait, heat; the heater stays on."""
        if self.busy:
            self.clashes.append((*self.busy, "bake"))
        await asyncio.sleep(lead_s)
        self.on = True
        self.baked += 1
        await asyncio.sleep(time_s)

    @action("once", timeout_s=10.0)
    async def label(self) -> str:
        """Half a character, as a camera reads it."""
        return "A\ud800"
