"""The best of a list of points by an exact search with BoTorch: no relaxation, no rounding.

In a finite space Ax relaxes the options to real numbers, and after rounding often proposes what
is already measured. To score every free point is both quicker and exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.optim.optimize import optimize_acqf_discrete
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood  # type: ignore[import-untyped]
from torch import Tensor

from sdl.model.campaign import Parameter
from sdl.model.data import InputValue, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, levels, named, number, point
from sdl.planner.surrogate import Scale, closeness, digest

SAMPLES = 256


def suggest(
    problem: Problem, trials: Sequence[Trial], candidates: Sequence[Point], count: int, seed: int
) -> tuple[Suggestion, ...]:
    """The ``count`` most promising of ``candidates``, chosen one after the other.

    At least one trial is measured. Whatever BoTorch raises is let through.
    """
    scale = Scale.of(problem.objective, trials)
    measured = [trial for trial in trials if trial.status == "measured"]
    model = _fitted(
        _features(problem.space, [point(problem.space, trial.inputs) for trial in measured]),
        torch.tensor([[scale.into(trial)] for trial in measured], dtype=torch.double),
    )
    # A failed point counts as one whose result is still to come: the model learns nothing from
    # it, but does not press on right beside it either.
    open_points = [point(problem.space, t.inputs) for t in trials if t.status != "measured"]
    acquisition = qLogNoisyExpectedImprovement(
        model=model,
        X_baseline=model.train_inputs[0],
        sampler=SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed % 2**31),
        objective=None if problem.objective.target is None else GenericMCObjective(closeness),
        X_pending=_features(problem.space, open_points) if open_points else None,
        prune_baseline=True,
    )
    choices = _features(problem.space, candidates)
    chosen, values = optimize_acqf_discrete(acquisition, q=count, choices=choices, unique=True)
    with torch.no_grad():
        posterior = model.posterior(chosen, observation_noise=True)
    found = []
    for row in range(len(chosen)):
        index = int((choices == chosen[row]).all(dim=-1).nonzero()[0])
        found.append(
            Suggestion(
                inputs=named(problem.space, candidates[index]),
                origin="botorch",
                predicted=scale.back(float(posterior.mean[row]), float(posterior.variance[row])),
                acquisition=float(values[row]) if values.ndim else float(values),
                seed=seed,
                model_digest=digest(model),
            )
        )
    return tuple(found)


def _fitted(features: Tensor, targets: Tensor) -> SingleTaskGP:
    """BoTorch's default process: its length-scale prior grows with the number of features."""
    model = SingleTaskGP(features, targets)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    model.eval()
    return model


def _features(space: Sequence[Parameter], points: Sequence[Point]) -> Tensor:
    """One row per point, each column within 0 to 1."""
    columns = [
        column
        for index, parameter in enumerate(space)
        for column in _columns(parameter, [values[index] for values in points])
    ]
    return torch.tensor(columns, dtype=torch.double).reshape(len(columns), len(points)).T


def _columns(parameter: Parameter, values: Sequence[InputValue]) -> list[list[float]]:
    """Names become one column per option.

    Levels lie half by value and half by rank, for it is seldom known which of the two the
    measure follows: 1, 10 and 100 are evenly spaced to one chemist and not to another.
    """
    if parameter.kind == "range":
        return [_numeric(parameter.low, parameter.high, parameter.log, values)]
    if not parameter.ordered:
        options = levels(parameter)
        return [[float(value == option) for value in values] for option in options]
    steps = sorted(number(option) for option in levels(parameter))
    if len(steps) == 1:
        return []
    by_value = _numeric(steps[0], steps[-1], False, values)
    by_rank = [steps.index(number(value)) / (len(steps) - 1) for value in values]
    return [[(a + b) / 2 for a, b in zip(by_value, by_rank, strict=True)]]


def _numeric(low: float, high: float, log: bool, values: Sequence[InputValue]) -> list[float]:
    width = high - low
    if width == 0.0:
        return [0.0 for _ in values]
    if log:
        return [math.log(number(value) / low) / math.log(high / low) for value in values]
    return [(number(value) - low) / width for value in values]
