"""What is looked for is found: ranges, hits, boundaries, what is new; limits and costs count."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import (
    ChoiceParameter,
    Goal,
    Objective,
    OutcomeConstraint,
    RangeParameter,
)
from sdl.model.costs import Costs
from sdl.model.data import Inputs, Measures, Trial
from sdl.model.planning import Problem
from sdl.planner.axes import Values
from sdl.planner.candidates import Candidates, listed
from sdl.planner.mixture import EnsemblePlanner
from sdl.planner.proposals import Campaign, Observed, Proposal
from sdl.planner.spending import log_cost, prices_of

STEPS = tuple(n / 14 for n in range(15))
ROWS = list(itertools.product(STEPS, STEPS))
EVERY: Candidates = listed({"x": [row[0] for row in ROWS], "z": [row[1] for row in ROWS]}, [], [])


def _measures(inputs: Inputs) -> Measures:
    x, z = float(inputs["x"]), float(inputs["z"])
    return {"y": float(np.sin(3.0 * x) + (z - 0.4) ** 2), "acid": x + z}


ALL = [_measures(EVERY.point(place)) for place in range(len(ROWS))]


def _problem(goal: Goal, *outcomes: OutcomeConstraint, **given: float) -> Problem:
    objective = Objective(measure="y", goal=goal, **given)
    return Problem(space=(), objective=objective, outcomes=outcomes)


def _played(problem: Problem, seed: int, runs: int) -> list[Observed]:
    campaign, observed = Campaign(problem, EVERY, seed), list[Observed]()
    while len(observed) < runs:
        for found in campaign.proposals(observed, [], 1):
            observed.append(Observed(found.inputs, _measures(found.inputs)))
    return observed


def _next(problem: Problem, observed: list[Observed], count: int = 1) -> list[Proposal]:
    return Campaign(problem, EVERY, 1).proposals(observed, [], count)


def _some(count: int, keep: Callable[[Measures], bool] = lambda _: True) -> list[Observed]:
    """Points that lie all over the list, of those that are as they have to be."""
    places = [place for place, one in enumerate(ALL) if keep(one)]
    order = np.random.default_rng(4).permutation(places)[:count]
    return [Observed(EVERY.point(place), ALL[place]) for place in order.tolist()]


def _value(one: Observed) -> float:
    assert one.measures is not None
    return one.measures["y"]


@pytest.mark.parametrize("seed", range(2))
def test_a_range_is_reached_and_then_filled(seed: int) -> None:
    seen = [_value(one) for one in _played(_problem("range", low=0.5, high=0.6), seed, 24)]
    within = [0.5 <= value <= 0.6 for value in seen]
    there = sum(0.5 <= one["y"] <= 0.6 for one in ALL)
    assert there < 0.1 * len(ALL)
    assert any(within[:12]), f"seed {seed}"
    assert sum(within) >= 0.65 * there, f"seed {seed}: {within}"


@pytest.mark.parametrize("seed", range(2))
def test_of_rare_hits_many_are_found(seed: int) -> None:
    hits = sum(one["y"] >= 1.2 for one in ALL)
    assert hits < 0.12 * len(ALL)
    seen = _played(_problem("hits", at_least=1.2), seed, 30)
    assert sum(_value(one) >= 1.2 for one in seen) > 0.6 * hits, f"seed {seed}"


def test_hits_can_lie_between_two_ends_or_below_one() -> None:
    between = _played(_problem("hits", at_least=0.3, at_most=0.4), 1, 24)
    assert np.mean([0.3 <= _value(one) <= 0.4 for one in between[14:]]) > 0.5
    below = _played(_problem("hits", at_most=0.05), 1, 16)
    assert sum(_value(one) <= 0.05 for one in below) >= 6


@pytest.mark.parametrize("seed", range(2))
def test_a_boundary_is_looked_for_on_both_of_its_sides(seed: int) -> None:
    seen = _played(_problem("level", level=0.6), seed, 24)[8:]
    away = [abs(_value(one) - 0.6) for one in seen]
    assert np.mean(away) < 0.5 * np.mean([abs(one["y"] - 0.6) for one in ALL]), f"seed {seed}"
    assert min(_value(one) for one in seen) < 0.6 < max(_value(one) for one in seen)


def test_after_a_look_at_the_boundary_most_of_the_list_is_told_apart() -> None:
    problem, seen = _problem("level", level=0.6), _played(_problem("level", level=0.6), 1, 24)
    by_hand = _some(24)
    wrong = [
        float(np.mean([(y >= 0.6) != (one["y"] >= 0.6) for y, one in zip(found, ALL, strict=True)]))
        for found in (_believed(problem, seen), _believed(problem, by_hand))
    ]
    assert wrong[0] <= min(0.04, wrong[1])


def _believed(problem: Problem, observed: list[Observed]) -> list[float]:
    """Medians all over the list, the measured ones as they were."""
    rest = Campaign(problem, EVERY, 1).proposals(observed, [], len(ROWS))
    values = {tuple(one.inputs.values()): one.reason.expected["y"].median for one in rest}
    values |= {tuple(one.inputs.values()): _value(one) for one in observed}
    return [values[row] for row in ROWS]


def test_what_is_new_spreads_over_what_can_be_measured() -> None:
    seen = [_value(one) for one in _played(_problem("novelty"), 1, 20)]
    every = [one["y"] for one in ALL]
    assert max(seen) - min(seen) > 0.97 * (max(every) - min(every))
    assert np.diff(np.sort(seen)).max() < 0.3 * (max(every) - min(every))


ACID = OutcomeConstraint(measure="acid", at_most=0.5)


@pytest.mark.parametrize("seed", range(2))
def test_the_best_that_keeps_a_limit_is_found(seed: int) -> None:
    best = max(one["y"] for one in ALL if one["acid"] <= 0.5)
    assert max(one["y"] for one in ALL) > best + 0.1
    seen = _played(_problem("maximise", ACID), seed, 18)
    kept = [_value(one) for one in seen if ACID.kept((one.measures or {})["acid"])]
    assert max(kept) > best - 0.02, f"seed {seed}"


def test_while_nothing_keeps_the_limits_the_most_probable_point_is_tried() -> None:
    problem = _problem("maximise", ACID)
    observed = _some(8, lambda one: one["acid"] > 1.1)
    (found,) = _next(problem, observed)
    rest = _next(problem, observed, len(ROWS))
    assert found.reason.log_gain == 0.0
    assert found.reason.log_feasible == max(one.reason.log_feasible or 0.0 for one in rest)
    first = [Campaign(problem, EVERY, seed).proposals(observed, [], 1)[0] for seed in range(10)]
    acid = [_measures(one.inputs)["acid"] for one in first]
    assert sum(one <= 0.5 for one in acid) >= 8, acid


def test_a_limit_can_be_on_what_is_steered_by_and_its_probability_is_told() -> None:
    limit = OutcomeConstraint(measure="y", at_most=0.8)
    observed = _some(14)
    (free,) = _next(_problem("maximise"), observed)
    (found,) = _next(_problem("maximise", limit), observed)
    assert free.reason.log_feasible == 0.0
    assert free.reason.expected["y"].median > 1.0 > found.reason.expected["y"].median
    assert set(found.reason.expected) == {"y"}
    assert (found.reason.log_feasible or 0.0) < -0.1


def test_a_point_under_way_that_will_break_a_limit_is_no_reason_to_do_without_another() -> None:
    problem = _problem("maximise", ACID)
    observed = _some(14)
    top = max(EVERY.point(place)["x"] for place in range(len(ROWS)))
    sour = {"x": top, "z": top}
    (alone,) = Campaign(problem, EVERY, 1).proposals(observed, [], 1)
    (beside,) = Campaign(problem, EVERY, 1).proposals(observed, [sour], 1)
    assert alone.inputs == beside.inputs


def test_of_two_points_that_promise_the_same_the_cheaper_one_is_tried() -> None:
    problem = _problem("maximise")
    costs = Costs(per_run=1.0, per_unit={"z": 50.0})
    observed = _some(8)
    free, dear = (_next(one, observed, 4) for one in (problem, replace(problem, costs=costs)))
    assert sum(float(one.inputs["z"]) for one in dear) < sum(float(one.inputs["z"]) for one in free)
    assert {one.reason.log_cost for one in free} == {None}
    spent = [1.0 + 50.0 * float(one.inputs["z"]) for one in dear]
    assert [one.reason.log_cost for one in dear] == pytest.approx(np.log(spent).tolist())


def test_going_over_to_another_value_costs_only_where_it_changes() -> None:
    columns: dict[str, Values] = {"oil": ["a", "a", "b"], "x": [1.0, 2.0, 2.0]}
    prices = prices_of(
        Costs(per_run=2.0, options={"oil": {"b": 5.0}}, change={"oil": 10.0, "x": 1.0}), columns
    )
    assert prices.after(None).tolist() == [2.0, 2.0, 7.0]
    assert prices.after({"oil": "b", "x": 2.0}).tolist() == [13.0, 12.0, 7.0]
    assert prices.after(prices.point(0)).tolist() == [2.0, 3.0, 18.0]


def test_a_run_for_nothing_is_not_infinitely_good() -> None:
    assert log_cost(np.array([0.0, 1.0, 3.0])) == pytest.approx(
        [np.log(0.04 / 3.0), 0.0, np.log(3.0)]
    )
    assert log_cost(np.zeros(2)).tolist() == [0.0, 0.0]


OILS = Problem(
    space=(
        ChoiceParameter(name="oil", options=("olive", "palm", "rape", "maize")),
        ChoiceParameter(name="heat_c", options=(20.0, 40.0, 60.0, 80.0, 100.0)),
    ),
    objective=Objective(measure="y", goal="maximise"),
    costs=Costs(per_run=1.0, change={"oil": 30.0}),
)


def _tried(oil: str, heat: float, **given: object) -> Trial:
    value = (oil in "olive palm") + heat / 100.0 - (heat / 100.0) ** 2
    trial = Trial(inputs={"oil": oil, "heat_c": heat}, status="measured", measures={"y": value})
    return replace(trial, **given)  # type: ignore[arg-type]


TRIALS = (_tried("rape", 20.0), _tried("olive", 100.0), _tried("palm", 40.0), _tried("palm", 80.0))


def test_the_next_run_stays_with_the_last_ones_oil_unless_costs_are_not_to_count() -> None:
    first = _tried("olive", 20.0)
    for last in (
        TRIALS,
        (*TRIALS, first),
        (*TRIALS, replace(first, status="pending", measures={})),
    ):
        (found,) = EnsemblePlanner().suggest(OILS, last, 1, 3)
        assert found.inputs["oil"] == last[-1].inputs["oil"]
    before = (*TRIALS, replace(first, prior="file.csv"))
    (found,) = EnsemblePlanner().suggest(OILS, before, 1, 3)
    assert found.inputs["oil"] == "palm"
    without = replace(OILS, options={"costs": False})
    same = EnsemblePlanner().suggest(without, TRIALS, 3, 3)
    assert same == EnsemblePlanner().suggest(replace(OILS, costs=None), TRIALS, 3, 3)


def test_an_option_that_is_no_yes_or_no_is_refused() -> None:
    with pytest.raises(PlannerFault, match="costs is 'no'; it has to be true or false"):
        EnsemblePlanner().suggest(replace(OILS, options={"costs": "no"}), TRIALS, 1, 0)


@pytest.mark.parametrize("value", [0.0, 5.0])
@pytest.mark.parametrize("goal", ["hits", "level", "novelty", "range", "target"])
def test_equal_results_are_no_reason_to_fail_whatever_is_looked_for(
    goal: Goal, value: float
) -> None:
    ends = {
        "hits": {"at_least": 8.0},
        "level": {"level": 2.0},
        "novelty": {},
        "range": {"low": 5.0, "high": 8.0},
        "target": {"target": 5.0},
    }[goal]
    observed = [Observed(one.inputs, {"y": value}) for one in _some(5)]
    limit = OutcomeConstraint(measure="y", at_most=9.0)
    for problem in (_problem(goal, **ends), _problem(goal, limit, **ends)):
        for one in _next(problem, observed, 2):
            assert np.isfinite(one.reason.log_gain or 0.0)
            assert np.isfinite(one.reason.log_feasible or 0.0)


@pytest.mark.parametrize(
    "objective",
    [
        Objective(measure="y", goal="hits", at_least=0.8),
        Objective(measure="y", goal="range", low=0.7, high=0.9),
    ],
)
def test_where_there_is_no_end_of_points_a_good_one_is_not_tried_again_and_again(
    objective: Objective,
) -> None:
    problem = Problem(
        space=tuple(RangeParameter(name=name, low=0.0, high=1.0) for name in "xz"),
        objective=objective,
    )
    trials: tuple[Trial, ...] = ()
    for _ in range(24):
        (found,) = EnsemblePlanner().suggest(problem, trials, 1, 3)
        measures = _measures(found.inputs)
        trials += (Trial(inputs=found.inputs, status="measured", measures=measures),)
    points = np.array([[float(trial.inputs[name]) for name in "xz"] for trial in trials])
    away = np.linalg.norm(points[:, None] - points, axis=2) + np.eye(24)
    assert away.min() > 0.005
    assert sum(objective.loss(trial.measures["y"]) == 0.0 for trial in trials) >= 10
