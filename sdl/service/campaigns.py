"""``/api/v1/campaigns`` and ``/lab``: what a person may ask of a lab that campaigns share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path as FilePath

from fastapi import APIRouter, HTTPException
from pydantic import Field

from sdl.core import events as ev
from sdl.model.campaign import Terms
from sdl.service.bodies import ERRORS, NAME_CAP, PREFIX, Name, Taken, Told, taken
from sdl.shell.desk import Desk, Start

PATH_CAP = 4096
RUNS_CAP = 1000


class Claim(Told):
    """What a campaign may claim of the bench; what is not said stays as it is."""

    priority: int | None = Field(default=None, ge=-9, le=9)
    weight: float | None = Field(default=None, ge=0.01, le=100.0)
    within_s: float | None = Field(
        default=None, gt=0.0, description="Lab seconds from now in which it should be done."
    )
    runs_at_once: int | None = Field(default=None, ge=1, le=RUNS_CAP)

    def terms(self, now: Terms, at: float) -> Terms:
        """The terms that follow. ``at``: lab time."""
        return Terms(
            priority=now.priority if self.priority is None else self.priority,
            weight=now.weight if self.weight is None else self.weight,
            deadline=now.deadline if self.within_s is None else at + self.within_s,
            runs_at_once=now.runs_at_once if self.runs_at_once is None else self.runs_at_once,
        )


class Begin(Claim):
    """A campaign to start."""

    path: str = Field(
        min_length=1,
        max_length=PATH_CAP,
        description="Of campaign.toml, absolute, on the orchestrator's machine.",
    )
    anew: bool = Field(default=False, description="Although one of its name is at work.")


class Started(Taken):
    """It is on record, and under which name."""

    started: str = Field(max_length=NAME_CAP)


def sharing(desk: Desk) -> APIRouter:
    """The routes, for one orchestrator."""
    router = APIRouter(prefix=PREFIX, responses=ERRORS, tags=["lab"])

    @router.post("/campaigns")
    async def start(said: Begin) -> Started:
        """Check a campaign and start it; a mistake in its files changes nothing."""
        path = FilePath(said.path)
        if not path.is_absolute():
            raise HTTPException(422, f"path: {said.path!r} is not absolute")
        order = Start(
            path=path,
            terms=replace(said.terms(Terms(), 0.0), deadline=None),
            within_s=said.within_s,
            anew=said.anew,
            by=said.by,
        )
        name = await desk.start(order)
        lab = desk.lab()
        return Started(campaign=lab.name, at=lab.at, started=name)

    @router.post("/campaigns/{name}/terms")
    async def terms(name: Name, said: Claim) -> Taken:
        """Give a campaign another claim on the bench."""

        def word(at: float) -> ev.TermsChanged:
            lab = desk.lab()
            names = [view.campaign for view in lab.campaigns]
            now = lab.terms[names.index(name)] if name in names else Terms()
            return ev.TermsChanged(
                at=at, campaign=name, terms=said.terms(now, at), by=said.by, note=said.note
            )

        return await taken(desk, word)

    @router.post("/lab/down")
    async def down(said: Told) -> Taken:
        """End the session of the lab: what runs is finished, no run is begun."""
        return await taken(desk, lambda at: ev.LabDownRequested(at=at, by=said.by, note=said.note))

    return router
