"""What a campaign may well say, and what its author hardly means: told, not refused."""

from __future__ import annotations

from collections.abc import Iterator

from sdl.model.campaign import Campaign, StopRule
from sdl.model.candidates import count_of
from sdl.model.units import unit_of

FRACTION = "_fraction"


def hardly_meant(campaign: Campaign) -> Iterator[str]:
    """One sentence for each."""
    if campaign.candidates is not None:
        points = count_of(campaign.candidates)
        if campaign.stop.runs > points and campaign.stop.runs != StopRule().runs:
            yield (
                f"stop.runs is {campaign.stop.runs}, and {campaign.candidates.source} has "
                f"{points} points: the campaign ends once each is tried"
            )
    for role in campaign.pooled:
        if len(campaign.roles[role]) == 1:
            (name,) = campaign.roles[role]
            yield (
                f"roles.{role}: any_of names {name} alone, so that each step waits for it: add "
                f'another one that may do them, or write {role} = "{name}"'
            )
    for name, bound in _bounds(campaign):
        if name.endswith(FRACTION) and abs(bound) > 1.0:
            yield (
                f"{name} is held against {bound:g}, and a fraction goes from 0 to 1: "
                f'if per cent are meant, write "{bound:g} %"'
            )
        elif unit_of(name) == "%" and 0.0 < abs(bound) < 1.0:
            yield (
                f"{name} is held against {bound:g} %, less than one per cent: if a fraction is "
                f"meant, write {100.0 * bound:g}"
            )


def _bounds(campaign: Campaign) -> Iterator[tuple[str, float]]:
    """Measures, and the numbers that they are compared with."""
    for outcome in campaign.outcomes:
        yield from _said(outcome.measure, outcome.at_least, outcome.at_most)
    for one in campaign.objectives:
        ends = (one.low, one.high, one.at_least, one.at_most)
        yield from _said(one.measure, one.target, one.threshold, one.level, *ends)


def _said(measure: str, *bounds: float | None) -> Iterator[tuple[str, float]]:
    yield from ((measure, bound) for bound in bounds if bound is not None)
