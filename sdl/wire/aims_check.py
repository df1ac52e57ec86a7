"""What contradicts itself in what a campaign is for: objectives, what must hold, and costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from sdl.model.campaign import Campaign, ChoiceParameter, Objective, OutcomeConstraint, Parameter
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import did_you_mean

ALONE = ("hits", "level", "novelty", "discriminate")
"""Goals of a campaign with one objective."""

_Found = Iterator[tuple[KeyPath, str]]


def check_aims(campaign: Campaign) -> _Found:
    """Objectives, constraints on measures, costs and fidelity."""
    yield from _objectives(campaign)
    yield from _outcomes(campaign)
    yield from _costs(campaign)
    yield from _fidelity(campaign)
    yield from _hypothesis(campaign)


def placed_objectives(campaign: Campaign) -> Iterator[tuple[KeyPath, Objective]]:
    """The objectives, each with the table that it is written in."""
    for place, objective in enumerate(campaign.objectives):
        yield ("objective", place) if campaign.further else ("objective",), objective


def placed_outcomes(campaign: Campaign) -> Iterator[tuple[KeyPath, OutcomeConstraint]]:
    """The constraints on measures, each with the table that it is written in."""
    for place, constraint in enumerate(campaign.constraints):
        if isinstance(constraint, OutcomeConstraint):
            yield ("constraint", place), constraint


def _objectives(campaign: Campaign) -> _Found:
    measures = Counter(one.measure for one in campaign.objectives)
    weights = [one.weight for one in campaign.objectives]
    for keys, objective in placed_objectives(campaign):
        if measures[objective.measure] > 1:
            yield (*keys, "measure"), f"{objective.measure!r} has two objectives; keep one"
        low, high = objective.low, objective.high
        if low is not None and high is not None and low >= high:
            yield (*keys, "range"), "needs two numbers, the lower one first"
        low, high = objective.at_least, objective.at_most
        if low is not None and high is not None and low >= high:
            yield (*keys, "at_least"), f"{low:g} must be below at_most, which is {high:g}"
        if objective.goal in ALONE and campaign.further:
            message = f"{objective.goal!r} cannot be one of several; keep one objective"
            yield (*keys, "goal"), message
        if objective.weight is not None and not objective.weight > 0:
            yield (*keys, "weight"), f"{objective.weight:g} must be above 0"
        if objective.weight is None and any(weight is not None for weight in weights):
            yield keys, "has no weight, but another objective has; give one to all, or to none"
        for key in ("threshold", "weight"):
            is_said = (objective.threshold if key == "threshold" else objective.weight) is not None
            if is_said and not campaign.further:
                yield (*keys, key), _alone(key)
        if objective.threshold is not None and objective.goal in ("target", "range"):
            message = "has no meaning beside a target or a range; use a [[constraint]]"
            yield (*keys, "threshold"), message


def _alone(key: str) -> str:
    if key == "weight":
        return "one objective has nothing to be weighed against; remove it"
    return 'is for several objectives; of one, write a [[constraint]] with measure = "..."'


def _outcomes(campaign: Campaign) -> _Found:
    for keys, constraint in placed_outcomes(campaign):
        low, high = constraint.at_least, constraint.at_most
        if low is not None and high is not None and low >= high:
            yield (*keys, "at_least"), f"{low:g} must be below at_most, which is {high:g}"
        for objective in campaign.objectives:
            if objective.measure == constraint.measure:
                yield from _clash(keys, constraint, objective)
        for before, other in placed_outcomes(campaign):
            if before == keys:
                break
            if other.measure == constraint.measure:
                yield from _apart(keys, constraint, other)


def _apart(keys: KeyPath, constraint: OutcomeConstraint, other: OutcomeConstraint) -> _Found:
    """Two constraints that no value keeps; ``other`` stands before."""
    low, high = constraint.at_least, constraint.at_most
    if low is not None and other.at_most is not None and low > other.at_most:
        yield (*keys, "at_least"), f"another constraint allows {other.at_most:g} at most"
    if high is not None and other.at_least is not None and high < other.at_least:
        yield (*keys, "at_most"), f"another constraint asks for {other.at_least:g} at least"


def _of_use(objective: Objective) -> tuple[float, float]:
    """Between which values a run can be of use."""
    low, high = objective.wanted
    if objective.threshold is None:
        return low, high
    return (
        (objective.threshold, high) if objective.goal == "maximise" else (low, objective.threshold)
    )


def _clash(keys: KeyPath, constraint: OutcomeConstraint, objective: Objective) -> _Found:
    """A target, or a threshold, that the constraint forbids."""
    low, high = _of_use(objective)
    if constraint.at_least is not None and high < constraint.at_least:
        yield (*keys, "at_least"), f"forbids what the objective wants, which is {high:g} at most"
    if constraint.at_most is not None and low > constraint.at_most:
        yield (*keys, "at_most"), f"forbids what the objective wants, which is {low:g} at least"


def _costs(campaign: Campaign) -> _Found:
    costs = campaign.costs
    if costs is None:
        return
    if costs.per_hour > 0.0 and not campaign.planner.bench:
        message = "counts only with bench = true in [planner]; set it, or remove this"
        yield ("cost", "per_hour"), message
    searched = {parameter.name: parameter for parameter in campaign.space}
    for name, table in costs.options.items():
        yield from _options_of(("cost", "options", name), table, searched.get(name), searched)
    for key, numbers in (("per_unit", costs.per_unit), ("change", costs.change)):
        for name in numbers:
            parameter = searched.get(name)
            if parameter is None:
                yield ("cost", key, name), f"is not searched; {did_you_mean(name, searched)}"
            elif key == "per_unit" and _has_names(parameter):
                yield ("cost", key, name), "has named options; give their costs under options"
    named: dict[KeyPath, float] = {}
    named |= {
        ("options", name, one): v for name, t in costs.options.items() for one, v in t.items()
    }
    named |= {("per_unit", name): value for name, value in costs.per_unit.items()}
    named |= {("change", name): value for name, value in costs.change.items()}
    named |= {("per_run",): costs.per_run, ("per_hour",): costs.per_hour}
    for keys, value in named.items():
        if value < 0:
            yield ("cost", *keys), f"{value:g} is negative; use 0 or more"


def _has_names(parameter: Parameter) -> bool:
    return isinstance(parameter, ChoiceParameter) and not parameter.ordered


def _options_of(
    keys: KeyPath,
    table: Mapping[str, float],
    parameter: Parameter | None,
    searched: Mapping[str, Parameter],
) -> _Found:
    """Costs by option, of an input that has to have such options."""
    if parameter is None:
        yield keys, f"is not searched; {did_you_mean(str(keys[-1]), searched)}"
    elif not isinstance(parameter, ChoiceParameter) or parameter.ordered:
        yield keys, "has no named options; give what a unit costs under per_unit"
    else:
        for name in table:
            if name not in parameter.options:
                hint = did_you_mean(name, map(str, parameter.options))
                yield (*keys, name), f"is none of its choices; {hint}"


def _fidelity(campaign: Campaign) -> _Found:
    fidelity = campaign.fidelity
    if fidelity is None:
        return
    searched = {parameter.name: parameter for parameter in campaign.space}
    parameter = searched.get(fidelity.input)
    if parameter is None or not _has_names(parameter):
        message = f"{fidelity.input!r} is no searched input with named options; add it to [search]"
        yield ("fidelity", "input"), message
        return
    assert isinstance(parameter, ChoiceParameter)
    for other in campaign.space:
        if other is parameter and other.only_if:
            yield ("search", other.name, "only_if"), "the input of [fidelity] is always searched"
        if fidelity.input in {one.input for one in other.only_if}:
            message = "a quick look and a close one are of the same points; no condition names it"
            yield ("search", other.name, "only_if", fidelity.input), message
    yield from _options_of(("fidelity", "costs"), fidelity.costs, parameter, searched)
    for option in map(str, parameter.options):
        if option not in fidelity.costs:
            yield ("fidelity", "costs"), f"does not say what {option!r} costs"
        elif not fidelity.costs[option] > 0:
            yield ("fidelity", "costs", option), f"{fidelity.costs[option]:g} must be above 0"
    if fidelity.target not in parameter.options:
        hint = did_you_mean(fidelity.target, map(str, parameter.options))
        yield ("fidelity", "target"), f"{fidelity.target!r} is none of its choices; {hint}"
    if campaign.costs is not None and fidelity.input in campaign.costs.options:
        message = "its options cost what [fidelity] says; remove them here"
        yield ("cost", "options", fidelity.input), message


def _hypothesis(campaign: Campaign) -> _Found:
    """A claim about the best point needs one."""
    if campaign.hypothesis is None:
        return
    predicts, keys = campaign.hypothesis.predicts, ("hypothesis", "predicts", "quantity")
    if predicts.quantity not in {parameter.name for parameter in campaign.space}:
        return
    if campaign.further and not campaign.is_weighted:
        message = "several objectives have no best point without weights; "
        yield keys, f"{message}give each objective a weight"
    goal = campaign.objective.goal
    if goal in ("novelty", "discriminate"):
        yield keys, f"with the goal {goal!r} no point is the best; claim something of a measure"
