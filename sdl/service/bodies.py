"""What the bodies of the API have in common, and how an act is taken."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from fastapi import HTTPException, Path
from pydantic import BaseModel, ConfigDict, Field

from sdl.core import events as ev
from sdl.shell.desk import Desk, Word

NAME_CAP = 200
NOTE_CAP = 4000
PREFIX = "/api/v1"


class Told(BaseModel):
    """What every act carries."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    by: str = Field(min_length=1, max_length=NAME_CAP, description="The person.")
    note: str = Field(default="", max_length=NOTE_CAP, description="Why, in their words.")


class Taken(BaseModel):
    """It is on record."""

    schema_name: Literal["sdl.taken/1"] = Field(default="sdl.taken/1", alias="schema")
    campaign: str
    at: float = Field(description="Lab time at which it was taken in, in seconds since 1970.")


class Problem(BaseModel):
    """Why not."""

    error: str


Name: TypeAlias = Annotated[str, Path(max_length=NAME_CAP, description="Of a campaign.")]
ERRORS: dict[int | str, dict[str, object]] = {
    401: {"model": Problem, "description": "The token is wrong."},
    409: {"model": Problem, "description": "It makes no sense now."},
    422: {"model": Problem, "description": "The body is not what it should be."},
    503: {"model": Problem, "description": "It could not be put on record."},
}


async def taken(desk: Desk, word: Word) -> Taken:
    """Tell the desk; 409 with its objection if it has one."""
    moments: list[float] = []

    def kept(at: float) -> ev.Event:
        moments.append(at)
        return word(at)

    objection = await desk.tell(kept)
    if objection:
        raise HTTPException(409, objection)
    view = desk.lab()
    return Taken(campaign=view.name, at=moments[-1] if moments else view.at)
