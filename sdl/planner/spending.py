"""What runs cost: by their options and amounts, and by what has to be changed between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sdl.model.costs import Costs
from sdl.model.data import Inputs
from sdl.planner.axes import Codes, Floats, Values

FREE = 0.01
"""What costs nothing is taken to cost this share of the mean of all candidates."""


@dataclass(frozen=True)
class Prices:
    """What each of N candidates costs, and what it costs to go over to it."""

    each: Floats
    """(N,) whatever was run before."""
    columns: Mapping[str, Values]
    """Of inputs that cost something to change."""
    change: Mapping[str, float]

    def take(self, places: Codes) -> Prices:
        """Of some of the candidates."""
        columns = {n: [values[at] for at in places] for n, values in self.columns.items()}
        return Prices(self.each[places], columns, self.change)

    def point(self, place: int) -> Inputs:
        """What matters of a candidate for the run after it."""
        return {name: values[place] for name, values in self.columns.items()}

    def after(self, last: Inputs | None) -> Floats:
        """The whole cost of each, (N,), after a run with such inputs, or after none."""
        if last is None:
            return self.each
        total = self.each.copy()
        for name, values in self.columns.items():
            total += self.change[name] * np.array([value != last[name] for value in values])
        return total


def prices_of(costs: Costs, columns: Mapping[str, Values]) -> Prices:
    """Of candidates that are given as a column for each input."""
    count = len(next(iter(columns.values())))
    each = np.full(count, costs.per_run)
    for name, by_option in costs.options.items():
        each += [by_option.get(str(value), 0.0) for value in columns[name]]
    for name, price in costs.per_unit.items():
        each += price * np.array(columns[name], dtype=float)
    changing = {name: columns[name] for name, price in costs.change.items() if price > 0.0}
    return Prices(each, changing, costs.change)


def log_cost(cost: Floats) -> Floats:
    """Logarithm of costs (N,), never of nothing; 0 where all are nothing."""
    least = FREE * float(cost.mean())
    return np.log(np.maximum(cost, least)) if least > 0.0 else np.zeros(len(cost))
