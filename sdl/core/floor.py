"""Sites, and who carries between which: what does not change while a lab is at work.

Where no transporter leads, a person carries: anywhere, any number of pieces, and only over a leg
that no transporter could do.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

PERSON = ""
"""Stands for a person among the carriers."""
PERSONS_LEG = 1_000
"""Legs of a transporter that are rather gone than to ask a person."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """Sites, and who carries between which: what does not change while a lab is at work."""

    sites: Mapping[str, tuple[str, ...]]
    """By place: an instrument or a store."""
    stores: tuple[str, ...]
    """Places that are no instrument: a piece may stay there for as long as it likes."""
    carriers: Mapping[str, frozenset[str]]
    """By transporter: the places that it reaches."""

    @cached_property
    def place_of(self) -> Mapping[str, str]:
        """By site."""
        return {site: place for place, sites in self.sites.items() for site in sites}

    @cached_property
    def _far(self) -> dict[str, dict[str, int]]:
        """By end, and start: how far it is."""
        return {}

    @cached_property
    def _next(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """By start and end: the places that are one leg nearer to the end."""
        return {}

    @cached_property
    def _between(self) -> dict[tuple[str, str], bool]:
        """By place and target, as far as asked."""
        return {}

    @cached_property
    def _corridor(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """By start and end: the places between, as far as asked."""
        return {}

    def carriers_between(self, source: str, target: str) -> list[str]:
        """Transporters that reach both places; a person where there is none."""
        able = [name for name, reach in self.carriers.items() if {source, target} <= reach]
        return able or [PERSON]

    def nearer(self, source: str, target: str) -> tuple[str, ...]:
        """Places to which one leg leads, and from which it is least far."""
        key = (source, target)
        if key not in self._next:
            self._next[key] = self._nearer(source, target)
        return self._next[key]

    def is_between(self, place: str, target: str) -> bool:
        """Whether what goes from a store to a target has to come over a place."""
        key = (place, target)
        if key not in self._between:
            beyond = self.far(place, target)
            ways = ((self.far(store, target), self.far(store, place)) for store in self.stores)
            self._between[key] = any(whole == first + beyond for whole, first in ways)
        return self._between[key]

    def corridor(self, source: str, target: str) -> tuple[str, ...]:
        """Places on the way from one to another, both among them, up to the first store."""
        key = (source, target)
        if key not in self._corridor:
            onward = () if source == target else self.nearer(source, target)
            found = (one for place in onward for one in self.corridor(place, target))
            is_store = source in self.stores
            self._corridor[key] = () if is_store else tuple(dict.fromkeys((source, *found)))
        return self._corridor[key]

    def _nearer(self, source: str, target: str) -> tuple[str, ...]:
        legs = {
            place: self.far(place, target) + self._leg(source, place)
            for place in self.sites
            if place != source
        }
        least = min(legs.values(), default=0)
        near = [place for place, number in legs.items() if number == least]
        return tuple(sorted(near, key=lambda place: place not in self.stores))

    def far(self, source: str, target: str) -> int:
        """How far one place is from another, in legs."""
        if target not in self._far:
            self._far[target] = self._far_from(target)
        return self._far[target][source]

    def _leg(self, source: str, target: str) -> int:
        """How far one leg is."""
        if self.carriers_between(source, target) != [PERSON]:
            return 1
        # Rather out of a store: elsewhere, what waits for a person is in the way.
        return PERSONS_LEG if source in self.stores else PERSONS_LEG + 2

    def _far_from(self, target: str) -> dict[str, int]:
        """By place: how far it is from there."""
        far: dict[str, int] = {}
        waiting = [(0, target)]
        while waiting:
            legs, place = heapq.heappop(waiting)
            if place in far:
                continue
            far[place] = legs
            for other in self.sites:
                if other not in far:
                    heapq.heappush(waiting, (legs + self._leg(other, place), other))
        return far
