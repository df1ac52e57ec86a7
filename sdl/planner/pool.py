"""The best of a list of points by an exact search with BoTorch: no relaxation, no rounding.

In a finite space Ax relaxes the options to real numbers, and after rounding often proposes what
is already measured. To score every free point is both quicker and exact.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.constraints import GreaterThan  # type: ignore[import-untyped]
from gpytorch.kernels import MaternKernel  # type: ignore[import-untyped]
from gpytorch.likelihoods import GaussianLikelihood  # type: ignore[import-untyped]
from gpytorch.mlls import ExactMarginalLogLikelihood  # type: ignore[import-untyped]
from gpytorch.priors import GammaPrior  # type: ignore[import-untyped]
from torch import Tensor

from sdl.model.campaign import Parameter
from sdl.model.data import InputValue, Prediction, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, is_finite, levels, named, number, point, taken
from sdl.planner.neighbours import REACHES, neighbours
from sdl.planner.priors import Prior, prior_of
from sdl.planner.sobol import to_unit
from sdl.planner.surrogate import Scale, closeness, digest, nearest, reason_of

SAMPLES = 128

AT_ONCE = 1024
"""Points scored in one go, which bounds the memory."""

LENGTH_SHAPE, LENGTH_MODE = 3.0, math.exp(math.sqrt(2.0) - 3.0)
"""Of the Gamma prior of BayBE's length scales; the mode is that of one feature, and grows with the
square root of their number."""
NOISE_SHAPE, NOISE_MODE = 2.0, math.exp(-5.0)
"""The same of its noise variance, for results of variance 1."""
LEAST_LENGTH, LEAST_NOISE = 0.025, 1e-4


def suggest(
    problem: Problem, trials: Sequence[Trial], candidates: Sequence[Point], count: int, seed: int
) -> tuple[Suggestion, ...]:
    """The ``count`` most promising of ``candidates``, each chosen as if those before were pending.

    Where inputs are real, the neighbourhood of each is searched as well. At least one trial is
    measured. Whatever BoTorch raises is let through.
    """
    space, scale = problem.space, Scale.of(problem.objective, trials)
    model = _model(problem, trials, scale)
    baseline = _features(space, _measured_points(problem, trials))
    # A failed point counts as one whose result is still to come: the model learns nothing from
    # it, but does not press on right beside it either.
    open_points = [point(space, trial.inputs) for trial in trials if trial.status != "measured"]
    acquisition = qLogNoisyExpectedImprovement(
        model=model,
        X_baseline=baseline,
        sampler=SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=seed % 2**31),
        objective=None if problem.objective.target is None else GenericMCObjective(closeness),
        X_pending=_features(space, open_points) if open_points else None,
        prune_baseline=True,
    )
    left = list(candidates)
    used = taken(problem, trials, failed=True)
    chance = random.Random(seed)
    found: list[Suggestion] = []
    while left and len(found) < count:
        best, value = _best(acquisition, space, left)
        left.remove(best)
        for reach in () if is_finite(problem) else REACHES:
            around = neighbours(problem, best, reach, chance)
            near = [best, *(values for values in around if values not in used)]
            best, value = max((best, value), _best(acquisition, space, near), key=itemgetter(1))
        used.add(best)
        open_points.append(best)
        acquisition.set_X_pending(_features(space, open_points))
        predicted = _predicted(model, space, best, scale)
        reason = reason_of(model, predicted, value)
        known = nearest(model, _features(space, [best]), baseline, trials)
        found.append(
            Suggestion(
                inputs=named(space, best),
                origin="botorch",
                predicted=predicted,
                acquisition=value,
                seed=seed,
                model_digest=digest(model),
                reason=replace(reason, nearest=known, scored=len(candidates)),
            )
        )
    return tuple(found)


def _measured_points(problem: Problem, trials: Sequence[Trial]) -> list[Point]:
    return [point(problem.space, trial.inputs) for trial in trials if trial.status == "measured"]


def _best(
    acquisition: qLogNoisyExpectedImprovement, space: Sequence[Parameter], points: Sequence[Point]
) -> tuple[Point, float]:
    """The point of the highest acquisition value; the first of them if several are equal."""
    choices = _features(space, points)
    with torch.no_grad():
        values = torch.cat(
            [acquisition(block.unsqueeze(-2)) for block in torch.split(choices, AT_ONCE)]
        )
    index = int(values.argmax())
    return points[index], float(values[index])


def _predicted(
    model: SingleTaskGP, space: Sequence[Parameter], values: Point, scale: Scale
) -> dict[str, Prediction]:
    with torch.no_grad():
        posterior = model.posterior(_features(space, [values]), observation_noise=True)
    return scale.back(float(posterior.mean), float(posterior.variance))


def _model(problem: Problem, trials: Sequence[Trial], scale: Scale) -> SingleTaskGP:
    values = [[scale.into(trial)] for trial in trials if trial.status == "measured"]
    return _fitted(
        _features(problem.space, _measured_points(problem, trials)),
        torch.tensor(values, dtype=torch.double),
        prior_of(problem),
    )


def _fitted(features: Tensor, targets: Tensor, prior: Prior) -> SingleTaskGP:
    """The most probable process, of features (n, d) within 0 and 1 and targets (n, 1).

    BoTorch's prior of length scales grows with d, and so does BayBE's.
    """
    model = SingleTaskGP(features, targets) if prior == "botorch" else _gamma(features, targets)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    model.eval()
    return model


def _gamma(features: Tensor, targets: Tensor) -> SingleTaskGP:
    """Before its fit: a Matern kernel without an output scale, and Gamma priors."""
    count = features.shape[-1]
    mode = LENGTH_MODE * math.sqrt(count)
    kernel = MaternKernel(
        nu=2.5,
        ard_num_dims=count,
        lengthscale_prior=GammaPrior(LENGTH_SHAPE, (LENGTH_SHAPE - 1.0) / mode),
        lengthscale_constraint=GreaterThan(LEAST_LENGTH, transform=None, initial_value=mode),
    )
    likelihood = GaussianLikelihood(
        noise_prior=GammaPrior(NOISE_SHAPE, (NOISE_SHAPE - 1.0) / NOISE_MODE),
        noise_constraint=GreaterThan(LEAST_NOISE, transform=None, initial_value=NOISE_MODE),
    )
    return SingleTaskGP(features, targets, likelihood=likelihood, covar_module=kernel)


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
        return [[to_unit(parameter, value) for value in values]]
    if not parameter.ordered:
        options = levels(parameter)
        return [[float(value == option) for value in values] for option in options]
    steps = sorted(number(option) for option in levels(parameter))
    if len(steps) == 1:
        return []
    by_value = [(number(value) - steps[0]) / (steps[-1] - steps[0]) for value in values]
    by_rank = [steps.index(number(value)) / (len(steps) - 1) for value in values]
    return [[(a + b) / 2 for a, b in zip(by_value, by_rank, strict=True)]]
