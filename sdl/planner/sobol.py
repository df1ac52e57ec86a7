"""Scrambled Sobol points: an even, model-free cover of the space."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version

from sdl.errors import PlannerFault
from sdl.model.campaign import Parameter, RangeParameter
from sdl.model.data import InputValue, Suggestion, Trial
from sdl.model.equality import Equality
from sdl.model.planning import NEEDED, Ability, Problem
from sdl.model.space import (
    Point,
    all_met,
    equalities,
    feasible,
    free_points,
    is_enumerable,
    is_finite,
    is_hardly_endless,
    is_levelled,
    levels,
    named,
    number,
    settled,
    taken,
)
from sdl.planner.design import designed

MAX_DRAWS = 2**16
"""So many points are drawn at most for one answer; each point that breaks a constraint counts."""

BLOCK = 64
"""Drawn at a time; a power of two keeps the sequence balanced."""

PROBE = 4096
"""Draws after which it is looked at how many keep the constraints: ..."""
SCARCE = 0.01
"""... where it is less than this share, points are moved to where they do."""


class SobolPlanner:
    """Takes up the sequence where the trials left off; keep the seed and no point comes twice."""

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """The next ``count`` points of the sequence that belongs to ``seed``.

        PlannerFault if the space is used up, or if constraints leave too little of it.
        """
        points = sobol_points(problem, trials, count, seed)
        return tuple(
            designed(problem, values, "sobol", seed, number)
            for number, values in enumerate(points, start=len(trials) + 1)
        )

    def options(self) -> frozenset[str]:
        """It reads none."""
        return frozenset()

    def abilities(self) -> frozenset[Ability]:
        """All that a cover of the space can do without a look at results."""
        return NEEDED

    def versions(self) -> Mapping[str, str]:
        """Of scipy, which makes the sequence."""
        return {"scipy": version("scipy")}


def sobol_points(
    problem: Problem,
    trials: Sequence[Trial],
    count: int,
    seed: int,
    *,
    beside: Collection[Point] = (),
) -> list[Point]:
    """The next ``count`` feasible points, none of them tried before nor among those ``beside``.

    Fewer, but one at least, where nobody can say how many are left (``is_hardly_endless``).
    PlannerFault as in ``SobolPlanner.suggest``.
    """
    if is_finite(problem):
        return _fresh(problem, trials, count, seed, beside)
    may_end = is_hardly_endless(problem)
    passed = 0 if may_end else len(trials)
    used = taken(problem, trials, failed=True).union(beside)
    found: list[Point] = []
    for place, values in enumerate(feasible_sequence(problem, seed)):
        # Trials that are not of this sequence may lie on it where few inputs are real.
        if place >= passed and values not in used:
            found.append(values)
            if len(found) == count:
                return found
    if found and may_end:
        return found
    raise PlannerFault(
        f"of {MAX_DRAWS} Sobol points, after the first {passed}, only {len(found)} keep the "
        f"constraints and are new, {count} are wanted; "
        "loosen the constraints or narrow the ranges around them"
    )


def _fresh(
    problem: Problem, trials: Sequence[Trial], count: int, seed: int, beside: Collection[Point]
) -> list[Point]:
    """Untried points of a finite space: by the sequence, then what it leaves over, shuffled."""
    enumerable = is_enumerable(problem)
    free = free_points(problem, trials) if enumerable else []
    free = [values for values in free if values not in beside]
    if enumerable and not free:
        raise PlannerFault(
            "every feasible point of the space is measured or pending; "
            "there is nothing left to suggest, so widen the space or end the campaign"
        )
    allowed = set(free)
    used = taken(problem, trials, failed=True).union(beside)
    found: dict[Point, None] = {}
    # A list of points is no box that a sequence would fill evenly; it is shuffled as it is.
    for values in feasible_sequence(problem, seed) if problem.candidates is None else ():
        if values in allowed if enumerable else values not in used:
            found[values] = None
        if len(found) == min(count, len(free) if enumerable else count):
            return list(found)
    rest = [values for values in free if values not in found]
    random.Random(seed).shuffle(rest)
    found.update(dict.fromkeys(rest[: count - len(found)]))
    if not found or (not enumerable and len(found) < count):
        raise PlannerFault(
            f"of {MAX_DRAWS} Sobol points only {len(found)} are new and keep the constraints, "
            f"{count} are wanted; loosen the constraints"
        )
    return list(found)


def feasible_sequence(problem: Problem, seed: int) -> Iterator[Point]:
    """The points among the first ``MAX_DRAWS`` of the sequence that keep the constraints."""
    # scipy.stats takes a second to load, which `sdl check` would pay for nothing.
    from scipy.stats import qmc  # type: ignore[import-untyped]

    sequence = qmc.Sobol(d=len(problem.space), scramble=True, rng=seed % 2**63)
    blocks = (sequence.random(BLOCK).tolist() for _ in range(MAX_DRAWS // BLOCK))
    again: set[Point] | None = set() if any(p.only_if for p in problem.space) else None
    for values in points_at(problem, blocks, seed):
        if again is None or values not in again:
            yield values
        if again is not None:  # what differs in nothing that is searched comes once
            again.add(values)


def points_at(
    problem: Problem, blocks: Iterable[Sequence[Sequence[float]]], seed: int
) -> Iterator[Point]:
    """Points at these units that keep the constraints; with few, points moved to where they do.

    ``blocks``: of ``BLOCK`` rows each, a unit (0 to 1) for each input.
    """
    sums = equalities(problem)
    found, is_scarce = 0, False
    for drawn, rows in zip(itertools.count(step=BLOCK), blocks, strict=False):
        if drawn == PROBE:
            is_scarce = found < SCARCE * PROBE and _may_move(problem)
        elif is_scarce and drawn >= 2 * PROBE and not found:
            return  # most probably there is nothing to be found
        some = (
            _inside(problem, rows, seed + drawn)
            if is_scarce
            else (one for row in rows if (one := from_units(problem, sums, row)) is not None)
        )
        for values in some:
            found += 1
            yield values


def _may_move(problem: Problem) -> bool:
    """Whether some constraint names a real input."""
    summed = {name for one in problem.constraints for name in one.weights}
    return any(p.name in summed and not is_levelled(p) for p in problem.space)


def _inside(problem: Problem, rows: Sequence[Sequence[float]], seed: int) -> Iterator[Point]:
    """Points at these units, moved to where all constraints hold."""
    from sdl.planner.narrow import inside

    space = problem.space
    points = [tuple(from_unit(p, u) for p, u in zip(space, row, strict=True)) for row in rows]
    return inside(problem, points, seed)


def from_units(problem: Problem, sums: Sequence[Equality], units: Sequence[float]) -> Point | None:
    """The point at these units (0 to 1 each), moved to where it meets the sums; None if it cannot.

    Nor if it breaks another constraint.
    """
    values = tuple(from_unit(p, unit) for p, unit in zip(problem.space, units, strict=True))
    met = all_met(sums, values, units)
    if met is None:
        return None
    found = settled(problem.space, met)
    return found if feasible(problem, named(problem.space, found)) else None


def from_unit(parameter: Parameter, unit: float) -> InputValue:
    """The value at ``unit`` (0 to 1) of the way through a parameter; options get equal shares."""
    if parameter.kind == "choice":
        return _share(levels(parameter), unit)
    if parameter.integer and not parameter.log:
        return _share(levels(parameter), unit)
    low, high = parameter.low, parameter.high
    if parameter.log:
        value = math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    else:
        value = low + unit * (high - low)
    if parameter.integer:
        return min(max(round(value), math.ceil(low)), math.floor(high))
    return min(max(value, low), high)


def to_unit(parameter: RangeParameter, value: InputValue) -> float:
    """The inverse of ``from_unit`` for a range; 0 where it has no width."""
    low, high, here = parameter.low, parameter.high, number(value)
    if low == high:
        return 0.0
    if parameter.log:
        return math.log(here / low) / math.log(high / low)
    return (here - low) / (high - low)


def _share(options: Sequence[InputValue], unit: float) -> InputValue:
    return options[min(int(unit * len(options)), len(options) - 1)]
