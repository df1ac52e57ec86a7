"""What is in a place: components by lot, in whole picolitres, with the uncertainty of each volume.

Volumes are whole numbers, so that not a picolitre is lost or made up, however often something is
diluted. What is drawn has the composition of what it is drawn from, to the picolitre; where the
shares are no whole numbers, the largest remainders get one more.

Uncertainty is propagated to first order from named, independent errors. Each volume knows by how
many µL it is off if one of those errors is off by one standard deviation; so what two wells owe to
the same pipetting error stays correlated, and a ratio of volumes that share an error has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sdl.errors import LimitReached

PL_PER_UL = 1_000_000
UL_PER_ML = 1000.0
MOST_UL = 1e12
"""A million litres: beyond it, something else is meant."""
ERRORS_MAX = 12
"""Named errors that a volume knows; the least of more are taken together."""
OTHERS = "others#"
"""Those that were taken together, as if they were independent."""

Errors: TypeAlias = Mapping[str, float]
"""By how many µL a volume is off, by the name of the error that is one standard deviation off."""
Kind: TypeAlias = tuple[str, str]
"""Component and lot."""


def picolitres(volume_ul: float) -> int:
    """A volume in µL to the nearest picolitre. LimitReached if it is none."""
    if not 0.0 <= volume_ul <= MOST_UL:
        raise LimitReached(f"{volume_ul} µL is no volume; give 0 to {MOST_UL:g} µL")
    return round(volume_ul * PL_PER_UL)


def microlitres(volume_pl: int) -> float:
    """A volume in µL."""
    return volume_pl / PL_PER_UL


def spoken(volume_pl: int) -> str:
    """A volume for people: ``12.5 mL``, ``35 µL``."""
    volume_ul = microlitres(volume_pl)
    return f"{volume_ul / UL_PER_ML:.4g} mL" if volume_ul >= UL_PER_ML else f"{volume_ul:.4g} µL"


def in_pieces(volume_pl: int) -> str:
    """The same of a supply that is counted, a piece for each µL: ``1 piece``, ``96 pieces``."""
    count = round(microlitres(volume_pl))
    return f"{count} piece" if count == 1 else f"{count} pieces"


@dataclass(frozen=True, slots=True)
class Portion:
    """How much of one component of one lot there is."""

    component: str
    lot: str
    volume_pl: int
    errors: Errors = field(default_factory=dict)

    @property
    def uncertainty_ul(self) -> float:
        """Standard uncertainty of the volume."""
        return spread(self.errors)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Portions, ordered by component and lot; none is empty."""

    portions: tuple[Portion, ...] = ()

    @classmethod
    def of(cls, component: str, volume_ul: float, lot: str = "") -> Mixture:
        """One pure liquid."""
        return cls(_ordered([Portion(component, lot, picolitres(volume_ul))]))

    @property
    def volume_pl(self) -> int:
        """Of all together."""
        return sum(each.volume_pl for each in self.portions)

    @property
    def uncertainty_ul(self) -> float:
        """Standard uncertainty of the volume of all together."""
        return spread(self._errors())

    def of_component(self, component: str) -> int:
        """Volume of a component in picolitres, of all its lots."""
        return sum(each.volume_pl for each in self.portions if each.component == component)

    def fraction(self, component: str) -> tuple[float, float]:
        """Share of a component in the volume, and the standard uncertainty of that; 0 if empty."""
        whole_ul = microlitres(self.volume_pl)
        if whole_ul == 0.0:
            return 0.0, 0.0
        share = microlitres(self.of_component(component)) / whole_ul
        apart = self._apart()
        own = [apart[n] for n, one in enumerate(self.portions) if one.component == component]
        return share, spread(_sum([*own, _times(_sum(apart), -share)])) / whole_ul

    def plus(self, other: Mixture) -> Mixture:
        """Both together."""
        by_kind: dict[Kind, Portion] = {}
        for each in (*self.portions, *other.portions):
            kind = (each.component, each.lot)
            here = by_kind.get(kind)
            by_kind[kind] = each if here is None else _joined(here, each)
        return Mixture(_ordered(by_kind.values()))

    def split(self, volume_pl: int, error: str = "", error_ul: float = 0.0) -> Split:
        """Draw some; the volume has a standard uncertainty of ``error_ul``, from ``error``.

        Not more than there is.
        """
        whole_pl = self.volume_pl
        if volume_pl == 0 or whole_pl == 0:
            return Split(Mixture(), self)
        shares = _shares([each.volume_pl for each in self.portions], volume_pl)
        apart, ratio = self._apart(), volume_pl / whole_pl
        all_errors = _sum(apart)
        drawn, left = [], []
        for each, its_errors, share_pl in zip(self.portions, apart, shares, strict=True):
            part = each.volume_pl / whole_pl
            errors = _sum(
                [
                    _times(its_errors, ratio),
                    _times(all_errors, -ratio * part),
                    {error: error_ul * part},
                ]
            )
            drawn.append(Portion(each.component, each.lot, share_pl, _few(errors)))
            rest = _few(_sum([its_errors, _times(errors, -1.0)]))
            left.append(Portion(each.component, each.lot, each.volume_pl - share_pl, rest))
        return Split(Mixture(_ordered(drawn)), Mixture(_ordered(left)))

    def _errors(self) -> Errors:
        return _sum(self._apart())

    def _apart(self) -> list[Errors]:
        """The errors of each portion, those that were taken together under names of their own."""
        return [_told_apart(each.errors, place) for place, each in enumerate(self.portions)]


@dataclass(frozen=True, slots=True)
class Split:
    """A mixture in two parts of the same composition."""

    drawn: Mixture
    left: Mixture


def spread(errors: Errors) -> float:
    """Standard uncertainty that independent errors make together."""
    return math.hypot(*errors.values())


def _ordered(portions: Iterable[Portion]) -> tuple[Portion, ...]:
    there = [each for each in portions if each.volume_pl > 0]
    return tuple(sorted(there, key=lambda each: (each.component, each.lot)))


def _joined(one: Portion, other: Portion) -> Portion:
    return Portion(
        one.component,
        one.lot,
        one.volume_pl + other.volume_pl,
        _few(_sum([_told_apart(one.errors, 0), _told_apart(other.errors, 1)])),
    )


def _shares(volumes_pl: list[int], wanted_pl: int) -> list[int]:
    """Whole parts of ``wanted_pl`` in proportion; the largest remainders get one more."""
    whole_pl = sum(volumes_pl)
    shares = [each * wanted_pl // whole_pl for each in volumes_pl]
    missing = wanted_pl - sum(shares)
    remainders = [each * wanted_pl % whole_pl for each in volumes_pl]
    for place in sorted(range(len(shares)), key=lambda one: (-remainders[one], one))[:missing]:
        shares[place] += 1
    return shares


def _sum(all_errors: Iterable[Errors]) -> dict[str, float]:
    found: dict[str, float] = {}
    for errors in all_errors:
        for name, volume_ul in errors.items():
            found[name] = found.get(name, 0.0) + volume_ul
    return found


def _times(errors: Errors, factor: float) -> dict[str, float]:
    return {name: factor * volume_ul for name, volume_ul in errors.items()}


def _told_apart(errors: Errors, place: int) -> Errors:
    """Errors that were taken together are nobody else's, though they have one name everywhere."""
    if OTHERS not in errors:
        return errors
    return {f"{name}{place}" if name == OTHERS else name: ul for name, ul in errors.items()}


def _few(errors: Errors) -> dict[str, float]:
    """The largest errors, by name, the rest taken together; those of 0 are left out."""
    there = {name: volume_ul for name, volume_ul in errors.items() if volume_ul}
    named = [name for name in there if not name.startswith(OTHERS)]
    if len(named) > ERRORS_MAX:
        named = sorted(named, key=lambda name: (-abs(there[name]), name))[:ERRORS_MAX]
    kept = {name: there[name] for name in sorted(named)}
    others = {name: volume_ul for name, volume_ul in there.items() if name not in kept}
    return {**kept, OTHERS: spread(others)} if others else kept
