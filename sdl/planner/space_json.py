"""The content of a ``space.json`` as a problem: parameters, goals and constraints in plain data.

PlannerFault wherever something is missing or means nothing, with what to write instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sdl.errors import PlannerFault
from sdl.model.campaign import ChoiceParameter, Objective, Parameter, RangeParameter
from sdl.model.descriptors import Descriptors
from sdl.model.planning import Problem
from sdl.model.space import grid_points, is_enumerable
from sdl.planner.sums import sums_of

Entry: TypeAlias = Mapping[str, object]
"""A parameter or an objective as it is written."""


def problem_of(space: Entry) -> Problem:
    """What to search and for what, where the points are not listed.

    Names of options are text in it, whatever they are in the space. PlannerFault if the space holds
    no point, as far as its points can be listed.
    """
    parameters = tuple(map(_parameter, entries(space, "parameters")))
    first, *further = objectives_of(space)
    texts = []
    for text in _list(space, "constraints"):
        if not isinstance(text, str):
            raise PlannerFault(
                f"the constraint {text!r} is no text; write it such as 'a + 2*b <= 3'"
            )
        texts.append(text)
    found = Problem(
        space=parameters,
        objective=first,
        further=tuple(further),
        constraints=sums_of(texts, parameters),
    )
    if is_enumerable(found) and next(grid_points(found), None) is None:
        raise PlannerFault(
            "no point of the space keeps all constraints; loosen them, or widen the space"
        )
    return found


def objectives_of(space: Entry) -> tuple[Objective, ...]:
    """What is looked for, the main one first."""
    return tuple(map(_objective, entries(space, "objectives")))


def entries(space: Entry, key: str) -> list[Entry]:
    """The parameters or the objectives, each with a name of its own."""
    found: list[Entry] = []
    names: set[str] = set()
    for number, one in enumerate(_list(space, key), start=1):
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
            raise PlannerFault(
                f"entry {number} of the {key} is {one!r}; give it a name, as {{'name': 'x', ...}}"
            )
        if one["name"] in names:
            raise PlannerFault(f"two of the {key} are called {one['name']}; rename one of them")
        names.add(one["name"])
        found.append(one)
    if not found:
        raise PlannerFault(f"the space has no {key}; give it one at least")
    return found


def is_named(parameter: Entry) -> bool:
    """Whether the values of a parameter are names."""
    if "type" not in parameter:
        raise PlannerFault(
            f"{parameter['name']} has no type; say continuous, discrete or categorical"
        )
    return parameter["type"] == "categorical"


def is_logarithmic(parameter: Entry) -> bool:
    """Whether a parameter goes by the logarithm: ``"log": true``, or ``"scale": "log"``."""
    scale = parameter.get("scale", "linear")
    if scale not in {"log", "linear"}:
        raise PlannerFault(f"the scale of {parameter['name']} is {scale!r}; say log or linear")
    return bool(parameter.get("log")) or scale == "log"


def values_of(parameter: Entry) -> list[float | int | str]:
    """The levels or options of a parameter, each once; none of a continuous one."""
    if parameter["type"] == "continuous":
        return []
    said = _levels(parameter) if parameter["type"] == "discrete" else _options(parameter)
    return list({str(one): one for one in said}.values())


def described(parameter: Entry, option: str) -> tuple[float, ...]:
    """The numbers that the ``descriptors`` of a parameter have for an option, by their names."""
    table = parameter["descriptors"]
    rows = table if isinstance(table, Mapping) else {}
    columns = sorted({column for row in rows.values() for column in row})
    given = [rows.get(option, {}).get(column) for column in columns]
    if not columns or not all(map(_is_number, given)):
        raise PlannerFault(
            f"the descriptors of {parameter['name']} are not all numbers at {option}; give each "
            "option a table with the same names, and a number for each"
        )
    return tuple(map(float, given))


def _parameter(said: Entry) -> Parameter:
    name = str(said["name"])
    if is_named(said):
        options = tuple(map(str, values_of(said)))
        return ChoiceParameter(name=name, options=options, descriptors=_descriptors(said, options))
    match said["type"]:
        case "continuous":
            low, high = _end(said, "low"), _end(said, "high")
            log = is_logarithmic(said)
            if low > high:
                raise PlannerFault(
                    f"the low of {name} is {low:g}, above its high, {high:g}; swap them"
                )
            if log and low <= 0.0:
                raise PlannerFault(
                    f"{name} goes by the logarithm and begins at {low:g}; give it a low above 0, "
                    "or a linear scale"
                )
            return RangeParameter(name=name, low=low, high=high, log=log)
        case "discrete":
            return ChoiceParameter(name=name, options=tuple(values_of(said)))
    raise PlannerFault(
        f"the type of {name} is {said['type']!r}; say continuous, discrete or categorical"
    )


def _descriptors(said: Entry, options: Sequence[str]) -> Descriptors | None:
    if "descriptors" not in said:
        return None
    rows = tuple(described(said, option) for option in options)
    names = tuple(str(place) for place in range(len(rows[0])))
    return Descriptors(names=names, rows=rows, source="space.json")


def _end(said: Entry, key: str) -> float:
    value = said.get(key)
    if not _is_number(value):
        raise PlannerFault(
            f"the {key} of {said['name']} is {value!r}; give a continuous parameter two numbers, "
            "low and high"
        )
    return float(value)  # type: ignore[arg-type]  # a number, as was just seen


def _levels(said: Entry) -> list[float | int | str]:
    name, levels = said["name"], said.get("levels")
    if isinstance(levels, str) or not isinstance(levels, Sequence) or not levels:
        raise PlannerFault(
            f"the levels of {name} are {levels!r}; give a discrete parameter a list of numbers, "
            "such as [1, 2, 5]; one without levels is continuous"
        )
    wrong = [one for one in levels if not _is_number(one)]
    if wrong:
        raise PlannerFault(
            f"a level of {name} is {wrong[0]!r}; write numbers, or say that it is categorical and "
            "has options"
        )
    return list(levels)


def _options(said: Entry) -> list[float | int | str]:
    options = said.get("options")
    if isinstance(options, str) or not isinstance(options, Sequence) or not options:
        raise PlannerFault(
            f"the options of {said['name']} are {options!r}; give a categorical parameter a list "
            "of names, such as ['water', 'toluene']"
        )
    return list(options)


def _is_number(value: object) -> bool:
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and math.isfinite(value)  # type: ignore[arg-type]  # it is real


def _objective(said: Entry) -> Objective:
    name, goal = str(said["name"]), str(said.get("goal"))
    match goal.casefold()[:3]:
        case "max":
            return Objective(measure=name, goal="maximise")
        case "min":
            return Objective(measure=name, goal="minimise")
    raise PlannerFault(f"the goal of {name} is {goal}; write maximize or minimize")


def _list(space: Entry, key: str) -> Sequence[object]:
    found = space.get(key, ())
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise PlannerFault(f"{key} of the space is {found!r}; it has to be a list")
    return found
