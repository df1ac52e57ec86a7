"""The door by which a benchmark, or a loop in Python, asks the ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from sdl.errors import PlannerFault
from sdl.planner.bench import Observation, Point, bench_planner
from sdl.planner.candidates import rule_of

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
    return bench_planner(SPACE, POOL, seed).suggest(seen, [], 16)


def test_a_point_that_was_written_to_a_file_and_read_again_is_not_given_again() -> None:
    first = bench_planner(SPACE, POOL, 3).suggest([], [], 5)
    rounded: list[Point] = [{"x": round(float(p["x"]), 10), "kind": p["kind"]} for p in first]
    as_text: list[Point] = [{"x": str(p["x"]), "kind": p["kind"]} for p in first]
    left = after(first)
    assert len(left) == 11
    assert after(rounded) == left
    assert after(as_text) == left


def test_values_of_a_list_that_nearly_agree_stay_apart() -> None:
    pool = {"x": Column([0.5, 0.5 + 1e-12, 1.0]), "kind": Column(["a"] * 3)}
    planner = bench_planner(SPACE, pool, 1)
    seen: list[Observation] = []
    for number in range(3):
        (point,) = planner.suggest(seen, [], 1)
        seen.append((point, {"y": float(number)}))
    assert {point["x"] for point, _ in seen} == set(pool["x"])
    assert planner.suggest(seen, [], 1) == []


def test_a_point_without_a_parameter_is_refused_in_words() -> None:
    with pytest.raises(PlannerFault, match="a point has no kind: "):
        after([{"x": 0.0}])


def test_a_constraint_without_a_sign_is_refused_in_words() -> None:
    with pytest.raises(PlannerFault, match="has no sign; write it with ==, <= or >="):
        rule_of("a + b < 1")
