"""What runs cost: by options, amounts and lab time, by what changes between two runs, by stocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sdl.model.bench import BenchState
from sdl.model.costs import Costs
from sdl.model.data import Inputs
from sdl.model.reason import Spending
from sdl.planner.axes import Bools, Codes, Floats, Values
from sdl.planner.supplies import Supplies, supplies_of

FREE = 0.01
"""What costs nothing is taken to cost this share of the mean of all candidates."""


@dataclass(frozen=True)
class Prices:
    """What each of N candidates costs, and what it costs to go over to it."""

    each: Floats
    """(N,) whatever was run before, lab time included."""
    columns: Mapping[str, Values]
    """Of inputs that cost something to change."""
    change: Mapping[str, float]
    per_hour: float
    supplies: Supplies | None
    """What the bench has for them; None where that does not count."""

    def take(self, places: Codes) -> Prices:
        """Of some of the candidates."""
        return replace(
            self,
            each=self.each[places],
            columns={n: [values[at] for at in places] for n, values in self.columns.items()},
            supplies=self.supplies and self.supplies.take(places),
        )

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

    def log_after(self, last: Inputs | None) -> Floats:
        """Its logarithm, (N,), and what makes a run dearer as it drains stocks."""
        found = log_cost(self.after(last))
        return found if self.supplies is None else found + self.supplies.log_drain

    def spent(self, place: int) -> Prices:
        """Once a run of that candidate has begun."""
        return replace(self, supplies=self.supplies and self.supplies.after(place))

    def in_stock(self, places: Bools) -> Bools:
        """Those of some candidates, (N,), for which there is enough; all where there is of none."""
        if self.supplies is None:
            return places
        found = places & ~self.supplies.short
        return found if found.any() else places

    def spending(self, place: int, last: Inputs | None, places: Bools) -> Spending | None:
        """What a run there costs and draws; None where the bench does not count.

        ``places``: the candidates that it was chosen from.
        """
        if self.supplies is None:
            return None
        passed = places & self.supplies.short
        hours = float(self.supplies.hours[place])
        return Spending(
            cost=float(self.after(last)[place]) - self.per_hour * hours,
            hours=hours,
            cost_of_hours=self.per_hour * hours,
            draws=self.supplies.drawn(place),
            log_drain=float(self.supplies.log_drain[place]),
            passed_over=0 if passed[place] else int(passed.sum()),
            short=self.supplies.lacking(places),
            unclear=self.supplies.unclear,
        )


def prices_of(
    costs: Costs | None,
    columns: Mapping[str, Values],
    bench: BenchState | None = None,
    runs: int = 1,
) -> Prices:
    """Of candidates that are given as a column for each input; without costs, all the same.

    ``runs``: that the budget has still to give, the next one included.
    """
    costs = costs or Costs()
    count = len(next(iter(columns.values())))
    each = np.full(count, costs.per_run)
    for name, by_option in costs.options.items():
        each += [by_option.get(str(value), 0.0) for value in columns[name]]
    for name, price in costs.per_unit.items():
        each += price * np.array(columns[name], dtype=float)
    supplies = None if bench is None else supplies_of(bench, columns, count, runs)
    if supplies is not None:
        each += costs.per_hour * supplies.hours
    changing = {name: columns[name] for name, price in costs.change.items() if price > 0.0}
    return Prices(each, changing, costs.change, costs.per_hour, supplies)


def log_cost(cost: Floats) -> Floats:
    """Logarithm of costs (N,), never of nothing; 0 where all are nothing."""
    least = FREE * float(cost.mean())
    return np.log(np.maximum(cost, least)) if least > 0.0 else np.zeros(len(cost))
