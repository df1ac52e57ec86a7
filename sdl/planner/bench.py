"""The ensemble as the benchmark, or any other loop in Python, asks it: plain data in, points out.

::

    planner = factory(space, pool, seed=1)  # the content of a space.json, a pandas frame
    points = planner.suggest(observations, pending, n=4)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

from sdl.errors import PlannerFault
from sdl.model.campaign import Objective
from sdl.model.planning import Problem
from sdl.planner.axes import Axes
from sdl.planner.candidates import Candidates, listed, logarithmic, made, rule_of
from sdl.planner.components import with_descriptors
from sdl.planner.proposals import Campaign, Observed, Proposal

Point: TypeAlias = dict[str, float | int | str]
Observation: TypeAlias = tuple[Mapping[str, float | int | str], Mapping[str, float | None]]
"""A point, and the value of each objective there; a run without a finite value failed."""


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
        candidates: Candidates,
        named: Sequence[str],
        seed: int,
    ) -> None:
        """``objectives``: those of the space, of which the observations say which count.

        ``named``: parameters whose values are names.
        """
        self._objectives, self._candidates, self._seed = tuple(objectives), candidates, seed
        self._options = {name: {one: one for one in candidates.columns[name]} for name in named}
        self._numbers = {
            name: {_rounded(float(one)): float(one) for one in column}
            | {float(one): float(one) for one in column}
            for name, column in candidates.columns.items()
            if name not in named
        }
        self._campaigns: dict[tuple[Objective, ...], Campaign] = {}
        self.reasons: tuple[Proposal, ...] = ()

    def suggest(
        self,
        observations: Sequence[Observation],
        pending: Sequence[Mapping[str, float | int | str]],
        n: int,
    ) -> list[Point]:
        """At most ``n`` different candidates, none of them measured or pending, best first.

        Fewer where fewer are left, none where none is. Looked for is what the observations tell of:
        an objective that none of them names has no part. PlannerFault if a point has a name that no
        candidate has.
        """
        told = {name for _, found in observations for name in found}
        counted = tuple(one for one in self._objectives if one.measure in told)
        counted = counted or self._objectives[:1]
        observed = [
            Observed(self._point(one), _measured(found, counted)) for one, found in observations
        ]
        flying = [self._point(one) for one in pending]
        self.reasons = tuple(self._campaign(counted).proposals(observed, flying, n))
        return [dict(proposal.inputs) for proposal in self.reasons]

    def _point(self, point: Mapping[str, float | int | str]) -> Point:
        """As the candidates have it.

        A table of numbers makes 1.0 of a name 1, and what was written to a file and read again may
        be off in the last digits.
        """
        lacking = [name for name in self._candidates.columns if name not in point]
        if lacking:
            raise PlannerFault(
                f"a point has no {lacking[0]}: {dict(point)}; give it one value for each parameter"
            )
        found = dict(point)
        for name, column in self._numbers.items():
            number = float(found[name])
            found[name] = column.get(number, column.get(_rounded(number), number))
        for name, options in self._options.items():
            if found[name] not in options:
                known = ", ".join(map(str, [*options][:SHOWN]))
                raise PlannerFault(
                    f"no candidate has {name} = {found[name]!r}; leave out such observations, or "
                    f"add a candidate that has it; there are {known}"
                )
            found[name] = options[found[name]]
        return found

    def _campaign(self, counted: tuple[Objective, ...]) -> Campaign:
        if counted not in self._campaigns:
            first, *further = counted
            problem = Problem(space=(), objective=first, further=tuple(further))
            self._campaigns[counted] = Campaign(problem, self._candidates, self._seed)
        return self._campaigns[counted]


def _rounded(number: float) -> str:
    """To nine digits; what is alike to as many is taken for the same."""
    return f"{number:.8e}"


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
    for each parameter, or None, and then the planner makes its own candidates. PlannerFault if
    there is none, a value or a descriptor is missing, a goal is unknown, a constraint is not
    linear, or the seed is below 0.
    """
    if seed < 0:
        raise PlannerFault(f"the seed is {seed}; give a whole number of 0 or more")
    parameters = _tables(space, "parameters")
    objectives = tuple(map(_objective, _tables(space, "objectives")))
    named = [str(p["name"]) for p in parameters if p["type"] == "categorical"]
    if pool is None:
        rules = [rule_of(str(text)) for text in _entries(space, "constraints")]
        candidates = made(parameters, rules, seed)
    else:
        columns = {name: _column(pool, name) for name in (str(p["name"]) for p in parameters)}
        candidates = listed(columns, named, logarithmic(parameters))
    axes = with_descriptors(candidates.axes, _descriptors(parameters, candidates.axes))
    candidates = replace(candidates, axes=axes)
    return BenchPlanner(objectives, candidates, named, seed)


def _descriptors(
    parameters: Sequence[Mapping[str, object]], axes: Axes
) -> dict[str, dict[str, list[float]]]:
    """By axis and option, from what parameters have as ``descriptors``, by option and name."""
    tables = {str(p["name"]): p["descriptors"] for p in parameters if "descriptors" in p}
    return {
        axis.name: {one: _described(axis.name, one, tables[axis.name]) for one in axis.options}
        for axis in axes.names
        if axis.name in tables
    }


def _described(name: str, option: str, table: object) -> list[float]:
    rows = table if isinstance(table, Mapping) else {}
    columns = sorted({column for row in rows.values() for column in row})
    given = [rows.get(option, {}).get(column) for column in columns]
    if not columns or not all(
        isinstance(one, (int, float)) and math.isfinite(one) for one in given
    ):
        raise PlannerFault(
            f"the descriptors of {name} are not all numbers at {option}; give each option a table "
            "with the same names, and a number for each"
        )
    return list(map(float, given))


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
