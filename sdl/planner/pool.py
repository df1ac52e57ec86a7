"""The best of a list of points by an exact search with BoTorch: no relaxation, no rounding.

In a finite space Ax relaxes the options to real numbers, and after rounding often proposes what
is already measured. To score every free point is both quicker and exact.
"""

from __future__ import annotations

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
from gpytorch.mlls import ExactMarginalLogLikelihood  # type: ignore[import-untyped]
from torch import Tensor

from sdl.model.campaign import Parameter
from sdl.model.data import InputValue, Prediction, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import Point, is_finite, levels, named, number, point, taken
from sdl.planner.neighbours import REACHES, neighbours
from sdl.planner.sobol import to_unit
from sdl.planner.surrogate import Scale, closeness, digest, nearest, reason_of

SAMPLES = 128

AT_ONCE = 1024
"""Points scored in one go, which bounds the memory."""


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
    )


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
