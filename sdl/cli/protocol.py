"""``sdl protocol``: a person's own run of a protocol, with inputs that they choose."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, cast

import typer
from pydantic import JsonValue

from sdl.cli.console import say, write_json
from sdl.cli.exits import exit_of_ending
from sdl.cli.players import players, toml_text, with_wells
from sdl.cli.reach import By, Json, person
from sdl.cli.run import run_alone
from sdl.cli.summary import content, say_summary
from sdl.core.script import ProtocolFunction
from sdl.errors import LabFault, UserMistake
from sdl.model.campaign import NO_PLANNER
from sdl.model.protocol import ProtocolSignature
from sdl.service.caller import Caller
from sdl.service.card import card_path, is_gone, read
from sdl.shell.launch import Choice
from sdl.shell.plugins import PROTOCOLS, load
from sdl.wire.campaign_values import MOST_SAMPLES
from sdl.wire.signature import read_signature
from sdl.wire.toml import LabFile, open_lab
from sdl.wire.toml_table import did_you_mean

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
FOLDER = "own-runs"
"""In the lab's ``.sdl``: the campaign files that this verb writes."""
NAME_CHARACTERS = 32


@app.callback()
def protocol() -> None:
    """Run a protocol by hand."""


@app.command()
def run(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Its name, or ./file.py:function.")
    ],
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help='An input ("50 uL" may stand), or a role: well=plate-1, wells=plate-1:6.',
        ),
    ] = None,
    lab: Annotated[
        Path,
        typer.Option("--lab", "--in", metavar="LAB", help="lab.toml, or its folder; else here."),
    ] = Path("lab.toml"),
    runs: Annotated[int, typer.Option(min=1, help="So many, all with these inputs.")] = 1,
    priority: Annotated[
        int | None, typer.Option(min=-9, max=9, help="In a lab at work; see `sdl campaign`.")
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Run a protocol with inputs that you choose.

    It is a campaign without a planner, and shares the lab at work; where none is, it has the lab
    for itself. Any instrument that can play a role is taken, and any plate, unless you name one:
    handler=handler-2, or several: reader=reader-1,reader-2. Of a list of wells you say how many:
    wells=6, or wells=plate-1:6. Whatever a campaign file may have under [roles] may stand, too:
    'wells={kind="plate-96-flat", at="hotel", count=6}', 'reader={any_of=["reader-1", "reader-2"]}'.
    """
    lab = lab / "lab.toml" if lab.is_dir() else lab
    file = open_lab(lab)
    reference, signature = _signature(protocol, file)
    path = _written(file, lab, reference, signature, _pairs(given or []), runs)
    card = _at_work(file)
    if card is None:
        outcome = run_alone(path, Choice(anew=True))
        if as_json:
            write_json("sdl.outcome/1", **content(outcome))
        else:
            say_summary(outcome, path)
        raise typer.Exit(exit_of_ending(outcome.view))
    said: dict[str, JsonValue] = {"by": person(by), "path": str(path), "anew": True}
    if priority is not None:
        said["priority"] = priority
    started = card.act("campaigns", said)
    if as_json:
        write_json("sdl.started/1", campaign=started["started"], session=started["campaign"])
    else:
        say(f"{started['started']}: at work in {started['campaign']}")
        say(f"Next: sdl runs list {started['started']} --in {lab}")


def _at_work(file: LabFile) -> Caller | None:
    """Who speaks to the orchestrator of the lab; None if there is none."""
    try:
        card = read(card_path(file.folder / ".sdl", file.lab.name))
    except LabFault:
        return None
    return None if is_gone(card) else Caller(card)


def _signature(protocol: str, file: LabFile) -> tuple[str, ProtocolSignature]:
    """The protocol's name as the campaign file will have it, and what it asks for."""
    path, colon, name = protocol.partition(":")
    if path.endswith(".py"):
        protocol = f"{os.path.relpath(Path(path).resolve(), _folder(file))}{colon}{name}"
    function = cast("ProtocolFunction", load(PROTOCOLS, protocol, _folder(file)).value)
    return protocol, read_signature(function)


def _folder(file: LabFile) -> Path:
    return file.folder / ".sdl" / FOLDER


def _pairs(given: list[str]) -> dict[str, str]:
    found = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"{each!r}: write KEY=VALUE, such as dye_fraction=0.3")
        found[key.strip()] = value.strip()
    return found


def _written(
    file: LabFile,
    lab: Path,
    reference: str,
    signature: ProtocolSignature,
    given: dict[str, str],
    runs: int,
) -> Path:
    """The campaign file. UserMistake where something is given that the protocol does not take."""
    roles = {role.name: given.pop(role.name, "") for role in signature.roles}
    inputs = [each.name for each in signature.inputs]
    for key in given:
        if key not in inputs:
            raise UserMistake(
                f"{signature.name} takes no {key!r}; {did_you_mean(key, [*inputs, *roles])}"
            )
    name = signature.name.replace("_", "-").lower()[:NAME_CHARACTERS].strip("-")
    lines = [
        "# Written by: sdl protocol run",
        "[campaign]",
        f"name = {toml_text(name)}",
        f"lab = {toml_text(os.path.relpath(lab.resolve(), _folder(file)))}",
        f"protocol = {toml_text(reference)}",
        "[roles]",
        *(f"{role} = {value}" for role, value in players(file, signature, roles).items()),
        "[fixed]",
        *(f"{key} = {_value(value)}" for key, value in given.items()),
        "[objective]",
        f"measure = {toml_text(signature.measures[0])}",
        'goal = "maximise"',
        "[stop]",
        f"runs = {runs}",
        "[planner]",
        f"kind = {toml_text(NO_PLANNER)}",
    ]
    if signature.samples:
        plates = [len(piece.kind.wells) for piece in with_wells(file.lab.labware)]
        lines += ["[batch]", f"size = {min(runs, MOST_SAMPLES, *plates)}"]
    path = _folder(file) / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _value(written: str) -> str:
    """A number as it is; anything else, a quantity with its unit included, as text."""
    try:
        float(written)
    except ValueError:
        return toml_text(written)
    return written
