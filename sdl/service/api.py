"""``/api/v1``: what a person may ask of a running orchestrator, and tell it.

Every act names its person, and is answered when it is on record: 200 once it is, 409 with the
reason where it makes no sense now, 503 where it could not be written.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, FastAPI, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, JsonValue, field_validator
from pydantic_core import to_json
from starlette.exceptions import HTTPException as AnyHTTPException

from sdl import __version__
from sdl.core import events as ev
from sdl.core.amounts import Content, Level, Task
from sdl.core.view import LabView, Question, View
from sdl.errors import SdlError, UserMistake
from sdl.service.bodies import ERRORS, NAME_CAP, PREFIX, Taken, Told, taken
from sdl.service.campaigns import sharing
from sdl.service.tasks import carrying
from sdl.shell.desk import Desk


class Resolution(Told):
    """What became of an action."""

    verdict: ev.Verdict
    result: JsonValue = Field(default=None, description="What it gave, where it happened.")
    attempt: int = Field(
        ge=1,
        lt=2**31,
        description="Of the question that the person saw, so that an answer which comes twice "
        "answers one question only.",
    )

    @field_validator("result")
    @classmethod
    def _is_json(cls, result: JsonValue) -> JsonValue:
        """Keep out what no journal can hold: a text that is no Unicode."""
        to_json(result)
        return result


class OfCampaign(Told):
    """Of which campaign it is said."""

    campaign: str = Field(
        default="", max_length=NAME_CAP, description="Empty: the only one, or the whole lab."
    )


class About(OfCampaign):
    """What it is about."""

    what: str = Field(
        default="",
        max_length=NAME_CAP,
        description="An instrument, for an abort also a run's id; empty: the campaign, or all.",
    )


class Pause(About):
    """Start nothing new."""

    at_once: bool = Field(default=False, description="Not even what an open window waits for.")


class Refill(Told):
    """What was filled in, or is in a source now."""

    source: str = Field(
        min_length=1, max_length=NAME_CAP, description="Such as ``handler/buffer``."
    )
    volume_ul: float = Field(ge=0.0, description="In µL.")
    replaces: bool = Field(
        default=False, description="Nothing of what was there before is left; this is all."
    )
    lot: str = Field(default="", max_length=NAME_CAP)
    expires: str = Field(
        default="", max_length=10, description="Last day of the lot, such as ``2027-03-01``, UTC."
    )


class Status(BaseModel):
    """A campaign as it is now."""

    schema_name: Literal["sdl.view/1"] = Field(default="sdl.view/1", alias="schema")
    view: View


class Lab(BaseModel):
    """The lab and its campaigns as they are now."""

    schema_name: Literal["sdl.lab/1"] = Field(default="sdl.lab/1", alias="schema")
    lab: LabView


class Questions(BaseModel):
    """What waits for a person's word."""

    schema_name: Literal["sdl.questions/1"] = Field(default="sdl.questions/1", alias="schema")
    campaign: str
    at: float = Field(description="Lab time of the last event.")
    questions: tuple[Question, ...]


class Stocks(BaseModel):
    """The ledger of materials."""

    schema_name: Literal["sdl.inventory/1"] = Field(default="sdl.inventory/1", alias="schema")
    campaign: str
    at: float = Field(description="Lab time of the last event.")
    stocks: tuple[Level, ...]
    refills: tuple[Task, ...] = Field(description="What a person is asked to refill.")
    contents: tuple[Content, ...]


OfCampaignName: TypeAlias = Annotated[str, Query(max_length=NAME_CAP, description="Of a campaign.")]
Step: TypeAlias = Annotated[
    str, Path(max_length=NAME_CAP, description="Such as ``dye-450/run-7/step-2``.")
]


def api(desk: Desk) -> FastAPI:
    """The application for one orchestrator."""
    app = FastAPI(
        title="sdl orchestrator",
        version=__version__,
        description="Speak to the orchestrator of a lab; each act is put on record.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
    )
    app.include_router(_reading(desk))
    app.include_router(_acting(desk))
    app.include_router(_refilling(desk))
    app.include_router(carrying(desk))
    app.include_router(_breaking_off(desk))
    app.include_router(sharing(desk))
    app.exception_handler(AnyHTTPException)(_said)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(UserMistake)(_mistake)
    app.exception_handler(SdlError)(_fault)
    return app


def _reading(desk: Desk) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=ERRORS, tags=["read"])

    @router.get("/lab")
    async def lab() -> Lab:
        """The lab and its campaigns as they are now."""
        return Lab(lab=desk.lab())

    @router.get("/status")
    async def status(campaign: OfCampaignName = "") -> Status:
        """A campaign as it is now; the only one if none is named."""
        found = desk.lab().campaigns
        meant = [view for view in found if campaign in ("", view.campaign)]
        if len(meant) != 1:
            names = ", ".join(view.campaign for view in found) or "none"
            raise HTTPException(409, f"name a campaign that is at work: {names}")
        return Status(view=meant[0])

    @router.get("/questions")
    async def questions() -> Questions:
        """What waits for a person's word."""
        view = desk.lab()
        return Questions(campaign=view.name, at=view.at, questions=view.questions)

    @router.get("/inventory")
    async def inventory() -> Stocks:
        """What is in each source and well, as far as the lab's file declares stocks."""
        view = desk.lab()
        return Stocks(
            campaign=view.name,
            at=view.at,
            stocks=view.stocks,
            refills=view.refills,
            contents=desk.contents(),
        )

    return router


def _acting(desk: Desk) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=ERRORS, tags=["act"])

    @router.post("/steps/{step:path}/resolve")
    async def resolve(step: Step, said: Resolution) -> Taken:
        """Say what became of an action."""

        def word(at: float) -> ev.StepResolved:
            return ev.StepResolved(
                at=at,
                step=step,
                verdict=said.verdict,
                by=said.by,
                note=said.note,
                result=said.result,
                attempt=said.attempt,
            )

        return await taken(desk, word)

    @router.post("/pause")
    async def pause(said: Pause) -> Taken:
        """Start nothing new, on an instrument or at all."""

        def word(at: float) -> ev.PauseRequested:
            return ev.PauseRequested(
                at=at,
                what=said.what,
                by=said.by,
                note=said.note,
                at_once=said.at_once,
                campaign=said.campaign,
            )

        return await taken(desk, word)

    @router.post("/resume")
    async def resume(said: About) -> Taken:
        """Let go on what was paused, stopped or held."""
        return await taken(
            desk,
            lambda at: ev.ResumeRequested(
                at=at, what=said.what, by=said.by, note=said.note, campaign=said.campaign
            ),
        )

    return router


def _refilling(desk: Desk) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=ERRORS, tags=["act"])

    @router.post("/refill")
    async def refill(said: Refill) -> Taken:
        """Say that a source was filled up, or how much is in it."""

        def word(at: float) -> ev.StockRefilled:
            return ev.StockRefilled(
                at=at,
                source=said.source,
                volume_ul=said.volume_ul,
                replaces=said.replaces,
                by=said.by,
                lot=said.lot,
                expires=said.expires,
                note=said.note,
            )

        return await taken(desk, word)

    return router


def _breaking_off(desk: Desk) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=ERRORS, tags=["break off"])

    @router.post("/stop")
    async def stop(said: OfCampaign) -> Taken:
        """End a campaign in good order: what runs is finished, nothing new begins."""
        return await taken(
            desk,
            lambda at: ev.StopRequested(
                at=at, by=said.by, reason=said.note or "asked to", campaign=said.campaign
            ),
        )

    @router.post("/abort")
    async def abort(said: About) -> Taken:
        """Break off a run, an instrument's work or all; the instruments are made safe."""
        return await taken(
            desk,
            lambda at: ev.AbortRequested(
                at=at, what=said.what, by=said.by, note=said.note, campaign=said.campaign
            ),
        )

    @router.post("/stop-all")
    async def stop_all(said: Told) -> Taken:
        """Stop everything in the lab, at once."""
        await desk.stop_all(said.by, said.note)
        view = desk.lab()
        return Taken(campaign=view.name, at=view.at)

    return router


def _problem(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status)


async def _said(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AnyHTTPException)
    return _problem(error.status_code, error.detail)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _problem(422, f"{where}: {first['msg']}")


async def _mistake(_request: Request, error: Exception) -> JSONResponse:
    """What a person wants makes no sense, as their files stand."""
    return _problem(409, str(error))


async def _fault(_request: Request, error: Exception) -> JSONResponse:
    """Nothing broken here; the record or the bus is, and the orchestrator will end with it."""
    return _problem(503, str(error))
