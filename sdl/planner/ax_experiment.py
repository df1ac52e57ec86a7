"""A problem of ours and its trials as an Ax experiment, under names that Ax can parse."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from ax.core.parameter_constraint import ParameterConstraint
from ax.utils.common.string_utils import SYMPY_GLOBALS

from sdl.model.campaign import LinearConstraint, Objective, Parameter, RangeParameter
from sdl.model.candidates import count_of
from sdl.model.data import InputValue, Trial
from sdl.model.planning import Problem
from sdl.model.space import formula, is_levelled, levels, number

LOSS = " loss"
"""Added to the name of a measure that is to be near something: its distance, to be minimised."""
_RAISED = frozenset({"maximise", "novelty", "discriminate"})
"""Goals for which Ax is told to maximise."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An Ax client with all trials, and what its names stand for."""

    client: Client
    inputs: Mapping[str, str]
    """Ax's name to ours."""
    metrics: Mapping[str, str]
    """Ax's name to that of a measure, or of its loss."""
    objectives: tuple[str, ...]
    """Ax's names of what is optimised, in the order of the problem."""
    left_out: tuple[str, ...]
    """What the problem says and Ax has no word for."""


def exported(problem: Problem, trials: Sequence[Trial], name: str) -> Exported:
    """The experiment, with a trial for each of ours in the same order.

    A failed one has failed, an abandoned one is abandoned, a pending one is running. Inputs that
    have one value only are left out, and so is what only names the points of a list.
    """
    varied = [one for one in problem.space if not (is_levelled(one) and len(levels(one)) == 1)]
    space = [one for one in varied if not _names_each(one, problem)] or varied
    inputs = safe_names([one.name for one in space])
    aims = [_metric(one) for one in problem.objectives]
    measures = [*aims, *(one.measure for one in problem.objectives)]
    metrics = safe_names([*measures, *(one.measure for one in problem.outcomes)])
    client = Client()
    client.configure_experiment([_config(one, inputs[one.name]) for one in space], name=name)
    experiment = client._experiment  # noqa: SLF001 - a Client takes no equality
    known = [one for one in problem.constraints if _is_known_to_ax(one, problem, inputs)]
    constraints = [each for one in known for each in _constraints(one, problem, inputs)]
    experiment.search_space.add_parameter_constraints(constraints)
    client.configure_optimization(
        objective=", ".join(
            metrics[aim] if one.goal in _RAISED else f"-{metrics[aim]}"
            for aim, one in zip(aims, problem.objectives, strict=True)
        ),
        outcome_constraints=list(_limits(problem, metrics)),
    )
    for trial in trials:
        _attach(client, problem, trial, inputs, metrics)
    return Exported(
        client=client,
        inputs=_turned(inputs),
        metrics=_turned(metrics),
        objectives=tuple(metrics[aim] for aim in aims),
        left_out=(*_named_only(space, varied), *_left_out(problem, known)),
    )


def safe_names(names: Iterable[str]) -> dict[str, str]:
    """Each name to one that neither Python nor sympy, with which Ax parses, gives a meaning to.

    ``yield`` becomes ``yield_``; no two become the same.
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        safe = re.sub(r"\W", "_", name)
        if not safe.isidentifier() or keyword.iskeyword(safe) or safe in SYMPY_GLOBALS:
            safe = f"{safe}_" if safe[:1].isalpha() else f"_{safe}"
        while safe in found.values():
            safe += "_"
        found[name] = safe
    return found


def _names_each(one: Parameter, problem: Problem) -> bool:
    """Whether no two points of the list have the same name here."""
    if problem.candidates is None or one.kind != "choice" or one.ordered:
        return False
    return len(one.options) == count_of(problem.candidates)


def _named_only(space: Sequence[Parameter], varied: Sequence[Parameter]) -> Iterator[str]:
    for one in varied:
        if one not in space:
            yield f"{one.name}, which only names the points: no two are alike in it"


def _left_out(problem: Problem, known: Sequence[LinearConstraint]) -> Iterator[str]:
    for one in problem.constraints:
        if one not in known:
            yield f"{formula(one)}: Ax takes no constraint on a logarithmic range"
    if problem.candidates is not None:
        yield "the list of candidates"
    if any(one.only_if for one in problem.space):
        yield "conditions: an input that rests has its resting value"
    if problem.fidelity is not None or problem.costs is not None:
        yield "costs and fidelity"
    for each in problem.objectives:
        if each.goal in _RAISED - {"maximise"}:
            yield f"the goal {each.goal!r}: Ax is told to maximise"


def _turned(names: Mapping[str, str]) -> dict[str, str]:
    return {safe: name for name, safe in names.items()}


def _metric(objective: Objective) -> str:
    has_distance = objective.goal not in _RAISED | {"minimise"}
    return objective.measure + LOSS if has_distance else objective.measure


def _config(one: Parameter, name: str) -> RangeParameterConfig | ChoiceParameterConfig:
    rests = [] if one.otherwise is None else [one.otherwise]
    if isinstance(one, RangeParameter) and not is_levelled(one):
        ends = [one.low, one.high, *map(number, rests)]
        log = one.log and min(ends) > 0.0
        return RangeParameterConfig(
            name=name,
            bounds=(float(min(ends)), float(max(ends))),
            parameter_type="float",
            scaling="log" if log else "linear",
        )
    if isinstance(one, RangeParameter):
        every = levels(one)
        whole = [int(number(end)) for end in (every[0], every[-1], *rests)]
        return RangeParameterConfig(
            name=name, bounds=(min(whole), max(whole)), parameter_type="int"
        )
    values = [*levels(one), *(rest for rest in rests if rest not in levels(one))]
    if not one.ordered:
        return ChoiceParameterConfig(
            name=name, values=[str(v) for v in values], parameter_type="str", is_ordered=False
        )
    return ChoiceParameterConfig(
        name=name,
        values=sorted(float(number(v)) for v in values),
        parameter_type="float",
        is_ordered=True,
    )


def _value(one: Parameter, value: InputValue) -> float | int | str:
    """Ax refuses a whole number where a real one is meant, and the other way round."""
    if one.kind == "range" and one.integer:
        return int(number(value))
    return str(value) if one.kind == "choice" and not one.ordered else float(number(value))


def _constraints(
    one: LinearConstraint, problem: Problem, inputs: Mapping[str, str]
) -> Iterator[ParameterConstraint]:
    """What is left of a constraint once inputs of one value are taken out."""
    bound = [p for p in problem.space if p.name in one.weights]
    fixed = {p.name: number(levels(p)[0]) for p in bound if p.name not in inputs}
    less = sum(one.weights[name] * value for name, value in fixed.items())
    total = " + ".join(f"{w!r}*{inputs[n]}" for n, w in one.weights.items() if n not in fixed)
    if one.equals is not None:
        yield ParameterConstraint(equality=f"{total} == {one.equals - less!r}")
        return
    if one.at_most is not None:
        yield ParameterConstraint(f"{total} <= {one.at_most - less!r}")
    if one.at_least is not None:
        yield ParameterConstraint(f"{total} >= {one.at_least - less!r}")


def _is_known_to_ax(one: LinearConstraint, problem: Problem, inputs: Mapping[str, str]) -> bool:
    """Ax takes none on logarithmic ranges; and one input at least is left."""
    bound = [p for p in problem.space if p.name in one.weights and p.name in inputs]
    return bool(bound) and not any(p.kind == "range" and p.log for p in bound)


def _limits(problem: Problem, metrics: Mapping[str, str]) -> Iterator[str]:
    """Thresholds of several objectives, and constraints on other measures.

    Ax finds no front if some objectives have a threshold and others none, takes one limit for an
    objective, and none for the only one.
    """
    bounded = bool(problem.further) and all(
        one.threshold is not None and one.goal in {"maximise", "minimise"}
        for one in problem.objectives
    )
    for aim in problem.objectives if bounded else ():
        sign = ">=" if aim.goal == "maximise" else "<="
        yield f"{metrics[aim.measure]} {sign} {aim.threshold!r}"
    aimed = {one.measure for one in problem.objectives}
    for one in problem.outcomes:
        if one.measure in aimed:
            continue
        if one.at_least is not None:
            yield f"{metrics[one.measure]} >= {one.at_least!r}"
        if one.at_most is not None:
            yield f"{metrics[one.measure]} <= {one.at_most!r}"


def _attach(
    client: Client,
    problem: Problem,
    trial: Trial,
    inputs: Mapping[str, str],
    metrics: Mapping[str, str],
) -> None:
    index = client.attach_trial(
        parameters={
            inputs[one.name]: _value(one, trial.inputs[one.name])
            for one in problem.space
            if one.name in inputs
        }
    )
    if trial.status == "measured":
        client.complete_trial(index, raw_data=dict(_data(problem, trial, metrics)))
    elif trial.status == "failed":
        client.mark_trial_failed(index)
    elif trial.status == "abandoned":
        client.mark_trial_abandoned(index)


def _data(
    problem: Problem, trial: Trial, metrics: Mapping[str, str]
) -> Iterator[tuple[str, float]]:
    for one in problem.objectives:
        if one.measure in trial.measures:
            value = trial.measures[one.measure]
            yield metrics[one.measure], value
            if _metric(one) != one.measure:
                yield metrics[_metric(one)], one.loss(value)
    for limit in problem.outcomes:
        if limit.measure in trial.measures:
            yield metrics[limit.measure], trial.measures[limit.measure]
