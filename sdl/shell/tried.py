"""What a campaign tried, read from the record as a planner would be told it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

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


def tried(record: Record, campaign: str) -> tuple[Problem, tuple[Trial, ...]]:
    """The problem of a campaign and its trials so far, those of before it first.

    UserMistake if it searches nothing, RecordFault if the record does not hold it.
    """
    spec = _spec(record, campaign)
    if not spec.space:
        raise UserMistake(f"{campaign} searches nothing: all of its runs have the same inputs")
    before = [trial for prior in spec.prior for trial in prior.trials]
    return problem(spec), (*before, *_trials(record, spec))


def _spec(record: Record, campaign: str) -> Campaign:
    row = record.campaign(campaign).campaign
    line = next(record.lines(row.journal, after=row.seq - 1))
    head = load(line.type, line.body)
    if not isinstance(head, CampaignStarted):
        raise RecordFault(f"line {row.seq} of the journal of {campaign} is not its beginning")
    return head.campaign


def _trials(record: Record, spec: Campaign) -> Iterator[Trial]:
    """One for each suggestion; of one that had several runs the last counts."""
    last = {sample.suggestion: sample for sample in record.samples(spec.name)}
    seen: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for one in record.observations(spec.name):
        seen[one.run, one.sample][one.measure] = one.value
    for suggestion in record.suggestions(spec.name):
        inputs, disposition = json.loads(suggestion.inputs), suggestion.disposition
        if disposition in UNTRIED:
            continue
        if disposition == "measured":
            sample = last[suggestion.suggestion]
            yield Trial(inputs=inputs, status="measured", measures=seen[sample.run, sample.sample])
        elif disposition in {"abandoned", "unknown"}:  # of either nobody knows what would come
            yield Trial(inputs=inputs, status="abandoned", measures={})
        else:
            yield Trial(inputs=inputs, status="failed" if disposition else "pending", measures={})
