"""The instruments of a drill, and their protocol; loaded by path, as a lab's own file is.

What a driver does to the world is a line in a file that only ever grows, on disk before the driver
goes on: ``begin KEY PID`` when it takes the first step and ``end KEY VALUE`` when the effect is
there. Whoever holds that file knows what happened, whatever the software believes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sdl import Capability, action, protocol, settle, together
from sdl.authoring import Finding, Interrupted, action_key

HALF_S = 0.005
"""Seconds from the first step to the effect, and again from there to the answer."""


class Doser(Capability, Protocol):
    """Has an action of each class."""

    @action("once")
    async def dose(self) -> int:
        """Give one dose; nobody can find out later whether it was given."""
        ...

    @action("once")
    async def weigh_in(self) -> int:
        """Give one dose onto a balance; an interrupted one can be found out about."""
        ...

    @action("idempotent")
    async def stir(self) -> int:
        """Bring the stirrer to its speed."""
        ...

    @action("pure")
    async def look(self) -> int:
        """Read something."""
        ...


class DrillDoser:
    """Writes down what it does."""

    def __init__(self, *, effects: str) -> None:
        """``effects``: path of the file."""
        self._effects = Path(effects)

    async def connect(self) -> None:
        """Nothing to open: the file is opened for each line, as it is told to who has died."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Says that it was."""
        self._write("safe - -")

    @action("once")
    async def dose(self) -> int:
        return await self._act()

    @action("once", probe="find_out")
    async def weigh_in(self) -> int:
        return await self._act()

    @action("idempotent")
    async def stir(self) -> int:
        return await self._act()

    @action("pure")
    async def look(self) -> int:
        return await self._act()

    async def find_out(self, interrupted: Interrupted) -> Finding:
        """The balance: its reading rose, or it did not."""
        for line in self._effects.read_text(encoding="utf-8").splitlines():
            word, key, value = line.split(" ")
            if word == "end" and key == interrupted.key:
                return Finding(verdict="happened", evidence="it is there", result=int(value))
        return Finding(verdict="did_not_happen", evidence="it is not there")

    async def _act(self) -> int:
        key, value = action_key().replace(" ", "_"), secrets.randbelow(10**12)
        self._write(f"begin {key} {os.getpid()}")
        await asyncio.sleep(HALF_S)
        self._write(f"end {key} {value}")
        await asyncio.sleep(HALF_S)
        return value

    def _write(self, line: str) -> None:
        file = os.open(self._effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, f"{line}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """What a run gives."""

    doses: float


@protocol
async def dosing(
    d0: Doser, d1: Doser, d2: Doser, d3: Doser, *, x: int, rounds: int, pause_s: float
) -> Doses:
    """A chain of actions on each of four instruments at once."""
    given = await together(*(_chain(each, rounds, pause_s) for each in (d0, d1, d2, d3)))
    return Doses(doses=float(sum(given) + 0 * x))


async def _chain(doser: Doser, rounds: int, pause_s: float) -> int:
    given = 0
    for _ in range(rounds):
        await doser.dose()
        await doser.weigh_in()
        await doser.dose()
        await doser.stir()
        await doser.look()
        given += 3
        await settle(pause_s)
    return given
