"""BayBE as it comes: a campaign over a table of candidates, every setting at its default.

Needs the extra ``benchmark``. Options are coded as BayBE does by default, one column each:
fingerprints of molecules need its chemistry extra, and are no default.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import torch

from planner_contract import Observation, Point, Space
from planners.coding import single_valued
from sdl.errors import UserMistake

try:
    from baybe import Campaign
    from baybe.objectives import SingleTargetObjective
    from baybe.parameters import CategoricalParameter, NumericalDiscreteParameter
    from baybe.searchspace import SearchSpace
    from baybe.targets import NumericalTarget
except ImportError as error:
    raise UserMistake(
        f"BayBE is not installed ({error}); say pip install -e '.[benchmark]', "
        "or look at its recorded results with --table"
    ) from error


class BaybeDefault:
    """Keeps one BayBE campaign and tells it of results as they arrive."""

    def __init__(self, space: Space, pool: pd.DataFrame | None, seed: int) -> None:
        assert pool is not None, f"{space.get('title')}: BayBE is given a table of candidates"
        kinds = {str(one["name"]): one["type"] for one in space["parameters"]}
        self._fixed = single_valued(pool)
        varied = pool.drop(columns=list(self._fixed))
        parameters = [
            CategoricalParameter(name, tuple(sorted(set(varied[name]))))
            if kinds[name] == "categorical"
            else NumericalDiscreteParameter(name, tuple(sorted(set(varied[name]))))
            for name in varied
        ]
        objective = space["objectives"][0]
        self._name = str(objective["name"])
        target = NumericalTarget(self._name, minimize=objective["goal"] == "minimize")
        self._seed, self._told = seed, 0
        self._columns = list(varied)
        self._campaign = Campaign(
            SearchSpace.from_dataframe(varied, parameters), SingleTargetObjective(target)
        )

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new = observations[self._told :]
            if new:
                rows = [{**point, self._name: seen[self._name]} for point, seen in new]
                self._campaign.add_measurements(pd.DataFrame(rows)[[*self._columns, self._name]])
                self._told = len(observations)
            # A seed for each call, so that a campaign is the same whatever else ran before it.
            _seed(self._seed * 1000 + len(observations) + len(pending))
            under_way = pd.DataFrame(pending)[self._columns] if pending else None
            found = self._campaign.recommend(n, pending_experiments=under_way)
        return [{**self._fixed, **row} for row in found.to_dict("records")]


def _seed(seed: int) -> None:
    """All that BayBE draws from; a context of its own for it is not public."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)
