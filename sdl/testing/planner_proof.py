"""Whether a planner's answer to any question is sound: stricter than what the engine asks for.

The engine lets a point of an endless space come again, for somebody may want it; of a planner it is
a fault. And where a model is due, nothing else may take its place without saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sdl.errors import PlannerFault, SpaceExhausted
from sdl.model.data import Suggestion, Trial
from sdl.model.planning import NEEDED, Ask, Problem, asked_of
from sdl.model.space import exhausted, free_points, is_enumerable, point, taken
from sdl.planner.contract import Planner
from sdl.planner.looks import Looks, at
from sdl.planner.server import abilities_of, checked, load
from sdl.testing.random_questions import Question

WITHOUT_MODEL = frozenset({"maximin", "medoid", "sobol", "centre", "random", "grid"})
"""Origins of points that no model had a part in."""

START, LEAST = 3, 2
"""So many points tried, and so many of them measured: then a model is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one question: suggestions, faults or a refusal."""

    seed: int
    suggestions: tuple[Suggestion, ...] = ()
    faults: tuple[str, ...] = ()
    """What is wrong, one sentence each."""
    refused: str = ""
    """Why there is no suggestion, where the planner was right to give none."""


def judged(
    name: str, question: Question, *, models: bool, planner: Planner | None = None
) -> Verdict:
    """Ask a planner by its name, through the door of its process, and judge the answer.

    ``models``: whether it makes points by a model as soon as one is due; ``planner``: one that is
    asked in place of that which is installed. Never raises, whatever the planner does.
    """
    try:
        found = checked(ask_of(name, question), planner or load(name))
    except PlannerFault as fault:
        why = _right_to_refuse(name, question, fault)
        faults = () if why else (f"refused: {fault}",)
        return Verdict(seed=question.seed, faults=faults, refused=why)
    except Exception as fault:  # noqa: BLE001 - a planner may raise anything
        return Verdict(seed=question.seed, faults=(f"raised {type(fault).__name__}: {fault}",))
    faults = (*repeats(question, found), *(_silent(question, found) if models else ()))
    return Verdict(seed=question.seed, suggestions=found, faults=faults)


def ask_of(name: str, question: Question) -> Ask:
    """The question as a planner's process gets it."""
    return Ask(
        id=f"proof/ask-{question.seed}",
        planner=name,
        problem=question.problem,
        trials=question.trials,
        count=question.count,
        seed=question.seed,
    )


def is_model_due(question: Question) -> bool:
    """Whether enough was tried and measured; what was given up is as good as not tried."""
    _, trials = at_target(question)
    tried = [one for one in trials if one.status != "abandoned" and not one.is_hint]
    measured = sum(trial.status == "measured" for trial in tried)
    return len(tried) >= START and measured >= LEAST


def _right_to_refuse(name: str, question: Question, fault: PlannerFault) -> str:
    lacking = sorted(asked_of(question.problem) & NEEDED - abilities_of(name))
    if lacking:
        return f"cannot do {', '.join(lacking)}"
    if exhausted(question.problem, question.trials):
        return "no point is left"
    if isinstance(fault, SpaceExhausted):  # a grid is coarser than its space, and tries each once
        return "its own points are used up"
    return "its grid is too large" if str(fault).startswith("the grid has ") else ""


def at_target(question: Question) -> tuple[Problem, tuple[Trial, ...]]:
    """What is asked, where there are fidelities at the one that counts."""
    problem, trials = question.problem, question.trials
    if problem.fidelity is None:
        return problem, trials
    looks = Looks(problem, problem.fidelity, trials)
    return at(problem, problem.fidelity, problem.fidelity.target), looks.at_target


def repeats(question: Question, found: Sequence[Suggestion]) -> Iterator[str]:
    """What was measured, is pending, comes twice, or failed while others were never tried."""
    problem, trials = question.problem, question.trials
    seen = taken(problem, trials)
    failed = taken(problem, trials, failed=True) - seen
    untried = free_points(*at_target(question)) if is_enumerable(problem) else ()
    others = set(untried) - failed
    for one in found:
        values = point(problem.space, one.inputs)
        if values in seen:
            yield f"repeats: {values} is measured or pending, or comes twice"
        if values in failed and others:
            yield f"repeats: {values} has failed, and {len(others)} points were never tried"
        seen.add(values)


def _silent(question: Question, found: Sequence[Suggestion]) -> Iterator[str]:
    if not is_model_due(question):
        return
    for place, one in enumerate(found, start=1):
        look = one.reason.look if one.reason else None
        if one.fall_back or (look and look.why in {"opening", "left over"}):
            continue
        foretold = question.problem.objective.measure in one.predicted
        if one.origin in WITHOUT_MODEL:
            yield f"silent: point {place} is from {one.origin} although a model is due"
        elif not one.model_digest or not (foretold or (look and look.why == "pays")):
            yield f"silent: point {place} has no digest of its model, or predicts nothing"
