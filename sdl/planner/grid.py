"""The full factorial: every combination of levels, one after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sdl.errors import PlannerFault, SpaceExhausted
from sdl.model.campaign import ChoiceParameter, Parameter, RangeParameter
from sdl.model.data import InputValue, JsonValue, Suggestion, Trial
from sdl.model.planning import NEEDED, Ability, Problem
from sdl.model.space import (
    Point,
    feasible,
    grid_points,
    is_finite,
    is_hardly_endless,
    is_levelled,
    levels,
    named,
    size,
    taken,
)
from sdl.planner.design import designed
from sdl.planner.sobol import sobol_points

DEFAULT_LEVELS = 5
MAX_LEVELS = 1_000
MAX_POINTS = 1_000_000


class GridPlanner:
    """Goes through the grid in order; the last parameter of the space varies fastest.

    Option ``levels``: evenly spaced levels of each range, ends included (on a logarithmic scale
    where the range is logarithmic), as one number or as a table by parameter name; 5 by default.
    A whole-number range takes all its values unless it is given levels. Choices take all options.
    """

    def suggest(
        self, problem: Problem, trials: tuple[Trial, ...], count: int, seed: int
    ) -> tuple[Suggestion, ...]:
        """The first ``count`` grid points that keep the constraints and are not yet tried.

        SpaceExhausted once every one was tried. Where a few are left, but fewer than ``count``, a
        space with real ranges gets the missing ones from Sobol, and each says so. If that finds
        none either where ``is_hardly_endless``, the few of the grid are the answer.
        """
        every, size = _every(problem)
        points = _untried(problem, trials, every, count)
        if not points:
            raise SpaceExhausted(
                f"every feasible point of the grid ({size} in all) was tried; "
                "give more levels under [planner] levels, or end the campaign"
            )
        found = [designed(problem, values, "grid", seed, number) for number, values in points]
        if len(found) < count and not is_finite(problem):
            there = [values for _, values in points]
            extra = _beside(problem, trials, there, count - len(found), seed)
            reason = f"the grid had only {len(found)} points left"
            found += [
                designed(problem, values, "sobol", seed, number, reason)
                for number, values in enumerate(extra, start=len(trials) + 1)
            ]
        return tuple(found)

    def options(self) -> frozenset[str]:
        """``levels``."""
        return frozenset({"levels"})

    def abilities(self) -> frozenset[Ability]:
        """All that levels can do without a look at results."""
        return NEEDED - {"real_sums"}

    def versions(self) -> Mapping[str, str]:
        """Nothing but this package has a part in it."""
        return {}


def _every(problem: Problem) -> tuple[Iterable[Point], int]:
    """The grid, and how many points it has; those that break an inequality included."""
    grid = problem
    if problem.candidates is None:
        real = {p.name for p in problem.space if p.kind == "range" and not is_levelled(p)}
        sums = [one for one in problem.constraints if one.equals is not None]
        if not all(real.isdisjoint(one.weights) for one in sums):
            raise PlannerFault(
                "a grid of real numbers meets no sum exactly; give its inputs levels (choices, or "
                "step under [[mixture]]), or take another planner"
            )
        grid = replace(problem, space=_with_levels(problem))
    found = size(grid)
    assert found is not None
    if found > MAX_POINTS:
        raise PlannerFault(
            f"the grid has {found} points, more than {MAX_POINTS}; give fewer levels under "
            "[planner] levels, or take another planner"
        )
    return grid_points(grid), found


def _untried(
    problem: Problem, trials: tuple[Trial, ...], every: Iterable[Point], count: int
) -> list[tuple[int, Point]]:
    """The first of the grid that were not tried, each with its number there."""
    tried = taken(problem, trials, failed=True)
    fresh = (
        (number, values)
        for number, values in enumerate(every, start=1)
        if values not in tried and feasible(problem, named(problem.space, values))
    )
    return list(itertools.islice(fresh, count))


def _beside(
    problem: Problem, trials: tuple[Trial, ...], there: Sequence[Point], count: int, seed: int
) -> Sequence[Point]:
    """Points that are not of the grid; none where it holds all that there are."""
    try:
        return sobol_points(problem, trials, count, seed, beside=there)
    except PlannerFault:
        if is_hardly_endless(problem):
            return ()
        raise


def _with_levels(problem: Problem) -> tuple[Parameter, ...]:
    """The space with choices for its ranges. PlannerFault if the option makes no sense."""
    option = problem.options.get("levels")
    names = {parameter.name for parameter in problem.space if parameter.kind == "range"}
    if isinstance(option, dict) and not option.keys() <= names:
        raise PlannerFault(
            f"[planner] levels names {', '.join(sorted(option.keys() - names))}, which is no "
            f"range of this campaign; its ranges are {', '.join(sorted(names)) or 'none'}"
        )
    return tuple(_levelled(parameter, option) for parameter in problem.space)


def _levelled(parameter: Parameter, option: JsonValue) -> Parameter:
    if parameter.kind == "choice":
        return parameter
    given = option.get(parameter.name) if isinstance(option, dict) else option
    if given is None:
        if is_levelled(parameter):
            return parameter
        given = DEFAULT_LEVELS
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MAX_LEVELS:
        raise PlannerFault(
            f"[planner] levels for {parameter.name} is {given!r}; "
            f"give a whole number, 1 to {MAX_LEVELS}"
        )
    return ChoiceParameter(
        name=parameter.name,
        options=tuple(spaced(parameter, given)),
        only_if=parameter.only_if,
        otherwise=parameter.otherwise,
    )


def spaced(parameter: RangeParameter, count: int) -> Sequence[InputValue]:
    """``count`` evenly spaced values with both ends; the middle if 1; whole numbers rounded."""
    low, high = parameter.low, parameter.high
    if parameter.log:
        low, high = math.log(low), math.log(high)
    units = [0.5] if count == 1 else [i / (count - 1) for i in range(count)]
    values = [low + unit * (high - low) for unit in units]
    if parameter.log:
        values = [math.exp(value) for value in values]
    if parameter.integer:
        whole = levels(
            RangeParameter(name="", low=parameter.low, high=parameter.high, integer=True)
        )
        return tuple(
            dict.fromkeys(min(max(round(value), int(whole[0])), int(whole[-1])) for value in values)
        )
    return tuple(dict.fromkeys(min(max(v, parameter.low), parameter.high) for v in values))
