"""The ensemble as the benchmark, or any other loop in Python, asks it: plain data in, points out.

::

    planner = factory(space, pool, seed=1)  # the content of a space.json, a pandas frame
    points = planner.suggest(observations, pending, n=4)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol, TypeAlias

from sdl.errors import PlannerFault
from sdl.model.campaign import Objective
from sdl.model.planning import Problem
from sdl.planner.candidates import Candidates, listed, logarithmic, made, rule_of
from sdl.planner.proposals import Campaign, Observed, Proposal

Point: TypeAlias = dict[str, float | int | str]
Observation: TypeAlias = tuple[Mapping[str, float | int | str], Mapping[str, float | None]]
"""A point, and the value of each objective there; a run without a finite value failed."""


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
        objectives: tuple[Objective, ...],
        candidates: Candidates,
        named: Sequence[str],
        seed: int,
    ) -> None:
        """``named``: parameters whose values are names."""
        self._objectives = objectives
        self._options = {name: {one: one for one in candidates.columns[name]} for name in named}
        self._campaign = cache(lambda aims: Campaign(_problem(aims), candidates, seed))
        self.reasons: tuple[Proposal, ...] = ()

    def suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, float | int | str]],
        n: int,
    ) -> list[Point]:
        """At most ``n`` candidates, each another one, none measured or pending, best first.

        Fewer where fewer are left, none where none is. An objective of which no observation says
        anything is left out. PlannerFault if a point has a name that no candidate has.
        """
        aims = self._told(observations)
        observed = [
            Observed(self._point(one), _measured(aims, found)) for one, found in observations
        ]
        flying = [self._point(one) for one in pending]
        self.reasons = tuple(self._campaign(aims).proposals(observed, flying, n))
        return [dict(proposal.inputs) for proposal in self.reasons]

    def _told(self, observations: Sequence[Observation]) -> tuple[Objective, ...]:
        """Objectives that are spoken of; all of them while none is."""
        told = {name for _, found in observations for name in found}
        return tuple(one for one in self._objectives if one.measure in told) or self._objectives

    def _point(self, point: Mapping[str, float | int | str]) -> Point:
        """With names as the candidates have them: a table of numbers makes 1.0 of a name 1."""
        found = dict(point)
        for name, options in self._options.items():
            if found[name] not in options:
                known = ", ".join(map(str, options))
                raise PlannerFault(
                    f"no candidate has {name} = {found[name]!r}; leave out such observations, or "
                    f"add a candidate that has it; known are {known}"
                )
            found[name] = options[found[name]]
        return found


def _problem(objectives: tuple[Objective, ...]) -> Problem:
    """Without a space, for there are the candidates."""
    return Problem(space=(), objective=objectives[0], further=objectives[1:])


def _measured(
    objectives: Sequence[Objective], found: Mapping[str, float | None]
) -> dict[str, float] | None:
    given = {one.measure: found.get(one.measure) for one in objectives}
    values = {name: math.nan if one is None else float(one) for name, one in given.items()}
    return values if all(map(math.isfinite, values.values())) else None


def bench_planner(space: Mapping[str, object], pool: Table | None, seed: int) -> BenchPlanner:
    """A planner for one campaign, for all objectives of the space.

    ``space``: the content of a ``space.json``; ``pool``: the points that may be measured, a column
    for each parameter, or None, and then the planner makes its own candidates. PlannerFault if
    there is none, a value is missing, a goal is unknown, or a constraint is not linear.
    """
    parameters = _tables(space, "parameters")
    objectives = tuple(map(_objective, _tables(space, "objectives")))
    named = [str(p["name"]) for p in parameters if p["type"] == "categorical"]
    if pool is None:
        rules = [rule_of(str(text)) for text in _entries(space, "constraints")]
        candidates = made(parameters, rules, seed)
    else:
        columns = {name: _column(pool, name) for name in (str(p["name"]) for p in parameters)}
        candidates = listed(columns, named, logarithmic(parameters))
    return BenchPlanner(objectives, candidates, named, seed)


factory = bench_planner
"""The name by which the benchmark asks for a planner."""


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


def _objective(table: Mapping[str, object]) -> Objective:
    name, said = str(table["name"]), str(table.get("goal"))
    match said.casefold()[:3]:
        case "max":
            return Objective(measure=name, goal="maximise")
        case "min":
            return Objective(measure=name, goal="minimise")
    raise PlannerFault(f"the goal of {name} is {said}; write maximize or minimize")


def _entries(space: Mapping[str, object], key: str) -> Sequence[object]:
    found = space.get(key, ())
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise PlannerFault(f"{key} of the space is {found!r}; it has to be a list")
    return found


def _tables(space: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    found = [entry for entry in _entries(space, key) if isinstance(entry, Mapping)]
    if not found:
        raise PlannerFault(f"the space has no {key}; give it one at least")
    return found
