"""The door by which a benchmark, or a loop in Python, asks the ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from sdl.errors import PlannerFault
from sdl.planner.bench import Observation, Point, factory

SPACE: Mapping[str, object] = {
    "parameters": [
        {"name": "x", "type": "continuous", "low": 0.0, "high": 1.0},
        {"name": "kind", "type": "categorical", "options": ["a", "b"]},
    ],
    "objectives": [{"name": "y", "goal": "maximize"}],
}


class Column(list[float | int | str]):
    """As of a pandas frame."""

    def tolist(self) -> list[float | int | str]:
        return list(self)


POOL = {
    "x": Column([number / 7.0 for number in range(8) for _ in "ab"]),
    "kind": Column(["a", "b"] * 8),
}


def after(points: Sequence[Point], seed: int = 3) -> list[Point]:
    """All that is left, after these were measured."""
    seen: list[Observation] = [(one, {"y": float(at)}) for at, one in enumerate(points)]
    return factory(SPACE, POOL, seed).suggest(seen, [], 16)


def test_a_point_that_was_written_to_a_file_and_read_again_is_not_given_again() -> None:
    first = factory(SPACE, POOL, 3).suggest([], [], 5)
    rounded: list[Point] = [{"x": round(float(p["x"]), 10), "kind": p["kind"]} for p in first]
    as_text: list[Point] = [{"x": str(p["x"]), "kind": p["kind"]} for p in first]
    left = after(first)
    assert len(left) == 11
    assert after(rounded) == left
    assert after(as_text) == left


def test_values_of_a_list_that_nearly_agree_stay_apart() -> None:
    pool = {"x": Column([0.5, 0.5 + 1e-12, 1.0]), "kind": Column(["a"] * 3)}
    planner = factory(SPACE, pool, 1)
    seen: list[Observation] = []
    for number in range(3):
        (point,) = planner.suggest(seen, [], 1)
        seen.append((point, {"y": float(number)}))
    assert {point["x"] for point, _ in seen} == set(pool["x"])
    assert planner.suggest(seen, [], 1) == []


def test_a_point_without_a_parameter_is_refused_in_words() -> None:
    with pytest.raises(PlannerFault, match="a point has no kind: "):
        after([{"x": 0.0}])


def _space(*goals: str, **kinds: str) -> dict[str, object]:
    return {
        "parameters": [{"name": name, "type": kind} for name, kind in kinds.items()],
        "objectives": [{"name": f"f{at}", "goal": goal} for at, goal in enumerate(goals)],
    }


AMOUNTS: Sequence[float] = [n / 20 for n in range(21)]


def test_a_point_that_is_listed_twice_is_given_once() -> None:
    planner = factory(_space("maximize", x="continuous"), {"x": Column([*AMOUNTS, *AMOUNTS])}, 1)
    seen: list[Observation] = [({"x": x}, {"f0": x}) for x in (0.0, 0.5, 1.0)]
    for observations in ([], seen):
        found = [point["x"] for point in planner.suggest(observations, [], 40)]
        assert sorted(found) == [x for x in AMOUNTS if ({"x": x}, {"f0": x}) not in observations]


def test_names_that_are_numbers_are_the_same_however_they_are_written() -> None:
    pool = {"x": Column(AMOUNTS), "lot": Column([1, 2, 3] * 7)}
    planner = factory(_space("maximize", x="continuous", lot="categorical"), pool, 1)
    seen = [(x, lot, {"f0": x}) for x, lot in ((0.0, 1), (0.05, 2), (0.1, 3))]
    whole = planner.suggest([({"x": x, "lot": lot}, found) for x, lot, found in seen], [], 3)
    real = planner.suggest([({"x": x, "lot": float(lot)}, found) for x, lot, found in seen], [], 3)
    assert whole == real
    with pytest.raises(PlannerFault, match=r"no candidate has lot = 7; leave out such"):
        planner.suggest([({"x": 0.0, "lot": 7}, {"f0": 1.0})], [], 1)


@pytest.mark.parametrize("goal", ["Minimize", "MIN", "minimise"])
def test_a_goal_may_be_spelt_in_more_ways_than_one(goal: str) -> None:
    planner = factory(_space(goal, x="continuous"), {"x": Column(AMOUNTS)}, 1)
    seen: list[Observation] = [({"x": x}, {"f0": x}) for x in (0.25, 0.5, 0.75, 1.0)]
    assert float(planner.suggest(seen, [], 1)[0]["x"]) < 0.25


def test_what_the_bench_cannot_know_is_refused_and_a_missing_value_is_a_failed_run() -> None:
    with pytest.raises(PlannerFault, match="the goal of f0 is lower; write maximize or minimize"):
        factory(_space("lower", x="continuous"), {"x": Column(AMOUNTS)}, 1)
    with pytest.raises(PlannerFault, match="the pool has no column 'x'"):
        factory(_space("maximize", x="continuous"), {"y": Column(AMOUNTS)}, 1)
    with pytest.raises(PlannerFault, match="row 1 of the pool has no x"):
        factory(_space("maximize", x="continuous"), {"x": Column([0.0, float("nan")])}, 1)
    with pytest.raises(PlannerFault, match="the seed is -1; give a whole number of 0 or more"):
        factory(_space("maximize", x="continuous"), {"x": Column(AMOUNTS)}, -1)
    planner = factory(_space("maximize", x="continuous"), {"x": Column(AMOUNTS)}, 1)
    assert planner.suggest([({"x": 0.5}, {"f0": None})], [], 1)[0]["x"] != 0.5


def test_a_scale_is_a_logarithm_by_either_word_and_has_no_zero() -> None:
    doses = {"x": Column([0.01, 0.1, 1.0, 3.0, 10.0, 100.0])}
    seen: list[Observation] = [({"x": x}, {"f0": -abs(x - 3.0)}) for x in (0.01, 1.0, 100.0)]

    def gains(**more: object) -> list[float | None]:
        parameter = {"name": "x", "type": "continuous", **more}
        planner = factory({**_space("maximize"), "parameters": [parameter]}, doses, 1)
        planner.suggest(seen, [], 3)
        return [one.reason.log_gain for one in planner.reasons]

    assert gains(scale="log") == gains(log=True)
    assert gains(scale="linear") == gains() != gains(log=True)
    doses = {"x": Column([0.0, 0.1, 1.0])}
    with pytest.raises(PlannerFault, match="x goes by the logarithm and the pool has 0 of it; lea"):
        gains(scale="log")


def test_in_a_pool_constraints_and_levels_of_the_space_are_not_looked_at() -> None:
    space = {**_space("maximize", x="continuous"), "constraints": ["no sum at all"]}
    planner = factory(space, {"x": Column(AMOUNTS)}, 1)
    assert len(planner.suggest([], [], 50)) == len(AMOUNTS)
