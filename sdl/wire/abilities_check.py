"""Whether a planner can do what a campaign asks for, and what of it the planner does not use."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from sdl.errors import UserMistake
from sdl.model.campaign import Campaign
from sdl.model.planning import Ability
from sdl.wire.aims_check import placed_objectives
from sdl.wire.space_check import placed_sums
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import Places

WITHOUT_PLANNER: frozenset[Ability] = frozenset(
    {"several_objectives", "range", "hits", "level", "novelty", "discriminate"}
)
"""What needs no planner: runs are judged all the same."""

_CANNOT: Mapping[Ability, str] = {
    "several_objectives": "has one objective only; take another planner",
    "range": "cannot aim at a range; give a target, or take another planner",
    "hits": "cannot count hits; give a goal or a target, or take another planner",
    "level": "cannot look for where a level is passed; take another planner",
    "novelty": "cannot look for what is new; take another planner",
    "discriminate": "cannot tell rivals apart; take another planner",
    "real_sums": "meets no sum of real numbers; give its inputs levels (choices, or a step), or "
    "take another planner",
    "candidates": "cannot choose from a list of points; take another planner",
    "conditions": "cannot search an input only at some values of others; take another planner",
    "left": "does not say what is left to be gained; take another planner, or remove it",
    "hints": "would take what was measured on something else for this; take another planner, or "
    "remove it",
    "fidelity": "would take a quick look for as good as a close one; take another planner, or move "
    "the input to [fixed]",
}
_UNUSED: Mapping[Ability, str] = {
    "outcome_constraints": "constraints on measures; runs that break them still do not count",
    "costs": "[cost]",
    "descriptors": "the descriptors",
    "bench": "what is left of stocks, and how long runs take",
}


def check_abilities(
    campaign: Campaign, can: AbstractSet[Ability], places: Places
) -> list[UserMistake]:
    """What the campaign's planner would have to be able to do, each at its line."""
    kind = campaign.planner.kind
    return [
        places.mistake(keys, f"the planner {kind!r} {_CANNOT[ability]}")
        for ability, keys in _places(campaign).items()
        if ability not in can
    ]


def unused(campaign: Campaign, left: AbstractSet[Ability]) -> list[str]:
    """What the campaign says and its planner takes no notice of, one sentence each."""
    kind = campaign.planner.kind
    return [
        f"not used by the planner {kind!r}: {said}" for key, said in _UNUSED.items() if key in left
    ]


def heeds_bench(campaign: Campaign) -> frozenset[Ability]:
    """*bench*, where its planner is to look at it for more than what ``[cost]`` says already."""
    costs = campaign.costs
    is_more = costs is None or costs.per_hour > 0.0
    return frozenset({"bench"} if campaign.planner.bench and is_more else ())


def _places(campaign: Campaign) -> dict[Ability, KeyPath]:
    """Where each thing that not every planner can do is written first."""
    found: dict[Ability, KeyPath] = {}
    real = {p.name for p in campaign.space if p.kind == "range" and not p.integer}
    for keys, objective in placed_objectives(campaign):
        match objective.goal:
            case "range":
                found.setdefault("range", (*keys, "range"))
            case "hits" | "level" | "novelty" | "discriminate" as goal:
                found.setdefault(goal, (*keys, "goal"))
    if campaign.further:
        found["several_objectives"] = ("objective", 1)
    for keys, constraint in placed_sums(campaign):
        if constraint.equals is not None and not real.isdisjoint(constraint.weights):
            found.setdefault("real_sums", keys)
    if campaign.candidates is not None:
        found["candidates"] = ("search", "candidates")
    for parameter in campaign.space:
        if parameter.only_if:
            found.setdefault("conditions", ("search", parameter.name, "only_if"))
    if campaign.fidelity is not None:
        found["fidelity"] = ("fidelity",)
    if campaign.stop.looks_ahead:
        key = "expected_gain" if campaign.stop.expected_gain is not None else "chance_of_better"
        found["left"] = ("stop", key)
    if any(prior.is_hint for prior in campaign.prior):
        found["hints"] = ("prior", "hint")
    return found
