"""The searched inputs as numbers: ordered values on the unit range, names as codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Values: TypeAlias = Sequence[float | int | str]

LEVELS = 30
"""A number that takes more values than this is treated as a real one, without ranks."""

BEYOND = 0.1
"""Widths of the range beyond which an input lies that is not searched, if its value is outside."""

SHARE = 3
"""So is one that takes more different values than a third of the candidates."""


def _nothing() -> Floats:
    """Of points that no source says anything of."""
    return np.zeros((0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One searched input. Either ``options`` (two or more names) or ``levels`` is not empty."""

    name: str
    options: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    """Ascending; the two ends alone where the input is a real number."""
    components: tuple[tuple[float, ...], ...] = ()
    """Where each option lies by its descriptors; empty where it has none."""
    log: bool = False
    """Whether the position within the range goes by the logarithm; all levels are above 0."""
    beyond: float | None = None
    """A number outside the range, which the input has where it is not searched.

    How far outside says nothing, as it is often a mere sign such as 0 or -1, and may have no
    logarithm; so it lies a little beyond the end that is nearer.
    """

    def value(self, values: Values) -> Floats:
        """Positions on the unit range, (N,)."""
        low, high = self._scaled(np.array([self.levels[0], self.levels[-1]]))
        numbers = np.array(values, dtype=float)
        rests = numbers == (np.nan if self.beyond is None else self.beyond)
        numbers[rests] = self.levels[0]
        found = np.asarray((self._scaled(numbers) - low) / (high - low))
        found[rests] = self._place_beyond
        return found

    def back(self, positions: Floats) -> Floats:
        """Numbers at positions on the unit range, (N,)."""
        low, high = self._scaled(np.array([self.levels[0], self.levels[-1]]))
        found = low + (high - low) * positions
        found = np.asarray(np.exp(found) if self.log else found)
        if self.beyond is not None:
            found[positions == self._place_beyond] = self.beyond
        return found

    @property
    def _place_beyond(self) -> float:
        is_below = self.beyond is None or self.beyond < self.levels[0]
        return -BEYOND if is_below else 1.0 + BEYOND

    def rank(self, values: Values) -> Floats:
        """Positions by rank among the levels, 0 to 1, in between by interpolation, (N,)."""
        if len(self.levels) == 2:  # noqa: PLR2004 - two ends: rank and value are one
            return self.value(values)
        steps = np.linspace(0.0, 1.0, len(self.levels))
        return np.asarray(np.interp(np.array(values, dtype=float), self.levels, steps))

    def code(self, values: Values) -> Codes:
        """Indices of the options, (N,). KeyError for a name that is none of them."""
        index = {option: place for place, option in enumerate(self.options)}
        return np.array([index[str(value)] for value in values], dtype=np.int64)

    def _scaled(self, values: Floats) -> Floats:
        return np.asarray(np.log(values)) if self.log else values


@dataclass(frozen=True, slots=True)
class Coded:
    """Points as arrays: N points, q numeric axes, c axes of names."""

    value: Floats
    """(N, q) on the unit range."""
    rank: Floats
    """(N, q) by rank among the levels."""
    code: Codes
    """(N, c) columns of the one-hot table, counted through over all axes of names."""
    told: Floats = field(default_factory=_nothing)
    """(N, k) what each source says of a point, in its own units; empty where there are none."""
    known: Floats = field(default_factory=_nothing)
    """(N, k) share of the variance there that it knows, 0 to 1."""

    def __len__(self) -> int:
        return len(self.code)

    def take(self, rows: Codes | slice) -> Coded:
        """Some of the points."""
        told, known = (part[rows] if part.size else part for part in (self.told, self.known))
        return Coded(self.value[rows], self.rank[rows], self.code[rows], told, known)


def joined(parts: Sequence[Coded]) -> Coded:
    """Several lists of points as one."""
    return Coded(
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.rank for part in parts]),
        np.concatenate([part.code for part in parts]),
        np.concatenate([part.told for part in parts]),
        np.concatenate([part.known for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Axes:
    """All inputs that differ between candidates, numbers first."""

    numbers: tuple[Axis, ...]
    names: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """How many inputs there are."""
        return len(self.numbers) + len(self.names)

    @property
    def axis_of_option(self) -> Codes:
        """For each column of the one-hot table the place of its axis among those of names."""
        counts = [len(axis.options) for axis in self.names]
        return np.repeat(np.arange(len(counts)), counts)

    def coded(self, columns: Mapping[str, Values], count: int) -> Coded:
        """``count`` points, given as one column of values for each input."""
        value, rank = np.zeros((count, len(self.numbers))), np.zeros((count, len(self.numbers)))
        for place, axis in enumerate(self.numbers):
            value[:, place] = axis.value(columns[axis.name])
            rank[:, place] = axis.rank(columns[axis.name])
        code = np.zeros((count, len(self.names)), dtype=np.int64)
        first = 0
        for place, axis in enumerate(self.names):
            code[:, place] = first + axis.code(columns[axis.name])
            first += len(axis.options)
        return Coded(value, rank, code)


def axes_of(columns: Mapping[str, Values], named: Sequence[str], log: Sequence[str] = ()) -> Axes:
    """The axes that a set of candidates spans; inputs with one value only are left out.

    ``named``: inputs whose values are names, whatever they look like; ``log``: those that go by
    the logarithm.
    """
    numbers, names = [], []
    for name, values in columns.items():
        if name in named:
            options = tuple(sorted({str(value) for value in values}))
            if len(options) > 1:
                names.append(Axis(name=name, options=options))
        else:
            axis = axis_of_numbers(name, values, log=name in log)
            if len(axis.levels) > 1:
                numbers.append(axis)
    return Axes(tuple(numbers), tuple(names))


def axis_of_numbers(name: str, values: Values, *, log: bool) -> Axis:
    """The axis of an input that has these values in a list; with one level if all are equal."""
    found = np.unique(np.array(values, dtype=float))
    if len(found) > LEVELS or len(found) * SHARE > len(values):
        found = found[[0, -1]] if len(found) > 1 else found
    return Axis(name=name, levels=tuple(map(float, found)), log=log)


def columns_of(
    points: Sequence[Mapping[str, float | int | str]], names: Sequence[str]
) -> dict[str, list[float | int | str]]:
    """Points turned into one column for each input. KeyError if a point lacks one."""
    return {name: [point[name] for point in points] for name in names}
