"""``sdl resume``: lets go on what was paused, stopped or held."""

from __future__ import annotations

from typing import Annotated

import typer

from sdl.cli.acts import act, told
from sdl.cli.reach import By, Json, Lab, Note


def resume(
    instrument: Annotated[
        str,
        typer.Argument(
            metavar="INSTRUMENT",
            help="Its name; else the whole campaign, and all that was stopped.",
        ),
    ] = "",
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Let an instrument or the campaign go on after a pause, a stop, or a look at the bench.

    It speaks to an orchestrator that is there. After a crash: sdl run CAMPAIGN --resume.
    """
    said = act("resume", instrument, lab, by, note)
    told("resume", "goes on", said, as_json=as_json)
