"""What is told of materials: values that leave the ledger, in microlitres as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.core.mixture import in_pieces, spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A part of a transfer that was made: one component of one lot."""

    component: str
    lot: str
    source: str
    target: str
    """Empty: it was thrown away."""
    volume_ul: float
    uncertainty_ul: float
    """Standard uncertainty, from the errors that ``Inventory`` knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How one declared source stands."""

    source: str
    """``handler/buffer``."""
    volume_ul: float
    uncertainty_ul: float
    """Standard uncertainty of that."""
    reserved_ul: float
    """For runs that have begun and will draw it."""
    doubt_ul: float
    """What may have been drawn by actions of which nobody knows how far they got."""
    free_ul: float
    """What the next run may have: dead volume, reserved and doubtful ones are left out."""
    lots: tuple[str, ...]
    """Of what is in it; a lot that nobody named is empty."""
    is_counted: bool = False
    """Each of its µL is one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One component in one place."""

    place: str
    """``plate-1/A1`` or ``handler/buffer``."""
    component: str
    lots: tuple[str, ...]
    volume_ul: float
    uncertainty_ul: float
    """Standard uncertainty of that, to first order."""
    fraction: float
    """Share of the place's volume."""
    fraction_uncertainty: float
    mostly_from: str
    """The error that makes the most of ``uncertainty_ul``: the step, and its how-manieth transfer.
    Empty where none is known."""
    doubt_ul: float = 0.0
    """Of a well: how much more there may be, or less, by actions of which nobody knows how far they
    got. It is part of neither uncertainty: those are of actions that ended well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """Why a source cannot give what a run needs."""

    source: str
    needed_pl: int
    free_pl: int
    """What is neither reserved nor in doubt."""
    expired: str = ""
    """A lot in it that is no longer good, and since when."""
    amount: str = "VOLUME"
    """What a person writes who has refilled it."""
    is_counted: bool = False
    """Each µL is one piece."""

    @property
    def missing_pl(self) -> int:
        """How much more there has to be."""
        return max(0, self.needed_pl - self.free_pl)

    @property
    def reason(self) -> str:
        """In one sentence, with what to do about it."""
        instrument, _, name = self.source.partition("/")
        if self.expired:
            fresh = "COUNT" if self.is_counted else "VOLUME"
            return (
                f"{self.expired} of {name} on {instrument}; replace it: sdl refill {self.source} "
                f"{fresh} --replaces --lot LOT --expires DAY"
            )
        said = in_pieces if self.is_counted else spoken
        return (
            f"{said(self.missing_pl)} of {name} short on {instrument} ({said(self.needed_pl)} "
            f"needed, {said(self.free_pl)} free); refill it: sdl refill {self.source} {self.amount}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A person is asked to refill a source."""

    id: str
    """``dye-450/refill-1``."""
    source: str
    missing_ul: float
    """How much more there had to be when it was asked; 0 where only a lot has expired."""
    reason: str
    since: float
    """Lab time."""
