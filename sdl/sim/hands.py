"""A person in virtual time who carries what they are asked to, after a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sdl.core.engine import Engine
from sdl.core.events import CarryDone, Event

CARRY_S = 60.0
"""Lab seconds from being asked to having carried it."""
WHO = "the simulation"


class Hands:
    """Of one simulation."""

    def __init__(self, now: Callable[[], float], post: Callable[[Event], None]) -> None:
        """``now``: lab time; ``post``: takes what the person says."""
        self._now = now
        self._post = post
        self._asked: set[str] = set()

    def look(self, engine: Engine) -> None:
        """Take up what is asked for now and was not before."""
        for one in engine.lab.carries.values():
            if not one.carrier and one.id not in self._asked:
                self._asked.add(one.id)
                asyncio.get_running_loop().call_later(CARRY_S, self._carry, one.id)

    def _carry(self, carry: str) -> None:
        self._post(CarryDone(at=self._now(), carry=carry, by=WHO))
