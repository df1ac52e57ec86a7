"""What contradicts itself in a search space."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from sdl.core.campaign import problem
from sdl.model.campaign import (
    Campaign,
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Parameter,
    RangeParameter,
)
from sdl.model.candidates import count_of
from sdl.model.equality import bounds, equality_of
from sdl.model.space import formula, grid_points
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import did_you_mean

_Found = Iterator[tuple[KeyPath, str]]
_SLACK = 1e-9
MOST_LEVELS = 1_001
"""Of one input of a sum that has to be met: all ways to meet it are counted."""


def check_space(campaign: Campaign) -> _Found:
    """Ranges, choices and sums that leave nothing to search, each by itself."""
    yield from _inputs(campaign)
    yield from _sums(campaign)
    yield from _conditions(campaign)


def _inputs(campaign: Campaign) -> _Found:
    for parameter in campaign.space:
        keys = ("search", parameter.name)
        if parameter.name in campaign.fixed:
            yield ("fixed", parameter.name), "is searched too; keep it in [search] or in [fixed]"
        for message in _parameter(parameter):
            yield keys, message


def _parameter(parameter: Parameter) -> Iterator[str]:
    if isinstance(parameter, ChoiceParameter):
        yield from _choices(parameter)
        return
    yield from _range(parameter)


def _choices(parameter: ChoiceParameter) -> Iterator[str]:
    if not parameter.options:
        yield "has no choices; list at least one"
    if len(set(parameter.options)) < len(parameter.options):
        yield "lists a choice twice; list each once"
    texts = [isinstance(option, str) for option in parameter.options]
    if any(texts) and not all(texts):
        yield "mixes numbers and names; make all choices numbers, or all text"


def _range(parameter: RangeParameter) -> Iterator[str]:
    low, high = parameter.low, parameter.high
    if low > high:
        yield f"from ({low:g}) is above to ({high:g}); swap them"
    elif low == high:
        yield f"from and to are both {low:g}; give a range, or move it to [fixed]"
    if parameter.log and low <= 0:
        yield f"from ({low:g}) must be above 0 on a log scale"
    if parameter.integer and math.ceil(low) > math.floor(high):
        yield f"no whole number lies between {low:g} and {high:g}"


def _conditions(campaign: Campaign) -> _Found:
    """Inputs that are searched only at some values of others."""
    before: dict[str, Parameter] = {}
    summed = {name for one in campaign.linear if one.equals is not None for name in one.weights}
    for parameter in campaign.space:
        keys = ("search", parameter.name)
        for condition in parameter.only_if:
            for message in _condition(condition, before.get(condition.input)):
                yield (*keys, "only_if", condition.input), message
        before[parameter.name] = parameter
        if parameter.only_if:
            for key, message in _rests(parameter):
                yield (*keys, key), message
            if parameter.name in summed:
                yield (*keys, "only_if"), "an input of a sum that has to be met is always searched"
            if campaign.candidates is not None:
                yield (*keys, "only_if"), "a list of points says by itself what goes together"
        elif parameter.otherwise is not None:
            yield (*keys, "otherwise"), 'stands with only_if, such as { solvent = "water" }'


def _condition(condition: Condition, other: Parameter | None) -> Iterator[str]:
    if other is None:
        yield "is no input that stands above this one in [search]"
    elif isinstance(other, ChoiceParameter):
        rests = () if other.otherwise is None else (other.otherwise,)
        for value in condition.values:
            if value not in (*other.options, *rests):
                hint = did_you_mean(str(value), map(str, other.options))
                yield f"{value!r} is none of its choices; {hint}"
    elif not other.integer:
        yield "is a range of real numbers; a condition needs choices or whole numbers"


def _rests(parameter: Parameter) -> Iterator[tuple[str, str]]:
    """What is wrong with the value of an input where it is not searched."""
    rests = parameter.otherwise
    is_named = isinstance(parameter, ChoiceParameter) and not parameter.ordered
    if rests is None:
        example = '"none"' if is_named else "0"
        yield "otherwise", f"is missing; say what it is then, for instance: otherwise = {example}"
    elif isinstance(rests, str) != is_named:
        yield "otherwise", f"{rests!r} is not of the kind of its other values"


def _sums(campaign: Campaign) -> _Found:
    searched = {parameter.name: parameter for parameter in campaign.space}
    equal: dict[str, str] = {}
    for keys, constraint in placed_sums(campaign):
        key = "components" if constraint.is_mixture else "sum"
        wrong = list(_terms(constraint, searched, (*keys, key)))
        yield from wrong
        if wrong or not constraint.weights or _lacks_levels(constraint, searched):
            continue
        yield from _reach(constraint, campaign, keys)
        if constraint.equals is not None:
            twice = [name for name in constraint.weights if name in equal]
            equal |= dict.fromkeys(constraint.weights, formula(constraint))
            for name in twice:
                message = f"{name} stands in another sum that has to be met; put both into one"
                yield (*keys, key), message


def placed_sums(campaign: Campaign) -> Iterator[tuple[KeyPath, LinearConstraint]]:
    """The sums, each with the table that it is written in."""
    written = [one for one in campaign.constraints if not _is_mixture(one)]
    for place, constraint in enumerate(written):
        if isinstance(constraint, LinearConstraint):
            yield ("constraint", place), constraint
    for place, constraint in enumerate(one for one in campaign.linear if one.is_mixture):
        yield ("mixture", place), constraint


def _is_mixture(constraint: object) -> bool:
    return isinstance(constraint, LinearConstraint) and constraint.is_mixture


def _terms(
    constraint: LinearConstraint, searched: Mapping[str, Parameter], keys: KeyPath
) -> _Found:
    if not constraint.weights and not constraint.is_mixture:
        yield keys, "sums nothing; write for instance: sum = { a = 1.0, b = 1.0 }"
    for name, weight in constraint.weights.items():
        parameter = searched.get(name)
        here = keys if constraint.is_mixture else (*keys, name)
        if parameter is None:
            yield here, "is not searched; only inputs of [search] can stand here"
        elif isinstance(parameter, ChoiceParameter) and not parameter.ordered:
            yield here, _named(constraint, name)
        elif constraint.equals is not None and _levels(parameter) > MOST_LEVELS:
            yield (
                here,
                f"has more than {MOST_LEVELS:,} levels; too many for a sum that has to be met",
            )
        elif weight == 0:
            yield here, "has the weight 0; leave it out"


def _levels(parameter: Parameter) -> float:
    """How many values it has, of those that do not take any."""
    if isinstance(parameter, ChoiceParameter):
        return len(parameter.options)
    return parameter.high - parameter.low + 1 if parameter.integer else 0


def _lacks_levels(constraint: LinearConstraint, searched: Mapping[str, Parameter]) -> bool:
    """Whether an input of it has no value at all, which is told at the input."""
    found = [searched[name] for name in constraint.weights]
    return any(isinstance(one, ChoiceParameter) and not one.options for one in found)


def _named(constraint: LinearConstraint, name: str) -> str:
    """What is wrong with an input that has names; the key of a mixture does not say which it is."""
    which = f"{name} " if constraint.is_mixture else ""
    return f"{which}has named options; a sum needs numbers"


def _reach(constraint: LinearConstraint, campaign: Campaign, keys: KeyPath) -> _Found:
    least, most = bounds(constraint, campaign.space)
    low, high = constraint.at_least, constraint.at_most
    room = _SLACK * max(abs(least), abs(most))
    is_equal = constraint.equals is not None
    key = "total" if constraint.is_mixture else "equals" if is_equal else ""
    if low is not None and high is not None and low > high:
        yield (*keys, "at_least"), f"{low:g} is above at_most, which is {high:g}; swap them"
    elif high is not None and least > high + room:
        message = f"cannot be kept: the sum is at least {least:g}; widen [search]"
        yield (*keys, key or "at_most"), message
    elif low is not None and most < low - room:
        message = f"cannot be kept: the sum is at most {most:g}; widen [search]"
        yield (*keys, key or "at_least"), message
    elif is_equal and not equality_of(constraint, campaign.space).count():
        yield (
            (*keys, key),
            f"no levels of its inputs add up to {constraint.equals:g}; correct [search]",
        )


def passed_over(campaign: Campaign) -> int:
    """How many points of its list break its constraints."""
    if campaign.candidates is None or not campaign.linear:
        return 0
    return count_of(campaign.candidates) - sum(1 for _ in grid_points(problem(campaign)))
