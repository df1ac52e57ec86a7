"""What a campaign has spent by its ``[cost]`` and ``[fidelity]``; what a next run would cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sdl.model.campaign import Campaign
from sdl.model.data import Inputs

HOUR_S = 3600.0
ROUNDING = 1.0 + 1e-9
"""Ten runs of 0.1 may be paid with 1."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Of all runs that have begun, in the currency of the campaign's costs."""

    total: float = 0.0
    last: Inputs | None = None
    """Inputs of the sample begun last, from which a change costs; None before the first."""

    @staticmethod
    def counts(spec: Campaign) -> bool:
        """Whether anything is said of costs."""
        return spec.costs is not None or spec.fidelity is not None

    def after(self, spec: Campaign, samples: Iterable[Inputs]) -> Spent:
        """Once a run with these samples has begun too, its lab time left aside."""
        found = self
        if not self.counts(spec):
            return found
        for inputs in samples:
            found = Spent(found.total + _price(spec, inputs, found.last), inputs)
        return found

    def with_time(self, spec: Campaign, seconds: float) -> Spent:
        """Once a run has ended that lasted so long, in lab time."""
        per_hour = 0.0 if spec.costs is None else spec.costs.per_hour
        return replace(self, total=self.total + per_hour * seconds / HOUR_S)


def _price(spec: Campaign, inputs: Inputs, last: Inputs | None) -> float:
    """Of one sample after another one, lab time left aside."""
    costs, fidelity = spec.costs, spec.fidelity
    price = 0.0
    if fidelity is not None:
        price += fidelity.costs.get(str(inputs[fidelity.input]), 0.0)
    if costs is None:
        return price
    price += costs.per_run
    for name, by_option in costs.options.items():
        price += by_option.get(str(inputs.get(name)), 0.0)
    for name, each in costs.per_unit.items():
        price += each * float(inputs.get(name, 0.0))  # nothing of what is not in use
    for name, each in costs.change.items():
        price += each if last is not None and inputs.get(name) != last.get(name) else 0.0
    return price


def too_dear(now: Spent, then: Spent, most: float | None) -> str:
    """Why a next run may not begin, in words; empty if it may. ``most``: that may be spent."""
    if most is None or then.total <= most * ROUNDING:
        return ""
    return (
        f"{now.total:.6g} of the {most:.6g} that may be spent are spent, and the next run would "
        f"cost {then.total - now.total:.6g}"
    )
