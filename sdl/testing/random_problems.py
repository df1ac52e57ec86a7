"""Problems of all shapes by chance: mixtures, lists, conditions, limits, levels and ranges."""

from __future__ import annotations

import random

from sdl.model.campaign import (
    ChoiceParameter,
    Condition,
    LinearConstraint,
    Objective,
    Parameter,
    RangeParameter,
)
from sdl.model.candidates import packed
from sdl.model.data import InputValue
from sdl.model.planning import Problem
from sdl.model.space import all_met, equalities, levels, named, number, settled

NAMES = ("lambda", "class", "yield", "dose_mg", "is", "heat_c")

WORDS = ("water", "2-propanol", "n/a: none", "1", "1.0", "Water")
"""Names of options as people choose them."""


def random_problem(seed: int) -> Problem:
    """A problem that has a point: limits are put around one that was drawn."""
    chance = random.Random(seed)
    space = [_parameter(chance, name) for name in NAMES[: chance.randint(1, 6)]]
    constraints = _mixture(chance, space)
    _make_conditional(chance, space, {n for one in constraints for n in one.weights})
    whole = Problem(
        space=tuple(space),
        objective=Objective(measure="yield", goal="maximise"),
        constraints=tuple(constraints),
    )
    points = [drawn(whole, chance) for _ in range(chance.randint(1, 30))]
    if is_so(chance, 0.3) and not any(p.only_if for p in space):
        rows = list(dict.fromkeys(points))
        return Problem(
            space=whole.space,
            objective=whole.objective,
            constraints=whole.constraints,
            candidates=packed("list.csv", str(seed), rows, len(space)),
        )
    limit = _limit(chance, whole, points[0])
    return Problem(
        space=whole.space,
        objective=whole.objective,
        constraints=(*whole.constraints, *limit),
    )


def drawn(problem: Problem, chance: random.Random) -> tuple[InputValue, ...]:
    """A point that meets all sums, by chance."""
    values = tuple(
        chance.uniform(p.low, p.high)
        if isinstance(p, RangeParameter) and not p.integer
        else chance.choice(levels(p))
        for p in problem.space
    )
    met = all_met(equalities(problem), values, [chance.random() for _ in problem.space])
    assert met is not None
    return settled(problem.space, met)


def is_so(chance: random.Random, share: float) -> bool:
    """True in this share of the cases."""
    return chance.random() < share


def _parameter(chance: random.Random, name: str) -> Parameter:
    low = chance.uniform(0.01, 1.0)
    match chance.choice(("range", "log", "whole", "levels", "names")):
        case "range":
            shift = chance.choice((0.0, 0.0, -5.0))
            return RangeParameter(
                name=name, low=low + shift, high=low + shift + chance.uniform(0.1, 9.0)
            )
        case "log":
            high = low * 10.0 ** chance.uniform(0.5, 6.0)
            return RangeParameter(name=name, low=low, high=high, log=True)
        case "whole":
            high = chance.choice(
                (chance.randint(1, 9), chance.randint(1, 9), chance.randint(10, 90))
            )
            return RangeParameter(name=name, low=0, high=high, integer=True)
        case "levels":
            many = chance.randint(1, 6)
            return ChoiceParameter(name=name, options=tuple(low * (n + 1) for n in range(many)))
        case _:
            return ChoiceParameter(name=name, options=WORDS[: chance.randint(1, len(WORDS))])


def _mixture(chance: random.Random, space: list[Parameter]) -> list[LinearConstraint]:
    """Some of the inputs become components, with a step or without."""
    if not space[1:] or is_so(chance, 0.5):
        return []
    parts = sorted(chance.sample(range(len(space)), chance.randint(2, len(space))))
    steps = chance.choice((0, 4, 5, 10))
    for index in parts:
        name = space[index].name
        high = chance.choice((1.0, 1.0, 0.8))
        space[index] = RangeParameter(name=name, low=0.0, high=high)
        if steps:
            share = tuple(n / steps for n in range(steps + 1))
            space[index] = ChoiceParameter(name=name, options=share)
    weights = {space[index].name: 1.0 for index in parts}
    return [LinearConstraint(weights=weights, at_least=1.0, at_most=1.0, is_mixture=True)]


def _make_conditional(chance: random.Random, space: list[Parameter], bound: set[str]) -> None:
    """One input is searched only at some values of one before it."""
    index = chance.randrange(len(space))
    others = [p for p in space[:index] if isinstance(p, ChoiceParameter)]
    parameter = space[index]
    if not others or parameter.name in bound or is_so(chance, 0.4):
        return
    other = chance.choice(others)
    condition = (Condition(input=other.name, values=(chance.choice(other.options),)),)
    if isinstance(parameter, RangeParameter):
        space[index] = RangeParameter(
            name=parameter.name,
            low=parameter.low,
            high=parameter.high,
            log=parameter.log,
            integer=parameter.integer,
            only_if=condition,
            otherwise=0,
        )
    else:
        rests: InputValue = 0.0 if parameter.ordered else "rests"
        space[index] = ChoiceParameter(
            name=parameter.name, options=parameter.options, only_if=condition, otherwise=rests
        )


def _limit(
    chance: random.Random, problem: Problem, values: tuple[InputValue, ...]
) -> list[LinearConstraint]:
    """A bound on a sum of numbers that a known point keeps with room to spare."""
    inputs = named(problem.space, values)
    numbers = [name for name, value in inputs.items() if not isinstance(value, str)]
    if not numbers or is_so(chance, 0.5):
        return []
    weights = {name: chance.uniform(0.5, 2.0) for name in numbers}
    total = sum(weight * number(inputs[name]) for name, weight in weights.items())
    room = 1.0 + abs(total)
    if is_so(chance, 0.5):
        return [LinearConstraint(weights=weights, at_most=total + room)]
    return [LinearConstraint(weights=weights, at_least=total - room, at_most=total + room)]
