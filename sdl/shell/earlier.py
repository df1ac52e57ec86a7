"""What earlier campaigns of the record measured, as what a campaign knows before it starts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sdl.errors import RecordFault, UserMistake
from sdl.model.campaign import Campaign, Prior
from sdl.model.data import InputValue, Trial
from sdl.model.space import fits
from sdl.wire.campaign_file import CampaignFile
from sdl.wire.toml_table import did_you_mean

if TYPE_CHECKING:
    from sdl.shell.record import Record


def with_earlier(file: CampaignFile, record_url: str) -> CampaignFile:
    """The campaign with the trials of those that ``[prior]`` names. UserMistake if one is missing.

    What this campaign measures, and searches, has to be what the earlier one did, by name.
    """
    campaign = file.campaign
    if not any(prior.is_campaign for prior in campaign.prior):
        return file
    from sdl.shell.record import Record  # loads sqlalchemy, for which `sdl check` waits

    keys = ("prior", "campaign")
    try:
        record = Record.open(record_url, create=False)
    except RecordFault as fault:
        message = f"there is no record to read it from: {fault}"
        raise file.places.mistake(keys, message) from fault
    try:
        prior = tuple(
            _known(record, campaign, each) if each.is_campaign else each for each in campaign.prior
        )
    except UserMistake as mistake:
        raise file.places.mistake(keys, mistake.message) from mistake
    finally:
        record.close()
    return replace(file, campaign=replace(campaign, prior=prior))


def _known(record: Record, campaign: Campaign, prior: Prior) -> Prior:
    names = [one.campaign.campaign for one in record.campaigns()]
    if prior.source not in names:
        hint = did_you_mean(prior.source, names)
        raise UserMistake(f"the record holds no campaign {prior.source!r}; {hint}")
    trials = list(_trials(record, campaign, prior.source, is_hint=prior.is_hint))
    kept = tuple(trial for trial in trials if trial is not None)
    if not kept:
        raise UserMistake(
            f"none of the {len(trials)} trials of {prior.source!r} lies in this search space and "
            f"has all of {', '.join(campaign.measures)}; remove [prior], or widen [search]"
        )
    head = record.campaign(prior.source).campaign
    return replace(
        prior, sha256=record.head(head.journal)[1], trials=kept, left_out=len(trials) - len(kept)
    )


def _is_fixed(inputs: Mapping[str, InputValue], campaign: Campaign) -> bool:
    """Whether the inputs that this campaign does not search were what it fixes them to."""
    return all(inputs.get(each, value) == value for each, value in campaign.fixed.items())


def _trials(
    record: Record, campaign: Campaign, name: str, *, is_hint: bool
) -> Iterator[Trial | None]:
    """Its samples that said something of their points, in order; None of what does not fit."""
    seen: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for one in record.observations(name):
        seen[one.run, one.sample][one.measure] = one.value
    late = {one.run for one in record.broken_windows(name)}
    searched = [parameter.name for parameter in campaign.space]
    for sample in record.samples(name):
        if sample.outcome not in ("measured", "failed"):
            continue
        inputs = json.loads(sample.inputs)
        found = seen[sample.run, sample.sample]
        is_measured = sample.outcome == "measured"
        if (
            not fits(campaign.space, inputs)
            or not (is_hint or _is_fixed(inputs, campaign))
            or (is_measured and any(each not in found for each in campaign.measures))
        ):
            yield None
            continue
        yield Trial(
            inputs={each: inputs[each] for each in searched},
            status="measured" if is_measured else "failed",
            measures=found if is_measured else {},
            broke_window=sample.run in late,
            prior=name,
            is_hint=is_hint,
        )
