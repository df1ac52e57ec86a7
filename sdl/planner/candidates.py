"""A finite set of points to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sdl.errors import PlannerFault
from sdl.planner.axes import Axes, Bools, Coded, Floats, Values, axes_of
from sdl.planner.spread import are_clumped


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
