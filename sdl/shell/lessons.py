"""What earlier campaigns of a lab teach about how long its actions take, from the record."""

from __future__ import annotations

import json

from sqlalchemy import Connection, func, select

from sdl.core.durations import MEMORY, Durations
from sdl.model.lab import Lab
from sdl.shell.tables import PROJECTED


def lessons(connection: Connection, lab: Lab) -> Durations:
    """The last durations of each action of each instrument, as it stands in the lab now.

    An instrument that had another driver then, or was simulated and is real now, teaches nothing.
    """
    step, seen, campaign = (PROJECTED[name] for name in ("step", "instrument", "campaign"))
    newest_first = func.row_number().over(
        partition_by=(step.c.instrument, step.c.operation),
        order_by=(step.c.ended_at.desc(), step.c.cid.desc()),
    )
    found = (
        select(
            step.c.instrument,
            step.c.operation,
            step.c.args,
            step.c.duration_s,
            seen.c.driver,
            seen.c.simulated,
            newest_first.label("place"),
        )
        .join(campaign, campaign.c.campaign == step.c.campaign)
        .join(
            seen,
            (seen.c.campaign == campaign.c.journal) & (seen.c.instrument == step.c.instrument),
        )
        .where(step.c.status == "done", campaign.c.lab == lab.name)
        .subquery()
    )
    query = select(found).where(found.c.place <= MEMORY).order_by(found.c.place.desc())
    learned = Durations()
    now = {one.name: (one.driver, one.simulated) for one in lab.instruments}
    for row in connection.execute(query).mappings():
        if now.get(row["instrument"]) == (row["driver"], row["simulated"]):
            arguments = json.loads(row["args"])
            learned.add(row["instrument"], row["operation"], arguments, row["duration_s"])
    return learned
