"""Typed contracts of instruments. A protocol names them as roles; a driver keeps them by shape.

A driver is a plain class: it does not inherit from these, the type checker proves that it fits.
A lab may define its own in the same way: a ``Protocol`` class with ``@action`` methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sdl.model.action import Capability, action
from sdl.model.data import InputValue
from sdl.model.labware import Plate, Well
from sdl.model.stock import Pieces, Transfer, Wash


class Device(Protocol):
    """What a node asks of every driver and simulator besides its actions."""

    async def connect(self) -> None:
        """Open the line and make ready; safe to call twice. DriverFault if nobody answers."""
        ...

    async def disconnect(self) -> None:
        """Close the line; safe to call twice and after a failed ``connect``."""
        ...

    async def make_safe(self) -> None:
        """Stop motion, heat and flow, now; safe to call at any moment, also during an action."""
        ...


TIPS = "tips"
"""The supply of fresh tips of a liquid handler, ..."""
TIP_WASTE = "tip_waste"
"""... and its room for used ones; both are counted where ``[stocks]`` declares them."""
FOILS = "foils"
"""The supply of foils of a sealer, counted likewise."""
WASH = "wash"
"""What a washer rinses with, ..."""
LIQUID_WASTE = "liquid_waste"
"""... and its room for what it draws off."""


def _tips(count: int) -> tuple[Pieces, ...]:
    return (Pieces(TIPS, count), Pieces(TIP_WASTE, count)) if count else ()


def _dispensed(well: Well, volumes_ul: Mapping[str, float]) -> tuple[Transfer | Pieces, ...]:
    moved = tuple(Transfer(source, well, volume_ul) for source, volume_ul in volumes_ul.items())
    return (*moved, *_tips(sum(volume_ul > 0.0 for volume_ul in volumes_ul.values())))


def _transferred(source: Well, target: Well, volume_ul: float) -> tuple[Transfer | Pieces, ...]:
    return (Transfer(source, target, volume_ul), *_tips(1))


def _mixed(well: Well, volume_ul: float, cycles: int) -> tuple[Pieces, ...]:  # noqa: ARG001 - asked so
    return _tips(1)


def _washed(plate: Plate, cycles: int, volume_ul: float) -> tuple[Wash, ...]:
    return (Wash(plate, WASH, cycles * volume_ul, LIQUID_WASTE),)


def _sealed(plate: Plate, temperature_c: float, duration_s: float) -> tuple[Pieces, ...]:  # noqa: ARG001 - asked so
    return (Pieces(FOILS, 1),)


class LiquidHandler(Capability, Protocol):
    """Moves liquids between named sources and wells."""

    @action("once", timeout_s=600.0, moves=_dispensed, lid="off")
    async def dispense(self, well: Well, volumes_ul: Mapping[str, float]) -> None:
        """Add liquids, named by their source, to a well, each with a fresh tip, in the order given.

        Volumes in µL, 0 or more; a volume of 0 is skipped. OutOfMaterial if a source or the tips
        run short, or the well would overflow; DriverFault on any other refusal.
        """
        ...

    @action("once", timeout_s=600.0, moves=_transferred, lid="off")
    async def transfer(self, source: Well, target: Well, volume_ul: float) -> None:
        """Move ``volume_ul`` (µL, above 0) of a well's mixture to another, with a fresh tip."""
        ...

    @action("once", timeout_s=600.0, moves=_mixed, lid="off")
    async def mix(self, well: Well, volume_ul: float, cycles: int) -> None:
        """Draw up and give back ``volume_ul`` (µL, above 0) ``cycles`` times (1 to 50).

        With a fresh tip.
        """
        ...


class PlateReader(Capability, Protocol):
    """Measures light in wells."""

    @action("pure", timeout_s=300.0, lid="off")
    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        """Absorbance in AU (decadic, as seen through the well's own filling height).

        ``wavelength_nm`` 200 to 1000. DriverFault if the reader cannot reach the wavelength or
        the signal is saturated.
        """
        ...


class Workstation(Capability, Protocol):
    """An integrated cell that makes a sample from a recipe and measures it in one go."""

    @action("once", timeout_s=86400.0)
    async def make(self, recipe: Mapping[str, InputValue]) -> Mapping[str, float]:
        """Make and measure one sample.

        ``recipe``: ingredient or setting to amount or option, units by the station's own table.
        Returns measured values by name. DriverFault if the recipe cannot be made.
        """
        ...


class Arm(Capability, Protocol):
    """Carries labware from site to site, and lids: these are labware, too."""

    @action("once", timeout_s=600.0)
    async def move(self, labware: str, source: str, target: str) -> None:
        """Take a piece of labware from one site, ``hotel/3``, and set it down on another.

        A lid lies on the plate that stands on ``source``, or is set on the one on ``target``. A
        class that takes a lid by its name, and leaves the plate, says ``carries_lids = True``; no
        other one is told to.
        DriverFault if nothing stands on ``source``, or something else; if ``target`` is taken, or
        one of them is out of reach; if the grip is lost on the way.
        """
        ...


class Hotel(Capability, Protocol):
    """Stores labware on sites of its own, and knows what stands on them."""

    @action("pure", timeout_s=60.0)
    async def locate(self, labware: str) -> str:
        """The site on which a piece of labware stands, such as ``hotel/3``.

        DriverFault if it does not stand here.
        """
        ...


class Incubator(Capability, Protocol):
    """Keeps plates warm, or cool, and may shake them meanwhile."""

    @action("idempotent", timeout_s=14_400.0)
    async def keep(self, plate: Plate, temperature_c: float, shaking_rpm: float = 0.0) -> None:
        """Keep a plate that stands here at ``temperature_c`` (°C) from now until it is taken out.

        Returns once the chamber has that temperature, which is at once where it has it already.
        The time itself passes in the protocol: ``await settle(3600)``; meanwhile the instrument
        is free for other plates. ``shaking_rpm``: 0 or more. DriverFault if the plate is not here,
        temperature or speed is out of reach, or other plates are kept otherwise. Whoever makes
        the incubator safe ends the keeping, and protocols that only wait are not told.
        """
        ...


class Shaker(Capability, Protocol):
    """Mixes what is in a plate by moving it in small circles."""

    @action("idempotent", timeout_s=86_400.0)
    async def shake(self, plate: Plate, speed_rpm: float, duration_s: float) -> None:
        """Shake at ``speed_rpm`` (1/min, above 0) for ``duration_s`` (s, above 0)."""
        ...


class Washer(Capability, Protocol):
    """Empties all wells of a plate and fills them with a wash liquid, again and again."""

    @action("once", timeout_s=3_600.0, moves=_washed, lid="off")
    async def wash(self, plate: Plate, cycles: int, volume_ul: float) -> None:
        """Wash every well ``cycles`` times (1 to 20) with ``volume_ul`` (µL, above 0) each.

        A cycle draws off and fills; after the last one the wells are drawn off once more, and hold
        what the washer cannot reach. OutOfMaterial if the liquid runs short, the waste is full, or
        a well would overflow. The ledger takes the wells for empty then, the liquid from the source
        ``wash``, as in ``[stocks.washer.wash]``, and room for all that is drawn off from
        ``liquid_waste``, if that is declared.
        """
        ...


class Sealer(Capability, Protocol):
    """Closes a plate with a foil, by heat and pressure."""

    @action("once", timeout_s=600.0, moves=_sealed, lid="off")
    async def seal(self, plate: Plate, temperature_c: float, duration_s: float) -> None:
        """Press a foil on at ``temperature_c`` (°C) for ``duration_s`` (s, above 0).

        OutOfMaterial if there is no foil left, as in ``[stocks.sealer.foils]``; DriverFault if the
        temperature is out of reach.
        """
        ...


BUILT_IN: tuple[type, ...] = (
    LiquidHandler,
    PlateReader,
    Workstation,
    Arm,
    Hotel,
    Incubator,
    Shaker,
    Washer,
    Sealer,
)
"""The contracts that a driver without ``@action`` marks of its own is compared with."""
