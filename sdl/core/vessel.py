"""One declared source: what is in it, how much can be drawn, and what is in doubt; also plates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sdl.core.mixture import Mixture, Portion, in_pieces, microlitres, picolitres, spoken
from sdl.model.labware import Labware, Well
from sdl.model.stock import Stocks


@dataclass(slots=True)
class Vessel:
    """One declared source."""

    contents: Mixture
    capacity_pl: int | None = None
    """None where nobody has said."""
    dead_pl: int = 0
    """What cannot be drawn."""
    is_counted: bool = False
    """Each of its µL is one piece."""
    expiries: dict[str, str] = field(default_factory=dict)
    """Last day of each lot that is in it, where one was said."""
    doubts: dict[str, int] = field(default_factory=dict)
    """By command, in picolitres: what it may have drawn, as nobody knows how far it got."""

    @property
    def doubt_pl(self) -> int:
        """What may have been drawn by actions of which nobody knows how far they got."""
        return sum(self.doubts.values())

    def spoken(self, volume_pl: int) -> str:
        """So much of it, for people."""
        return in_pieces(volume_pl) if self.is_counted else spoken(volume_pl)

    @property
    def amount(self) -> str:
        """What a person writes who has refilled it."""
        if not self.is_counted:
            return "VOLUME"
        full = self.capacity_pl
        return "COUNT" if full is None else f"{round(microlitres(full))} --replaces"

    @property
    def usable_pl(self) -> int:
        """What can be drawn for certain."""
        return max(0, self.contents.volume_pl - self.dead_pl - self.doubt_pl)


def vessels_of(stocks: Stocks) -> dict[str, Vessel]:
    """By name, as the lab's file declares them."""
    return {
        name: Vessel(
            contents=Mixture.of(name, source.volume_ul, source.lot),
            capacity_pl=None if source.capacity_ul is None else picolitres(source.capacity_ul),
            dead_pl=picolitres(source.dead_volume_ul),
            is_counted=source.is_counted,
            expiries={source.lot: source.expires} if source.expires else {},
        )
        for name, source in stocks.sources.items()
    }


def stored_in(labware: Iterable[Labware]) -> dict[str, Mixture]:
    """By well, what the lab's file says that plates hold."""
    found: dict[str, Mixture] = {}
    for piece in labware:
        for one in piece.contents:
            place = str(Well(piece.name, one.well))
            errors = {f"stored/{place}": one.uncertainty_ul} if one.uncertainty_ul else {}
            portion = Portion(one.component, one.lot, picolitres(one.volume_ul), errors)
            found[place] = found.get(place, Mixture()).plus(Mixture((portion,)))
    return found
