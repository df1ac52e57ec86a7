"""A small measured set, and planners that do odd things."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]

from planner_contract import Observation, Point, Space
from planner_sets import MeasuredSet, read_set

SPACE: dict[str, list[dict[str, object]]] = {
    "parameters": [
        {"name": "x", "type": "continuous", "low": 0.0, "high": 4.0},
        {"name": "colour", "type": "categorical", "options": ["blue", "red"]},
        {"name": "made by", "type": "categorical", "options": ["us"]},
    ],
    "objectives": [
        {"name": "yield", "goal": "maximize"},
        {"name": "waste", "goal": "minimize"},
    ],
}


def write_toy(folder: Path) -> Path:
    """Ten points, one of them measured twice; the best are red, at 3 and at 2."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["x,colour,made by,yield,waste"]
    for x in range(5):
        for colour in ("red", "blue"):
            value = 10.0 * (colour == "red") - (x - 3) ** 2 + 0.1 * x
            rows.append(f"{x},{colour},us,{value:.1f},{x}")
    rows.append("0,blue,us,-6.0,1")
    (folder / "data.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "space.json").write_text(json.dumps(SPACE), encoding="utf-8")
    return folder


def toy(folder: Path) -> MeasuredSet:
    """The same, read."""
    return read_set(write_toy(folder / "toy"))


class Spy:
    """Goes through the pool from its top, spoils all that it is given, and keeps a copy of it."""

    seen: list[Spy]

    def __init__(self, space: Space, pool: pd.DataFrame, seed: int) -> None:
        self.space = json.loads(json.dumps(dict(space)))
        self.pool, self.seed = pool.copy(), seed
        self.calls: list[tuple[list[Observation], list[Point], int]] = []
        space["objectives"][0]["goal"] = "spoiled"
        pool.iloc[:, 0] = 99.0

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        copied = [(dict(point), dict(values)) for point, values in observations]
        self.calls.append((copied, [dict(point) for point in pending], n))
        for point, values in observations:
            point.clear()
            values.clear()
        rows: list[Point] = self.pool.to_dict("records")
        known = [point for point, _ in copied] + self.calls[-1][1]
        return [row for row in rows if row not in known][:n]


class Silent:
    """Proposes nothing."""

    def __init__(self, space: Space, pool: pd.DataFrame, seed: int) -> None:
        del space, pool, seed

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        del observations, pending, n
        return []


class Always(Silent):
    """Proposes the same point for ever, and more often than asked."""

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        del observations, pending
        return [{"x": 3.2, "colour": "red", "made by": "us"}] * (n + 3)
