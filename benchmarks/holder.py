"""An instrument whose action ends when it is made safe, and which says when that was."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from sdl import action
from sdl.sim import Bench


class SimulatedHolder:
    """Holds until it is stopped."""

    def __init__(self, *, name: str, bench: Bench, told: str) -> None:
        """``told``: path of the file that receives a line whenever it is made safe."""
        self.name = name
        self.bench = bench
        self._told = Path(told)
        self._let_go = asyncio.Event()

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Lets go, and writes down the moment on the monotonic clock of the machine."""
        with self._told.open("a", encoding="utf-8") as file:
            file.write(f"{self.name} {time.monotonic()}\n")
        self._let_go.set()

    @action("once")
    async def hold(self) -> None:
        """Hold until it is made safe."""
        self._let_go.clear()
        await self._let_go.wait()
