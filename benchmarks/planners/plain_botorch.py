"""Plain BoTorch: one Gaussian process, qLogEI over every point of the list, nothing more.

The model is ``SingleTaskGP`` with its default priors and a Matern 5/2 kernel, numbers scaled to
the unit range and options as columns; two points of chance come first, as in Liang et al.,
npj Comput. Mater. 7, 188 (2021).
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence

import pandas as pd  # type: ignore[import-untyped]
import torch
from botorch.acquisition.logei import qLogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms.outcome import Standardize
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from botorch.optim.optimize import optimize_acqf_discrete
from gpytorch.mlls import ExactMarginalLogLikelihood  # type: ignore[import-untyped]

from planner_contract import Observation, Point, Space
from planners.coding import OneHot

START = 2


class PlainBotorch:
    """Needs a list of points; looks at the first objective alone."""

    def __init__(self, space: Space, pool: pd.DataFrame | None, seed: int) -> None:
        assert pool is not None, f"{space.get('title')}: this planner scores a list of points"
        self._points: list[Point] = pool.to_dict("records")
        self._code = OneHot(space, pool)
        self._coded = torch.tensor(self._code(self._points))
        self._seed = seed
        objective = space["objectives"][0]
        self._name = str(objective["name"])
        self._sign = 1.0 if objective["goal"] == "maximize" else -1.0

    def suggest(
        self, observations: Sequence[Observation], pending: Sequence[Point], n: int
    ) -> Sequence[Point]:
        taken = {tuple(p.values()) for p in (*(p for p, _ in observations), *pending)}
        free = [at for at, p in enumerate(self._points) if tuple(p.values()) not in taken]
        if len(observations) < START:
            chance = random.Random(f"{self._seed} {len(taken)}")
            return [self._points[at] for at in chance.sample(free, min(n, len(free)))]
        # A seed for each call, so that a campaign is the same whatever else ran in the process.
        torch.manual_seed(self._seed * 1000 + len(taken))
        chosen = self._best(observations, pending, self._coded[free], min(n, len(free)))
        return [self._points[free[at]] for at in chosen]

    def _best(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Point],
        candidates: torch.Tensor,
        n: int,
    ) -> list[int]:
        x = torch.tensor(self._code([point for point, _ in observations]))
        y = torch.tensor([[self._sign * seen[self._name]] for _, seen in observations])
        y = y.to(torch.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SingleTaskGP(
                x,
                y,
                covar_module=get_covar_module_with_dim_scaled_prior(
                    ard_num_dims=x.shape[-1], use_rbf_kernel=False
                ),
                outcome_transform=Standardize(m=1),
            )
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
            gain = qLogExpectedImprovement(
                model,
                best_f=y.max(),
                X_pending=torch.tensor(self._code(pending)) if pending else None,
            )
            found, _ = optimize_acqf_discrete(gain, q=n, choices=candidates)
        return [int((candidates - row).abs().sum(-1).argmin()) for row in found]
