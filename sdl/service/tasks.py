"""What people carry: tasks that are done, and labware that they put somewhere, or bring."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from sdl.core import events as ev
from sdl.service.bodies import ERRORS, NAME_CAP, PREFIX, Taken, Told, taken
from sdl.shell.desk import Desk


class Done(Told):
    """What became of something that a person was asked to carry."""

    carry: str = Field(min_length=1, max_length=NAME_CAP, description="``dye-450/carry-3``.")
    done: bool = Field(default=True, description="Else it still stands where it stood.")


class Placed(Told):
    """Where a piece of labware stands."""

    labware: str = Field(min_length=1, max_length=NAME_CAP)
    site: str = Field(
        default="",
        max_length=NAME_CAP,
        description="Such as ``hotel/3``; empty: it is no longer on the bench.",
    )
    was: str | None = Field(
        default=None,
        max_length=NAME_CAP,
        description="The site that was shown, so that a word which comes twice moves nothing.",
    )


class Brought(Told):
    """A fresh plate, where one was asked for."""

    task: str = Field(min_length=1, max_length=NAME_CAP, description="``dye-450/fresh-1``.")
    labware: str = Field(
        min_length=1, max_length=NAME_CAP, description="A name that no labware had before."
    )
    site: str = Field(min_length=1, max_length=NAME_CAP, description="Such as ``hotel/3``.")


def carrying(desk: Desk) -> APIRouter:
    """The part of the API that is about labware in people's hands."""
    router = APIRouter(prefix=PREFIX, responses=ERRORS, tags=["labware"])

    @router.post("/done")
    async def done(said: Done) -> Taken:
        """Say that something was carried, or that it will not be."""
        return await taken(
            desk,
            lambda at: ev.CarryDone(
                at=at, carry=said.carry, by=said.by, done=said.done, note=said.note
            ),
        )

    @router.post("/place")
    async def place(said: Placed) -> Taken:
        """Say where a piece of labware stands, or that it is off the bench."""
        return await taken(
            desk,
            lambda at: ev.LabwarePlaced(
                at=at,
                labware=said.labware,
                site=said.site,
                by=said.by,
                note=said.note,
                was=said.was,
            ),
        )

    @router.post("/plate")
    async def plate(said: Brought) -> Taken:
        """Say that a fresh plate was brought, and where it stands."""
        return await taken(
            desk,
            lambda at: ev.PlateBrought(
                at=at,
                task=said.task,
                labware=said.labware,
                site=said.site,
                by=said.by,
                note=said.note,
            ),
        )

    return router
