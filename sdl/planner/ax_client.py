"""Points of endless spaces by Ax: its Client keeps the trials, its BoTorch generator proposes.

Ax's ready-made strategies are not used. They start with Sobol points even after many trials are
attached, and fall back to Sobol with no more than a log line; here there is one node, the model.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ax.adapter.registry import Generators, MBM_X_trans
from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
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
from botorch.models.model import Model
from torch import Tensor

from sdl.errors import PlannerFault
from sdl.model.campaign import Parameter
from sdl.model.data import Inputs, InputValue, Suggestion, Trial
from sdl.model.planning import Problem
from sdl.model.space import levels, number, size
from sdl.planner.surrogate import Scale, closeness, digest

METRIC = "m"
"""Names of measures and inputs never reach Ax, which parses them as Python ("yield", "lambda")."""


class TargetAcquisition(Acquisition):
    """Ax's acquisition with the distance to zero as its objective.

    Ax knows only objectives that are linear in a metric. To feed it the distance instead of the
    measure would make the model learn a kink, and forget on which side of the target each point
    lies; so the measure is modelled and its samples are folded afterwards.
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


def expressible(problem: Problem) -> bool:
    """Whether Ax takes the constraints: only over ranges on a linear scale."""
    plain = {p.name for p in problem.space if p.kind == "range" and not p.log}
    return all(constraint.weights.keys() <= plain for constraint in problem.constraints)


@dataclass(frozen=True)
class AxNames:
    """The parameters that are truly searched, under names and option labels that are safe in Ax."""

    problem: Problem

    @property
    def searched(self) -> list[tuple[str, Parameter]]:
        """Safe name and parameter; those with a single value are left out."""
        return [
            (f"p{index}", parameter)
            for index, parameter in enumerate(self.problem.space)
            if size((parameter,)) != 1
        ]

    def into(self, inputs: Inputs) -> dict[str, float | int | str]:
        """A point as Ax sees it."""
        return {name: _into(p, inputs[p.name]) for name, p in self.searched}

    def back(self, parameters: Mapping[str, object]) -> dict[str, InputValue]:
        """A point as the campaign sees it, clipped to bounds that rounding may have left."""
        names = {parameter.name: name for name, parameter in self.searched}
        return {
            p.name: _back(p, parameters[names[p.name]]) if p.name in names else levels(p)[0]
            for p in self.problem.space
        }


def suggest(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int
) -> tuple[Suggestion, ...]:
    """``count`` points by Ax's model. Whatever Ax raises is let through."""
    set_stderr_log_level(logging.ERROR)  # its other handlers, if a user set some, still get all
    names = AxNames(problem)
    scale = Scale.of(problem.objective, trials)
    strategy = _strategy(problem)
    client = _client(problem, names, seed)
    client.set_generation_strategy(strategy)
    for trial in trials:
        _attach(client, names.into(trial.inputs), trial, scale)
    proposed = client.get_next_trials(max_trials=count)
    return tuple(
        _suggestion(names, strategy, index, parameters, scale, seed)
        for index, parameters in proposed.items()
    )


def _strategy(problem: Problem) -> GenerationStrategy:
    options: dict[str, object] = {}
    if problem.objective.target is not None:
        # Without Ax's transforms of the measure: winsorising would cut off exactly the values
        # on the far side of the target, and a new zero would move the target.
        options = {"acquisition_class": TargetAcquisition, "transforms": MBM_X_trans}
    spec = GeneratorSpec(generator_enum=Generators.BOTORCH_MODULAR, generator_kwargs=options)
    node = GenerationNode(name="botorch", generator_specs=[spec], fallback_specs={})
    return GenerationStrategy(name="model-only", nodes=[node])


def _client(problem: Problem, names: AxNames, seed: int) -> Client:
    client = Client(random_seed=seed % 2**32)
    safe = {parameter.name: name for name, parameter in names.searched}
    constraints = []
    for constraint in problem.constraints:
        fixed = {p.name: number(levels(p)[0]) for p in problem.space if p.name not in safe}
        room = constraint.at_most - sum(
            weight * fixed[name] for name, weight in constraint.weights.items() if name in fixed
        )
        terms = [f"{w!r} * {safe[n]}" for n, w in constraint.weights.items() if n in safe and w]
        if terms:
            constraints.append(f"{' + '.join(terms)} <= {room!r}")
    client.configure_experiment(
        parameters=[_configured(name, parameter) for name, parameter in names.searched],
        parameter_constraints=constraints,
    )
    client.configure_optimization(objective=METRIC)
    return client


def _configured(name: str, parameter: Parameter) -> RangeParameterConfig | ChoiceParameterConfig:
    if parameter.kind == "range":
        return RangeParameterConfig(
            name=name,
            bounds=(parameter.low, parameter.high),
            parameter_type="int" if parameter.integer else "float",
            scaling="log" if parameter.log else "linear",
        )
    if parameter.ordered:
        steps = sorted(number(option) for option in levels(parameter))
        return ChoiceParameterConfig(
            name=name, values=steps, parameter_type="float", is_ordered=True
        )
    labels = [f"o{index}" for index in range(len(levels(parameter)))]
    return ChoiceParameterConfig(name=name, values=labels, parameter_type="str", is_ordered=False)


def _into(parameter: Parameter, value: InputValue) -> float | int | str:
    if parameter.kind == "range":
        return int(number(value)) if parameter.integer else number(value)
    if parameter.ordered:
        return number(value)
    return f"o{levels(parameter).index(value)}"


def _back(parameter: Parameter, value: object) -> InputValue:
    if parameter.kind == "choice":
        found = [option for option in levels(parameter) if _into(parameter, option) == value]
        if not found:
            raise PlannerFault(f"Ax proposed {value!r} for {parameter.name}, which is no option")
        return found[0]
    assert isinstance(value, (int, float))
    inside = min(max(value, parameter.low), parameter.high)
    return round(inside) if parameter.integer else float(inside)


def _attach(client: Client, parameters: Mapping[str, object], trial: Trial, scale: Scale) -> None:
    index = client.attach_trial(parameters=cast("dict[str, float]", dict(parameters)))
    if trial.status == "measured":
        client.complete_trial(index, raw_data={METRIC: scale.into(trial)})
    elif trial.status == "failed":
        # Ax takes an abandoned trial for one that is pending for ever, and forgets a failed one.
        # Pending is what is wanted: else the next suggestion would be the same point again.
        client.mark_trial_abandoned(index)


def _suggestion(
    names: AxNames,
    strategy: GenerationStrategy,
    index: int,
    parameters: Mapping[str, object],
    scale: Scale,
    seed: int,
) -> Suggestion:
    adapter = strategy.adapter
    assert adapter is not None
    features = ObservationFeatures(parameters=cast("TParameterization", dict(parameters)))
    mean, covariance = adapter.predict([features], use_posterior_predictive=True)
    generator = adapter.generator
    assert isinstance(generator, BoTorchGenerator)
    run = strategy.experiment.trials[index].generator_runs[0]
    acquisition = (run.gen_metadata or {}).get("expected_acquisition_value")
    return Suggestion(
        inputs=names.back(parameters),
        origin="botorch",
        predicted=scale.back(mean[METRIC][0], covariance[METRIC][METRIC][0]),
        acquisition=_first(acquisition),
        seed=seed,
        model_digest=digest(generator.surrogate.model),
    )


def _first(value: object) -> float | None:
    if isinstance(value, list):
        return _first(value[0]) if value else None
    return float(value) if isinstance(value, (int, float)) else None
