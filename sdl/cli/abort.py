"""``sdl abort``: breaks off a run, what an instrument does, or the whole campaign."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sdl.cli.acts import act, told
from sdl.cli.console import tell
from sdl.cli.exits import Exit
from sdl.cli.reach import By, Json, Lab, Note


def abort(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|INSTRUMENT", help="Such as run-7, or handler; else the whole campaign."
        ),
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask whether the whole campaign is meant.")
    ] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Break off a run, what an instrument does, or the whole campaign; its runs are abandoned.

    Instruments at work for it are told to make safe, and are used again once they have said so.
    """
    if not what and not yes:
        _ask()
    said = act("abort", what, lab, by, note)
    sentence = "is broken off; its instruments are free once they have made safe (sdl status)"
    told("abort", sentence, said, as_json=as_json)


def _ask() -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("name a run or an instrument, or break off everything with --yes")
    if not typer.confirm("Break off the whole campaign, and all that runs now?", err=True):
        tell("left as it is")
        raise typer.Exit(Exit.INTERRUPTED)
