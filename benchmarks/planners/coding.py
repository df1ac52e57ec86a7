"""Points as numbers: each number as a share of its range, each option as a column of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from numpy.typing import NDArray

from planner_contract import Space


def single_valued(pool: pd.DataFrame) -> dict[str, float | str]:
    """Parameters that have the same value everywhere: no planner has to know of them."""
    return {name: some[0] for name in pool if len(some := pool[name].unique()) == 1}


class OneHot:
    """The coding that fits a pool; a parameter with a single value has no column."""

    def __init__(self, space: Space, pool: pd.DataFrame) -> None:
        kinds = {str(one["name"]): one["type"] for one in space["parameters"]}
        self._ranges: dict[str, tuple[float, float]] = {}
        self._options: dict[str, list[str]] = {}
        for name in pool.columns.difference(list(single_valued(pool)), sort=False):
            if kinds[name] == "categorical":
                self._options[name] = sorted(set(pool[name]))
            else:
                self._ranges[name] = float(pool[name].min()), float(pool[name].max())

    def __call__(self, points: Sequence[Mapping[str, float | str]]) -> NDArray[np.float64]:
        """A row for each point, all numbers between 0 and 1."""
        rows = [
            [
                *(
                    (float(p[name]) - low) / (high - low)
                    for name, (low, high) in self._ranges.items()
                ),
                *(float(p[name] == one) for name, some in self._options.items() for one in some),
            ]
            for p in points
        ]
        return np.array(rows).reshape(len(points), -1)
