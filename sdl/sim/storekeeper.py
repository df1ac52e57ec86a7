"""A simulated person who fills bottles up, or puts others in their place, when they are asked to.

They say what they did once, and look before they say it again: a volume that is told twice is
counted twice.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass

from sdl.core.events import StockRefilled
from sdl.errors import SdlError
from sdl.shell.runtime import Runtime
from sdl.sim.faults import PERSON
from sdl.sim.processes import Site
from sdl.sim.stocktaking import Stocktaking, item_of

LOOK_S = (2.0, 6.0)
"""Pause between two looks at the screen."""
WALK_S = (2.0, 30.0)
"""From seeing a task to standing there with a bottle."""
REPLACES = 0.5
"""Chance that they put another bottle in its place, where nothing is drawn from it just now."""
WATCH_S = 3.0
"""For so long an instrument must rest before its bottle is taken away; ..."""
WATCHED = 5
"""... and so often they look whether it does, before they pour in some more instead."""
ANSWER_S = 1.0
"""Pause between two looks whether their word was taken."""
ENOUGH = 1.5
"""Times what a bottle holds at first: so much a new one has at most, and half of it at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottle:
    """What is brought to a source."""

    source: str
    volume_ul: float
    lot: str
    replaces: bool


class Storekeeper:
    """Attends to the sources of one lab."""

    def __init__(self, chance: random.Random, site: Site, stock: Stocktaking) -> None:
        self._chance = chance
        self._site = site
        self._stock = stock
        self._brought = 0
        """Bottles so far."""
        self._first = {
            f"{stocks.instrument}/{name}": source
            for stocks in site.lab.stocks
            for name, source in stocks.sources.items()
        }

    async def attend(self) -> None:
        """Look at the screen, and bring what is asked for, until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(*LOOK_S))
            lab = (await self._site.desk()).lab()
            for task in lab.refills:
                await self._bring(task.source, lab.name)

    async def _bring(self, source: str, journal: str) -> None:
        chance = self._chance
        await asyncio.sleep(chance.uniform(*WALK_S))
        self._brought += 1
        first = self._first[source]
        volume_ul = round(chance.uniform(0.5, 1.0) * ENOUGH * first.volume_ul, 1)
        replaces = chance.random() < REPLACES or first.is_counted
        if replaces and not await self._rests(source):
            if first.is_counted:
                return  # nobody reaches under a machine at work for a rack
            replaces = False
        bottle = Bottle(
            source=source,
            volume_ul=first.volume_ul if first.is_counted else volume_ul,
            lot=f"L{self._brought}",
            replaces=replaces,
        )
        if (await self._site.desk()).lab().name == journal:  # else bottles are full again
            self._pour(bottle)
            await self._say(bottle, journal)

    async def _rests(self, source: str) -> bool:
        """Whether nothing is drawn from it for a while."""
        world, (instrument, _) = self._site.world, item_of(source)
        for _ in range(WATCHED):
            rested = world.is_at_rest(instrument)
            await asyncio.sleep(WATCH_S)
            if rested and world.is_at_rest(instrument):
                return True
        return False

    def _pour(self, bottle: Bottle) -> None:
        bench, (instrument, item) = self._site.bench, item_of(bottle.source)
        self._site.note(f"a person brings {bottle}")
        self._site.trace.count("bottle replaced" if bottle.replaces else "bottle filled up")
        if bottle.replaces:
            self._stock.replace(bottle.source)
            bench.refill(instrument, item, bottle.volume_ul)
        else:
            self._stock.pour(bottle.source, bottle.volume_ul, bottle.lot)
            left_ul = bench.stocked(instrument, item) or 0.0
            bench.refill(instrument, item, left_ul + bottle.volume_ul)

    async def _say(self, bottle: Bottle, journal: str) -> None:
        """Say so, until it is seen on a screen, or another journal has begun."""
        while not self._site.over.is_set():
            runtime = await self._site.desk()
            lab = runtime.lab()
            levels = (each for each in lab.stocks if each.source == bottle.source)
            if lab.name != journal or any(bottle.lot in level.lots for level in levels):
                return
            await self._tell(runtime, bottle)
            await asyncio.sleep(ANSWER_S)

    async def _tell(self, runtime: Runtime, bottle: Bottle) -> None:
        """Tell one orchestrator, and wait as long as it is there."""

        def word(at: float) -> StockRefilled:
            return StockRefilled(
                at=at,
                source=bottle.source,
                volume_ul=bottle.volume_ul,
                lot=bottle.lot,
                replaces=bottle.replaces,
                by=PERSON,
            )

        telling = asyncio.ensure_future(runtime.tell(word))
        while not telling.done() and self._site.is_manned(runtime):
            await asyncio.wait((telling,), timeout=ANSWER_S)
        with suppress(SdlError):
            said = await telling if telling.done() else "nobody is there"
            self._site.note(f"a person is answered: {said or 'taken'}")
