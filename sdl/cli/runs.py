"""``sdl runs``: the runs of a campaign, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sdl.cli.console import say, table, write_json
from sdl.cli.gantt import Picture, draw
from sdl.cli.places import Where, chosen_campaign, folders, full_name, opened
from sdl.cli.status import moment
from sdl.cli.words import duration, point, quantity
from sdl.errors import UserMistake
from sdl.wire.toml_table import did_you_mean

if TYPE_CHECKING:
    from sdl.model.data import InputValue
    from sdl.shell.record import Record, RunDetail
    from sdl.shell.tables import CampaignRow, RunRow, StepRow

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command("list")
def list_runs(
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="Its name; else the last one.")
    ] = None,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """List the runs of a campaign in the order in which they were begun."""
    with opened(where) as record:
        name = chosen_campaign(record, campaign)
        runs = record.runs(name)
        values = {(seen.run, seen.measure): seen.value for seen in record.observations(name)}
        row = record.campaign(name).campaign
    if as_json:
        write_json("sdl.runs/1", campaign=name, runs=[_content(run) for run in runs])
        return
    rows = [_row(run, row, values.get((run.run, row.measure))) for run in runs]
    begun = "begun after (lab time)" if row.clock == "virtual" else "begun (lab time, UTC)"
    for line in table(("run", begun, "outcome", row.measure, "inputs"), rows):
        say(line)


@app.command("show")
def show_run(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="Such as dye-450/run-7; run-7 is that of the last campaign."
        ),
    ],
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Show one run: inputs, steps, measurements, why it ended so."""
    with opened(where) as record:
        detail = known_run(record, run)
        campaign = record.campaign(detail.run.campaign).campaign
    if as_json:
        steps = [asdict(step) for step in detail.steps]
        seen = [asdict(one) for one in detail.observations]
        evidence = asdict(detail.evidence) if detail.evidence else None
        write_json(
            "sdl.run/1",
            **_content(detail.run),
            steps=steps,
            observations=seen,
            evidence=evidence,
        )
        return
    _say_run(detail, campaign)


@app.command("gantt")
def draw_runs(
    picture: Picture,
    campaign: Annotated[
        str | None,
        typer.Argument(
            metavar="CAMPAIGN", help="Its name, or that of a lab's session; else the last one."
        ),
    ] = None,
    where: Where = None,
) -> None:
    """Draw what each instrument did, and when.

    Expected and actual, of a campaign or of a lab's session, as SVG or as a page.
    """
    with opened(where) as record:
        sessions = [one.session for one in record.sessions()]
        name = campaign if campaign in sessions else chosen_campaign(record, campaign)
        draw(record, name, folders(where)[0], picture)


def known_run(record: Record, run: str) -> RunDetail:
    """One run in full. UserMistake, with the closest name there is, if it is not on record."""
    run = full_name(record, run)
    campaign = chosen_campaign(record, run.partition("/")[0])
    names = [one.run for one in record.runs(campaign)]
    if run not in names:
        raise UserMistake(f"{campaign} has no run {run!r}; {did_you_mean(run, names[-9:])}")
    return record.run(run)


def inputs_of(text: str) -> Mapping[str, InputValue]:
    """The inputs in a JSON column."""
    return cast("Mapping[str, InputValue]", json.loads(text))


def _row(run: RunRow, campaign: CampaignRow, value: float | None) -> tuple[str, ...]:
    measured = "-" if value is None else quantity(campaign.measure, value)
    outcome = run.outcome or "in flight"
    return run.run, moment(run.begun_at, campaign), outcome, measured, point(inputs_of(run.inputs))


def _content(run: RunRow) -> dict[str, object]:
    return {**asdict(run), "inputs": inputs_of(run.inputs), "roles": json.loads(run.roles)}


def _say_run(detail: RunDetail, campaign: CampaignRow) -> None:
    run = detail.run
    ended = "" if run.ended_at is None else f" after {duration(run.ended_at - run.begun_at)}"
    say(f"{run.run}: {run.outcome or 'in flight'}{ended}")
    if run.reason:
        say(f"  because    {run.reason}")
    is_virtual = campaign.clock == "virtual"
    unit = "after the start (virtual time)" if is_virtual else "UTC (lab time)"
    say(f"  begun      {moment(run.begun_at, campaign)} {unit}")
    say(f"  inputs     {point(inputs_of(run.inputs))}")
    roles = cast("dict[str, str]", json.loads(run.roles))
    say(f"  roles      {', '.join(f'{role} = {player}' for role, player in roles.items())}")
    if detail.suggestion is not None:
        say(f"  suggested  by {detail.suggestion.origin} ({detail.suggestion.suggestion})")
    for seen in detail.observations:
        value = quantity(seen.measure, seen.value, seen.uncertainty)
        say(f"  measured   {seen.measure} = {value}")
    say()
    headings = ("step", "instrument", "action", "status", "took", "note")
    for line in table(headings, [_step(step, run.run) for step in detail.steps]):
        say(line)


def _step(step: StepRow, run: str) -> tuple[str, ...]:
    took = "-" if step.duration_s is None else duration(step.duration_s)
    name = step.cid.removeprefix(f"{run}/")
    note = step.reason or ("" if step.result in (None, "null") else str(step.result))
    return name, step.instrument, step.operation, step.status, took, note
