"""Spaces without a list become finite sets that keep every constraint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from sdl.errors import PlannerFault
from sdl.planner.bench import Observation, factory
from sdl.planner.candidates import made, rule_of

Space = Mapping[str, object]


def _real(name: str, low: float = 0.0, high: float = 1.0) -> dict[str, object]:
    return {"name": name, "type": "continuous", "low": low, "high": high}


@pytest.mark.parametrize(
    "text, weights, bound, equal",
    [
        ("a + b == 1", {"a": 1.0, "b": 1.0}, 1.0, True),
        ("2*a - 0.5 b <= 3e1", {"a": 2.0, "b": -0.5}, 30.0, False),
        ("a >= 2 + b", {"a": -1.0, "b": 1.0}, -2.0, False),
    ],
)
def test_a_constraint_is_read_as_it_is_written(
    text: str, weights: Mapping[str, float], bound: float, equal: bool
) -> None:
    rule = rule_of(text)
    assert (rule.weights, rule.bound, rule.equal) == (weights, bound, equal)


def test_a_constraint_that_is_no_sum_is_refused_with_its_text() -> None:
    with pytest.raises(PlannerFault, match="a \\* b"):
        rule_of("a * b <= 1")


def test_what_sums_to_a_total_lies_on_a_lattice() -> None:
    found = made([_real("a"), _real("b", high=0.5), _real("c")], [rule_of("a + b + c == 1")], 0)
    total = np.sum([found.columns[name] for name in "abc"], axis=0)
    assert total == pytest.approx(1.0)
    assert max(map(float, found.columns["b"])) <= 0.5
    assert 1_000 < found.count <= 20_000


def test_levels_and_options_are_multiplied_out_and_constraints_kept() -> None:
    parameters: list[Space] = [
        {"name": "n", "type": "discrete", "levels": [1, 2, 3]},
        {"name": "k", "type": "categorical", "options": ["x", "y"]},
        {"name": "m", "type": "discrete", "levels": [1, 2]},
    ]
    found = made(parameters, [rule_of("n + m <= 4")], 0)
    assert found.count == 10


def test_real_numbers_are_sampled_over_their_range() -> None:
    parameters: list[Space] = [
        _real("a", -2.0, 4.0),
        {"name": "n", "type": "discrete", "levels": [1, 2]},
    ]
    found = made(parameters, [rule_of("a + n <= 4")], 3)
    values = np.array(found.columns["a"], dtype=float)
    assert values.min() < -1.9
    assert 2.9 < values.max() <= 3.0
    assert found.axes.numbers[0].levels == (-2.0, 4.0)


def test_a_space_that_holds_nothing_says_so() -> None:
    with pytest.raises(PlannerFault, match="no candidate"):
        made([{"name": "n", "type": "discrete", "levels": [1, 2]}], [rule_of("n >= 5")], 0)


def test_the_bench_asks_with_plain_data_and_without_a_list() -> None:
    space = {
        "parameters": [_real("a"), _real("b"), _real("c")],
        "objectives": [{"name": "yield", "goal": "minimize"}],
        "constraints": ["a + b + c == 1"],
    }
    planner = factory(space, None, 1)
    observations: list[tuple[Mapping[str, float | int | str], Mapping[str, float]]] = []
    for _ in range(12):
        (point,) = planner.suggest(observations, [], 1)
        value = (float(point["a"]) - 0.3) ** 2 + (float(point["b"]) - 0.5) ** 2
        observations.append((point, {"yield": value}))
    observations.append((planner.suggest(observations, [], 1)[0], {"yield": float("nan")}))
    assert len(planner.suggest(observations, [], 2)) == 2
    assert min(found["yield"] for _, found in observations) < 0.01


def test_the_bench_looks_for_what_the_observations_tell_of() -> None:
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


class _Column:
    def __init__(self, values: Sequence[float | int | str]) -> None:
        self._values = values

    def tolist(self) -> list[float | int | str]:
        return list(self._values)


def _space(*goals: str, **kinds: str) -> dict[str, object]:
    return {
        "parameters": [{"name": name, "type": kind} for name, kind in kinds.items()],
        "objectives": [{"name": f"f{at}", "goal": goal} for at, goal in enumerate(goals)],
    }


AMOUNTS: Sequence[float] = [n / 20 for n in range(21)]


def test_a_point_that_is_listed_twice_is_given_once() -> None:
    planner = factory(_space("maximize", x="continuous"), {"x": _Column([*AMOUNTS, *AMOUNTS])}, 1)
    seen: list[Observation] = [({"x": x}, {"f0": x}) for x in (0.0, 0.5, 1.0)]
    for observations in ([], seen):
        found = [point["x"] for point in planner.suggest(observations, [], 40)]
        assert sorted(found) == [x for x in AMOUNTS if ({"x": x}, {"f0": x}) not in observations]


def test_names_that_are_numbers_are_the_same_however_they_are_written() -> None:
    pool = {"x": _Column(AMOUNTS), "lot": _Column([1, 2, 3] * 7)}
    planner = factory(_space("maximize", x="continuous", lot="categorical"), pool, 1)
    seen = [(x, lot, {"f0": x}) for x, lot in ((0.0, 1), (0.05, 2), (0.1, 3))]
    whole = planner.suggest([({"x": x, "lot": lot}, found) for x, lot, found in seen], [], 3)
    real = planner.suggest([({"x": x, "lot": float(lot)}, found) for x, lot, found in seen], [], 3)
    assert whole == real
    with pytest.raises(PlannerFault, match=r"no candidate has lot = 7; leave out such"):
        planner.suggest([({"x": 0.0, "lot": 7}, {"f0": 1.0})], [], 1)


@pytest.mark.parametrize("goal", ["Minimize", "MIN", "minimise"])
def test_a_goal_may_be_spelt_in_more_ways_than_one(goal: str) -> None:
    planner = factory(_space(goal, x="continuous"), {"x": _Column(AMOUNTS)}, 1)
    seen: list[Observation] = [({"x": x}, {"f0": x}) for x in (0.25, 0.5, 0.75, 1.0)]
    assert float(planner.suggest(seen, [], 1)[0]["x"]) < 0.25


def test_what_the_bench_cannot_know_is_refused_and_a_missing_value_is_a_failed_run() -> None:
    with pytest.raises(PlannerFault, match="the goal of f0 is lower; write maximize or minimize"):
        factory(_space("lower", x="continuous"), {"x": _Column(AMOUNTS)}, 1)
    with pytest.raises(PlannerFault, match="the pool has no column 'x'"):
        factory(_space("maximize", x="continuous"), {"y": _Column(AMOUNTS)}, 1)
    with pytest.raises(PlannerFault, match="row 1 of the pool has no x"):
        factory(_space("maximize", x="continuous"), {"x": _Column([0.0, float("nan")])}, 1)
    with pytest.raises(PlannerFault, match="the seed is -1; give a whole number of 0 or more"):
        factory(_space("maximize", x="continuous"), {"x": _Column(AMOUNTS)}, -1)
    planner = factory(_space("maximize", x="continuous"), {"x": _Column(AMOUNTS)}, 1)
    assert planner.suggest([({"x": 0.5}, {"f0": None})], [], 1)[0]["x"] != 0.5
