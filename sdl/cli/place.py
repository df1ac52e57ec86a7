"""``sdl place``: where labware stands, and a person's word about it."""

from __future__ import annotations

from typing import Annotated

import typer

from sdl.cli.acts import act, told
from sdl.cli.console import say, table, tell, write_json
from sdl.cli.reach import By, Json, Lab, Note, caller
from sdl.core.view import LabView
from sdl.errors import UserMistake


def place(
    labware: Annotated[
        str | None, typer.Argument(metavar="LABWARE", help="Such as plate-3; none: list all.")
    ] = None,
    site: Annotated[
        str | None, typer.Argument(metavar="SITE", help="Where it stands now: hotel/4.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="It is no longer on the bench.")] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Show where labware stands, or say where a piece stands after you moved or found it.

    It is also the answer where nobody knew any more. Nothing is carried by this: first put it
    there, then say so.
    """
    if labware is None:
        _show(caller(lab).lab(), as_json=as_json)
        return
    if (site is None) == (not off):
        raise UserMistake(f"say where {labware} stands, or --off: sdl place {labware} hotel/4")
    shown = {one.labware: one.site for one in caller(lab).lab().labware}
    was = shown.get(labware)
    said = act("place", None, lab, by, note, labware=labware, site=site or "", was=was)
    where = f"stands on {site}" if site else "is off the bench"
    told("place", f"{labware} {where}", said, as_json=as_json)


def _show(view: LabView, *, as_json: bool) -> None:
    if as_json:
        write_json("sdl.labware/1", lab=view.name, at=view.at, labware=view.labware)
    elif not view.labware:
        tell(f"{view.name}: no labware stands on a site; see at in [labware.x] of lab.toml")
    else:
        rows = [(one.labware, one.site or "-", one.note or "-") for one in view.labware]
        for line in table(("labware", "site", "note"), rows):
            say(line)
