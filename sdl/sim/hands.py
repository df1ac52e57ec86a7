"""A person in virtual time, who carries what they are asked to and finds what got lost.

Each takes them a minute. What lies about, or is in a gripper, they put on a site of a store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable
from typing import TypeAlias

from sdl.core.engine import Engine
from sdl.core.events import CarryDone, Event, LabwarePlaced
from sdl.model.lab import Lab
from sdl.shell.bench import Bench
from sdl.shell.standing import Floor

CARRY_S = 60.0
"""Lab seconds from being asked to having carried it, or found it."""
WHO = "the simulation"
Post: TypeAlias = Callable[[Event], None]


def stores_of(lab: Lab) -> Iterable[str]:
    """Sites on which a person puts what stood on none."""
    return (site for place in lab.places if place.stores for site in lab.sites[place.name])


def found(
    labware: str, floor: Floor, stores: Iterable[str], taken: Container[str] = frozenset()
) -> str:
    """Where a person who looks for a piece leaves it: as it stands, else on the first free store.

    ``taken``: sites that others are thought to have. Empty where none is left: off the bench.
    """
    where = floor.site(labware)
    parks = floor.parks(labware)
    if where in floor.sites or floor.is_on_plate(labware):
        return where
    if parks:
        return parks
    return next((site for site in stores if site not in taken and not floor.on(site)), "")


class Hands:
    """Of one simulation."""

    def __init__(self, bench: Bench, lab: Lab, now: Callable[[], float], post: Post) -> None:
        """``bench``: where things really stand.

        ``now``: lab time; ``post``: takes what the person says.
        """
        self._bench = bench
        self._lab = lab
        self._now = now
        self._post = post
        self._asked: set[str] = set()

    def look(self, engine: Engine) -> None:
        """Take up what is asked for now and was not before."""
        for one in engine.lab.carries.values():
            if not one.carrier and one.id not in self._asked:
                self._asked.add(one.id)
                asyncio.get_running_loop().call_later(CARRY_S, self._carry, one.id)

        for piece in (*engine.lab.pieces.values(), *engine.lab.lids.values()):
            task = f"{piece.name}: {piece.lost}"
            if piece.lost and piece.stands and task not in self._asked:
                self._asked.add(task)
                asyncio.get_running_loop().call_later(CARRY_S, self._find, engine, piece.name, task)

    def _find(self, engine: Engine, labware: str, task: str) -> None:
        self._asked.discard(task)
        known = {one.site for one in engine.lab.pieces.values()}
        known |= {one.leaves for one in engine.lab.pieces.values()}
        where = found(labware, self._bench.floor, stores_of(self._lab), known)
        self._post(LabwarePlaced(at=self._now(), labware=labware, site=where, by=WHO))

    def _carry(self, carry: str) -> None:
        self._post(CarryDone(at=self._now(), carry=carry, by=WHO))
