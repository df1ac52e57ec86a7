"""The search space as a set: its size, its points, and what is wrong with a planner's answer.

Pure and without numpy, because the engine checks every answer with it, whoever planned.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

from sdl.model.campaign import ChoiceParameter, LinearConstraint, Parameter, RangeParameter
from sdl.model.candidates import count_of, members, rows_of
from sdl.model.data import Inputs, InputValue, Suggestion, Trial
from sdl.model.equality import Equality, equality_of
from sdl.model.planning import Problem
from sdl.model.reason import unsound

Point: TypeAlias = tuple[InputValue, ...]
"""The searched inputs in the order of the space; whole numbers compare equal to their floats."""

ENUMERABLE = 20_000
"""Finite spaces of at most so many points are listed point by point."""

_SLACK = 1e-9
"""Relative room for rounding in the sum of a constraint."""


def is_finite(problem: Problem) -> bool:
    """Whether there are finitely many points: they are listed, or no range is of real numbers."""
    return problem.candidates is not None or all(map(is_levelled, problem.space))


def is_levelled(parameter: Parameter) -> bool:
    """Whether an input takes finitely many values: it is no range of real numbers."""
    if isinstance(parameter, ChoiceParameter):
        return True
    return parameter.integer or parameter.low == parameter.high


def size(problem: Problem) -> int | None:
    """How many points there are at most, inequalities left aside; None if they are not finite.

    Where inputs have conditions and more than ``ENUMERABLE`` are left, there may be fewer.
    """
    if problem.candidates is not None:
        return count_of(problem.candidates)
    if not is_finite(problem):
        return None
    sums = equalities(problem)
    bound = frozenset(index for one in sums for index in one.indices)
    free = [len(levels(p)) for index, p in enumerate(problem.space) if index not in bound]
    whole = math.prod([*free, *(one.count() for one in sums)])
    if not any(parameter.only_if for parameter in problem.space):
        return whole
    few = _counted(problem.space, tuple(sums))
    return whole if few is None else few


@lru_cache(maxsize=16)
def _counted(space: tuple[Parameter, ...], sums: tuple[Equality, ...]) -> int | None:
    """How many points differ in something that is searched; None of more than ``ENUMERABLE``."""
    if math.prod(one.count() for one in sums) > ENUMERABLE:
        return None
    found = sum(1 for _ in itertools.islice(_distinct(space, sums), ENUMERABLE + 1))
    return found if found <= ENUMERABLE else None


def is_enumerable(problem: Problem) -> bool:
    """Whether the points are listed, or finite and few enough to be (``ENUMERABLE``)."""
    if problem.candidates is not None:
        return True
    points = size(problem)
    return points is not None and points <= ENUMERABLE


def is_hardly_endless(problem: Problem) -> bool:
    """Whether each real range is searched at some values of other inputs only.

    Where constraints forbid those, few points are there, though nobody can list them.
    """
    return not is_finite(problem) and all(is_levelled(p) or p.only_if for p in problem.space)


def equalities(problem: Problem) -> list[Equality]:
    """The sums that have to be met, each over inputs of its own; of two that share one, the first.

    What is left aside is still a constraint that ``feasible`` looks at.
    """
    found: list[Equality] = []
    bound: set[int] = set()
    for constraint in problem.constraints:
        if constraint.equals is None or not constraint.weights:
            continue
        one = equality_of(constraint, problem.space)
        if not one.indices & bound:
            found.append(one)
            bound |= one.indices
    return found


def is_searched(parameter: Parameter, inputs: Inputs) -> bool:
    """Whether the conditions of an input hold; those that they name are in ``inputs``."""
    return all(inputs[one.input] in one.values for one in parameter.only_if)


def settled(space: Sequence[Parameter], values: Point) -> Point:
    """A point with every input that is not searched there at its value for that."""
    if not any(parameter.only_if for parameter in space):
        return values
    found: dict[str, InputValue] = {}
    for parameter, value in zip(space, values, strict=True):
        rests = None if is_searched(parameter, found) else parameter.otherwise
        found[parameter.name] = value if rests is None else rests
    return tuple(found.values())


def all_met(sums: Sequence[Equality], values: Point, units: Sequence[float]) -> Point | None:
    """A point moved to where it meets all of these sums; None if it cannot.

    ``units``: as in ``Equality.met``.
    """
    moved: Point | None = values
    for one in sums:
        moved = one.met(moved, units) if moved else None
    return moved


def levels(parameter: Parameter) -> Sequence[InputValue]:
    """All values of a choice (without repeats) or a whole-number range, in order."""
    if isinstance(parameter, ChoiceParameter):
        return tuple(dict.fromkeys(parameter.options))
    if parameter.integer:
        return range(math.ceil(parameter.low), math.floor(parameter.high) + 1)
    if parameter.low == parameter.high:
        return (parameter.low,)
    raise ValueError(f"{parameter.name} is a range of real numbers and has no levels")


def grid_points(problem: Problem) -> Iterator[Point]:
    """Every feasible point of a finite space, in the order of the list if there is one.

    Else the last parameter varies fastest. ValueError if the space is not finite.
    """
    for values in rows_of(problem.candidates) if problem.candidates else _settled(problem):
        if not problem.constraints or _keeps_sums(problem, named(problem.space, values)):
            yield values


def _settled(problem: Problem) -> Iterable[Point]:
    """The product, in which points that differ in nothing that is searched come once."""
    if not any(parameter.only_if for parameter in problem.space):
        return _product(problem)
    sums = equalities(problem)
    every = _distinct(problem.space, sums)
    return _in_order(problem.space, every) if sums else every


def _distinct(space: Sequence[Parameter], sums: Sequence[Equality]) -> Iterator[Point]:
    """The same where there are conditions, without a walk through all that is one point."""
    for parts in itertools.product(*(one.points() for one in sums)):
        met = {space[index].name: value for part in parts for index, value in part.items()}
        yield from _walk(space, met, {})


def _walk(
    space: Sequence[Parameter], met: Inputs, before: dict[str, InputValue]
) -> Iterator[Point]:
    """All points that begin so; ``met``: what the inputs of sums are."""
    if len(before) == len(space):
        yield tuple(before.values())
        return
    parameter = space[len(before)]
    rests = None if is_searched(parameter, before) else parameter.otherwise
    every: Iterable[InputValue] = levels(parameter) if rests is None else (rests,)
    for value in (met[parameter.name],) if parameter.name in met else every:
        yield from _walk(space, met, {**before, parameter.name: value})


def _in_order(space: Sequence[Parameter], points: Iterable[Point]) -> list[Point]:
    """The last parameter varies fastest. Where two points differ first, both are searched."""
    ranks = [{level: place for place, level in enumerate(levels(p))} for p in space]
    return sorted(points, key=lambda each: [r.get(v, -1) for r, v in zip(ranks, each, strict=True)])


def _product(problem: Problem) -> Iterator[Point]:
    """Every combination of levels that meets the equalities; the last parameter varies fastest."""
    sums = equalities(problem)
    bound = {index for one in sums for index in one.indices}
    free = [index for index in range(len(problem.space)) if index not in bound]
    if not bound:
        yield from itertools.product(*map(levels, problem.space))
        return
    axes: list[Iterable[dict[int, InputValue]]] = [one.points() for one in sums]
    axes += [[{index: level} for level in levels(problem.space[index])] for index in free]
    merged = (
        {i: v for part in parts for i, v in part.items()} for parts in itertools.product(*axes)
    )
    found = [tuple(whole[index] for index in range(len(problem.space))) for whole in merged]
    yield from _in_order(problem.space, found)


def point(space: Sequence[Parameter], inputs: Inputs) -> Point:
    """The searched inputs as a tuple that can be hashed. KeyError if one is missing."""
    return tuple(inputs[parameter.name] for parameter in space)


def named(space: Sequence[Parameter], values: Sequence[InputValue]) -> dict[str, InputValue]:
    """The inverse of ``point``."""
    return {parameter.name: value for parameter, value in zip(space, values, strict=True)}


def taken(problem: Problem, trials: Sequence[Trial], *, failed: bool = False) -> set[Point]:
    """The points that are measured or pending, and the failed ones if asked for; without hints."""
    free = ("abandoned",) if failed else ("abandoned", "failed")
    return {
        point(problem.space, trial.inputs)
        for trial in trials
        if trial.status not in free and not trial.is_hint
    }


def free_points(problem: Problem, trials: Sequence[Trial]) -> list[Point]:
    """Feasible points of an enumerable space that are neither measured, failed nor pending.

    Where only failed ones are left, those: a point that failed once may work the next time.
    """
    every = list(grid_points(problem))
    for failed in (True, False):
        used = taken(problem, trials, failed=failed)
        free = [values for values in every if values not in used]
        if free:
            return free
    return []


def exhausted(problem: Problem, trials: Sequence[Trial]) -> bool:
    """Whether every feasible point of an enumerable space is measured or pending."""
    if not is_enumerable(problem):
        return False
    used = taken(problem, trials)
    return all(values in used for values in grid_points(problem))


def feasible(problem: Problem, inputs: Inputs) -> bool:
    """Whether every linear constraint holds, and the point is listed where points are.

    Bounds and options are not looked at.
    """
    return _keeps_sums(problem, inputs) and _is_listed(problem, inputs)


def _keeps_sums(problem: Problem, inputs: Inputs) -> bool:
    return all(excess(constraint, inputs) <= 0.0 for constraint in problem.constraints)


def _is_listed(problem: Problem, inputs: Inputs) -> bool:
    listed = problem.candidates
    return listed is None or point(problem.space, inputs) in members(listed)


def excess(constraint: LinearConstraint, inputs: Inputs) -> float:
    """How far the sum is outside of its bounds, after room for rounding; 0 or less is kept.

    TypeError if an input with a weight is not a number, KeyError if it is missing.
    """
    terms = [weight * number(inputs[name]) for name, weight in constraint.weights.items()]
    total, low, high = math.fsum(terms), constraint.at_least, constraint.at_most
    over = max(
        -math.inf if high is None else total - high, -math.inf if low is None else low - total
    )
    ends = [abs(end) for end in (low, high) if end is not None]
    return over - _SLACK * max(*ends, *(abs(term) for term in terms), 0.0)


def formula(constraint: LinearConstraint) -> str:
    """A constraint as people write it: ``a + 2 b <= 3``."""
    terms = (name if w == 1 else f"{w:g} {name}" for name, w in constraint.weights.items())
    total, low, high = " + ".join(terms), constraint.at_least, constraint.at_most
    if constraint.equals is not None:
        return f"{total} = {constraint.equals:g}"
    below = "" if low is None else f"{low:g} <= "
    return f"{below}{total}" + ("" if high is None else f" <= {high:g}")


def number(value: InputValue) -> float:
    """A numeric input as a float. TypeError if it is a name."""
    if isinstance(value, str):
        raise TypeError(f"{value!r} is a name, not a number")
    return float(value)


def violations(
    problem: Problem, suggestions: Sequence[Suggestion], count: int, trials: Sequence[Trial] = ()
) -> list[str]:
    """What is wrong with a planner's answer, one sentence each; empty if it is sound.

    ``trials``: what the planner was shown. In an enumerable space no point may repeat a measured
    or pending one, nor another one of the answer, and fewer than ``count`` points are right where
    fewer are left, be it that failed ones come again or not, but never none. Where nobody can count
    those that are left (``is_hardly_endless``), fewer are right as well.
    """
    found = _wrong_count(problem, suggestions, count, trials)
    sound: list[Suggestion] = []
    for index, suggestion in enumerate(suggestions, start=1):
        faults = list(_faults(problem, suggestion.inputs)) or list(_nonsense(suggestion))
        found += [f"suggestion {index} of {len(suggestions)}: {fault}" for fault in faults]
        if not faults:
            sound.append(suggestion)
    if is_enumerable(problem):
        found += _repeats(problem, sound, trials)
    return found


def _wrong_count(
    problem: Problem, suggestions: Sequence[Suggestion], count: int, trials: Sequence[Trial]
) -> list[str]:
    given = len(suggestions)
    if given == count or (0 < given < count and is_hardly_endless(problem)):
        return []
    if 0 < given < count and is_enumerable(problem):
        used, failed = taken(problem, trials), taken(problem, trials, failed=True)
        left = [values for values in grid_points(problem) if values not in used]
        untried = sum(values not in failed for values in left)
        # Failed points may come again, but need not while others were never tried.
        if (untried or len(left)) <= given <= len(left):
            return []
    return [f"{given} suggestions came, {count} were asked for"]


def _faults(problem: Problem, inputs: Inputs) -> Iterator[str]:
    names = [parameter.name for parameter in problem.space]
    missing = [name for name in names if name not in inputs]
    unknown = [name for name in inputs if name not in names]
    if missing:
        yield f"has no value for {', '.join(missing)}"
    if unknown:
        yield f"has {', '.join(map(str, unknown))}, which the campaign does not search"
    wrong = [
        fault
        for parameter in problem.space
        if parameter.name in inputs
        for fault in _faults_there(parameter, inputs)
    ]
    yield from wrong
    if not (missing or wrong):
        for constraint in problem.constraints:
            over = excess(constraint, inputs)
            if over > 0.0:
                yield f"breaks {formula(constraint)} by {over:g}"
        if not _is_listed(problem, inputs):
            yield "is none of the candidates that the campaign lists"


def _faults_there(parameter: Parameter, inputs: Inputs) -> Iterator[str]:
    """Faults of a value, at a point where the input may not be searched."""
    value = inputs[parameter.name]
    named_there = all(one.input in inputs for one in parameter.only_if)
    if not named_there or is_searched(parameter, inputs):
        yield from _value_faults(parameter, value)
    elif value != parameter.otherwise:
        yield f"{parameter.name} = {value!r} is not searched there; it is {parameter.otherwise!r}"


def fits(space: Sequence[Parameter], inputs: Inputs) -> bool:
    """Whether each searched input has a value within its bounds or options."""
    return all(p.name in inputs for p in space) and not list(misfits(space, inputs))


def misfits(space: Sequence[Parameter], inputs: Inputs) -> Iterator[str]:
    """Which searched inputs have no value within their bounds or options; all have one."""
    for parameter in space:
        yield from _faults_there(parameter, inputs)


def _value_faults(parameter: Parameter, value: object) -> Iterator[str]:
    name = parameter.name
    if isinstance(parameter, ChoiceParameter):
        if isinstance(value, bool) or value not in parameter.options:
            yield f"{name} = {value!r} is none of {', '.join(map(repr, parameter.options))}"
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{name} = {value!r} is not a number"
    elif not math.isfinite(value):
        yield f"{name} = {value!r} is not finite"
    else:
        yield from _range_faults(parameter, value)


def _range_faults(parameter: RangeParameter, value: float) -> Iterator[str]:
    name = parameter.name
    if not parameter.low <= value <= parameter.high:
        yield f"{name} = {value!r} is outside {parameter.low:g} to {parameter.high:g}"
    elif parameter.integer and not isinstance(value, int):
        yield f"{name} = {value!r} is not a whole number"


def _nonsense(suggestion: Suggestion) -> Iterator[str]:
    """Faults of what is said about a point; a record full of NaN is no record."""
    for measure, prediction in suggestion.predicted.items():
        if not (math.isfinite(prediction.mean) and 0.0 <= prediction.sd < math.inf):
            yield f"predicts {measure} as {prediction.mean!r} with spread {prediction.sd!r}"
    if suggestion.acquisition is not None and not math.isfinite(suggestion.acquisition):
        yield f"has the acquisition value {suggestion.acquisition!r}"
    if suggestion.reason is not None:
        yield from unsound(suggestion.reason)


def _repeats(
    problem: Problem, sound: Sequence[Suggestion], trials: Sequence[Trial]
) -> Iterator[str]:
    seen = taken(problem, trials)
    for suggestion in sound:
        values = point(problem.space, suggestion.inputs)
        if values in seen:
            yield f"{dict(suggestion.inputs)} is measured or pending already, or comes twice"
        seen.add(values)
