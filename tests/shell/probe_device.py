"""An instrument for tests: it does what it is told to go wrong, and counts how often it acted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sdl.authoring import Finding, Interrupted, action, action_key, note
from sdl.errors import ActionRefused, DriverFault, LabFault, OutcomeUnknown, OutOfMaterial

TIMEOUT_S = 5.0
LONG_S = 10.0


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

    def __init__(self, *, name: str, bench: object, start: int = 0, log: str = "") -> None:
        """``log``: a file that gets one line for each thing done to the world, as it is done."""
        self.name = name
        self._log = Path(log) if log else None
        self.bench = bench
        self.count = start
        self.safe = 0
        self.poured: list[tuple[Mapping[str, float], float]] = []
        self.release = asyncio.Event()
        self.jammed = False

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Let a held action go."""
        self.safe += 1
        if self.jammed:
            raise DriverFault("the arm is jammed")
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

    @action("idempotent")
    async def move(self, what: str) -> None:
        """Take ``LONG_S`` before or after it is there."""
        await self._pause(what == "before")
        self._leave_a_trace()
        await self._pause(what == "after")

    @action("once", timeout_s=TIMEOUT_S * 4, probe="find")
    async def dose(self, what: str, finds: str = "truth") -> int:
        """The same, and it can be looked up. ``finds``: what the probe is like."""
        await note({"traces": self._traces()})
        await self._pause(what == "before")
        self._leave_a_trace()
        await self._pause(what == "after")
        return self._traces()

    async def find(self, interrupted: Interrupted) -> Finding:
        """Look for the trace that this very action left."""
        finds = interrupted.arguments.get("finds", "truth")
        if finds == "raise":
            raise DriverFault("the balance does not answer")
        if finds == "hang":
            await asyncio.Event().wait()
        if finds == "nonsense":
            return "yes"  # type: ignore[return-value]
        if finds == "odd":
            return Finding(verdict="yes", evidence="it moved", result=7)  # type: ignore[arg-type]
        if finds == "unclear":
            return Finding(verdict="unclear", evidence="the balance drifts")
        before = interrupted.noted
        evidence = f"{before}, now {self._traces()}"
        if interrupted.key not in self._lines():
            return Finding(verdict="did_not_happen", evidence=evidence)
        result = None if finds == "no-result" else self._traces()
        return Finding(verdict="happened", evidence=evidence, result=result)

    async def _pause(self, wanted: bool) -> None:
        if wanted:
            await asyncio.sleep(LONG_S)

    def _lines(self) -> list[str]:
        there = self._log is not None and self._log.exists()
        return self._log.read_text().splitlines() if self._log and there else []

    def _traces(self) -> int:
        return len(self._lines())

    def _leave_a_trace(self) -> None:
        if self._log is not None:
            with self._log.open("a") as log:
                log.write(f"{action_key()}\n")

    async def _hold_on(self) -> None:
        """Go on for long, whoever cancels it."""
        for _ in range(20):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1.0)

    async def _do(self, what: str) -> float:
        self.count += 1
        self._leave_a_trace()
        if what in FAULTS:
            raise FAULTS[what]
        if what == "jam":
            self.jammed = True
        if what in {"hang", "hang-safe"}:
            await asyncio.Event().wait()
        if what == "stubborn-safe":
            await self._hold_on()
        if what == "stubborn":
            while not self.release.is_set():
                try:
                    await self.release.wait()
                except asyncio.CancelledError:
                    continue
        if what == "type":
            return "12"  # type: ignore[return-value]
        return float("nan") if what == "nan" else float(self.count)
