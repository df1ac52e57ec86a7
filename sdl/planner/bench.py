"""The ensemble as the benchmark, or any other loop in Python, asks it: plain data in, points out.

::

    planner = factory(space, pool, seed=1)  # the content of a space.json, a pandas frame
    points = planner.suggest(observations, pending, n=4)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Protocol, TypeAlias

from sdl.errors import PlannerFault
from sdl.model.campaign import Objective
from sdl.model.data import Trial
from sdl.model.planning import Problem
from sdl.planner.axes import Values
from sdl.planner.candidates import Candidates, listed
from sdl.planner.components import with_descriptors
from sdl.planner.mixture import proposed
from sdl.planner.proposals import Campaign, Inputs, Observed, Proposal
from sdl.planner.space_json import (
    Entry,
    described,
    entries,
    is_logarithmic,
    is_named,
    objectives_of,
    problem_of,
    values_of,
)

Point: TypeAlias = dict[str, float | int | str]
Observation: TypeAlias = tuple[Mapping[str, float | int | str], Mapping[str, float | None]]
"""A point, and the value of each objective there; a run without a finite value failed."""

Goals: TypeAlias = tuple[Objective, ...]
Suggest: TypeAlias = Callable[
    [Goals, Sequence[Observed], Sequence[Inputs], int], Sequence[Proposal]
]
"""What to try next for these goals, after what was observed and while something is pending."""

SHOWN = 12
"""Names that a message lists at most."""


class Column(Protocol):
    """A column of a table, such as a pandas series."""

    def tolist(self) -> list[float | int | str]:
        """Its values, in the order of the rows."""
        ...


class Table(Protocol):
    """Points as a table, such as a pandas frame: a row for each, a column for each parameter."""

    def __getitem__(self, name: str) -> Column:
        """The column of that name."""
        ...


class BenchPlanner:
    """Suggests points of one campaign; ``reasons`` has why, for the last answer."""

    def __init__(
        self,
        objectives: Sequence[Objective],
        columns: Mapping[str, Values],
        named: Sequence[str],
        suggest: Suggest,
    ) -> None:
        """``objectives``: those of the space, of which the observations say which count.

        ``columns``: the values of each parameter that are known, none of a real number; ``named``:
        parameters whose values are names.
        """
        self._objectives, self._names, self._suggest = tuple(objectives), tuple(columns), suggest
        self._options = {name: _options(columns[name]) for name in named}
        self._numbers = {
            name: {_rounded(float(one)): one for one in column}
            | {float(one): one for one in column}
            for name, column in columns.items()
            if name not in named
        }
        self.reasons: tuple[Proposal, ...] = ()

    def suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, float | int | str]],
        n: int,
    ) -> list[Point]:
        """At most ``n`` different points, none of them measured or pending, best first.

        Fewer where fewer are left, none where none is. Looked for is what the observations tell of:
        an objective that none of them names has no part. An observation with a value that is None
        or not finite is a run that failed: the planner learns from it where runs succeed, and gives
        its point again only if all that are left have failed; points that cannot be listed never
        come again. PlannerFault if a point has a name that no candidate has, an observation tells
        of no objective, or fewer points than ``n`` that keep the constraints are found in a space
        that cannot be listed.
        """
        if n < 1:
            return []
        known = {one.measure for one in self._objectives}
        told = {name for _, found in observations for name in found}
        for _, found in observations:
            if found and known.isdisjoint(found):
                raise PlannerFault(
                    f"an observation tells of {', '.join(found)}, and nothing of it is looked for; "
                    f"the objectives are {', '.join(one.measure for one in self._objectives)}"
                )
        counted = tuple(one for one in self._objectives if one.measure in told)
        counted = counted or self._objectives[:1]
        observed = [
            Observed(self._point(one), _measured(found, counted)) for one, found in observations
        ]
        flying = [self._point(one) for one in pending]
        self.reasons = tuple(self._suggest(counted, observed, flying, n))
        return [self._said(proposal.inputs) for proposal in self.reasons]

    def _point(self, point: Mapping[str, float | int | str]) -> Point:
        """As the candidates have it.

        A table of numbers makes 1.0 of a name 1, and what was written to a file and read again may
        be off in the last digits.
        """
        lacking = [name for name in self._names if name not in point]
        if lacking:
            raise PlannerFault(
                f"a point has no {lacking[0]}: {dict(point)}; give it one value for each parameter"
            )
        found = dict(point)
        for name, column in self._numbers.items():
            number = _number(name, found[name])
            found[name] = column.get(number, column.get(_rounded(number), number))
        for name, options in self._options.items():
            if found[name] not in options:
                known = ", ".join(map(str, [*dict.fromkeys(options.values())][:SHOWN]))
                raise PlannerFault(
                    f"no candidate has {name} = {found[name]!r}; leave out such observations, or "
                    f"add a candidate that has it; there are {known}"
                )
            found[name] = options[found[name]]
        return found

    def _said(self, inputs: Inputs) -> Point:
        """As the space has it, in which a name may be a number."""
        names = {name: options[inputs[name]] for name, options in self._options.items()}
        return {**inputs, **names}


def _options(values: Values) -> dict[float | int | str, float | int | str]:
    """Options by what they may be called: as they are, or as a file of text has them."""
    return dict([*((str(one), one) for one in values), *((one, one) for one in values)])


def _rounded(number: float) -> str:
    """To nine digits; what is alike to as many is taken for the same."""
    return f"{number:.8e}"


def _number(name: str, value: float | str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):  # such as None, which a table without a value gives
        found = math.nan
    if not math.isfinite(found):
        raise PlannerFault(f"a point has {name} = {value!r}; give it a finite number")
    return found


def _measured(
    found: Mapping[str, float | None], counted: Sequence[Objective]
) -> dict[str, float] | None:
    """What a run gave; None if any of it is missing or not finite, for then it failed."""
    given = {one.measure: found.get(one.measure) for one in counted}
    values = {name: math.nan if one is None else float(one) for name, one in given.items()}
    return values if all(map(math.isfinite, values.values())) else None


def bench_planner(space: Mapping[str, object], pool: Table | None, seed: int) -> BenchPlanner:
    """A planner for one campaign.

    ``space``: the content of a ``space.json``; ``pool``: the points that may be measured, a column
    for each parameter, or None. Without a pool the space is searched as a campaign of the runtime
    searches it, and its constraints are kept; with one its points are all that there is, and
    constraints, ranges, levels and options of the space are not looked at. Levels of a discrete
    parameter go half by value and half by rank, with a logarithm only in a pool. PlannerFault if
    the seed is below 0, a goal is unknown, or something of the space is missing or means nothing;
    with a pool if it is empty, or lacks a value or a descriptor.
    """
    if seed < 0:
        raise PlannerFault(f"the seed is {seed}; give a whole number of 0 or more")
    parameters, objectives = entries(space, "parameters"), objectives_of(space)
    named = [str(one["name"]) for one in parameters if is_named(one)]
    if pool is None:
        found = _in_space(problem_of(space), named, seed)
        columns: Mapping[str, Values] = {str(one["name"]): values_of(one) for one in parameters}
        return BenchPlanner(objectives, columns, named, found)
    candidates = _in_pool(parameters, pool, named)
    return BenchPlanner(objectives, candidates.columns, named, _of_list(candidates, seed))


factory = bench_planner
"""The name by which the benchmark asks for a planner."""


def _in_space(problem: Problem, named: Sequence[str], seed: int) -> Suggest:
    """As the runtime is answered."""

    def inputs_of(point: Inputs) -> Inputs:
        return {**point, **{name: str(point[name]) for name in named}}

    def suggest(
        goals: Goals, observed: Sequence[Observed], pending: Sequence[Inputs], count: int
    ) -> Sequence[Proposal]:
        first, *further = goals
        trials = [_trial(inputs_of(one.inputs), one) for one in observed]
        trials += [Trial(inputs=inputs_of(one), status="pending", measures={}) for one in pending]
        asked = replace(problem, objective=first, further=tuple(further))
        return proposed(asked, trials, count, seed)

    return suggest


def _trial(inputs: Inputs, one: Observed) -> Trial:
    if one.measures is None:
        return Trial(inputs=inputs, status="failed", measures={})
    return Trial(inputs=inputs, status="measured", measures=one.measures)


def _of_list(candidates: Candidates, seed: int) -> Suggest:
    """Of the pool alone."""

    @cache
    def campaign(goals: Goals) -> Campaign:
        first, *further = goals
        problem = Problem(space=(), objective=first, further=tuple(further))
        return Campaign(problem, candidates, seed)

    return lambda goals, *asked: campaign(goals).proposals(*asked)


def _in_pool(parameters: Sequence[Entry], pool: Table, named: Sequence[str]) -> Candidates:
    columns = {name: _column(pool, name) for name in (str(one["name"]) for one in parameters)}
    log = [str(one["name"]) for one in parameters if is_logarithmic(one)]
    for name in log:
        if name not in named and min(map(float, columns[name]), default=1.0) <= 0.0:
            raise PlannerFault(
                f"{name} goes by the logarithm and the pool has {min(map(float, columns[name])):g} "
                "of it; leave such rows out, or give it a linear scale"
            )
    found = listed(columns, named, log)
    tables = {str(one["name"]): one for one in parameters if "descriptors" in one}
    said = {
        axis.name: {one: described(tables[axis.name], one) for one in axis.options}
        for axis in found.axes.names
        if axis.name in tables
    }
    return replace(found, axes=with_descriptors(found.axes, said))


def _column(pool: Table, name: str) -> list[float | int | str]:
    try:
        values = pool[name].tolist()
    except KeyError:
        raise PlannerFault(
            f"the pool has no column {name!r}; give it one for each parameter of the space"
        ) from None
    for row, value in enumerate(values):
        if _is_missing(value):
            raise PlannerFault(f"row {row} of the pool has no {name}; fill it, or leave it out")
    return values


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))
