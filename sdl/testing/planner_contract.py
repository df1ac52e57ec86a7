"""What every planner must keep, as one function that a third party can call in its own tests.

::

    def test_my_planner_keeps_the_contract() -> None:
        planner_contract(MyPlanner())
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeAlias, get_args

from sdl.errors import PlannerFault
from sdl.model.campaign import (
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Objective,
    OutcomeConstraint,
    Parameter,
    PlannerChoice,
    RangeParameter,
)
from sdl.model.candidates import packed
from sdl.model.costs import Costs, Fidelity
from sdl.model.data import Inputs, Suggestion, Trial
from sdl.model.descriptors import Descriptors
from sdl.model.planning import NEEDED, Ability, Problem, asked_of
from sdl.model.rival import Rival
from sdl.model.space import (
    Point,
    all_met,
    equalities,
    feasible,
    grid_points,
    is_enumerable,
    levels,
    named,
    point,
    settled,
    violations,
)
from sdl.planner.contract import Planner

MEASURE = "yield"
"""A word of Python's own, as measures in a laboratory like to be."""
RIVALS = (
    Rival(name="one", predicts="heat_c / 40", sd=0.1),
    Rival(name="other", predicts="exp(-heat_c / 20)", sd=0.2),
)

Status: TypeAlias = Literal["measured", "failed", "abandoned", "pending"]

OURS = frozenset(field.name for field in fields(PlannerChoice))
"""Keys under ``[planner]`` that are not the planner's, and the name of all those that are."""


@dataclass(frozen=True, slots=True)
class Case:
    """One situation that a planner is put in."""

    name: str
    problem: Problem
    trials: tuple[Trial, ...]


def planner_contract(planner: Planner, *, seeds: Iterable[int] = (0, 1)) -> None:
    """AssertionError, with case, count and seed, if the planner breaks the contract.

    Each case is asked for 1 point, and twice for 3: with no trials, with measured, failed, late,
    abandoned and pending ones and some of before the campaign, in real, whole, logarithmic, named,
    constrained and nearly used up spaces; in mixtures, lists of points, with several objectives,
    fidelities and conditions as far as it says that it can. Any number of further questions gives
    ``sdl.testing.random_questions``, which ``sdl.testing.planner_proof`` asks and judges.
    """
    versions = planner.versions()
    assert all(versions.values()), f"versions() has an empty version: {dict(versions)}"
    clash = sorted(planner.options() & OURS)
    assert not clash, f"options() names {', '.join(clash)}, which the runtime reads itself"
    unknown = sorted(set(planner.abilities()) - set(get_args(Ability)))
    assert not unknown, f"abilities() has {', '.join(unknown)}, which no campaign asks for"
    for seed in seeds:
        for case in cases(seed):
            if asked_of(case.problem) & NEEDED - planner.abilities():
                continue
            for count in (1, 3):
                _check(planner, case, count, seed)
        _check_the_end(planner, seed)


def cases(seed: int) -> Iterator[Case]:
    """The situations, with trials drawn by ``seed``."""
    for name, problem in (problems() | special_problems()).items():
        measured = tuple(_trial(problem, "measured", seed, index) for index in range(6))
        measured = (*measured[:-1], replace(measured[-1], broke_window=True))
        known = tuple(replace(one, prior="earlier.csv") for one in measured[:2])
        failed = replace(_trial(problem, "failed", seed, 6), broke_window=True)
        others = (
            failed,
            _trial(problem, "pending", seed, 7),
            _trial(problem, "abandoned", seed, 8),
        )
        only_pending = tuple(_trial(problem, "pending", seed, index) for index in range(4))
        hints = tuple(hint for trial in measured for hint in _hints(problem, trial))
        each = (*hints, *known, *measured[2:], *others)
        yield Case(f"{name}, no trials", problem, hints)
        yield Case(f"{name}, measured trials", problem, (*hints, *measured))
        yield Case(f"{name}, trials of each kind", problem, each)
        yield Case(f"{name}, nothing but pending trials", problem, (*hints, *only_pending))


def _hints(problem: Problem, trial: Trial) -> Iterator[Trial]:
    """The same point as it was measured elsewhere, if the problem speaks of that."""
    for source in problem.hints:
        yield replace(trial, prior=source, is_hint=True)


def problems() -> dict[str, Problem]:
    """Spaces of each kind, each with another goal."""
    acid = RangeParameter(name="lambda", low=0.05, high=0.95)
    base = RangeParameter(name="base_ul", low=0.1, high=0.9)
    drops = RangeParameter(name="drops", low=1, high=9, integer=True)
    dose = RangeParameter(name="dose_mg", low=0.01, high=100.0, log=True)
    solvent = ChoiceParameter(name="class", options=("water", "2-propanol", "n/a: none"))
    heat = ChoiceParameter(name="heat_c", options=(20, 37.5, 60))
    sum_below_one = LinearConstraint(weights={"lambda": 1.0, "base_ul": 1.0}, at_most=1.0)
    return {
        "real space": _problem((acid,), Objective(measure=MEASURE, goal="target", target=0.8)),
        "mixed space": _problem(
            (drops, dose, solvent, heat), Objective(measure=MEASURE, goal="minimise")
        ),
        "constrained space": _problem(
            (acid, base), Objective(measure=MEASURE, goal="maximise"), sum_below_one
        ),
        "finite space": _problem((drops, solvent), Objective(measure=MEASURE, goal="maximise")),
        "finite constrained space": _problem(
            (drops, heat),
            Objective(measure=MEASURE, goal="target", target=1.0),
            LinearConstraint(weights={"drops": 10.0, "heat_c": 1.0}, at_most=90.0),
        ),
    }


def special_problems() -> dict[str, Problem]:
    """What not every planner can do."""
    aim = Objective(measure=MEASURE, goal="maximise")
    acid = RangeParameter(name="lambda", low=0.05, high=0.9)
    others = (RangeParameter(name=name, low=0.0, high=0.9) for name in ("base", "salt"))
    share = tuple(place / 8 for place in range(9))
    lattice = tuple(
        ChoiceParameter(name=name, options=share) for name in ("lambda", "base", "salt")
    )
    solvent = ChoiceParameter(name="class", options=("water", "2-propanol", "n/a: none"))
    told = Descriptors(names=("polarity",), rows=((1.0,), (0.5,), (0.0,)), source="by hand")
    heat = RangeParameter(name="heat_c", low=20, high=40, integer=True)
    prices = {"water": 0.1, "2-propanol": 3.0, "n/a: none": 0.0}
    rows = [(0.05 + n / 20, "water" if n % 3 else "2-propanol") for n in range(16)]
    whole = {"lambda": 1.0, "base": 1.0, "salt": 1.0}
    mixture = LinearConstraint(weights=whole, at_least=1.0, at_most=1.0, is_mixture=True)
    both = _problem((acid, solvent), aim)
    two = replace(
        both,
        further=(Objective(measure="cost", goal="minimise", threshold=2.0),),
        outcomes=(OutcomeConstraint(measure="cost", at_most=3.0),),
    )
    return {
        "mixture": _problem((acid, *others), aim, mixture),
        "mixture on a lattice": _problem((*lattice, solvent), aim, mixture),
        "listed points": replace(both, candidates=packed("list.csv", "", rows, 2)),
        "costs and descriptors": replace(
            _problem((replace(solvent, descriptors=told), heat), aim),
            costs=Costs(per_run=1.0, options={"class": prices}, change={"heat_c": 2.0}),
        ),
        "fidelity": replace(
            _problem((solvent, heat), aim),
            fidelity=Fidelity(input="class", target="water", costs={"water": 9.0}),
        ),
        "conditions": _problem((solvent, _sometimes(acid)), aim),
        "range": replace(
            both, objective=Objective(measure=MEASURE, goal="range", low=0.1, high=0.2)
        ),
        "hits": replace(both, objective=Objective(measure=MEASURE, goal="hits", at_least=0.2)),
        "level": replace(both, objective=Objective(measure=MEASURE, goal="level", level=0.2)),
        "novelty": replace(both, objective=Objective(measure=MEASURE, goal="novelty")),
        "rivals": replace(
            _problem((heat, solvent), Objective(measure=MEASURE, goal="discriminate")),
            rivals=RIVALS,
        ),
        "hints of another campaign": replace(both, hints=("earlier",)),
        "two objectives": two,
        "two objectives, hints of them": replace(two, hints=("earlier", "and another")),
    }


def _sometimes(acid: RangeParameter) -> RangeParameter:
    """The same input, searched in water only."""
    return replace(acid, only_if=(Condition(input="class", values=("water",)),), otherwise=0.0)


def _problem(
    space: tuple[Parameter, ...], objective: Objective, *constraints: LinearConstraint
) -> Problem:
    return Problem(space=space, objective=objective, constraints=constraints)


def _trial(problem: Problem, status: Status, seed: int, index: int) -> Trial:
    """The ``index``-th of a row of different points, measured as a smooth function of them."""
    chance = random.Random(f"{seed}/{index}")
    if is_enumerable(problem):
        every = list(grid_points(problem))
        random.Random(seed).shuffle(every)
        inputs: Inputs = named(problem.space, every[index])
    else:
        inputs = _drawn(problem, chance)
        while not feasible(problem, inputs):
            inputs = _drawn(problem, chance)
    measures = {measure: _value(inputs) for measure in sorted(problem.measures)}
    if status == "measured":
        return Trial(inputs=inputs, status="measured", measures=measures)
    return Trial(inputs=inputs, status=status, measures={})


def _drawn(problem: Problem, chance: random.Random) -> Inputs:
    values = tuple(
        chance.uniform(p.low, p.high)
        if p.kind == "range" and not p.integer
        else chance.choice(levels(p))
        for p in problem.space
    )
    units = [chance.random() for _ in problem.space] if problem.constraints else []
    met = all_met(equalities(problem), values, units) or values
    return named(problem.space, settled(problem.space, met))


def _value(inputs: Inputs) -> float:
    return sum(len(v) if isinstance(v, str) else float(v) ** 0.5 for v in inputs.values()) / 10.0


def _check(planner: Planner, case: Case, count: int, seed: int) -> None:
    where = f"{case.name}, count {count}, seed {seed}"
    found = _asked(planner, case, count, seed, where)
    wrong = violations(case.problem, found, count, case.trials)
    assert not wrong, f"{where}: {'; '.join(wrong)}"
    assert all(s.origin for s in found), f"{where}: a suggestion does not name its origin"
    flying = {_key(case, t.inputs) for t in case.trials if t.status == "pending"}
    for one in found:
        assert _key(case, one.inputs) not in flying, f"{where}: {one.inputs} is pending, or twice"
        flying.add(_key(case, one.inputs))
    if count == 1:
        return
    again = _asked(planner, case, count, seed, where)
    assert again == found, f"{where}: asked again, the planner answers {again}, not {found}"


def _asked(
    planner: Planner, case: Case, count: int, seed: int, where: str
) -> tuple[Suggestion, ...]:
    try:
        return planner.suggest(case.problem, case.trials, count, seed)
    except Exception as fault:
        raise AssertionError(f"{where}: raised {type(fault).__name__}: {fault}") from fault


def _key(case: Case, inputs: Inputs) -> Point:
    return point(case.problem.space, inputs)


def _check_the_end(planner: Planner, seed: int) -> None:
    """Two points are left of a finite space, one of them after a failure, then none."""
    problem = problems()["finite constrained space"]
    size = sum(1 for _ in grid_points(problem))
    trials = tuple(_trial(problem, "measured", seed, index) for index in range(size))
    case = Case("a finite space with two points left", problem, trials[:-2])
    _check(planner, case, 3, seed)
    failed = replace(trials[-1], status="failed", measures={})
    _check(
        planner,
        Case("a failed and an untried point left", problem, (*trials[:-2], failed)),
        3,
        seed,
    )
    try:
        found = planner.suggest(problem, trials, 1, seed)
    except PlannerFault:
        return
    raise AssertionError(f"a used up space, seed {seed}: PlannerFault is due, not {found}")
