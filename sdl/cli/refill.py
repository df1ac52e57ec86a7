"""``sdl refill``: a person has filled a source of an instrument up, or looked how much is in it."""

from __future__ import annotations

from typing import Annotated

import typer

from sdl.cli.acts import act, told
from sdl.cli.reach import By, Json, Lab, Note
from sdl.errors import UserMistake
from sdl.wire.quantity import read_quantity

BOTTLE_UL = 1e8
"""What nothing on a bench holds: 100 L. More is a slip of the unit."""


def refill(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Instrument and source: handler/buffer.")
    ],
    volume: Annotated[
        list[str],
        typer.Argument(
            metavar="VOLUME",
            help="What was filled in: 50 mL; a bare number is in µL, or pieces where those count.",
        ),
    ],
    lot: Annotated[str, typer.Option("--lot", metavar="LOT", help="Of what was filled in.")] = "",
    expires: Annotated[
        str,
        typer.Option("--expires", metavar="DAY", help="Last day of that lot (UTC): 2027-03-01."),
    ] = "",
    replaces: Annotated[
        bool,
        typer.Option(
            "--replaces",
            help="That is all that is in it now: a new bottle, or a look at the old one.",
        ),
    ] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Say what was filled into a source of an instrument.

    What waited for it goes on. With --replaces it is also the answer to what is in doubt: look at
    the bottle and say what it holds. See what there is with `sdl inventory`.
    """
    try:
        volume_ul = read_quantity(" ".join(volume), "volume_ul")
    except ValueError as error:
        raise UserMistake(str(error)) from None
    if volume_ul > BOTTLE_UL:
        litres = f"{volume_ul / 1e6:.4g} L"
        raise UserMistake(
            f"{litres} is more than {source} can hold: a bench has no bottle above "
            f"{BOTTLE_UL / 1e6:g} L; look at the unit: sdl refill {source} 900 mL"
        )
    said = act(
        "refill",
        None,
        lab,
        by,
        note,
        source=source,
        volume_ul=volume_ul,
        lot=lot,
        expires=expires,
        replaces=replaces,
    )
    how = "holds" if replaces else "has got"
    of_lot = f" of lot {lot}" if lot else ""
    told("refill", f"{source} {how} {' '.join(volume)}{of_lot}", said, as_json=as_json)
