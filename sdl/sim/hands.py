"""A person in virtual time, who carries what they are asked to and finds what got lost.

Each takes them a minute. What lies about, or is in a gripper, they put on a site of a store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sdl.core.engine import Engine
from sdl.core.events import CarryDone, Event, LabwarePlaced
from sdl.shell.bench import Bench

CARRY_S = 60.0
"""Lab seconds from being asked to having carried it, or found it."""
WHO = "the simulation"
Post: TypeAlias = Callable[[Event], None]


class Hands:
    """Of one simulation."""

    def __init__(
        self, bench: Bench, stores: Sequence[str], now: Callable[[], float], post: Post
    ) -> None:
        """``bench``: where things really stand; ``stores``: sites on which they may be put.

        ``now``: lab time; ``post``: takes what the person says.
        """
        self._bench = bench
        self._stores = stores
        self._now = now
        self._post = post
        self._asked: set[str] = set()

    def look(self, engine: Engine) -> None:
        """Take up what is asked for now and was not before."""
        for one in engine.lab.carries.values():
            if not one.carrier and one.id not in self._asked:
                self._asked.add(one.id)
                asyncio.get_running_loop().call_later(CARRY_S, self._carry, one.id)

        for piece in engine.lab.pieces.values():
            task = f"{piece.name}: {piece.lost}"
            if piece.lost and piece.stands and task not in self._asked:
                self._asked.add(task)
                asyncio.get_running_loop().call_later(CARRY_S, self._find, engine, piece.name, task)

    def _find(self, engine: Engine, labware: str, task: str) -> None:
        self._asked.discard(task)
        known = {one.site for one in engine.lab.pieces.values()}
        known |= {one.leaves for one in engine.lab.pieces.values()}
        floor = self._bench.floor
        where = floor.site(labware)
        if where not in floor.sites:
            free = (site for site in self._stores if site not in known and not floor.on(site))
            where = next(free, "")
        self._post(LabwarePlaced(at=self._now(), labware=labware, site=where, by=WHO))

    def _carry(self, carry: str) -> None:
        self._post(CarryDone(at=self._now(), carry=carry, by=WHO))
