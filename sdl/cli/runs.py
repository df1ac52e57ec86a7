"""``sdl runs``: the runs of a campaign, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sdl.cli.console import say, table, write_json
from sdl.cli.gantt import Picture, draw
from sdl.cli.late import said as told_late
from sdl.cli.places import Where, chosen_campaign, folders, full_name, opened
from sdl.cli.status import moment
from sdl.cli.words import duration, point, quantity
from sdl.errors import UserMistake
from sdl.wire.toml_table import did_you_mean

if TYPE_CHECKING:
    from sdl.model.data import InputValue
    from sdl.shell.record import Record, RunDetail
    from sdl.shell.tables import BrokenWindowRow, CampaignRow, RunRow, SampleRow, StepRow

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
    """List the runs of a campaign, and of a batch each sample, in order."""
    from sdl.shell.fronts import measures_of

    with opened(where) as record:
        name = chosen_campaign(record, campaign)
        measures = measures_of(record, name)
        runs = record.runs(name)
        samples: dict[str, list[SampleRow]] = {run.run: [] for run in runs}
        for sample in record.samples(name):
            samples[sample.run].append(sample)
        row = record.campaign(name).campaign
        values = {
            (seen.run, seen.sample, seen.measure): seen.value for seen in record.observations(name)
        }
        late = record.broken_windows(name)
    if as_json:
        told = [
            _content(run, samples[run.run], [one for one in late if one.run == run.run])
            for run in runs
        ]
        write_json("sdl.runs/1", campaign=name, runs=told)
        return
    is_late = {one.run for one in late}
    rows = [
        _row(
            run,
            each,
            row,
            {one: values.get((run.run, each.sample, one)) for one in measures},
            is_late=run.run in is_late,
        )
        for run in runs
        for each in samples[run.run]
    ]
    begun = "begun after (lab time)" if row.clock == "virtual" else "begun (lab time, UTC)"
    for line in table(("run", begun, "outcome", *measures, "inputs"), rows):
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
            **_content(detail.run, detail.samples, detail.broken_windows),
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


def _row(
    run: RunRow,
    sample: SampleRow,
    campaign: CampaignRow,
    values: Mapping[str, float | None],
    *,
    is_late: bool,
) -> tuple[str, ...]:
    name = run.run if run.suggestion else f"{run.run} #{sample.sample}"
    measured = ["-" if each is None else quantity(one, each) for one, each in values.items()]
    # Only what counts has a loss, and what is wanted has none left.
    is_hit = campaign.goal == "hits" and sample.loss == 0.0
    outcome = sample.outcome or "in flight"
    outcome += (", late" if is_late else "") + (", hit" if is_hit else "")
    inputs = point(inputs_of(sample.inputs))
    return name, moment(run.begun_at, campaign), outcome, *measured, inputs


def _content(
    run: RunRow, samples: Sequence[SampleRow], late: Sequence[BrokenWindowRow]
) -> dict[str, object]:
    return {
        **asdict(run),
        "inputs": json.loads(run.inputs),
        "roles": json.loads(run.roles),
        "samples": [{**asdict(each), "inputs": inputs_of(each.inputs)} for each in samples],
        "broken_windows": [asdict(one) for one in late],
    }


def _say_run(detail: RunDetail, campaign: CampaignRow) -> None:
    run = detail.run
    ended = "" if run.ended_at is None else f" after {duration(run.ended_at - run.begun_at)}"
    say(f"{run.run}: {run.outcome or 'in flight'}{ended}")
    if run.reason:
        say(f"  because    {run.reason}")
    is_virtual = campaign.clock == "virtual"
    unit = "after the start (virtual time)" if is_virtual else "UTC (lab time)"
    say(f"  begun      {moment(run.begun_at, campaign)} {unit}")
    arguments = cast("Mapping[str, InputValue | list[object]]", json.loads(run.inputs))
    shared = {name: value for name, value in arguments.items() if not isinstance(value, list)}
    if shared:
        say(f"  inputs     {point(shared)}")
    roles = cast("dict[str, str]", json.loads(run.roles))
    say(f"  roles      {', '.join(f'{role} = {player}' for role, player in roles.items())}")
    if run.suggestion:
        for suggestion in detail.suggestions:
            say(f"  suggested  by {suggestion.origin} ({suggestion.suggestion})")
        for line in _measured(detail, 1):
            say(f"  measured   {line}")
    else:
        _say_samples(detail)
    for missed in detail.broken_windows:
        say(f"  late       {missed.step.removeprefix(f'{run.run}/')} {told_late(missed)}")
    say()
    headings = ("step", "instrument", "action", "status", "took", "note")
    for line in table(headings, [_step(step, run.run) for step in detail.steps]):
        say(line)


def _measured(detail: RunDetail, sample: int) -> Iterator[str]:
    for seen in detail.observations:
        if seen.sample == sample:
            yield f"{seen.measure} = {quantity(seen.measure, seen.value, seen.uncertainty)}"


def _say_samples(detail: RunDetail) -> None:
    """What became of each sample of a batch, and where it was."""
    rows = [
        (
            f"#{each.sample}",
            each.suggestion.rpartition("/")[2],
            each.wells or "-",
            each.outcome or "in flight",
            ", ".join(_measured(detail, each.sample)) or "-",
            point(inputs_of(each.inputs)),
            each.reason or "",
        )
        for each in detail.samples
    ]
    say()
    headings = ("sample", "suggestion", "well", "outcome", "measured", "inputs", "note")
    for line in table(headings, rows):
        say(line)


def _step(step: StepRow, run: str) -> tuple[str, ...]:
    took = "-" if step.duration_s is None else duration(step.duration_s)
    name = step.cid.removeprefix(f"{run}/")
    note = step.reason or ("" if step.result in (None, "null") else str(step.result))
    return name, step.instrument, step.operation, step.status, took, note
