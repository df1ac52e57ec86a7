"""A made-up bench for campaigns of all shapes: a station that answers at once, and its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdl import protocol
from sdl.capabilities import Workstation
from sdl.model.data import InputValue
from sdl.sim import Bench


class Station:
    """Two measures that cannot both be had, and a third that must not be too low."""

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
        a, b = float(recipe["a"]), float(recipe["b"])
        solvent = {"water": 0.0, "oil": 0.1, "none": -0.1}[str(recipe["solvent"])]
        return {
            "gain": a - a * a / 2.0 + solvent,
            "price": 10.0 * a + 2.0 * b,
            "purity": 1.0 - a / 2.0 - abs(solvent),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """What one run observes."""

    gain_ratio: float
    price_ratio: float
    purity_fraction: float


@protocol
async def blend(
    station: Workstation,
    *,
    a_fraction: float,
    b_fraction: float,
    c_fraction: float = 0.0,
    solvent: Literal["water", "oil", "none"] = "water",
) -> Blend:
    """Mix three components and measure the mixture."""
    del c_fraction
    found = await station.make({"a": a_fraction, "b": b_fraction, "solvent": solvent})
    return Blend(
        gain_ratio=found["gain"],
        price_ratio=found["price"],
        purity_fraction=found["purity"],
    )
