"""A simulated person who starts the campaigns of a session, and closes it once all have ended."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from sdl.core.events import CampaignStarted, LabDownRequested
from sdl.sim.faults import PERSON
from sdl.sim.processes import Site

LOOK_S = 1.0
"""Pause between two looks."""
COME_S = 8.0
"""Virtual seconds in which the campaigns come, one after the other."""


class Starter:
    """Looks again and again whether a campaign is missing, whatever became of its start."""

    def __init__(self, chance: random.Random, site: Site) -> None:
        self._site = site
        self._due = sorted(chance.uniform(0.0, COME_S) for _ in site.plan.campaigns)

    async def attend(self) -> None:
        """Start what is due, and close the lab at the end, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            lab = (await self._site.desk()).lab()
            if lab.name != self._site.plan.journal:
                continue  # the session before still has somebody who takes it for his own
            known = {view.campaign for view in lab.campaigns}
            ended = {one.campaign for one in lab.ended}
            for due, head in zip(self._due, self._site.plan.heads(0.0), strict=True):
                name, now = head.campaign.name, asyncio.get_running_loop().time()
                if name not in known | ended and now >= due:
                    await self._start(head)
            if ended == {campaign.name for campaign in self._site.plan.campaigns}:
                await self._site.tell(lambda at: LabDownRequested(at=at, by=PERSON))

    async def _start(self, head: CampaignStarted) -> None:
        self._site.note(f"a person starts {head.campaign.name}")
        await self._site.tell(lambda at: replace(head, at=at))
