"""A finite set of points to score: the list itself, a product, a lattice, or a sample."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdl.errors import PlannerFault
from sdl.planner.axes import Axes, Axis, Bools, Coded, Floats, Values, axes_of
from sdl.planner.spread import are_clumped

PRODUCT = 200_000
"""Combinations of levels and options that are listed one by one."""

LATTICE = 20_000
"""Points of a mixture's lattice at most."""

SAMPLE = 4096
"""Sobol points that stand for a space with real numbers."""

_TERM = re.compile(r"\s*([+-]?)\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?)\s*\*?\s*)?([A-Za-z_]\w*)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """A linear constraint: ``sum(weight * input) <= bound``, or ``==``."""

    weights: Mapping[str, float]
    bound: float
    equal: bool

    def holds(self, columns: Mapping[str, Values], count: int) -> Floats:
        """Whether it holds for each of ``count`` points, with a millionth of slack, (N,)."""
        total, size = np.zeros(count), np.full(count, abs(self.bound))
        for name, weight in self.weights.items():
            term = weight * np.array(columns[name], dtype=float)
            total, size = total + term, np.maximum(size, np.abs(term))
        over = total - self.bound
        return np.asarray((np.abs(over) if self.equal else over) <= 1e-6 * size)


def rule_of(text: str) -> Rule:
    """A constraint written as ``a + 2*b == 1`` or ``a <= 3``. PlannerFault if it is not linear."""
    parts = [part.strip() for part in re.split(r"(==|<=|>=|=)", text, maxsplit=1)]
    if len(parts) == 1:
        raise PlannerFault(f"the constraint {text!r} has no sign; write it with ==, <= or >=")
    left, sign, right = parts
    weights: dict[str, float] = {}
    bound, turn = 0.0, -1.0 if sign == ">=" else 1.0
    for side, part in ((1.0, left), (-1.0, right)):
        at = 0
        while at < len(part):
            term = _TERM.match(part, at)
            if term is None or term.end() == at or not (term[2] or term[3]):
                raise PlannerFault(
                    f"the constraint {text!r} is not a sum of numbers times inputs at {part[at:]!r}"
                )
            value = side * turn * float(term[2] or 1.0) * (-1.0 if term[1] == "-" else 1.0)
            if term[3]:
                weights[term[3]] = weights.get(term[3], 0.0) + value
            else:
                bound -= value
            at = term.end()
    return Rule(weights, bound, equal=sign in {"==", "="})


@dataclass(frozen=True)
class Candidates:
    """Points as one column for each input, and the axes that they span."""

    columns: Mapping[str, Values]
    axes: Axes
    count: int

    @cached_property
    def coded(self) -> Coded:
        """All of them as the models see them."""
        return self.axes.coded(self.columns, self.count)

    @cached_property
    def places(self) -> Mapping[tuple[float | int | str, ...], Sequence[int]]:
        """Where each point stands; more than one place if it is listed more than once."""
        found: dict[tuple[float | int | str, ...], list[int]] = {}
        for place, key in enumerate(zip(*self.columns.values(), strict=True)):
            found.setdefault(key, []).append(place)
        return found

    @cached_property
    def first(self) -> Bools:
        """(N,) whether a point is there for the first time."""
        found = np.zeros(self.count, dtype=bool)
        found[[places[0] for places in self.places.values()]] = True
        return found

    @cached_property
    def clumped(self) -> bool:
        """Whether they lie in clumps, with others far out."""
        return are_clumped(self.coded.take(np.flatnonzero(self.first)))

    def decoded(self, name: str, points: Coded) -> Floats:
        """Of coded points a numeric input, (M,), to the last digits. KeyError if there is none."""
        for place, axis in enumerate(self.axes.numbers):
            if axis.name == name:
                return axis.back(points.value[:, place])
        return np.full(len(points), float(self.columns[name][0]))

    def point(self, place: int) -> dict[str, float | int | str]:
        """One of them."""
        return {name: values[place] for name, values in self.columns.items()}


def listed(columns: Mapping[str, Values], named: Sequence[str], log: Sequence[str]) -> Candidates:
    """The list itself. PlannerFault if it is empty."""
    count = min((len(values) for values in columns.values()), default=0)
    if not count:
        raise PlannerFault("the list of candidates is empty; give it a point at least")
    return Candidates(columns, axes_of(columns, named, log), count)


def made(
    parameters: Sequence[Mapping[str, object]], rules: Sequence[Rule], seed: int
) -> Candidates:
    """Candidates of a space without a list, from the parameters of a ``space.json``.

    PlannerFault if no point keeps the constraints.
    """
    grids = [_grid(parameter) for parameter in parameters]
    names = [str(parameter["name"]) for parameter in parameters]
    if all(grids) and math.prod(map(len, grids)) <= PRODUCT:
        rows = list(itertools.product(*grids))
        columns: dict[str, Values] = {
            name: [row[place] for row in rows] for place, name in enumerate(names)
        }
        found = _kept(columns, rules, len(rows))
    else:
        found = _sampled(parameters, grids, rules, seed)
    count = len(next(iter(found.values())))
    if not count:
        raise PlannerFault(
            "no candidate keeps all constraints; loosen them or widen the ranges around them"
        )
    return Candidates(found, _axes(parameters, found), count)


def _grid(parameter: Mapping[str, object]) -> list[float | int | str]:
    for key in ("options", "levels"):
        values = parameter.get(key)
        if isinstance(values, Sequence):
            return list(values)
    return [_end(parameter, "low")] if parameter["low"] == parameter["high"] else []


def _end(parameter: Mapping[str, object], key: str) -> float:
    value = parameter[key]
    assert isinstance(value, (int, float))
    return float(value)


def _sampled(
    parameters: Sequence[Mapping[str, object]],
    grids: Sequence[Sequence[float | int | str]],
    rules: Sequence[Rule],
    seed: int,
) -> dict[str, Values]:
    """A lattice over what has to sum to a total, Sobol points over all else."""
    mixture = _mixture(parameters, grids, rules)
    parts = (
        dict(zip(mixture.weights, _lattice(parameters, mixture), strict=True)) if mixture else {}
    )
    rows = len(next(iter(parts.values()))) if parts else SAMPLE
    others = [place for place, p in enumerate(parameters) if p["name"] not in parts]
    columns: dict[str, Values] = {name: list(map(float, values)) for name, values in parts.items()}
    if others:
        # Takes a second to load, which `sdl check` would pay for nothing.
        from scipy.stats import qmc  # type: ignore[import-untyped]

        engine = qmc.Sobol(d=len(others), scramble=True, rng=np.random.default_rng([seed, 1]))
        unit = engine.random(2 ** math.ceil(math.log2(rows)))[:rows]
        for column, place in enumerate(others):
            columns[str(parameters[place]["name"])] = _spanned(
                parameters[place], grids[place], unit[:, column]
            )
    return _kept(columns, rules, rows)


def _spanned(
    parameter: Mapping[str, object], grid: Sequence[float | int | str], unit: Floats
) -> Values:
    if grid:
        return [grid[min(int(u * len(grid)), len(grid) - 1)] for u in unit]
    low, high = _end(parameter, "low"), _end(parameter, "high")
    if parameter.get("log"):
        return [float(low * (high / low) ** u) for u in unit]
    return [float(low + u * (high - low)) for u in unit]


def _mixture(
    parameters: Sequence[Mapping[str, object]],
    grids: Sequence[Sequence[float | int | str]],
    rules: Sequence[Rule],
) -> Rule | None:
    """The constraint by which real inputs of equal weight sum to a total, if there is one."""
    real = {p["name"] for p, grid in zip(parameters, grids, strict=True) if not grid}
    for rule in rules:
        alike = len(set(rule.weights.values())) == 1
        if rule.equal and alike and len(rule.weights) > 1 and real >= set(rule.weights):
            return rule
    return None


def _lattice(parameters: Sequence[Mapping[str, object]], rule: Rule) -> Floats:
    """Every split of the total into equal steps, within the bounds; (inputs, N)."""
    weight = next(iter(rule.weights.values()))
    total, size = rule.bound / weight, len(rule.weights)
    steps = max(n for n in range(1, 201) if math.comb(n + size - 1, size - 1) <= LATTICE)
    rows = np.array(list(_splits(steps, size)), dtype=float) * (total / steps)
    ends = {str(p["name"]): p for p in parameters}
    low = np.array([_end(ends[name], "low") for name in rule.weights])
    high = np.array([_end(ends[name], "high") for name in rule.weights])
    slack = 1e-9 * abs(total)
    return np.asarray(rows[((rows >= low - slack) & (rows <= high + slack)).all(axis=1)].T)


def _splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _splits(total - first, parts - 1):
            yield (first, *rest)


def _kept(columns: Mapping[str, Values], rules: Sequence[Rule], count: int) -> dict[str, Values]:
    keep = np.ones(count, dtype=bool)
    for rule in rules:
        keep &= rule.holds(columns, count)
    return {
        name: [value for value, good in zip(values, keep, strict=True) if good]
        for name, values in columns.items()
    }


def _axes(parameters: Sequence[Mapping[str, object]], columns: Mapping[str, Values]) -> Axes:
    """As of a list, except that real numbers span their whole range."""
    named = [str(p["name"]) for p in parameters if p["type"] == "categorical"]
    found = axes_of(columns, named, logarithmic(parameters))
    bounds = {str(p["name"]): p for p in parameters if p["type"] == "continuous"}
    numbers = tuple(
        Axis(
            name=axis.name,
            levels=(_end(bounds[axis.name], "low"), _end(bounds[axis.name], "high")),
            log=axis.log,
        )
        if axis.name in bounds
        else axis
        for axis in found.numbers
    )
    return Axes(numbers, found.names)


def logarithmic(parameters: Sequence[Mapping[str, object]]) -> list[str]:
    """Names of the inputs of which the space says that they go by the logarithm."""
    return [str(p["name"]) for p in parameters if p.get("log")]
