"""Points of endless spaces by Ax: its Client keeps the trials, its BoTorch generator proposes.

Ax's ready-made strategies are not used. They start with Sobol points even after many trials are
attached, and fall back to Sobol with no more than a log line; here there is one node, the model.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import torch
from ax.adapter.registry import Generators, MBM_X_trans
from ax.api.client import Client
from ax.api.configs import RangeParameterConfig
from ax.core.observation import ObservationFeatures
from ax.core.types import TParameterization
from ax.generation_strategy.generation_node import GenerationNode
from ax.generation_strategy.generation_strategy import GenerationStrategy
from ax.generation_strategy.generator_spec import GeneratorSpec
from ax.generators.torch.botorch_modular.acquisition import Acquisition
from ax.generators.torch.botorch_modular.generator import BoTorchGenerator
from ax.utils.common.logger import set_stderr_log_level
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.objective import (
    GenericMCObjective,
    MCAcquisitionObjective,
    PosteriorTransform,
)
from botorch.models import SingleTaskGP
from botorch.models.model import Model
from torch import Tensor

from sdl.model.data import Inputs, InputValue, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import number, point
from sdl.planner.sobol import to_unit
from sdl.planner.surrogate import Scale, closeness, digest, nearest, reason_of

METRIC = "m"
"""Names of measures and inputs never reach Ax, which parses them as Python ("yield", "lambda")."""


SEARCH = {"num_restarts": 4, "raw_samples": 512, "options": {"maxiter": 50}}
"""A fifth of Ax's usual starts: the kink at the target keeps their line searches busy for seconds.

At twelve trials of three inputs 2.4 s became 0.5 s; campaigns need as many runs as before.
"""


class TargetAcquisition(Acquisition):
    """Ax's acquisition with the distance to zero as its objective.

    Ax knows only objectives that are linear in a metric. To feed it the distance instead of the
    measure would make the model learn a kink, and forget on which side of the target each point
    lies; so the measure is modelled and its samples are folded afterwards. Runs until a saturating
    Beer-Lambert curve came within 2 % of 0.8 AU (1, 2, 3 inputs; means over ten seeds): 7.5, 7.3
    and 7.2 in this way, 7.7, 7.5 and 7.9 with the squared distance, 8.4, 11.3 and 11.2 with a
    model of the distance itself; measured with Ax's usual search, of which ``SEARCH`` repeated
    the first four seeds run by run.
    """

    def get_botorch_objective_and_transform(
        self,
        botorch_acqf_class: type[AcquisitionFunction],
        model: Model,
        objective_weights: Tensor,
        outcome_constraints: tuple[Tensor, Tensor] | None = None,
        X_observed: Tensor | None = None,  # noqa: N803 - Ax's own name
        learned_objective_preference_model: Model | None = None,
    ) -> tuple[MCAcquisitionObjective | None, PosteriorTransform | None]:
        """The folded objective, whatever Ax would take."""
        del botorch_acqf_class, model, objective_weights, outcome_constraints
        del X_observed, learned_objective_preference_model
        return GenericMCObjective(closeness), None


def suits(problem: Problem) -> bool:
    """Whether Ax is at its best: real ranges only, without constraints.

    With options or whole numbers it takes ten times as long, and a second or more with constraints.
    """
    return (
        not problem.constraints
        and problem.candidates is None
        and all(
            parameter.kind == "range" and not parameter.integer and parameter.low < parameter.high
            for parameter in problem.space
        )
    )


def suggest(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int
) -> tuple[Suggestion, ...]:
    """``count`` points by Ax's model. Whatever Ax raises is let through."""
    set_stderr_log_level(logging.ERROR)  # its other handlers, if a user set some, still get all
    scale = Scale.of(problem.objective, trials)
    strategy = _strategy(problem)
    client = _client(problem, seed)
    client.set_generation_strategy(strategy)
    for trial in trials:
        _attach(client, _into(problem, trial.inputs), trial, scale)
    proposed = client.get_next_trials(max_trials=count)
    return tuple(
        _suggestion(problem, strategy, index, parameters, scale, trials, seed)
        for index, parameters in proposed.items()
    )


def _strategy(problem: Problem) -> GenerationStrategy:
    options: dict[str, object] = {}
    if problem.objective.target is not None:
        # Without Ax's transforms of the measure: winsorising would cut off exactly the values
        # on the far side of the target, and a new zero would move the target.
        options = {"acquisition_class": TargetAcquisition, "transforms": MBM_X_trans}
    spec = GeneratorSpec(
        generator_enum=Generators.BOTORCH_MODULAR,
        generator_kwargs=options,
        generator_gen_kwargs={"model_gen_options": {"optimizer_kwargs": SEARCH}},
    )
    node = GenerationNode(name="botorch", generator_specs=[spec], fallback_specs={})
    return GenerationStrategy(name="model-only", nodes=[node])


def _client(problem: Problem, seed: int) -> Client:
    client = Client(random_seed=seed % 2**32)
    client.configure_experiment(
        parameters=[
            RangeParameterConfig(
                name=f"p{index}",
                bounds=(float(parameter.low), float(parameter.high)),
                parameter_type="float",
                scaling="log" if parameter.log else "linear",
            )
            for index, parameter in enumerate(problem.space)
            if parameter.kind == "range"
        ]
    )
    client.configure_optimization(objective=METRIC)
    return client


def _into(problem: Problem, inputs: Inputs) -> dict[str, float]:
    """A point under Ax's names. Ax refuses a whole number where a real one is meant."""
    values = point(problem.space, inputs)
    return {f"p{index}": number(value) for index, value in enumerate(values)}


def _back(problem: Problem, parameters: Mapping[str, object]) -> dict[str, InputValue]:
    """The inverse; a logarithm and back may leave the bounds by a rounding error."""
    found: dict[str, InputValue] = {}
    for index, parameter in enumerate(problem.space):
        value = parameters[f"p{index}"]
        assert parameter.kind == "range"
        assert isinstance(value, float)
        found[parameter.name] = min(max(value, parameter.low), parameter.high)
    return found


def _attach(client: Client, parameters: Mapping[str, float], trial: Trial, scale: Scale) -> None:
    index = client.attach_trial(parameters=dict(parameters))
    if trial.status == "measured":
        client.complete_trial(index, raw_data={METRIC: scale.into(trial)})
    elif trial.status == "failed":
        # Ax takes an abandoned trial for one that is pending for ever, and forgets a failed one.
        # Pending is what is wanted: else the next suggestion would be the same point again.
        client.mark_trial_abandoned(index)


def _suggestion(
    problem: Problem,
    strategy: GenerationStrategy,
    index: int,
    parameters: Mapping[str, object],
    scale: Scale,
    trials: Sequence[Trial],
    seed: int,
) -> Suggestion:
    adapter = strategy.adapter
    assert adapter is not None
    features = ObservationFeatures(parameters=cast("TParameterization", dict(parameters)))
    mean, covariance = adapter.predict([features], use_posterior_predictive=True)
    generator = adapter.generator
    assert isinstance(generator, BoTorchGenerator)
    run = strategy.experiment.trials[index].generator_runs[0]
    acquisition = _first((run.gen_metadata or {}).get("expected_acquisition_value"))
    predicted = scale.back(mean[METRIC][0], covariance[METRIC][METRIC][0])
    model, inputs = generator.surrogate.model, _back(problem, parameters)
    assert isinstance(model, SingleTaskGP)
    measured = [trial.inputs for trial in trials if trial.status == "measured"]
    near = nearest(model, _units(problem, [inputs]), _units(problem, measured), trials)
    return Suggestion(
        inputs=inputs,
        origin="botorch",
        predicted=predicted,
        acquisition=acquisition,
        seed=seed,
        model_digest=digest(model),
        reason=replace(reason_of(model, predicted, acquisition), nearest=near),
    )


def _units(problem: Problem, points: Sequence[Inputs]) -> Tensor:
    """A row for each point, each input within 0 and 1: so the kernel sees them behind Ax's maps."""
    rows = [
        [
            to_unit(parameter, value)
            for parameter, value in zip(problem.space, point(problem.space, inputs), strict=True)
            if parameter.kind == "range"
        ]
        for inputs in points
    ]
    return torch.tensor(rows, dtype=torch.double)


def _first(value: object) -> float | None:
    if isinstance(value, list):
        return _first(value[0]) if value else None
    return float(value) if isinstance(value, (int, float)) else None
