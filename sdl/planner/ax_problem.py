"""An Ax experiment as a problem of ours and its trials; names stay, nobody here parses them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import ax.core.parameter as theirs
from ax.core.data import Data
from ax.core.experiment import Experiment
from ax.core.objective import Objective as AxObjective
from ax.core.outcome_constraint import OutcomeConstraint as AxOutcomeConstraint
from ax.core.trial_status import TrialStatus
from ax.core.types import ComparisonOp, TParameterization, TParamValue
from ax.exceptions.core import UnsupportedError

from sdl.model.campaign import (
    ChoiceParameter,
    LinearConstraint,
    Objective,
    OutcomeConstraint,
    Parameter,
    RangeParameter,
)
from sdl.model.data import InputValue, Measures, Trial
from sdl.model.planning import Problem

SUM = "weighted sum"
"""Name of the one measure that a scalarised objective becomes."""


@dataclass(frozen=True, slots=True)
class Told:
    """An experiment in our terms, and the way back."""

    problem: Problem
    trials: tuple[Trial, ...]
    """Measured, failed and pending ones in their order."""
    parameters: Mapping[str, theirs.Parameter]

    def parameters_of(self, inputs: Mapping[str, InputValue]) -> TParameterization:
        """A point of ours as Ax wants it, fixed parameters with it."""
        return {name: _back(one, inputs.get(name)) for name, one in self.parameters.items()}

    def inputs_of(self, parameters: TParameterization) -> dict[str, InputValue]:
        """The inverse; fixed parameters are left out."""
        return {p.name: _into(p, parameters[p.name]) for p in self.problem.space}


def told(experiment: Experiment, data: Data) -> Told:
    """What a planner has to know. UnsupportedError if Ax asks for what we have no word for."""
    parameters = experiment.search_space.parameters
    space = tuple(p for one in parameters.values() if (p := _parameter(one)) is not None)
    config = experiment.optimization_config
    if config is None:
        raise UnsupportedError("the experiment has no objective; call configure_optimization first")
    objectives = _objectives(config.objective)
    problem = Problem(
        space=space,
        objective=objectives[0],
        further=objectives[1:],
        constraints=tuple(_constraints(experiment)),
        outcomes=tuple(map(_outcome, config.outcome_constraints)),
    )
    empty = Told(problem, (), parameters)
    seen = _seen(data, config.objective)
    return Told(problem, tuple(_trials(empty, experiment, seen)), parameters)


def _parameter(one: theirs.Parameter) -> Parameter | None:
    """None of a fixed parameter."""
    if isinstance(one, theirs.FixedParameter):
        return None
    if one.is_fidelity or one.is_hierarchical or isinstance(one, theirs.DerivedParameter):
        raise UnsupportedError(
            f"parameter {one.name} is a fidelity, derived, or searched only at some values of "
            "another, which this node does not know; leave it out, or use Ax's own nodes"
        )
    if isinstance(one, theirs.RangeParameter):
        whole = one.parameter_type is theirs.ParameterType.INT
        low, high = float(one.lower), float(one.upper)
        return RangeParameter(name=one.name, low=low, high=high, log=one.log_scale, integer=whole)
    assert isinstance(one, theirs.ChoiceParameter)
    return ChoiceParameter(
        name=one.name, options=tuple(_option(one, value) for value in one.values)
    )


def _option(one: theirs.ChoiceParameter, value: TParamValue) -> InputValue:
    """Numbers in order stay numbers; all else is a name."""
    if one.is_ordered and one.is_numeric and isinstance(value, (int, float)):
        return value
    return str(value)


def _into(parameter: Parameter, value: TParamValue) -> InputValue:
    if isinstance(parameter, ChoiceParameter) and not parameter.ordered:
        return str(value)
    assert isinstance(value, (int, float))
    if isinstance(parameter, RangeParameter) and parameter.integer:
        return int(value)
    return value


def _back(one: theirs.Parameter, value: InputValue | None) -> TParamValue:
    if isinstance(one, theirs.FixedParameter):
        return one.value
    if isinstance(one, theirs.ChoiceParameter):
        return next(each for each in one.values if _option(one, each) == value)
    return one.cast(value)


def _objectives(objective: AxObjective) -> tuple[Objective, ...]:
    if objective.is_scalarized_objective:
        return (Objective(measure=SUM, goal="maximise"),)
    return tuple(
        Objective(measure=name, goal="maximise" if weight > 0.0 else "minimise")
        for name, (_, weight) in zip(objective.metric_names, objective.metric_weights, strict=True)
    )


def _outcome(one: AxOutcomeConstraint) -> OutcomeConstraint:
    if one.relative or len(one.metric_weights) != 1:
        raise UnsupportedError(
            f"the outcome constraint {one.expression} is relative to a baseline, or on several "
            "metrics; state it as a number for one metric"
        )
    ((_, weight),) = one.metric_weights
    bound = one.bound / weight
    above = (one.op is ComparisonOp.GEQ) == (weight > 0.0)
    (name,) = one.metric_names
    return OutcomeConstraint(
        measure=name, at_least=bound if above else None, at_most=None if above else bound
    )


def _constraints(experiment: Experiment) -> Iterator[LinearConstraint]:
    for one in experiment.search_space.parameter_constraints:
        low = one.bound if one.is_equality else None
        yield LinearConstraint(weights=one.constraint_dict, at_least=low, at_most=one.bound)


def _seen(data: Data, objective: AxObjective) -> dict[tuple[int, str], dict[str, float]]:
    """By trial and arm the last mean of each metric, and the weighted sum if that is wanted."""
    found: dict[tuple[int, str], dict[str, float]] = {}
    rows = data.df[["trial_index", "arm_name", "metric_name", "mean"]]
    for index, arm, metric, mean in rows.itertuples(index=False):
        if math.isfinite(mean):
            found.setdefault((int(index), str(arm)), {})[str(metric)] = float(mean)
    if objective.is_scalarized_objective:
        names = objective.metric_names
        for measures in found.values():
            if all(name in measures for name in names):
                parts = zip(names, objective.metric_weights, strict=True)
                measures[SUM] = math.fsum(w * measures[name] for name, (_, w) in parts)
    return found


def _trials(
    empty: Told, experiment: Experiment, seen: Mapping[tuple[int, str], Measures]
) -> Iterator[Trial]:
    problem = empty.problem
    wanted = {one.measure for one in problem.objectives}
    wanted |= {one.measure for one in problem.outcomes}
    for index, trial in sorted(experiment.trials.items()):
        for arm in trial.arms:
            measures = seen.get((index, arm.name), {})
            inputs = empty.inputs_of(arm.parameters)
            if trial.status is TrialStatus.ABANDONED:  # Ax does not suggest such a point again
                yield Trial(inputs=inputs, status="pending", measures={})
            elif wanted <= measures.keys():
                yield Trial(inputs=inputs, status="measured", measures=dict(measures))
            else:
                is_over = trial.status.is_terminal
                yield Trial(inputs=inputs, status="failed" if is_over else "pending", measures={})


def flying(found: Told, parameters: Sequence[TParameterization]) -> tuple[Trial, ...]:
    """Points that Ax says are pending and that no trial holds yet."""
    there = [trial.inputs for trial in found.trials]
    points = [found.inputs_of(one) for one in parameters]
    return tuple(
        Trial(inputs=inputs, status="pending", measures={})
        for inputs in points
        if inputs not in there
    )
