"""Sums that can be kept one by one, but not by one point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sdl.core.campaign import problem
from sdl.model.campaign import Campaign, LinearConstraint, Parameter, RangeParameter
from sdl.model.planning import Problem
from sdl.model.space import formula, grid_points, is_enumerable, is_levelled, levels, number
from sdl.wire.space_check import placed_sums
from sdl.wire.toml_lines import KeyPath
from sdl.wire.toml_table import dotted

MOST_LEVELS = 50
"""Of an input that is taken level by level; one of more levels as a real number."""

PATIENCE_S = 2.0
"""Wall seconds for one look; what is not decided by then may be kept."""

ROOM = 1e-7
"""Of a sum, in units of its largest term: what breaks it by less is for the planner to find."""

INFEASIBLE = 2
"""What ``milp`` says where there is no solution."""


def check_together(campaign: Campaign) -> Iterator[tuple[KeyPath, str]]:
    """Sums that no point of the space keeps together, the fewest of them that do not go together.

    ``campaign``: one whose inputs and sums are right by themselves. Exact where all points can be
    listed; elsewhere an input that rests counts as one that may be anything between its values.
    """
    whole, placed = problem(campaign), list(placed_sums(campaign))
    if not placed or _may_be_kept(whole, [one for _, one in placed]):
        return
    for one in list(placed):
        rest = [other for other in placed if other is not one]
        if rest and not _may_be_kept(whole, [other for _, other in rest]):
            placed = rest
    told = [f"{dotted(keys)} ({formula(one)})" for keys, one in placed]
    if campaign.candidates is not None:
        message = f"not one of the rows keeps {' and '.join(told)}; correct these"
        yield ("search", "candidates"), message
        return
    keys, last = placed[-1]
    beside = f" together with {' and '.join(told[:-1])}" if told[1:] else ""
    message = f"no point keeps {formula(last)}{beside}; loosen one of them, or widen [search]"
    yield keys, message if beside else f"no point keeps {formula(last)}; loosen it, or [search]"


def _may_be_kept(whole: Problem, sums: Sequence[LinearConstraint]) -> bool:
    whole = replace(whole, constraints=tuple(sums))
    if is_enumerable(whole):
        return next(grid_points(whole), None) is not None
    return len(sums) == 1 or _has_solution(whole)  # alone, each was looked at before


@dataclass(frozen=True, slots=True)
class _Part:
    """An input as unknowns between 0 and 1: what each adds to what the input is at least."""

    low: float
    steps: tuple[float, ...]
    is_choice: bool
    """Whether one of the unknowns is 1, and the others are 0."""


def _part(parameter: Parameter) -> _Part:
    rests = () if parameter.otherwise is None else (number(parameter.otherwise),)
    if is_levelled(parameter) and len(levels(parameter)) <= MOST_LEVELS:
        every = [*map(number, levels(parameter)), *rests]
        return _Part(min(every), tuple(each - min(every) for each in every), is_choice=True)
    if isinstance(parameter, RangeParameter):
        every = [parameter.low, parameter.high, *rests]
    else:
        every = [*map(number, parameter.options), *rests]
    return _Part(min(every), (max(every) - min(every),), is_choice=False)


def _has_solution(whole: Problem) -> bool:
    """Whether a mixed-integer program of the sums has one, or takes too long to tell."""
    from scipy.optimize import (  # type: ignore[import-untyped]  # noqa: PLC0415 - takes a second
        Bounds,
        milp,
    )

    summed = {name for one in whole.constraints for name in one.weights}
    parts = {p.name: _part(p) for p in whole.space if p.name in summed}
    rows = [_row(one, parts) for one in whole.constraints]
    for name, part in parts.items():
        if part.is_choice:
            rows.append((_in_places(parts, {name: (1.0,) * len(part.steps)}), 1.0, 1.0))
    is_whole = [int(part.is_choice) for part in parts.values() for _ in part.steps]
    found = milp(
        [0.0] * len(is_whole),
        integrality=is_whole,
        bounds=Bounds(0.0, 1.0),
        constraints=tuple(map(list, zip(*rows, strict=True))),
        options={"time_limit": PATIENCE_S},
    )
    return bool(found.status != INFEASIBLE)


def _row(one: LinearConstraint, parts: Mapping[str, _Part]) -> tuple[list[float], float, float]:
    """A sum in units of its largest term, without what its inputs add to it at least."""
    least = sum(weight * parts[name].low for name, weight in one.weights.items())
    size = max(
        abs(weight) * max(abs(parts[name].low), *parts[name].steps)
        for name, weight in one.weights.items()
    )
    size = size or 1.0
    terms = {n: tuple(w * step / size for step in parts[n].steps) for n, w in one.weights.items()}
    low = -math.inf if one.at_least is None else (one.at_least - least) / size - ROOM
    high = math.inf if one.at_most is None else (one.at_most - least) / size + ROOM
    return _in_places(parts, terms), low, high


def _in_places(parts: Mapping[str, _Part], terms: Mapping[str, tuple[float, ...]]) -> list[float]:
    """What stands before each unknown; 0 where nothing is said of its input."""
    every = (terms.get(name, (0.0,) * len(part.steps)) for name, part in parts.items())
    return [each for term in every for each in term]
