"""Points of a problem's space as candidates, with the axes that the space says, not the points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sdl.model.campaign import ChoiceParameter, Parameter
from sdl.model.candidates import Candidates as Listed
from sdl.model.descriptors import Descriptors
from sdl.model.planning import Problem
from sdl.model.space import Point, grid_points, levels, number
from sdl.planner.axes import LEVELS as MANY
from sdl.planner.axes import Axes, Axis, Values, axis_of_numbers
from sdl.planner.candidates import Candidates
from sdl.planner.components import with_descriptors


@dataclass(frozen=True, slots=True)
class _Listed:
    """A space that can be listed, known by all on which its points depend."""

    space: tuple[Parameter, ...]
    candidates: Listed | None
    constraints: str
    problem: Problem = field(compare=False)


def listed(problem: Problem) -> Candidates:
    """All points of a space that can be listed."""
    return _of_list(_Listed(problem.space, problem.candidates, repr(problem.constraints), problem))


@lru_cache(maxsize=2)
def _of_list(one: _Listed) -> Candidates:
    """Kept with all that is made of them: to list 100,000 points anew would take half a second."""
    return made_of(one.problem, list(grid_points(one.problem)))


def made_of(problem: Problem, points: Sequence[Point]) -> Candidates:
    """These points."""
    columns = {p.name: [row[at] for row in points] for at, p in enumerate(problem.space)}
    axes = _axes(problem.space)
    if problem.candidates is not None:
        axes = replace(axes, numbers=tuple(_in_list(axis, columns) for axis in axes.numbers))
    return Candidates(columns, axes, len(points))


def _in_list(axis: Axis, columns: Mapping[str, Values]) -> Axis:
    """With ranks among the values that a list holds, where it holds more than one."""
    found = axis_of_numbers(axis.name, columns[axis.name], log=axis.log)
    return found if len(found.levels) > 1 else axis


def _axes(space: Sequence[Parameter]) -> Axes:
    """What the space says, not what a sample of it happens to hold; single values are left out."""
    names = tuple(
        Axis(name=p.name, options=options)
        for p in space
        if p.kind == "choice" and not p.ordered and len(options := _options(p)) > 1
    )
    numbers = tuple(
        Axis(name=p.name, levels=steps, log=p.kind == "range" and p.log, beyond=_beyond(p, steps))
        for p in space
        if (p.kind == "range" or p.ordered) and len(steps := _steps(p)) > 1
    )
    said = {p.name: _said(p, p.descriptors) for p in space if p.kind == "choice" and p.descriptors}
    return with_descriptors(Axes(numbers, names), said)


def _options(parameter: ChoiceParameter) -> tuple[str, ...]:
    rests = () if parameter.otherwise is None else (parameter.otherwise,)
    return tuple(sorted({str(option) for option in (*parameter.options, *rests)}))


def _said(parameter: ChoiceParameter, told: Descriptors) -> dict[str, tuple[float, ...]]:
    """By option; that there is none of them says nothing, and so lies in their middle."""
    middle = tuple(sum(column) / len(told.rows) for column in zip(*told.rows, strict=True))
    rests = {} if parameter.otherwise is None else {str(parameter.otherwise): middle}
    return rests | dict(zip(map(str, parameter.options), told.rows, strict=True))


def _beyond(parameter: Parameter, steps: Sequence[float]) -> float | None:
    rests = parameter.otherwise
    if rests is None or steps[0] <= number(rests) <= steps[-1]:
        return None
    return number(rests)


def _steps(parameter: Parameter) -> tuple[float, ...]:
    """Ascending levels; of a real number, or of very many, the two ends."""
    if parameter.kind == "range" and not parameter.integer:
        return tuple(dict.fromkeys((parameter.low, parameter.high)))
    every = sorted(number(level) for level in levels(parameter))
    if len(every) == 1 and parameter.otherwise is not None:
        every = sorted({*every, number(parameter.otherwise)})
    return tuple(every) if len(every) <= MANY else (every[0], every[-1])
