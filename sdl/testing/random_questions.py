"""Questions to a planner by chance: any problem, trials of every kind, one point or more."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from sdl.model.bench import BenchState, Queue, Stock, Term
from sdl.model.campaign import ChoiceParameter, Objective, OutcomeConstraint, Parameter
from sdl.model.costs import Costs, Fidelity
from sdl.model.data import Inputs, Measures, Trial
from sdl.model.descriptors import Descriptors
from sdl.model.planning import Problem
from sdl.model.space import Point, feasible, grid_points, is_enumerable, named
from sdl.testing.random_problems import drawn, is_so, random_problem

TRIALS = 14
"""At most, but where the question is of a space that is nearly used up."""

COUNT = 8
"""Points that are asked for at most."""

_PLAIN = ("maximise", "maximise", "minimise", "minimise", "target", "range")
"""Goals that may stand beside others; the plainest come most often."""

_GOALS = (*_PLAIN, *_PLAIN, "hits", "level", "novelty")

_DRAWS = 200
"""A space of which so many points break the constraints gets no more trials."""

_Worth: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a planner is asked, and the seed that made all of it."""

    problem: Problem
    trials: tuple[Trial, ...]
    count: int
    seed: int


def random_question(seed: int) -> Question:
    """A question that has an answer, unless all points of its space are measured or pending."""
    chance = random.Random(f"question {seed}")
    problem = replace(random_problem(seed), objective=_objective(chance, "yield"))
    if is_so(chance, 0.5):
        problem = _with_more(chance, problem)
    worth = _worth(chance)
    trials = tuple(_trial(chance, problem, values, worth) for values in _points(chance, problem))
    return Question(problem=problem, trials=trials, count=chance.randint(1, COUNT), seed=seed)


def _objective(chance: random.Random, measure: str, goals: Sequence[str] = _GOALS) -> Objective:
    low = chance.uniform(-1.0, 3.0)
    match chance.choice(goals):
        case "hits":
            return Objective(measure=measure, goal="hits", at_least=low)
        case "level":
            return Objective(measure=measure, goal="level", level=low)
        case "novelty":
            return Objective(measure=measure, goal="novelty")
        case "target":
            return Objective(measure=measure, goal="target", target=low)
        case "range":
            return Objective(measure=measure, goal="range", low=low, high=low + chance.random())
        case "minimise":
            return Objective(measure=measure, goal="minimise")
        case _:
            return Objective(measure=measure, goal="maximise")


def _with_more(chance: random.Random, problem: Problem) -> Problem:
    """Some of what not every planner can do, or makes use of."""
    if is_so(chance, 0.4):
        problem = _with_several(chance, problem)
    if is_so(chance, 0.3):
        limit = OutcomeConstraint(measure="measure_0", at_most=chance.uniform(0.0, 3.0))
        problem = replace(problem, outcomes=(limit,))
    if is_so(chance, 0.3):
        problem = replace(problem, costs=_costs(chance, problem))
    if is_so(chance, 0.3):
        space = tuple(_described(chance, p) if _is_named(p) else p for p in problem.space)
        problem = replace(problem, space=space)
    asked = {one.input for p in problem.space for one in p.only_if}
    named_ones = (p for p in problem.space if _is_named(p) and not p.only_if)
    closest = next((p for p in named_ones if p.name not in asked), None)
    if isinstance(closest, ChoiceParameter) and is_so(chance, 0.2):
        costs = {str(option): chance.uniform(0.1, 9.0) for option in closest.options}
        fidelity = Fidelity(input=closest.name, target=str(closest.options[0]), costs=costs)
        problem = replace(problem, fidelity=fidelity)
    if is_so(chance, 0.2):
        problem = replace(problem, bench=_bench(chance, problem))
    return problem


def _with_several(chance: random.Random, problem: Problem) -> Problem:
    """Two or three objectives, now and then with thresholds or weights."""
    names = ("yield", "measure_0", "measure_1")[: chance.randint(2, 3)]
    found = [_objective(chance, name, _PLAIN) for name in names]
    if is_so(chance, 0.3):
        found = [replace(one, threshold=chance.uniform(-1.0, 3.0)) for one in found]
    if is_so(chance, 0.3):
        found = [replace(one, weight=chance.uniform(0.1, 2.0)) for one in found]
    return replace(problem, objective=found[0], further=tuple(found[1:]))


def _is_named(parameter: Parameter) -> bool:
    return isinstance(parameter, ChoiceParameter) and not parameter.ordered


def _costs(chance: random.Random, problem: Problem) -> Costs:
    options = {
        p.name: {str(option): chance.random() for option in p.options}
        for p in problem.space
        if isinstance(p, ChoiceParameter) and not p.ordered
    }
    numbers = [p.name for p in problem.space if p.name not in options]
    return Costs(
        per_run=chance.uniform(0.0, 5.0),
        options=options,
        per_unit={name: chance.random() for name in numbers},
        change={p.name: chance.random() for p in problem.space if is_so(chance, 0.5)},
    )


def _bench(chance: random.Random, problem: Problem) -> BenchState:
    """Now and then there is too little for some points, or for all."""
    numbers = [p.name for p in problem.space if not _is_named(p)]
    options = [
        (p.name, str(p.options[0]))
        for p in problem.space
        if isinstance(p, ChoiceParameter) and not p.ordered
    ]
    terms = [Term(weight=chance.uniform(0.0, 5.0), numbers=(name,)) for name in numbers]
    terms += [Term(weight=9.0, options={name: option}) for name, option in options]
    stocks = (Stock(source="handler/dye", left_ul=chance.uniform(0, 30), draws_ul=tuple(terms)),)
    queue = Queue(instrument="oven", wait_s=chance.uniform(0.0, 1e5), steps=tuple(terms[:1]))
    return BenchState(duration_s=tuple(terms[-1:]), stocks=stocks, queues=(queue,))


def _described(chance: random.Random, parameter: Parameter) -> Parameter:
    assert isinstance(parameter, ChoiceParameter)
    rows = tuple((chance.random(), chance.gauss(0.0, 100.0)) for _ in parameter.options)
    return replace(
        parameter, descriptors=Descriptors(names=("size", "charge"), rows=rows, source="by chance")
    )


def _points(chance: random.Random, problem: Problem) -> list[Point]:
    """What was tried: a few, or nearly all, or all; now and then one of them twice."""
    found: list[Point]
    wanted = chance.randint(0, TRIALS)
    if is_enumerable(problem):
        every = list(grid_points(problem))
        chance.shuffle(every)
        if len(every) <= 2 * TRIALS and is_so(chance, 0.5):
            wanted = len(every) - chance.choice((0, 1, 2, 5))
        found = every[: max(wanted, 0)]
    else:
        draws = (drawn(problem, chance) for _ in range(_DRAWS))
        kept = [values for values in draws if feasible(problem, named(problem.space, values))]
        found = kept[:wanted]
    return [*found, chance.choice(found)] if found and is_so(chance, 0.2) else found


def _worth(chance: random.Random) -> _Worth:
    """How a measure follows from a point: smooth, flat, with ties, tiny, huge, or in outliers."""
    return chance.choice(
        (
            math.sin,
            math.sin,
            lambda size: 0.25 * size + chance.gauss(0.0, 0.1),
            lambda _: 7.0,
            lambda size: float(round(size)),
            lambda size: 1e-9 * size,
            lambda size: -1e9 * size,
            lambda size: 1e6 if is_so(chance, 0.1) else size,
        )
    )


def _trial(chance: random.Random, problem: Problem, values: Point, worth: _Worth) -> Trial:
    inputs: Inputs = named(problem.space, values)
    status = chance.choice(("measured", "measured", "measured", "measured", "failed", "pending"))
    if status == "measured":
        prior = chance.choice(("", "", "", "earlier.csv"))
        late = is_so(chance, 0.1)
        measures = _measures(problem, inputs, worth)
        return Trial(
            inputs=inputs, status="measured", measures=measures, prior=prior, broke_window=late
        )
    if status == "failed":
        gone = is_so(chance, 0.3)
        return Trial(inputs=inputs, status="abandoned" if gone else "failed", measures={})
    return Trial(inputs=inputs, status="pending", measures={})


def _measures(problem: Problem, inputs: Inputs, worth: _Worth) -> Measures:
    names = [one.measure for one in problem.objectives] + [one.measure for one in problem.outcomes]
    sizes = [len(v) + ord(v[0]) / 50.0 if isinstance(v, str) else float(v) for v in inputs.values()]
    return {
        name: worth(sum(sizes) * (1.0 + 0.3 * place)) for place, name in enumerate(sorted(names))
    }
