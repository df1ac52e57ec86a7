"""A made-up bench that can look at a mixture in two ways, and a protocol for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdl import protocol
from sdl.authoring import settle
from sdl.capabilities import Workstation
from sdl.model.data import InputValue
from sdl.sim import Bench

QUICK_S, FULL_S = 60.0, 1200.0


class Station:
    """A hill over two inputs, of which a quick look sees a flatter and lower picture."""

    def __init__(self, *, name: str, bench: Bench) -> None:
        self._name = name
        self._bench = bench

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing moves."""

    async def make(self, recipe: Mapping[str, InputValue]) -> Mapping[str, float]:
        """Depends on the recipe alone."""
        acid, base = float(recipe["acid"]), float(recipe["base"])
        hill = 50.0 - 3.0 * (acid - 6.0) ** 2 - 2.0 * (base - 3.0) ** 2 + acid * base
        return {"gain": hill if recipe["closely"] == "yes" else 0.5 * hill - 4.0 + 0.5 * acid}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one run observes."""

    gain_ratio: float


async def quick_look(station: Workstation, acid: float, base: float) -> float:
    """A minute, and a picture that is not sharp."""
    found = await station.make({"acid": acid, "base": base, "closely": "no"})
    await settle(QUICK_S)
    return found["gain"]


async def full_look(station: Workstation, acid: float, base: float) -> float:
    """Twenty minutes, and what counts."""
    found = await station.make({"acid": acid, "base": base, "closely": "yes"})
    await settle(FULL_S)
    return found["gain"]


@protocol
async def looked(
    station: Workstation, *, acid: float, base: float, assay: Literal["quick", "full"] = "full"
) -> Looked:
    """Make a mixture and look at it, quickly or closely."""
    look = quick_look if assay == "quick" else full_look
    return Looked(gain_ratio=await look(station, acid, base))
