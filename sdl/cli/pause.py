"""``sdl pause``: nothing new starts, on an instrument or in the whole campaign."""

from __future__ import annotations

from typing import Annotated

import typer

from sdl.cli.acts import act, told
from sdl.cli.reach import By, Json, Lab, Note


def pause(
    instrument: Annotated[
        str, typer.Argument(metavar="INSTRUMENT", help="Its name; else the whole campaign.")
    ] = "",
    at_once: Annotated[
        bool,
        typer.Option(
            "--at-once", help="Do not wait for a safe point: a step with a time window may miss it."
        ),
    ] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Let nothing new start; what runs is finished.

    It takes effect at the next safe point: steps that a protocol wants within a time window are
    still done. `sdl resume` goes on. To break off what runs, see `sdl abort`.
    """
    said = act("pause", instrument, lab, by, note, at_once=at_once)
    when = "nothing more starts" if at_once else "nothing starts after the next safe point"
    way = f"sdl resume {instrument}".rstrip()
    told("pause", f"{when}; go on with: {way}", said, as_json=as_json)
