"""``sdl status``: the campaigns of a record and how they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sdl.cli.console import say, table, write_json
from sdl.cli.places import Where, opened
from sdl.cli.words import quantity

if TYPE_CHECKING:
    from sdl.shell.record import CampaignSummary
    from sdl.shell.tables import CampaignRow


def status(
    where: Annotated[
        str | None,
        typer.Argument(
            metavar="LAB_OR_RECORD", help="A lab, a record file or a URL; else ./lab.toml."
        ),
    ] = None,
    inside: Where = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show the campaigns of a lab's record and how they stand."""
    with opened(where or inside) as record:
        summaries = record.campaigns()
    if as_json:
        write_json("sdl.status/1", campaigns=[_content(one) for one in summaries])
        return
    if not summaries:
        say("No campaign yet. Next: sdl run campaign.toml")
        return
    headings = ("campaign", "started (lab time)", "stands", "runs", "failed", "best")
    for line in table(headings, [_row(one) for one in summaries]):
        say(line)


def moment(at: float, campaign: CampaignRow) -> str:
    """A moment of lab time: in UTC, or in virtual time as the seconds since the start."""
    if campaign.clock == "virtual":
        return f"{at - campaign.started_at:.0f} s"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _row(one: CampaignSummary) -> tuple[str, ...]:
    row = one.campaign
    best = "-" if one.best is None else f"{quantity(row.measure, one.best.value)} ({one.best.run})"
    stands = row.ending or row.status
    return (
        row.campaign,
        "in virtual time" if row.clock == "virtual" else moment(row.started_at, row),
        stands,
        str(one.runs),
        str(one.failed),
        best,
    )


def _content(one: CampaignSummary) -> dict[str, object]:
    best = one.best
    row = one.campaign
    return {
        "campaign": row.campaign,
        "lab": row.lab,
        "clock": row.clock,
        "status": row.status,
        "ending": row.ending,
        "reason": row.reason,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "runs": one.runs,
        "measured": one.measured,
        "failed": one.failed,
        "measure": row.measure,
        "best": None if best is None else {"run": best.run, "value": best.value},
    }
