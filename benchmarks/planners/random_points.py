"""Points drawn by chance, each at most once: what exact random search averages over."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pandas as pd  # type: ignore[import-untyped]

from planner_contract import Observation, Point, Space


class RandomPoints:
    """The pool in an order of chance."""

    def __init__(self, space: Space, pool: pd.DataFrame | None, seed: int) -> None:
        assert pool is not None, f"{space.get('title')}: random points are drawn from a list"
        self._left: list[Point] = pool.to_dict("records")
        random.Random(seed).shuffle(self._left)

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        del observations, pending
        proposals, self._left = self._left[:n], self._left[n:]
        return proposals
