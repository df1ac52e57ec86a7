"""What can be wrong with the values of a campaign by themselves, lab and protocol left aside."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sdl.errors import UserMistake
from sdl.model.campaign import NO_PLANNER, Campaign, ChoiceParameter, Parameter, RangeParameter
from sdl.model.hypothesis import Hypothesis
from sdl.wire.policy import faults_of, idle
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import Places

_Found = Iterator[tuple[KeyPath, str]]
MOST_PARALLEL = 1000
MOST_RUNS = 1_000_000
MOST_SAMPLES = 1_536
"""Of one run: the wells of the largest plate."""
MOST_ERROR = 0.5
"""A verdict that errs as often as a coin is none."""


def check_values(campaign: Campaign, places: Places) -> list[UserMistake]:
    """Ranges, bounds and names that contradict each other, each at its line."""
    found = [*_head(campaign), *_space(campaign), *_constraints(campaign)]
    found += [*_stop(campaign), *_planner(campaign), *_hypothesis(campaign.hypothesis)]
    found += _batch(campaign)
    found += _policy(campaign)
    return [places.mistake(keys, message) for keys, message in found]


def _head(campaign: Campaign) -> _Found:
    if not 1 <= campaign.parallel <= MOST_PARALLEL:
        yield (
            ("campaign", "parallel"),
            f"{campaign.parallel} runs at once; use 1 to {MOST_PARALLEL}",
        )
    if not 0 <= campaign.seed < 2**63:
        yield ("campaign", "seed"), f"{campaign.seed} is out of range; use 0 or a positive number"
    without = campaign.planner.kind == NO_PLANNER
    if not campaign.space and not without:
        yield ("search",), "nothing to search; add an input: x = { from = 0, to = 1 }"
    if campaign.space and without:
        yield ("search",), 'nobody searches with kind = "none" under [planner]; use [fixed]'


def _space(campaign: Campaign) -> _Found:
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


def _constraints(campaign: Campaign) -> _Found:
    ranges = {p.name: p for p in campaign.space if isinstance(p, RangeParameter)}
    searched = {parameter.name: parameter for parameter in campaign.space}
    for place, constraint in enumerate(campaign.constraints):
        keys = ("constraint", place)
        if not constraint.weights:
            yield (*keys, "sum"), "sums nothing; write for instance: sum = { a = 1.0, b = 1.0 }"
        for name in constraint.weights:
            parameter = searched.get(name)
            if parameter is None:
                yield (
                    (*keys, "sum", name),
                    "is not searched; only inputs of [search] can stand here",
                )
            elif isinstance(parameter, ChoiceParameter) and not parameter.ordered:
                yield (*keys, "sum", name), "has named options; a sum needs numbers"
        if constraint.weights and all(name in ranges for name in constraint.weights):
            least = sum(
                min(weight * ranges[name].low, weight * ranges[name].high)
                for name, weight in constraint.weights.items()
            )
            if least > constraint.at_most:
                yield (
                    (*keys, "at_most"),
                    f"cannot be kept: the sum is at least {least:g}; widen [search]",
                )


def _stop(campaign: Campaign) -> _Found:
    stop = campaign.stop
    if not 1 <= stop.runs <= MOST_RUNS:
        yield ("stop", "runs"), f"{stop.runs} runs; use 1 to {MOST_RUNS}"
    if stop.hours is not None and stop.hours <= 0:
        yield ("stop", "hours"), f"{stop.hours:g} hours; use more than 0"
    if stop.failures < 1:
        yield ("stop", "failures"), f"{stop.failures} failures; use 1 or more"
    if stop.failed_share is not None and not 0 <= stop.failed_share < 1:
        yield ("stop", "failed_share"), f"{stop.failed_share:g}; use 0 to less than 1, such as 0.5"
    if stop.tolerance is not None and campaign.objective.goal != "target":
        yield ("stop", "tolerance"), "a tolerance needs a target; remove it, or set a target"
    elif stop.tolerance is not None and stop.tolerance < 0:
        yield ("stop", "tolerance"), f"{stop.tolerance:g} is negative; use 0 or more"


def _batch(campaign: Campaign) -> _Found:
    if campaign.batch is not None and not 1 <= campaign.batch.size <= MOST_SAMPLES:
        yield (
            ("batch", "size"),
            f"{campaign.batch.size} samples in a run; use 1 to {MOST_SAMPLES:,}",
        )


def _planner(campaign: Campaign) -> _Found:
    if campaign.planner.timeout_s <= 0:
        yield ("planner", "timeout_s"), f"{campaign.planner.timeout_s:g} s; use more than 0"


def _policy(campaign: Campaign) -> _Found:
    for place, rule in enumerate(campaign.policy):
        for key, message in faults_of(rule):
            yield ("policy", place, key), message
    for place, key, message in idle(campaign.policy):
        yield ("policy", place, key), message


def _hypothesis(hypothesis: Hypothesis | None) -> _Found:
    if hypothesis is None:
        return
    if not 0 < hypothesis.prior < 1:
        yield (
            ("hypothesis", "prior"),
            f"{hypothesis.prior:g} must lie between 0 and 1, ends excluded",
        )
    if not 0 < hypothesis.error_level < MOST_ERROR:
        yield (
            ("hypothesis", "error_level"),
            f"{hypothesis.error_level:g} must lie between 0 and {MOST_ERROR:g}, ends excluded",
        )
    noise_sd = hypothesis.predicts.noise_sd
    if noise_sd is not None and noise_sd <= 0:
        yield ("hypothesis", "predicts", "noise_sd"), f"{noise_sd:g} must be above 0"
