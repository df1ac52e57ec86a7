"""What can be wrong with the values of a campaign by themselves, lab and protocol left aside."""

from __future__ import annotations

from collections.abc import Iterator

from sdl.core.campaign import problem
from sdl.errors import UserMistake
from sdl.model.campaign import NO_PLANNER, Campaign
from sdl.model.hypothesis import Hypothesis
from sdl.model.space import is_enumerable
from sdl.wire.aims_check import check_aims
from sdl.wire.policy import faults_of, idle
from sdl.wire.rivals_table import check_rivals
from sdl.wire.space_check import check_space
from sdl.wire.sums_together import check_together
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import Places

_Found = Iterator[tuple[KeyPath, str]]
MOST_PARALLEL = 1000
MOST_RUNS = 1_000_000
MOST_SAMPLES = 1_536
"""Of one run: the wells of the largest plate."""
AHEAD_MAX = 100
MOST_ERROR = 0.5
"""A verdict that errs as often as a coin is none."""


def check_values(campaign: Campaign, places: Places) -> list[UserMistake]:
    """Ranges, bounds and names that contradict each other, each at its line."""
    space = list(check_space(campaign)) or list(check_together(campaign))
    found = [*_head(campaign), *space, *check_aims(campaign)]
    found += [*_stop(campaign), *_planner(campaign), *_hypothesis(campaign.hypothesis)]
    found += _batch(campaign)
    found += check_rivals(campaign)
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


def _stop(campaign: Campaign) -> _Found:
    stop = campaign.stop
    if not 1 <= stop.runs <= MOST_RUNS:
        yield ("stop", "runs"), f"{stop.runs} runs; use 1 to {MOST_RUNS}"
    if stop.hours is not None and stop.hours <= 0:
        yield ("stop", "hours"), f"{stop.hours:g} hours; use more than 0"
    if stop.cost is not None and campaign.costs is None and campaign.fidelity is None:
        yield ("stop", "cost"), "nothing says what a run costs; add [cost], or remove it"
    elif stop.cost is not None and stop.cost <= 0:
        yield ("stop", "cost"), f"{stop.cost:g}; use more than 0"
    if stop.failures < 1:
        yield ("stop", "failures"), f"{stop.failures} failures; use 1 or more"
    if stop.failed_share is not None and not 0 <= stop.failed_share < 1:
        yield ("stop", "failed_share"), f"{stop.failed_share:g}; use 0 to less than 1, such as 0.5"
    yield from _looking_ahead(campaign)
    yield from _good_enough(campaign)


def _good_enough(campaign: Campaign) -> _Found:
    """Stop rules that ask what was measured."""
    stop, goal = campaign.stop, campaign.objective.goal
    if stop.reached is not None and campaign.further:
        yield ("stop", "reached"), "of several objectives none decides alone; remove it"
    elif stop.reached is not None and goal not in ("maximise", "minimise"):
        yield ("stop", "reached"), f"the goal is {goal}; remove it, or maximise or minimise"
    if stop.hits is not None and goal != "hits":
        yield ("stop", "hits"), 'nothing says what a hit is; remove it, or set goal = "hits"'
    elif stop.hits is not None and stop.hits < 1:
        yield ("stop", "hits"), f"{stop.hits} hits; use 1 or more"
    if stop.tolerance is not None and campaign.further:
        yield ("stop", "tolerance"), "several objectives have no common distance; remove it"
    elif stop.tolerance is not None and campaign.objective.goal not in ("target", "range"):
        yield ("stop", "tolerance"), "a tolerance needs a target; remove it, or set a target"
    elif stop.tolerance is not None and stop.tolerance < 0:
        yield ("stop", "tolerance"), f"{stop.tolerance:g} is negative; use 0 or more"


def _looking_ahead(campaign: Campaign) -> _Found:
    """Stop rules that ask the planner what is left."""
    stop = campaign.stop
    given = {"expected_gain": stop.expected_gain, "chance_of_better": stop.chance_of_better}
    for key in (key for key, value in given.items() if value is not None):
        if campaign.further:
            yield ("stop", key), "several objectives have no common gain; remove it"
        elif campaign.objective.goal not in ("maximise", "minimise", "target", "range"):
            yield ("stop", key), f"nothing is the best of {campaign.objective.goal}; remove it"
    if stop.expected_gain is not None and not stop.expected_gain > 0:
        yield ("stop", "expected_gain"), f"{stop.expected_gain:g}; use more than 0"
    if stop.chance_of_better is not None and not 0 < stop.chance_of_better < 1:
        yield ("stop", "chance_of_better"), f"{stop.chance_of_better:g}; use 0 to 1, such as 0.05"
    if stop.chance_of_better is not None and not is_enumerable(problem(campaign)):
        message = "of real numbers a little better one is always left; use expected_gain"
        yield ("stop", "chance_of_better"), message


def _batch(campaign: Campaign) -> _Found:
    if campaign.batch is not None and not 1 <= campaign.batch.size <= MOST_SAMPLES:
        yield (
            ("batch", "size"),
            f"{campaign.batch.size} samples in a run; use 1 to {MOST_SAMPLES:,}",
        )


def _planner(campaign: Campaign) -> _Found:
    ahead = campaign.planner.ahead
    if ahead is not None and not 0 <= ahead <= AHEAD_MAX:
        yield ("planner", "ahead"), f"{ahead} runs ahead; use 0 to {AHEAD_MAX}"
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
