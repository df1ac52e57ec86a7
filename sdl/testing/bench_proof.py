"""The same proof at the door by which a benchmark, or a loop in Python, asks the ensemble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sdl.errors import PlannerFault
from sdl.model.campaign import LinearConstraint, Parameter
from sdl.model.data import InputValue, Suggestion
from sdl.model.planning import asked_of
from sdl.model.space import (
    Point,
    exhausted,
    grid_points,
    is_enumerable,
    is_levelled,
    levels,
    violations,
)
from sdl.planner.bench import bench_planner
from sdl.testing.planner_proof import Verdict, is_model_due, repeats
from sdl.testing.random_questions import Question


@dataclass(frozen=True, slots=True)
class _Column:
    values: Sequence[InputValue]

    def tolist(self) -> list[InputValue]:
        return list(self.values)


def judged_at_the_bench(question: Question, *, with_pool: bool) -> Verdict:
    """Ask the ensemble in plain data and judge its points; never raises.

    ``with_pool``: the points are given as a table where they can be listed; else it makes them.
    """
    if asked_of(question.problem) - {"real_sums", "candidates", "costs", "descriptors"}:
        return Verdict(seed=question.seed, refused="cannot be told at this door")
    listed = with_pool and is_enumerable(question.problem)
    if question.problem.candidates is not None and not listed:
        return Verdict(seed=question.seed, refused="a list has to be given")
    try:
        found = _found(question, list(grid_points(question.problem)) if listed else None)
    except PlannerFault as fault:
        return Verdict(seed=question.seed, faults=(f"refused: {fault}",))
    except Exception as fault:  # noqa: BLE001 - whatever it raises is a finding
        return Verdict(seed=question.seed, faults=(f"raised {type(fault).__name__}: {fault}",))
    return Verdict(seed=question.seed, suggestions=found, faults=tuple(_faults(question, found)))


def _found(question: Question, pool: Sequence[Point] | None) -> tuple[Suggestion, ...]:
    problem = question.problem
    measure, less = problem.objective.measure, problem.objective.goal == "minimise"
    space = {
        "parameters": [_parameter(one) for one in problem.space],
        "objectives": [{"name": measure, "goal": "minimize" if less else "maximize"}],
        "constraints": [text for one in problem.constraints for text in _texts(one)],
    }
    table = None
    if pool is not None:
        table = {
            one.name: _Column([row[at] for row in pool]) for at, one in enumerate(problem.space)
        }
    tried = [trial for trial in question.trials if trial.status in {"measured", "failed"}]
    planner = bench_planner(space, table, question.seed)
    points = planner.suggest(
        [(trial.inputs, trial.measures) for trial in tried],
        [trial.inputs for trial in question.trials if trial.status == "pending"],
        question.count,
    )
    return tuple(
        Suggestion(inputs=inputs, origin=one.origin, predicted={}, seed=question.seed)
        for inputs, one in zip(points, planner.reasons, strict=True)
    )


def _parameter(parameter: Parameter) -> dict[str, object]:
    """As an entry of a ``space.json``."""
    if parameter.kind == "range" and not is_levelled(parameter):
        ends = {"low": parameter.low, "high": parameter.high, "log": parameter.log}
        return {"name": parameter.name, "type": "continuous", **ends}
    if parameter.kind == "choice" and not parameter.ordered:
        options = list(levels(parameter))
        return {"name": parameter.name, "type": "categorical", "options": options}
    return {"name": parameter.name, "type": "discrete", "levels": list(levels(parameter))}


def _texts(constraint: LinearConstraint) -> Iterator[str]:
    total = " + ".join(f"{weight!r} * {name}" for name, weight in constraint.weights.items())
    if constraint.equals is not None:
        yield f"{total} == {constraint.equals!r}"
        return
    if constraint.at_most is not None:
        yield f"{total} <= {constraint.at_most!r}"
    if constraint.at_least is not None:
        yield f"{total} >= {constraint.at_least!r}"


def _faults(question: Question, found: Sequence[Suggestion]) -> Iterator[str]:
    """What is wrong with the points; fewer than were asked for are right."""
    problem, trials = question.problem, question.trials
    for fault in violations(problem, found, len(found)):
        yield f"infeasible: {fault}"
    yield from repeats(question, found)
    if not found and not exhausted(problem, trials):
        yield "nothing: no point came although some are left"
    if is_model_due(question) and any(one.origin != "ensemble" for one in found):
        yield "silent: a point without a model although one is due"
