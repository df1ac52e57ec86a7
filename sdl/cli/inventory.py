"""``sdl inventory``: what a lab's sources and wells hold, and for whom it is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated

import typer

from sdl.cli.console import say, table, tell, write_json
from sdl.cli.reach import Json, Lab, caller
from sdl.core.amounts import Content, Level
from sdl.core.mixture import OTHERS, in_pieces, picolitres, spoken
from sdl.errors import UserMistake
from sdl.service.caller import Held


def inventory(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="PLACE",
            help="A plate, a well (plate-1/A1) or a source (handler/buffer): what is in it.",
        ),
    ] = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Show what the sources of instruments hold, what of it is free, or what is in a place.

    It is what the lab at work has on its books, by the stocks that lab.toml declares. A
    volume is given with its standard uncertainty; tips are counted. To fill something up: sdl
    refill.
    """
    held = caller(lab).inventory()
    found = _in(held, place) if place else ()
    if as_json:
        contents = found if place else held.contents
        write_json(
            "sdl.inventory/1",
            campaign=held.campaign,
            at=held.at,
            stocks=held.stocks,
            refills=held.refills,
            contents=contents,
        )
        return
    if not held.stocks:
        tell(f"{held.campaign}: lab.toml declares no stocks, so that nobody keeps account")
        return
    counted = {level.source for level in held.stocks if level.is_counted}
    for line in _places(found, counted) if place else _sources(held):
        say(line)


def _in(held: Held, place: str) -> tuple[Content, ...]:
    found = tuple(one for one in held.contents if f"{one.place}/".startswith(f"{place}/"))
    if not found:
        places = dict.fromkeys(one.place.partition("/")[0] for one in held.contents)
        raise UserMistake(f"nothing is known to be in {place!r}; there is: {', '.join(places)}")
    return found


def _sources(held: Held) -> Iterator[str]:
    headings = ("source", "holds", "reserved", "in doubt", "free", "lots")
    yield from table(headings, [_row(level) for level in held.stocks])
    for task in held.refills:
        yield f"{task.id}: {task.reason}"


def _row(level: Level) -> tuple[str, ...]:
    said = _count if level.is_counted else _volume
    return (
        level.source,
        said(level.volume_ul, level.uncertainty_ul),
        said(level.reserved_ul),
        said(level.doubt_ul),
        said(level.free_ul),
        ", ".join(lot for lot in level.lots if lot) or "-",
    )


def _places(contents: tuple[Content, ...], counted: Collection[str]) -> list[str]:
    headings = (
        *("place", "component", "amount", "in doubt", "share", "lots"),
        "most of the uncertainty is from",
    )
    rows = [
        (
            one.place,
            one.component,
            said(one.volume_ul, one.uncertainty_ul),
            said(one.doubt_ul) if one.doubt_ul else "-",
            f"{one.fraction:.4g} ± {one.fraction_uncertainty:.2g}",
            ", ".join(lot for lot in one.lots if lot) or "-",
            "many small ones" if one.mostly_from == OTHERS else one.mostly_from or "-",
        )
        for one in contents
        for said in (_count if one.place in counted else _volume,)
    ]
    return list(table(headings, rows))


def _count(pieces: float, _: float = 0.0) -> str:
    return in_pieces(picolitres(pieces))


def _volume(volume_ul: float, uncertainty_ul: float = 0.0) -> str:
    said = spoken(picolitres(volume_ul))
    return f"{said} ± {uncertainty_ul:.2g} µL" if uncertainty_ul else said
