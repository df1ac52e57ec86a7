"""Pumps that keep the driver contract, and pumps that break it in one way each."""

from __future__ import annotations

import asyncio
import time

from sdl.authoring import Finding, Interrupted, action, action_key, note
from sdl.errors import ActionRefused, DriverFault
from sdl.model.data import JsonValue
from sdl.shell.in_thread import in_thread

STROKE_S = 0.05


class Pump:
    """Keeps the contract: dispenses, and lets itself be stopped."""

    def __init__(self) -> None:
        self.pressed_ul = 0.0
        self.halted = asyncio.Event()

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        self.halted.set()

    @action("once", timeout_s=5.0)
    async def dispense(self, volume_ul: float) -> float:
        """Press ``volume_ul`` out; returns all that was pressed out so far."""
        if not 0.0 <= volume_ul <= 1000.0:
            raise ActionRefused(f"{volume_ul} µL is not within 0 to 1000")
        await self.stroke()
        self.pressed_ul += volume_ul
        return self.pressed_ul

    @action("pure", timeout_s=5.0)
    async def level(self) -> float:
        """What was pressed out so far, µL."""
        return self.pressed_ul

    async def stroke(self) -> None:
        """Wait for the motor. DriverFault if it is halted."""
        self.halted.clear()
        try:
            async with asyncio.timeout(STROKE_S):
                await self.halted.wait()
        except TimeoutError:
            return
        raise DriverFault("halted")


class Weighing(Pump):
    """Has a balance below it, so it can tell what became of a dose."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[str, float] = {}

    @action("once", timeout_s=5.0, probe="look")
    async def dispense(self, volume_ul: float) -> float:
        await note({"before_ul": self.pressed_ul})
        told = await Pump.dispense(self, volume_ul)
        self.log[action_key()] = told
        return told

    async def look(self, interrupted: Interrupted) -> Finding:
        """The balance knows."""
        told = self.log.get(interrupted.key)
        noted: JsonValue = interrupted.noted
        if told is None:
            return Finding(verdict="did_not_happen", evidence=f"the pan shows {noted}")
        return Finding(verdict="happened", evidence=f"the pan shows {told} µL", result=told)


class Credulous(Weighing):
    async def look(self, interrupted: Interrupted) -> Finding:
        return Finding(verdict="happened", evidence="surely", result=interrupted.action and 1.0)


class Forgetful(Weighing):
    async def look(self, interrupted: Interrupted) -> Finding:
        return Finding(verdict="did_not_happen", evidence="surely not")


class Unclear(Weighing):
    async def look(self, interrupted: Interrupted) -> Finding:
        return Finding(verdict="unclear", evidence="the pan was bumped")


class WithoutProbe(Pump):
    @action("once", timeout_s=5.0, probe="look")
    async def dispense(self, volume_ul: float) -> float:
        return await Pump.dispense(self, volume_ul)


class OddProbe(WithoutProbe):
    async def look(self, key: str) -> bool:
        return bool(key)


class Blocking(Pump):
    async def stroke(self) -> None:
        time.sleep(0.12)  # noqa: ASYNC251 -- what a vendor's library does


class Threaded(Pump):
    """Lets what blocks run in a thread, as the contract advises."""

    async def stroke(self) -> None:
        await in_thread(time.sleep, 0.12)


class Deaf(Pump):
    """Neither ``make_safe`` nor cancelling ends its stroke in time."""

    async def stroke(self) -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            try:
                await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                continue


class SlowToStop(Pump):
    async def make_safe(self) -> None:
        await asyncio.sleep(0.8)
        self.halted.set()


class Sulking(Pump):
    """Does nothing more after it was made safe."""

    async def stroke(self) -> None:
        if self.halted.is_set():
            raise DriverFault("the driver was stopped; make a new one")
        await super().stroke()


class Mistaken(Pump):
    """Returns something else than it says."""

    @action("pure", timeout_s=5.0)
    async def level(self) -> float:
        return "12"  # type: ignore[return-value]


class Endless(Pump):
    """Returns a number that no message can hold."""

    @action("pure", timeout_s=5.0)
    async def level(self) -> float:
        return float("inf")


class Careless(Pump):
    """Falls over something that is no one's fault."""

    @action("pure", timeout_s=5.0)
    async def level(self) -> float:
        raise ZeroDivisionError("division by zero")


class Anything(Pump):
    @action("once", timeout_s=5.0)
    async def purge(self, how: object) -> None:
        """Has an argument that may be anything."""
        raise NotImplementedError(how)


class Untyped(Pump):
    @action("once", timeout_s=5.0)
    async def purge(self, how) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Has an argument without a type."""
        raise NotImplementedError(how)


class Disorderly(Pump):
    @action("once", timeout_s=5.0)
    async def purge(self, lines: tuple[frozenset[str], ...]) -> None:
        """Has an argument whose order nobody can tell."""
        raise NotImplementedError(lines)


class Hasty(Pump):
    @action("once", timeout_s=0.0)
    async def purge(self) -> None:
        """May not take any time."""
