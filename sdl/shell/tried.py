"""What a campaign tried, read from the record as a planner would be told it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from sdl.core.campaign import problem
from sdl.core.events import CampaignStarted
from sdl.errors import RecordFault, UserMistake
from sdl.model.campaign import Campaign
from sdl.model.data import Disposition, Trial
from sdl.model.planning import Problem
from sdl.shell.record import Record
from sdl.wire.journal import load

UNTRIED: frozenset[Disposition] = frozenset({"refused", "unused", "withdrawn"})
"""Ends of suggestions whose run never began: they are no trials."""


def tried(record: Record, campaign: str) -> tuple[Problem, tuple[Trial, ...], tuple[str, ...]]:
    """The problem of a campaign and its trials so far, those of before it first.

    With each trial its run, or what it was read from; empty while it has none.

    UserMistake if it searches nothing, RecordFault if the record does not hold it.
    """
    spec = _spec(record, campaign)
    if not spec.space:
        raise UserMistake(f"{campaign} searches nothing: all of its runs have the same inputs")
    before = [trial for prior in spec.prior for trial in prior.trials]
    own = list(_trials(record, spec))
    origins = (*(trial.prior for trial in before), *(run for run, _ in own))
    return problem(spec), (*before, *(trial for _, trial in own)), origins


def _spec(record: Record, campaign: str) -> Campaign:
    row = record.campaign(campaign).campaign
    line = next(record.lines(row.journal, after=row.seq - 1))
    head = load(line.type, line.body)
    if not isinstance(head, CampaignStarted):
        raise RecordFault(f"line {row.seq} of the journal of {campaign} is not its beginning")
    return head.campaign


def _trials(record: Record, spec: Campaign) -> Iterator[tuple[str, Trial]]:
    """With its run, one for each suggestion; of one that had several runs the last counts."""
    last = {sample.suggestion: sample for sample in record.samples(spec.name)}
    seen: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for one in record.observations(spec.name):
        seen[one.run, one.sample][one.measure] = one.value
    for suggestion in record.suggestions(spec.name):
        inputs, disposition = json.loads(suggestion.inputs), suggestion.disposition
        if disposition in UNTRIED:
            continue
        sample = last.get(suggestion.suggestion)
        if disposition == "measured" and sample is not None:
            measures = seen[sample.run, sample.sample]
            yield sample.run, Trial(inputs=inputs, status="measured", measures=measures)
            continue
        status: Literal["failed", "abandoned", "pending"] = "failed" if disposition else "pending"
        if disposition in {"abandoned", "unknown"}:  # of either nobody knows what would come
            status = "abandoned"
        yield sample.run if sample else "", Trial(inputs=inputs, status=status, measures={})
