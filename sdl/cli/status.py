"""``sdl status``: the campaigns of a record and how they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sdl.cli.best import on_front
from sdl.cli.console import say, table, tell, write_json
from sdl.cli.places import Where, opened
from sdl.cli.questions import own_stands, shared_stands, stands
from sdl.cli.reach import spot
from sdl.cli.usage import rows, span, usages
from sdl.cli.words import count, duration, quantity, spent
from sdl.core.view import FrontPoint, LabView, View
from sdl.errors import SdlError
from sdl.service.caller import Caller

if TYPE_CHECKING:
    from sdl.shell.record import CampaignSummary, Record
    from sdl.shell.tables import CampaignRow

WAITS_MAX = 12
"""Waiting steps that are shown of each campaign."""
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
    from sdl.shell.fronts import front_of

    with opened(where or inside) as record:
        summaries = record.campaigns()
        fronts = [front_of(record, one.campaign.campaign) for one in summaries]
        both = list(zip(summaries, fronts, strict=True))
        campaigns = [_content(one, front, record) for one, front in both] if as_json else []
    lab = at_work(where or inside)
    if as_json:
        only = lab.campaigns[0] if lab and not lab.is_shared else None
        write_json("sdl.status/1", campaigns=campaigns, at_work=only, lab=lab)
        return
    if not summaries:
        say("No campaign yet. Next: sdl run campaign.toml")
        return
    headings = ("campaign", "started (lab time)", "stands", "runs", "failed", "late", "best")
    for line in table(headings, [_row(one, front) for one, front in both]):
        say(line)
    if lab is not None:
        say()
        for line in [*of_lab(lab), *used(lab)]:
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
    if not lab.is_shared:
        own = [line for view in lab.campaigns for line in now(view, stands(view))]
        return [*own, *planned(lab)]
    closing = f", which ends: {lab.closing}" if lab.closing else ""
    head = f"{lab.name} is open{closing}: {count(len(lab.campaigns), 'campaign')} at work"
    own = [line for view in lab.campaigns for line in now(view, own_stands(view, lab))]
    shared = (f"  {line}" for line in (*shared_stands(lab), *planned(lab)))
    return [head, *shared, *own]


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


def used(lab: LabView) -> list[str]:
    """What its instruments do, and spent the time on."""
    found = usages(lab.instruments)
    if not found:
        return []
    stands = {one.name: one.state for one in lab.instruments}
    headings = ("instrument", "stands", f"of {span(found)}", "else")
    lines = [(name, stands[name], busy, said) for name, busy, said in rows(found)]
    return ["", *table(headings, lines)]


def now(view: View, attention: Sequence[str]) -> list[str]:
    """How the campaign at work stands, and what keeps a person's attention."""
    flying = [f"{run.run.partition('/')[2]} {run.state}" for run in view.in_flight]
    lines = [f"{view.campaign} is at work: {', '.join(flying) or 'no run in flight'}"]
    broken = count(view.broken_windows, "window")
    late = [f"{broken} broken; see: sdl runs list"] if view.broken_windows else []
    paid = [] if view.spent is None else [f"spent {spent(view.spent, view.spent_max)}"]
    return lines + [f"  {line}" for line in [*paid, *late, *attention, *_waits(view)]]


def _waits(view: View) -> list[str]:
    """What waits and for what, questions aside; no more than fit on a screen."""
    asked = {one.step for one in view.questions}
    found = [one for one in view.waits if one.who not in asked]
    lines = [f"{one.who.partition('/')[2] or one.who}: {one.why}" for one in found[:WAITS_MAX]]
    more = len(found) - len(lines)
    return [*lines, f"and {more} more; see: sdl why {view.campaign}"] if more else lines


def moment(at: float, campaign: CampaignRow) -> str:
    """A moment of lab time: in UTC, or in virtual time as the seconds since the start."""
    if campaign.clock == "virtual":
        return f"{at - campaign.started_at:.0f} s"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _row(one: CampaignSummary, front: Sequence[FrontPoint] | None) -> tuple[str, ...]:
    row = one.campaign
    best = "-" if one.best is None else f"{quantity(row.measure, one.best.value)} ({one.best.run})"
    if front is not None:
        best = on_front(len(front)) if front else "-"
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


def _content(
    one: CampaignSummary, front: Sequence[FrontPoint] | None, record: Record
) -> dict[str, object]:
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
        "front": front,
        "utilisation": record.utilisation(row.campaign),
        "plans": _plans(record, row),
    }


def _plans(record: Record, row: CampaignRow) -> dict[str, float] | None:
    """How many plans came while a campaign was at work, and how old one became; None: nobody plans.

    The age counts from when the lab was looked at to when the next plan came, or the campaign was
    over.
    """
    end = math.inf if row.ended_at is None else row.ended_at
    came = [one for one in record.plans(row.campaign) if one.steps and one.arrived_at <= end]
    until = [one.arrived_at for one in came[1:]] + ([] if row.ended_at is None else [end])
    ages_s = [
        till - one.asked_at
        for one, till in zip(came, until, strict=False)
        if till >= row.started_at
    ]
    number = sum(one.arrived_at >= row.started_at for one in came)
    return {"made": number, "oldest_s": max(ages_s, default=0.0)} if came else None
