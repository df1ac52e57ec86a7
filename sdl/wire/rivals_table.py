"""``[[rival]]``: hypotheses that predict a measure, and what can be wrong with them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from sdl.core.campaign import problem
from sdl.core.rivals import Contest, likelier, standing
from sdl.model.campaign import Campaign, Parameter
from sdl.model.formula import Formula
from sdl.model.rival import Rival
from sdl.model.space import feasible, number
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import Table, did_you_mean

LEAST = 2
CORNERS = 4096
"""Corners of the search space that are looked at."""

_Found = Iterator[tuple[KeyPath, str]]


def read_rivals(top: Table, measure: str) -> tuple[Rival, ...]:
    """None or more. ``measure``: of the objective; standard deviations are in its unit."""
    if "rival" not in top:
        return ()
    tables = top.tables("rival")
    stated = [_prior(table) for table in tables]
    rest = 1.0 - math.fsum(prior for prior in stated if prior is not None)
    others = rest / max(stated.count(None), 1)
    pairs = zip(tables, stated, strict=True)
    return tuple(_rival(table, measure, others if one is None else one) for table, one in pairs)


def _prior(table: Table) -> float | None:
    prior = table.maybe_number("prior", unit_name="prior_fraction")
    if prior is not None and not 0 < prior < 1:
        message = f"{prior:g} must lie between 0 and 1, ends excluded"
        table.mistake("prior", message)
        return None
    return prior


def _rival(table: Table, measure: str, prior: float) -> Rival:
    found = Rival(
        name=table.text("name", example='"first order"'),
        predicts=table.text("predicts", example='"2 * exp(-3 * x)"'),
        sd=table.number("sd", unit_name=measure),
        prior=prior,
    )
    table.take("prior")
    table.close()
    return found


def check_rivals(campaign: Campaign) -> _Found:
    """Rivals go with the goal *discriminate*, and each has to predict something."""
    rivals, goal = campaign.rivals, campaign.objective.goal
    if goal != "discriminate":
        if rivals:
            message = 'rivals need goal = "discriminate" in [objective]; set it, or remove them'
            yield ("rival", 0), message
        if campaign.stop.odds is not None:
            yield ("stop", "odds"), "odds are those of [[rival]] tables; remove it"
        return
    if len(rivals) < LEAST:
        message = f"needs two [[rival]] tables or more, and there are {len(rivals)}"
        yield ("objective", "goal"), message
        return
    for place, rival in enumerate(rivals):
        if rival.name in [one.name for one in rivals[:place]]:
            yield ("rival", place, "name"), f"{rival.name!r} is the name of another one; change it"
        yield from _of_one(("rival", place), rival, campaign)
    yield from _priors(campaign)
    if campaign.prior:
        message = "what was measured before judges no rivals; remove it, and give them a prior"
        yield ("prior",), message


def _of_one(keys: KeyPath, rival: Rival, campaign: Campaign) -> _Found:
    if not (rival.sd > 0 and math.isfinite(rival.sd)):
        yield (*keys, "sd"), f"{rival.sd:g} must be above 0"
    searched = {parameter.name: parameter for parameter in campaign.space}
    try:
        names = rival.formula.inputs
    except ValueError as error:
        yield (*keys, "predicts"), str(error)
        return
    for name in sorted(names):
        if name not in searched:
            message = f"{name!r} is no searched input; {did_you_mean(name, searched)}"
            yield (*keys, "predicts"), message
        elif not _is_number(searched[name]):
            message = f"{name!r} has named options, which a formula cannot reckon with"
            yield (*keys, "predicts"), message


def _priors(campaign: Campaign) -> _Found:
    priors, odds = [rival.prior for rival in campaign.rivals], campaign.stop.odds
    last: KeyPath = ("rival", len(priors) - 1, "prior")
    if min(priors) <= 0.0:
        yield last, "leaves nothing to rivals that state none; state less, or one for each"
    elif not math.isclose(sum(priors), 1.0, abs_tol=1e-6):
        yield last, f"all must add up to 1, not {sum(priors):g}; leave one of them out"
    elif odds is not None and not odds > 1:
        yield ("stop", "odds"), f"{odds:g}; use more than 1, such as 100"
    elif odds is not None and all(rival.sd > 0 for rival in campaign.rivals):
        before = likelier(standing(Contest(), campaign.rivals)).odds
        if odds <= before:
            message = f"{odds:g}; the priors alone give {before:.3g}, so use more"
            yield ("stop", "odds"), message


def gaps_of_rivals(campaign: Campaign) -> tuple[str, ...]:
    """Remarks on corners of the space where a rival predicts nothing: no mistake, but mind it.

    Only of rivals that are in order otherwise.
    """
    remarks = []
    for rival in campaign.rivals:
        at = _gap(rival.formula, campaign)
        if at is not None:
            where = ", ".join(f"{name} = {value:g}" for name, value in at.items())
            remarks.append(f"{rival.name} predicts no number at {where}; such runs tell nothing")
    return tuple(remarks)


def _gap(formula: Formula, campaign: Campaign) -> dict[str, float] | None:
    """The first corner of the space, within its constraints, where the formula has no value."""
    whole, space = problem(campaign), campaign.space
    ends = [_ends(parameter) for parameter in space]
    for corner in itertools.islice(itertools.product(*ends), CORNERS):
        inputs = {p.name: value for p, value in zip(space, corner, strict=True)}
        if feasible(whole, inputs) and formula.at(inputs) is None:
            return {name: number(inputs[name]) for name in sorted(formula.inputs)}
    return None


def _is_number(parameter: Parameter) -> bool:
    return parameter.kind == "range" or parameter.ordered


def _ends(parameter: Parameter) -> tuple[float | int | str, ...]:
    if parameter.kind == "range":
        return tuple(dict.fromkeys((parameter.low, parameter.high)))
    if not parameter.ordered:
        return parameter.options[:1]
    levels = sorted(parameter.options, key=number)
    return tuple(dict.fromkeys((levels[0], levels[-1])))
