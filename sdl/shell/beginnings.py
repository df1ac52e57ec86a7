"""The rows that the beginning of a campaign, or of a lab's session, makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sdl.core import events as e
from sdl.model.campaign import Parameter, Terms
from sdl.model.lab import Lab
from sdl.model.units import unit_of
from sdl.shell.changes import Cell, Change, insert, json_of, text_of
from sdl.shell.projection_of_stocks import declared_lots
from sdl.wire.journal import Line


def campaign_rows(line: Line, value: e.CampaignStarted) -> list[Change]:
    """Of a campaign that starts; where it has the lab for itself, of the bench, too."""
    campaign, objective, origin = value.campaign, value.campaign.objective, value.origin
    head = insert(
        line,
        campaign.name,
        "campaign",
        (campaign.name,),
        {
            "journal": line.campaign,
            "lab": value.lab.name,
            "protocol": value.protocol.name,
            "protocol_sha256": origin.protocol_sha256,
            "measure": objective.measure,
            "unit": unit_of(objective.measure),
            "goal": objective.goal,
            "target": objective.target,
            "seed": campaign.seed,
            "parallel": campaign.parallel,
            "planner": campaign.planner.kind,
            "clock": origin.clock,
            "speed": origin.speed,
            "simulated": value.lab.simulated,
            "space": json_of([_plain(parameter) for parameter in campaign.space]),
            "software": json_of(dict(origin.software)),
            "status": "running",
            "started_at": value.at,
            "epoch": 0,
            **terms_of(value.terms),
        },
    )
    # In a session the bench is that of the lab, and stands there already.
    alone = line.campaign == campaign.name
    found = _bench(line, value.lab, value.at) if alone else ()
    return [head, *_hypothesis(line, value), *found]


def _plain(parameter: Parameter) -> dict[str, object]:
    """An input as it was written before inputs could have descriptors and conditions."""
    fields = asdict(parameter)
    for name in ("descriptors", "only_if", "otherwise"):
        if name in fields and fields[name] in (None, ()):
            del fields[name]
    return fields


def terms_of(terms: Terms) -> dict[str, Cell]:
    """What a campaign may claim of its lab."""
    return {
        "priority": terms.priority,
        "weight": terms.weight,
        "deadline": terms.deadline,
        "runs_at_once": terms.runs_at_once,
    }


def _hypothesis(line: Line, value: e.CampaignStarted) -> Iterable[Change]:
    stated = value.campaign.hypothesis
    if stated is None:
        return
    predicts = stated.predicts
    yield insert(
        line,
        value.campaign.name,
        "hypothesis",
        (value.campaign.name,),
        {
            "claim": text_of(stated.claim),
            "quantity": predicts.quantity,
            "unit": unit_of(predicts.quantity),
            "scope": predicts.at,
            "direction": predicts.direction,
            "threshold": predicts.threshold,
            "noise_sd": predicts.noise_sd,
            "prior": stated.prior,
            "error_level": stated.error_level,
            "sha256": value.origin.hypothesis_sha256,
            "stated_at": value.at,
        },
    )


def _bench(line: Line, lab: Lab, at: float) -> Iterable[Change]:
    yield from _instruments(line, lab, at)
    yield from declared_lots(line, lab, at)


def _instruments(line: Line, lab: Lab, at: float) -> Iterable[Change]:
    for instrument in lab.instruments:
        yield insert(
            line,
            line.campaign,
            "instrument",
            (line.campaign, instrument.name),
            {
                "instrument": instrument.name,
                "driver": instrument.driver,
                "simulated": instrument.simulated,
                "options": json_of(dict(instrument.options)),
                "limits": json_of({name: asdict(held) for name, held in instrument.limits.items()}),
                "online": False,
                "changed_at": at,
            },
        )


def session_rows(line: Line, value: e.LabOpened) -> list[Change]:
    """Of a session that is opened."""
    lab, origin = value.lab, value.origin
    opened: dict[str, Cell] = {
        "session": value.name,
        "lab": lab.name,
        "clock": origin.clock,
        "speed": origin.speed,
        "simulated": lab.simulated,
        "software": json_of(dict(origin.software)),
        "status": "open",
        "opened_at": value.at,
        "epoch": 0,
    }
    head = insert(line, line.campaign, "session", (line.campaign,), opened)
    return [head, *_bench(line, lab, value.at)]
