"""``[search]``, ``[[mixture]]`` and ``[[constraint]]``: which points there are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sdl.model.campaign import (
    ChoiceParameter,
    Condition,
    Constraint,
    LinearConstraint,
    OutcomeConstraint,
    Parameter,
    RangeParameter,
)
from sdl.model.candidates import Candidates
from sdl.model.data import InputValue
from sdl.model.descriptors import Descriptors
from sdl.model.units import unit_of
from sdl.wire.candidates_file import CANDIDATES, Listed, read_candidates
from sdl.wire.descriptors_file import read_descriptors
from sdl.wire.toml_table import Table, Toml, did_you_mean, said

MOST_STEPS = 1_000
"""Levels of one component of a mixture."""
_STAND_IN = (ChoiceParameter(name="x", options=(0.0,)),)
_RANGE = ("from", "to", "scale", "log", "integer")
_CHOICE = ("choices", "descriptors", "smiles")
_IF = ("only_if", "otherwise")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the tables say, together."""

    space: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...]
    """Those that are written, and then one for each mixture."""
    candidates: Candidates | None
    remarks: tuple[str, ...]
    """What a person should know of it, and is no mistake."""
    is_stand_in: bool = False
    """The list of points could not be read: nothing that names its columns can be judged."""


def read_search(top: Table, *, needed: bool) -> Search:
    """The search space. ``needed``: whether its absence is a mistake."""
    table = top.table("search", needed=needed and "mixture" not in top)
    is_listed = isinstance(table.take(CANDIDATES), str)
    listed = read_candidates(table) if is_listed else None
    if is_listed and listed is None:  # then nothing that names its columns makes sense
        for key in ("constraint", "mixture"):
            top.take(key)
        return Search(
            space=_STAND_IN, constraints=(), candidates=None, remarks=(), is_stand_in=True
        )
    names = [name for name in table if not (is_listed and name == CANDIDATES)]
    space = {name: _parameter(table, name, listed) for name in names}
    if listed is not None:
        space = listed.whole(space)
    constraints = [_constraint(each) for each in top.tables("constraint")]
    constraints += [_mixture(each, space) for each in top.tables("mixture")]
    return Search(
        space=tuple(space.values()),
        constraints=tuple(constraints),
        candidates=None if listed is None else listed.fitted(space),
        remarks=() if listed is None else tuple(listed.remarks),
    )


def _parameter(parent: Table, name: str, listed: Listed | None) -> Parameter:
    table = parent.table(name)
    if any(key in table for key in _CHOICE):
        return _choice(table, name, listed)
    known = None if listed is None else listed.guess(name)
    low, high = (known.low, known.high) if isinstance(known, RangeParameter) else (None, None)
    parameter = RangeParameter(
        name=name,
        low=table.number("from", low, unit_name=name),
        high=table.number("to", high, unit_name=name),
        log=_scale(table),
        integer=table.truth("integer", default=isinstance(known, RangeParameter) and known.integer),
        only_if=_conditions(table),
        otherwise=_otherwise(table, name),
    )
    _close(table, (*_CHOICE, *_RANGE, *_IF))
    return parameter


def _scale(table: Table) -> bool:
    """Whether it is logarithmic; ``log = true`` says the same."""
    is_log = table.truth("log", default=False)
    if "scale" not in table:
        return is_log
    if "log" in table:
        table.mistake("log", "says the same as scale; remove it")
    return table.word("scale", ("linear", "log"), "linear") == "log"


def _choice(table: Table, name: str, listed: Listed | None) -> ChoiceParameter:
    described = read_descriptors(table)
    options: tuple[InputValue, ...] = ()
    if "choices" in table:
        written = table.take("choices")
        if not isinstance(written, list):
            table.mistake("choices", f"needs a list, not {said(written)}")
            written = []
        options = tuple(as_input(table, "choices", option, name) for option in written)
    elif listed is not None and name in listed.names:
        options = listed.options(name)
    elif described is not None:
        options = described.options
    conditions, otherwise = _conditions(table), _otherwise(table, name)
    _close(table, (*_CHOICE, *_IF))
    descriptors: Descriptors | None = None
    if described is not None:
        descriptors = described.of(options)
    return ChoiceParameter(
        name=name,
        options=options,
        descriptors=descriptors,
        only_if=conditions,
        otherwise=otherwise,
    )


def _conditions(table: Table) -> tuple[Condition, ...]:
    """``only_if = { solvent = "water" }``, or a list of such values."""
    written = table.table("only_if")
    found = []
    for name in written:
        values = written.take(name)
        listed = values if isinstance(values, list) else [values]
        read = tuple(as_input(written, name, value, name) for value in listed)
        found.append(Condition(input=name, values=read))
    return tuple(found)


def _otherwise(table: Table, name: str) -> InputValue | None:
    written = table.take("otherwise")
    return None if written is None else as_input(table, "otherwise", written, name)


def _close(table: Table, known: tuple[str, ...]) -> None:
    for key in table:
        if key in known:
            continue
        hint = "choices stand alone" if _RANGE[0] not in known and key in _RANGE else ""
        table.mistake(key, f"unknown key; {hint or did_you_mean(key, known)}")


def as_input(table: Table, key: str, value: Toml, name: str) -> InputValue:
    """A value of an input: a number, an option's name, or text that means a number with a unit."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        table.mistake(key, f"needs a number or text, not {said(value)}")
        return 0.0
    if isinstance(value, float):
        return table.as_number(value, key, name) or 0.0
    if isinstance(value, str) and value[:1].isdigit() and unit_of(name):
        return table.as_number(value, key, name) or 0.0
    return value


def _constraint(table: Table) -> Constraint:
    """On a sum of inputs, or on a measure."""
    measure = table.text("measure") if "measure" in table else ""
    if measure:
        if "sum" in table:
            table.mistake("sum", "a constraint has a sum of inputs or a measure, not both")
        bounds = _bounds(table, measure, ("at_least", "at_most"))
        table.take("sum")
        table.close()
        return OutcomeConstraint(measure=measure, at_least=bounds[0], at_most=bounds[1])
    weights = table.table("sum", needed=True)
    low, high = _bounds(table, "", ("at_least", "at_most", "equals"))
    table.close()
    return LinearConstraint(
        weights={name: weights.number(name) for name in weights}, at_least=low, at_most=high
    )


def _bounds(
    table: Table, unit_name: str, keys: tuple[str, ...]
) -> tuple[float | None, float | None]:
    found = {key: table.maybe_number(key, unit_name=unit_name) for key in keys if key in table}
    if not found:
        table.mistake(None, f"say how much it may be, by {', '.join(keys[:-1])} or {keys[-1]}")
    if "equals" in found:
        if len(found) > 1:
            table.mistake("equals", "stands alone: remove at_least and at_most")
        return found["equals"], found["equals"]
    return found.get("at_least"), found.get("at_most")


def _mixture(table: Table, space: dict[str, Parameter]) -> LinearConstraint:
    """Its components join the space, unless they are in it; with a step they become levels."""
    written = table.take("components", '["a_fraction", "b_fraction", "c_fraction"]') or []
    total = table.number("total", 1.0)
    step = table.maybe_number("step")
    table.close()
    if not isinstance(written, list) or not all(isinstance(one, str) for one in written):
        table.mistake("components", "needs a list of names of inputs")
        written = []
    if written and len(set(written)) < max(len(written), 2):
        table.mistake("components", "needs two or more different inputs")
    if not total > 0:
        table.mistake("total", f"{total:g} must be above 0")
        total = 1.0
    for name in written:
        space.setdefault(name, RangeParameter(name=name, low=0.0, high=total))
    if step is not None:
        _on_lattice(table, space, written, total, step)
    weights = dict.fromkeys(written, 1.0)
    return LinearConstraint(weights=weights, at_least=total, at_most=total, is_mixture=True)


def _on_lattice(
    table: Table, space: dict[str, Parameter], names: list[str], total: float, step: float
) -> None:
    steps = round(total / step) if step > 0 else 0
    if not 1 <= steps <= MOST_STEPS or not math.isclose(steps * step, total, rel_tol=1e-9):
        table.mistake(
            "step",
            f"{step:g} does not divide the total of {total:g} into 1 to {MOST_STEPS:,} parts",
        )
        return
    for name in names:
        parameter = space[name]
        if isinstance(parameter, ChoiceParameter):
            table.mistake("step", f"{name} has choices of its own; remove them, or the step")
            continue
        ways = [level(total, place, steps) for place in range(steps + 1)]
        room = step * 1e-6
        options = tuple(v for v in ways if parameter.low - room <= v <= parameter.high + room)
        if not options:
            table.mistake("step", f"no multiple of it lies within the range of {name}")
        space[name] = ChoiceParameter(name=name, options=options)


def level(total: float, place: int, steps: int) -> float:
    """The ``place``-th of evenly spaced amounts, without the dust of binary fractions."""
    return float(f"{total * place / steps:.12g}")


def read_fixed(table: Table) -> Mapping[str, InputValue]:
    """``[fixed]``: inputs that stay as they are."""
    return {name: as_input(table, name, table.take(name), name) for name in table}
