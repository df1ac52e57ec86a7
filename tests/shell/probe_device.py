"""An instrument for tests: it does what it is told to go wrong, and counts how often it acted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sdl.authoring import action
from sdl.errors import ActionRefused, DriverFault, LabFault, OutcomeUnknown, OutOfMaterial

TIMEOUT_S = 5.0


class UnprintableError(Exception):
    """Some drivers' errors fail while they say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


FAULTS: dict[str, Exception] = {
    "driver": DriverFault("the lid is open"),
    "refused": ActionRefused("not in this position"),
    "material": OutOfMaterial("no tip left"),
    "lab": LabFault("the door is open"),
    "unknown": OutcomeUnknown("the line broke in mid-stroke"),
    "surrogate": DriverFault("the display says \ud800"),
    "unprintable": UnprintableError(),
    "crash": ZeroDivisionError("division by zero"),
}


class Probe:
    """``act`` and ``look`` return how often the instrument has acted, or go wrong as asked."""

    def __init__(self, *, name: str, bench: object, start: int = 0) -> None:
        self.name = name
        self.bench = bench
        self.count = start
        self.safe = 0
        self.poured: list[tuple[Mapping[str, float], float]] = []
        self.release = asyncio.Event()

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Let a held action go."""
        self.safe += 1
        self.release.set()

    @action("once", timeout_s=TIMEOUT_S)
    async def act(self, what: str) -> float:
        """Act, and count it."""
        return await self._do(what)

    @action("pure", timeout_s=TIMEOUT_S)
    async def look(self, what: str) -> float:
        """The same, without effect."""
        return await self._do(what)

    @action("once")
    async def pour(self, volumes_ul: Mapping[str, float], speed: float = 1.0) -> int:
        """Has limits in the tests."""
        self.poured.append((volumes_ul, speed))
        return len(self.poured)

    @action("once")
    async def hold(self) -> None:
        """Goes on until ``release`` is set."""
        self.count += 1
        await self.release.wait()

    @action("once")
    async def turn(self, times: int) -> int:
        """Has an argument that may be any whole number."""
        return times

    async def _do(self, what: str) -> float:
        self.count += 1
        if what in FAULTS:
            raise FAULTS[what]
        if what == "hang":
            await asyncio.Event().wait()
        if what == "stubborn":
            while not self.release.is_set():
                try:
                    await self.release.wait()
                except asyncio.CancelledError:
                    continue
        if what == "type":
            return "12"  # type: ignore[return-value]
        return float("nan") if what == "nan" else float(self.count)
