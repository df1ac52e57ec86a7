"""A space without a list, asked for at the door: searched as the runtime does, refused in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, LinearConstraint, Objective, RangeParameter
from sdl.model.data import Trial
from sdl.model.planning import Problem
from sdl.planner.bench import Observation, Point, factory
from sdl.planner.mixture import EnsemblePlanner

Entry = Mapping[str, object]
SOLVENT: Entry = {"name": "solvent", "type": "categorical", "options": ["water", "toluene"]}
LEVELS: Entry = {"name": "n", "type": "discrete", "levels": [1, 2, 5]}


def _real(name: str, low: float = 0.0, high: float = 1.0, **more: object) -> Entry:
    return {"name": name, "type": "continuous", "low": low, "high": high, **more}


def _space(*parameters: Entry, constraints: Sequence[str] = ()) -> Entry:
    goals = [{"name": "y", "goal": "minimize"}]
    return {"parameters": parameters, "objectives": goals, "constraints": constraints}


def _asked(space: Entry, value: Mapping[str, float], runs: int, seed: int) -> list[Point]:
    """Points of a campaign that looks for the least weighted distance to a point."""
    planner, seen = factory(space, None, seed), list[Observation]()
    for _ in range(runs):
        (point,) = planner.suggest(seen, [], 1)
        away = sum((float(point[name]) - place) ** 2 for name, place in value.items())
        seen.append((point, {"y": away + (point.get("solvent") == "water")}))
    return [dict(point) for point, _ in seen]


@pytest.mark.parametrize("seed", range(2))
def test_the_door_gives_the_points_that_the_runtime_is_given(seed: int) -> None:
    names = ("water", "toluene")
    problem = Problem(
        space=(
            RangeParameter(name="dose", low=0.01, high=10.0, log=True),
            RangeParameter(name="heat", low=20.0, high=90.0),
            ChoiceParameter(name="n", options=(1, 2, 5)),
            ChoiceParameter(name="solvent", options=names),
        ),
        objective=Objective(measure="y", goal="minimise"),
        constraints=(LinearConstraint(weights={"heat": 1.0, "n": 10.0}, at_most=100.0),),
    )
    space = _space(
        _real("dose", 0.01, 10.0, scale="log"),
        _real("heat", 20.0, 90.0),
        LEVELS,
        SOLVENT,
        constraints=["heat + n*10 <= 100"],
    )
    trials: tuple[Trial, ...] = ()
    for point in _asked(space, {"heat": 50.0, "n": 2.0}, 6, seed):
        (found,) = EnsemblePlanner().suggest(problem, trials, 1, seed)
        assert found.inputs == point, f"seed {seed}"
        value = (float(point["heat"]) - 50.0) ** 2 + (float(point["n"]) - 2.0) ** 2
        measures = {"y": value + (point["solvent"] == "water")}
        trials += (Trial(inputs=point, status="measured", measures=measures),)


@pytest.mark.parametrize("seed", range(2))
def test_a_mixture_meets_its_sum_and_comes_near_the_best_one(seed: int) -> None:
    best = {"a": 0.31, "b": 0.47}
    space = _space(_real("a"), _real("b"), _real("c"), constraints=["a + b + c == 1"])
    found = _asked(space, best, 14, seed)
    assert all(sum(map(float, one.values())) == pytest.approx(1.0) for one in found)
    nearest = min(math.dist((float(one["a"]), float(one["b"])), best.values()) for one in found)
    assert nearest < 0.04, f"seed {seed}"


def test_sums_of_levels_numbers_and_weights_are_met() -> None:
    mixed = _space(_real("a", 0.0, 4.0), _real("b"), LEVELS, constraints=["a*2 + n - b == 5"])
    for one in _asked(mixed, {"a": 1.0}, 5, 1):
        total = 2.0 * float(one["a"]) + float(one["n"]) - float(one["b"])
        assert total == pytest.approx(5.0)
    thirds = {"type": "discrete", "levels": [0.0, 0.1, 0.2, 0.3, 0.7]}
    listed = _space(*({"name": name, **thirds} for name in "ab"), constraints=["a + b == 0.3"])
    planner = factory(listed, None, 1)
    every = {(one["a"], one["b"]) for one in planner.suggest([], [], 9)}
    assert every == {(0.0, 0.3), (0.1, 0.2), (0.2, 0.1), (0.3, 0.0)}


def test_names_with_spaces_are_names_like_others() -> None:
    flow = _real("flow rate", 0.0, 4.0)
    space = _space(flow, _real("acid, eq."), constraints=["2 flow rate + acid, eq. <= 1"])
    for one in _asked(space, {"flow rate": 0.2}, 5, 1):
        assert 2.0 * float(one["flow rate"]) + float(one["acid, eq."]) <= 1.0 + 1e-9


def test_names_that_are_numbers_come_back_as_they_are_written() -> None:
    lots: Entry = {"name": "lot", "type": "categorical", "options": [7, 8, "n/a"]}
    planner = factory(_space(lots), None, 1)
    found = planner.suggest([], [], 3)
    assert {one["lot"] for one in found} == {7, 8, "n/a"}
    for seven in (7, 7.0, "7"):
        (one,) = planner.suggest([({"lot": seven}, {"y": 1.0})], [{"lot": "n/a"}], 3)
        assert one == {"lot": 8}


def test_a_list_ends_and_what_failed_comes_again_when_nothing_else_is_left() -> None:
    planner = factory(_space(LEVELS), None, 1)
    seen: list[Observation] = [({"n": 1}, {"y": 3.0}), ({"n": 2.0}, {"y": None})]
    assert planner.suggest(seen, [], 3) == [{"n": 5}]
    assert planner.suggest(seen, [{"n": 5}], 3) == [{"n": 2}]
    assert planner.suggest([*seen, ({"n": 2}, {"y": 4.0})], [{"n": 5}], 3) == []
    assert planner.suggest(seen, [], 0) == []


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_a_run_without_a_value_failed_and_teaches_where_runs_succeed(
    nothing: float | None,
) -> None:
    planner = factory(_space(_real("x")), None, 3)
    good: list[Observation] = [({"x": at / 20}, {"y": -at / 20}) for at in range(11)]
    bad: list[Observation] = [({"x": 0.6 + at / 20}, {"y": nothing}) for at in range(9)]
    assert float(planner.suggest(good, [], 1)[0]["x"]) > 0.6
    assert float(planner.suggest([*good, *bad], [], 1)[0]["x"]) < 0.6


def test_the_door_looks_for_what_the_observations_tell_of() -> None:
    wanted = [{"name": "yield", "goal": "maximize"}, {"name": "purity", "goal": "maximize"}]
    parameters = [_real("a"), _real("b")]
    both = factory({"parameters": parameters, "objectives": wanted}, None, 3)
    first = factory({"parameters": parameters, "objectives": wanted[:1]}, None, 3)
    start = both.suggest([], [], 4)
    assert start == first.suggest([], [], 4)
    told = [(p, {"yield": float(p["a"])}) for p in start]
    assert both.suggest(told, [], 3) == first.suggest(told, [], 3)
    more = [(p, {"yield": float(p["a"]), "purity": -float(p["a"])}) for p in start]
    both.suggest(more, [], 1)
    assert set(both.reasons[0].reason.expected) == {"yield", "purity"}


@pytest.mark.parametrize(
    "parameter, complaint",
    [
        (_real("x", 5.0, 1.0), "the low of x is 5, above its high, 1; swap them"),
        (_real("x", log=True), "x goes by the logarithm and begins at 0; give it a low above 0"),
        (_real("x", scale="log"), "x goes by the logarithm and begins at 0"),
        (_real("x", scale="ln"), "the scale of x is 'ln'; say log or linear"),
        (_real("x", high=math.inf), "the high of x is inf; give a continuous parameter two"),
        ({"name": "x", "type": "continuous", "low": 0}, "the high of x is None"),
        ({"name": "x", "type": "discrete", "low": 0, "high": 3}, "the levels of x are None; give"),
        ({"name": "x", "type": "discrete", "levels": []}, r"the levels of x are \[\]; give"),
        ({"name": "x", "type": "discrete", "levels": ["1"]}, "a level of x is '1'; write numbers"),
        ({"name": "x", "type": "categorical"}, "the options of x are None; give a categorical"),
        ({"name": "x", "type": "categorical", "options": []}, r"the options of x are \[\]; give"),
        ({"name": "x", "type": "integer"}, "the type of x is 'integer'; say continuous, discrete"),
        ({"name": "x"}, "x has no type; say continuous, discrete or categorical"),
        ({"type": "continuous"}, "entry 1 of the parameters is .*; give it a name"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_in_words(
    parameter: Entry, complaint: str
) -> None:
    with pytest.raises(PlannerFault, match=complaint):
        factory(_space(parameter), None, 1)


def test_a_space_that_holds_nothing_or_twice_the_same_says_so() -> None:
    with pytest.raises(PlannerFault, match="two of the parameters are called x; rename one"):
        factory(_space(_real("x"), _real("x")), None, 1)
    with pytest.raises(PlannerFault, match="no point of the space keeps all constraints; loosen"):
        factory(_space(LEVELS, constraints=["n <= 4", "n >= 3"]), None, 1)
    with pytest.raises(PlannerFault, match=r"the constraint 3 is no text; write it such as"):
        factory({**_space(LEVELS), "constraints": [3]}, None, 1)
    narrow = factory(_space(_real("x"), _real("z"), constraints=["x + z <= 1e-9"]), None, 1)
    assert all(float(one["x"]) + float(one["z"]) <= 1.1e-9 for one in narrow.suggest([], [], 4))
    both = ["x + z >= 1.2", "x + z <= 0.2"]
    narrow = factory(_space(_real("x"), _real("z"), constraints=both), None, 1)
    with pytest.raises(PlannerFault, match="loosen the constraints or narrow the ranges"):
        narrow.suggest([], [], 4)


@pytest.mark.parametrize(
    "observation, complaint",
    [
        (({"x": 0.5}, {"yeild": 1.0}), "tells of yeild, .*; the objectives are y"),
        (({"x": "warm"}, {"y": 1.0}), "a point has x = 'warm'; give it a finite number"),
        (({"x": math.nan}, {"y": 1.0}), "a point has x = nan; give it a finite number"),
        (({"z": 0.5}, {"y": 1.0}), "a point has no x"),
    ],
)
def test_an_observation_that_tells_nothing_is_refused_in_words(
    observation: Observation, complaint: str
) -> None:
    with pytest.raises(PlannerFault, match=complaint):
        factory(_space(_real("x")), None, 1).suggest([observation], [], 1)
