"""``sdl campaign``: campaigns in a lab at work, each of which has its share of the bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from sdl.cli.best import in_short
from sdl.cli.console import say, short, table, write_json
from sdl.cli.reach import By, Json, Lab, Note, caller, person
from sdl.core.view import LabView
from sdl.errors import UserMistake
from sdl.wire.quantity import read_quantity

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of a campaign at work.")]
Weight = Annotated[
    float | None,
    typer.Option(
        min=0.01, max=100.0, help="Its share of a contended instrument, beside the others' (1)."
    ),
]
Deadline = Annotated[
    str | None,
    typer.Option(metavar="TIME", help='Lab time from now in which to be done, such as "8 h".'),
]
AtOnce = Annotated[
    int | None, typer.Option("--runs-at-once", min=1, max=1000, help="Runs in flight at most.")
]


@app.command()
def start(
    campaign: Annotated[Path, typer.Argument(metavar="CAMPAIGN", help="The campaign file.")],
    priority: Annotated[
        int | None, typer.Option(min=-9, max=9, help="Who has the higher one goes first (0).")
    ] = None,
    weight: Weight = None,
    deadline: Deadline = None,
    runs_at_once: AtOnce = None,
    new: Annotated[
        bool, typer.Option("--new", help="Although one of this name is at work.")
    ] = False,
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Start a campaign in the lab at work.

    It is checked as `sdl check` does; a mistake in its files starts nothing and changes nothing.
    """
    if not campaign.is_file():
        raise UserMistake(f"there is no file {short(campaign)}")
    said = _claim(by, priority, weight, deadline, runs_at_once)
    said |= {"path": str(campaign.resolve()), "anew": new}
    started = caller(lab or campaign).act("campaigns", said)
    if as_json:
        write_json("sdl.started/1", campaign=started["started"], session=started["campaign"])
    else:
        say(f"{started['started']}: at work in {started['campaign']}")


@app.command("list")
def list_campaigns(lab: Lab = None, as_json: Json = False) -> None:
    """List the campaigns of the lab at work, with their claims."""
    view = caller(lab).lab()
    if as_json:
        write_json("sdl.lab/1", lab=view)
        return
    if not view.campaigns and not view.ended:
        say("no campaign yet; next: sdl campaign start campaign.toml")
        return
    headings = ("campaign", "stands", "runs", "in flight", "best", "priority", "weight", "claim")
    for line in table(headings, campaigns_of(view)):
        say(line)


def campaigns_of(view: LabView) -> list[tuple[str, ...]]:
    """A row for each campaign, those at work before those that have ended."""
    rows: list[tuple[str, ...]] = []
    for one, terms in zip(view.campaigns, view.terms, strict=True):
        best = in_short(one, "-")
        left = "" if terms.deadline is None else f"due in {(terms.deadline - view.at) / 3600:.1f} h"
        quota = "" if terms.runs_at_once is None else f"at most {terms.runs_at_once} at once"
        rows.append(
            (
                one.campaign,
                "paused" if one.paused else "at work",
                f"{one.runs_ended}/{one.runs_max}",
                str(len(one.in_flight)),
                best,
                str(terms.priority),
                f"{terms.weight:g}",
                ", ".join(part for part in (left, quota) if part) or "-",
            )
        )
    ended: list[tuple[str, ...]] = [
        (one.campaign, one.ending, str(one.runs), "-", one.best_run or "-", "-", "-", "-")
        for one in view.ended
    ]
    return rows + ended


@app.command()
def pause(
    name: Name,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Not even what a time window waits for.")
    ] = False,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Let nothing new of a campaign start; the others go on."""
    _act("pause", name, {"at_once": at_once}, by, note, lab)
    _told("pause", name, "nothing new starts", as_json=as_json)


@app.command()
def resume(
    name: Name, note: Note = "", by: By = None, lab: Lab = None, as_json: Json = False
) -> None:
    """Let a campaign go on that was paused by its name."""
    _act("resume", name, {}, by, note, lab)
    _told("resume", name, "goes on", as_json=as_json)


@app.command()
def stop(
    name: Name, note: Note = "", by: By = None, lab: Lab = None, as_json: Json = False
) -> None:
    """End a campaign in good order.

    Its runs in flight are finished, and no other is begun.
    """
    _act("stop", name, {}, by, note, lab)
    _told("stop", name, "ends once its runs in flight have", as_json=as_json)


@app.command()
def abort(
    name: Name, note: Note = "", by: By = None, lab: Lab = None, as_json: Json = False
) -> None:
    """Break a campaign off.

    Its runs are given up, and their instruments are made safe.
    """
    _act("abort", name, {}, by, note, lab)
    _told("abort", name, "is broken off", as_json=as_json)


@app.command()
def priority(
    name: Name,
    priority: Annotated[
        int | None, typer.Argument(min=-9, max=9, help="Who has the higher one goes first.")
    ] = None,
    weight: Weight = None,
    deadline: Deadline = None,
    runs_at_once: AtOnce = None,
    note: Note = "",
    by: By = None,
    lab: Lab = None,
    as_json: Json = False,
) -> None:
    """Give a campaign another claim on the bench.

    What is not said stays as it is.
    """
    said = {**_claim(by, priority, weight, deadline, runs_at_once), "note": note}
    caller(lab).act(f"campaigns/{name}/terms", said)
    _told("priority", name, "has its new claim", as_json=as_json)


def _claim(
    by: str | None,
    priority: int | None,
    weight: float | None,
    deadline: str | None,
    runs_at_once: int | None,
) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {"by": person(by)}
    if deadline is not None:
        try:
            said["within_s"] = read_quantity(deadline, "deadline_s")
        except ValueError as error:
            raise typer.BadParameter(f"--deadline: {error}") from None
    given = {"priority": priority, "weight": weight, "runs_at_once": runs_at_once}
    return said | {key: value for key, value in given.items() if value is not None}


def _act(
    verb: str, name: str, more: dict[str, JsonValue], by: str | None, note: str, lab: Path | None
) -> None:
    caller(lab).act(verb, {"by": person(by), "note": note, "campaign": name, **more})


def _told(act: str, name: str, sentence: str, *, as_json: bool) -> None:
    if as_json:
        write_json("sdl.taken/1", act=act, campaign=name)
    else:
        say(f"{name}: {sentence}")
