"""``sdl done``: a person has carried, or brought, what they were asked to."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import JsonValue

from sdl.cli.acts import act, told
from sdl.cli.reach import By, Json, Lab, Note, caller
from sdl.errors import UserMistake


def done(
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="As sdl tasks lists it: carry-3.")
    ] = None,
    plate: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Of a fresh plate, where one was asked for: plate-9."),
    ] = None,
    site: Annotated[
        str | None, typer.Argument(metavar="SITE", help="Where that stands now: hotel/4.")
    ] = None,
    not_done: Annotated[
        bool,
        typer.Option("--not-done", help="It still stands where it stood, and will not be carried."),
    ] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Say that a piece of labware now stands where it was wanted.

    What waited for it goes on. With --not-done the runs that need it fail, until somebody says
    where it is: sdl place. Where a fresh plate was asked for, say which one stands where: the
    name is one that no labware of the lab had before.
    """
    if task is None:
        raise UserMistake("say which task is done, as sdl tasks lists them: sdl done carry-3")
    view = caller(lab).lab()
    carry = task if "/" in task else f"{view.name}/{task}"
    found = next((one for one in view.carries if one.carry == carry), None)
    refill = next((one for one in view.refills if one.id == carry), None)
    if refill is not None:
        raise UserMistake(f"{task} is a refill; say what was filled in. {refill.reason}")
    if any(one.id == carry for one in view.plates):
        brought = _brought(task, plate, site, not_done=not_done)
        words = act("plate", None, lab, by, note, task=carry, **brought)
        told("plate", f"{plate} stands on {site}", words, as_json=as_json)
        return
    if plate is not None:
        raise UserMistake(f"{task} asks for no fresh plate; to say where one stands: sdl place")
    said = act("done", None, lab, by, note, carry=carry, done=not not_done)
    piece, target = (found.labware, found.target) if found else ("it", "its place")
    how = f"{piece} was not carried" if not_done else f"{piece} stands on {target}"
    told("done", how, said, as_json=as_json)


def _brought(
    task: str, plate: str | None, site: str | None, *, not_done: bool
) -> dict[str, JsonValue]:
    """The fresh plate that a person has brought, as they said it."""
    if not_done:
        raise UserMistake("nobody has to bring a plate; to end the campaign instead: sdl stop")
    if plate is None or site is None:
        raise UserMistake(f"say which plate you put where: sdl done {task} plate-9 hotel/4")
    return {"labware": plate, "site": site}
