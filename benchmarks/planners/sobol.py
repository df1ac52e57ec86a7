"""A scrambled Sobol sequence over the box of the space, whatever has been measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
from scipy.stats import qmc  # type: ignore[import-untyped]

from planner_contract import Observation, Point, Space


class SobolPoints:
    """Points of the unit cube, spread over ranges, levels and options."""

    def __init__(self, space: Space, pool: pd.DataFrame | None, seed: int) -> None:
        del pool  # the harness moves each point to the nearest one that there is
        self._parameters = space["parameters"]
        self._draws = qmc.Sobol(len(self._parameters), rng=seed)

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        del observations, pending
        return [
            {p["name"]: _value(p, float(u)) for p, u in zip(self._parameters, row, strict=True)}
            for row in self._draws.random(n)
        ]


def _value(parameter: Mapping[str, Any], u: float) -> float | str:
    listed = parameter.get("options") or parameter.get("levels")
    if listed:
        found = listed[min(math.floor(u * len(listed)), len(listed) - 1)]
        return str(found) if parameter["type"] == "categorical" else float(found)
    return float(parameter["low"] + u * (parameter["high"] - parameter["low"]))
