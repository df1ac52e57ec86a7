"""The ensemble as the benchmark, or any other loop in Python, asks it: plain data in, points out.

::

    planner = factory(space, pool, seed=1)  # the content of a space.json, a pandas frame
    points = planner.suggest(observations, pending, n=4)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from sdl.errors import PlannerFault
from sdl.model.campaign import Objective
from sdl.model.planning import Problem
from sdl.planner.candidates import Candidates, listed, logarithmic, made, rule_of
from sdl.planner.proposals import Campaign, Observed, Proposal

Point: TypeAlias = dict[str, float | int | str]
Observation: TypeAlias = tuple[Mapping[str, float | int | str], Mapping[str, float]]
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

    def __init__(self, objectives: Sequence[Objective], candidates: Candidates, seed: int) -> None:
        """``objectives``: those of the space, of which the observations say which count."""
        self._objectives, self._candidates, self._seed = tuple(objectives), candidates, seed
        self._campaigns: dict[tuple[Objective, ...], Campaign] = {}
        self.reasons: tuple[Proposal, ...] = ()

    def suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, float | int | str]],
        n: int,
    ) -> list[Point]:
        """At most ``n`` candidates, none of them measured or pending, best first.

        Fewer where fewer are left, none where none is. Looked for is what the observations tell of:
        an objective that none of them names has no part.
        """
        told = {name for _, found in observations for name in found}
        counted = tuple(one for one in self._objectives if one.measure in told)
        counted = counted or self._objectives[:1]
        observed = [Observed(point, _measured(found, counted)) for point, found in observations]
        self.reasons = tuple(self._campaign(counted).proposals(observed, pending, n))
        return [dict(proposal.inputs) for proposal in self.reasons]

    def _campaign(self, counted: tuple[Objective, ...]) -> Campaign:
        if counted not in self._campaigns:
            first, *further = counted
            problem = Problem(space=(), objective=first, further=tuple(further))
            self._campaigns[counted] = Campaign(problem, self._candidates, self._seed)
        return self._campaigns[counted]


def _measured(found: Mapping[str, float], counted: Sequence[Objective]) -> dict[str, float] | None:
    """What a run gave; None if any of it is missing or not finite, for then it failed."""
    values = {one.measure: float(found.get(one.measure, math.nan)) for one in counted}
    return values if all(map(math.isfinite, values.values())) else None


def bench_planner(space: Mapping[str, object], pool: Table | None, seed: int) -> BenchPlanner:
    """A planner for one campaign.

    ``space``: the content of a ``space.json``; ``pool``: the points that may be measured, a column
    for each parameter, or None, and then the planner makes its own candidates. PlannerFault if
    there is none, or a constraint is not linear.
    """
    parameters = _tables(space, "parameters")
    if pool is None:
        rules = [rule_of(str(text)) for text in _entries(space, "constraints")]
        candidates = made(parameters, rules, seed)
    else:
        named = [str(p["name"]) for p in parameters if p["type"] == "categorical"]
        columns = {str(p["name"]): pool[str(p["name"])].tolist() for p in parameters}
        candidates = listed(columns, named, logarithmic(parameters))
    return BenchPlanner([_objective(one) for one in _tables(space, "objectives")], candidates, seed)


factory = bench_planner
"""The name by which the benchmark asks for a planner."""


def _objective(table: Mapping[str, object]) -> Objective:
    less = str(table.get("goal", "maximize")).startswith("min")
    return Objective(measure=str(table["name"]), goal="minimise" if less else "maximise")


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
