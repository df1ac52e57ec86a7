"""The front of a campaign with several objectives, from the record."""

from __future__ import annotations

import json
from collections import defaultdict

from sdl.core.aims import counts, with_point
from sdl.core.events import CampaignStarted
from sdl.core.view import FrontPoint
from sdl.model.campaign import Campaign
from sdl.shell.record import Record
from sdl.wire.journal import load

_SEVERAL = '"further":[{'
"""Stands in the head of a campaign with several objectives; to read each head would take long."""


def front_of(record: Record, campaign: str) -> tuple[FrontPoint, ...] | None:
    """What no other sample beats so far; None of a campaign with one objective.

    RecordFault if the record does not hold it.
    """
    spec = _with_several(record, campaign)
    return None if spec is None else _front(record, spec)


def measures_of(record: Record, campaign: str) -> tuple[str, ...]:
    """What a campaign steers by, and must keep. RecordFault if the record does not hold it."""
    spec = _with_several(record, campaign)
    return (record.campaign(campaign).campaign.measure,) if spec is None else spec.measures


def _with_several(record: Record, campaign: str) -> Campaign | None:
    """A campaign as it began; None if it has one objective."""
    row = record.campaign(campaign).campaign
    line = next(record.lines(row.journal, after=row.seq - 1))
    if _SEVERAL not in line.body:
        return None
    head = load(line.type, line.body)
    return head.campaign if isinstance(head, CampaignStarted) else None


def _front(record: Record, spec: Campaign) -> tuple[FrontPoint, ...]:
    seen: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for one in record.observations(spec.name):
        seen[one.run, one.sample][one.measure] = one.value
    front: tuple[FrontPoint, ...] = ()
    for sample in record.samples(spec.name):
        measures = seen[sample.run, sample.sample]
        inputs = json.loads(sample.inputs)
        if sample.outcome != "measured" or not counts(spec, inputs, measures):
            continue
        new = FrontPoint(
            run=sample.run,
            inputs=inputs,
            measures={one.measure: measures[one.measure] for one in spec.objectives},
            suggestion=sample.suggestion,
            is_of_batch=spec.batch is not None,
        )
        front = with_point(front, new, spec.objectives)
    return front
