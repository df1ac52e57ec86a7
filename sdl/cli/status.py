"""``sdl status``: the campaigns of a record and how they stand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdl.cli.console import say, table, tell, write_json
from sdl.cli.places import Where, opened
from sdl.cli.questions import stands
from sdl.cli.reach import spot
from sdl.cli.words import count, duration, quantity
from sdl.core.view import LabView, View
from sdl.errors import SdlError
from sdl.service.caller import Caller

if TYPE_CHECKING:
    from sdl.shell.record import CampaignSummary
    from sdl.shell.tables import CampaignRow

ANSWER_S = 5.0
"""Wall seconds that an orchestrator may take to say how it stands."""


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
    lab = at_work(where or inside)
    if as_json:
        only = lab.campaigns[0] if lab and not lab.is_shared else None
        campaigns = [_content(one) for one in summaries]
        write_json("sdl.status/1", campaigns=campaigns, at_work=only, lab=lab)
        return
    if not summaries:
        say("No campaign yet. Next: sdl run campaign.toml")
        return
    headings = ("campaign", "started (lab time)", "stands", "runs", "failed", "late", "best")
    for line in table(headings, [_row(one) for one in summaries]):
        say(line)
    if lab is not None:
        say()
        for line in of_lab(lab):
            say(line)


def at_work(where: str | None) -> LabView | None:
    """What the lab's orchestrator says of itself; None if there is none, or it does not answer."""
    if where is not None and not (where.endswith(".toml") or Path(where).is_dir()):
        return None
    try:
        card = spot(None if where is None else Path(where)).card()
    except SdlError:
        return None
    try:
        return Caller(card, ANSWER_S).lab()
    except SdlError as error:
        tell(str(error))
        return None


def of_lab(lab: LabView) -> list[str]:
    """How the lab at work stands, and each of its campaigns."""
    lines = [line for view in lab.campaigns for line in now(view)]
    lines += planned(lab)
    if not lab.is_shared:
        return lines
    closing = f", which ends: {lab.closing}" if lab.closing else ""
    return [f"{lab.name} is open{closing}: {count(len(lab.campaigns), 'campaign')} at work", *lines]


def planned(lab: LabView) -> list[str]:
    """The plan of the bench in a line; none where nobody plans."""
    plan = lab.plan
    if plan is None:
        return []
    trouble = f"; {plan.trouble}" if plan.trouble else ""
    if not plan.plans:
        return [f"plan: none{trouble}"]
    breaks = f", {count(len(plan.breaks), 'window')} will be missed" if plan.breaks else ""
    made = f"number {plan.plans}, by {plan.found_by} in {duration(plan.seconds)}"
    return [f"plan: {plan.status}, {duration(plan.age_s)} old, {made}{breaks}{trouble}"]


def now(view: View) -> list[str]:
    """How the campaign at work stands."""
    flying = [f"{run.run.partition('/')[2]} {run.state}" for run in view.in_flight]
    lines = [f"{view.campaign} is at work: {', '.join(flying) or 'no run in flight'}"]
    if view.broken_windows:
        lines.append(f"  {count(view.broken_windows, 'window')} broken; see: sdl runs list")
    return lines + [f"  {line}" for line in stands(view)]


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
        str(one.broken_windows),
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
        "broken_windows": one.broken_windows,
        "measure": row.measure,
        "best": None
        if best is None
        else {"run": best.run, "sample": best.sample, "value": best.value},
    }
