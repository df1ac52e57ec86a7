"""``sdl labware``: the kinds of plates, racks, troughs, tubes and lids that a lab may name."""

from __future__ import annotations

from typing import Annotated

import typer

from sdl.cli.console import say, write_json
from sdl.errors import UserMistake
from sdl.model.labware import LabwareKind

NAME_WIDTH = 52


def labware(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="Only names with all of these in them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List the kinds of labware that a lab file may name: rows, columns, what a well or tip holds.

    They are PyLabRobot's definitions, and to look at all of them takes some seconds:
    `sdl labware 96 fb` shows those with 96 flat-bottom wells alone.
    """
    from sdl.wire.labware_kinds import SHORT_NAMES, all_kinds

    short = {name: called for called, name in SHORT_NAMES.items()}
    kinds: list[LabwareKind] = []
    for kind in all_kinds(*(words or ())):
        if not as_json and not kinds:
            say(f"{'kind':<{NAME_WIDTH}}{'what':<10}rows  columns  capacity  footprint")
        kinds.append(kind)
        if not as_json:
            say(_line(kind, short.get(kind.name, "")))
    if not kinds:
        raise UserMistake(f"no kind of labware has {' and '.join(words or ())} in its name")
    if as_json:
        listed = [{"kind": kind, "short_name": short.get(kind.name)} for kind in kinds]
        write_json("sdl.labware/1", labware=listed)


def _line(kind: LabwareKind, short: str) -> str:
    holds = f"{kind.capacity_ul:,.0f} µL" if kind.capacity_ul else ""
    size = f"{kind.length_mm:.1f} x {kind.width_mm:.1f} mm"
    named = f"  also {short}" if short else ""
    grid = f"{kind.rows or '':>4}  {kind.columns or '':>7}"
    return f"{kind.name:<{NAME_WIDTH}}{kind.category:<10}{grid}  {holds:>8}  {size}{named}"
