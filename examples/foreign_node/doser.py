"""What the foreign node offers, as types for ``sdl check``, and a protocol that uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sdl import Capability, action, protocol


class Doser(Capability, Protocol):
    """A pump that doses onto a balance. Its node is ``node.py``; nobody makes an object of this."""

    @action("once", timeout_s=60.0)
    async def dispense(self, volume_ul: float) -> None:
        """Press ``volume_ul`` (µL, 0 to 500) out of the syringe."""
        ...

    @action("pure", timeout_s=10.0)
    async def weigh(self) -> float:
        """What is on the pan, mg."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """What one dose weighs."""

    dose_mg: float


@protocol
async def weigh_a_dose(doser: Doser, *, volume_ul: float) -> Dose:
    """Weigh the pan, dose, weigh again."""
    before_mg = await doser.weigh()
    await doser.dispense(volume_ul)
    return Dose(dose_mg=await doser.weigh() - before_mg)
