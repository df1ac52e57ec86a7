"""What an experiment costs, and how closely it tells what one wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one run costs, in any one currency, be it money or minutes; all are 0 or more."""

    per_run: float = 0.0
    per_hour: float = 0.0
    """What an hour of lab time costs that a run is told to last, or has to wait for."""
    options: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By searched input and named option: what that option costs each time; 0 if not said."""
    per_unit: Mapping[str, float] = field(default_factory=dict)
    """By searched number: what one unit of it costs."""
    change: Mapping[str, float] = field(default_factory=dict)
    """By searched input: what it costs to go over to another value from one run to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """An input of the protocol that says how closely it is looked: dearer options tell more."""

    input: str
    """A searched input with named options."""
    target: str
    """The option that counts: only its runs can be the best, or reach the target."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """By option, each above 0: what one run costs, in the currency of ``Costs``."""
