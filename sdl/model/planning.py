"""What the runtime asks a planner, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sdl.model.campaign import LinearConstraint, Objective, OutcomeConstraint, Parameter
from sdl.model.candidates import Candidates
from sdl.model.costs import Costs, Fidelity
from sdl.model.data import JsonValue, Suggestion, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What to search and for what; the same for every question of one campaign."""

    space: tuple[Parameter, ...]
    objective: Objective
    """The first one, or the only one."""
    constraints: tuple[LinearConstraint, ...] = ()
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    further: tuple[Objective, ...] = ()
    """Objectives beside the first."""
    outcomes: tuple[OutcomeConstraint, ...] = ()
    """What a point must also have been measured to be, so that it counts."""
    candidates: Candidates | None = None
    """The only points that there are, where they are listed."""
    costs: Costs | None = None
    fidelity: Fidelity | None = None

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them, in their order."""
        return (self.objective, *self.further)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question. A pure function of its fields: asking again is free and gives the same."""

    id: str
    planner: str
    """The ``sdl.planners`` entry point that answers."""
    problem: Problem
    trials: tuple[Trial, ...]
    """Measured, failed and pending ones, in the order in which their runs were planned."""
    count: int
    """How many points are wanted, at least 1."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Either suggestions, or an error that says why there are none."""

    id: str
    suggestions: tuple[Suggestion, ...] = ()
    error: str = ""
    exhausted: bool = False
    """The error is that no point is left to suggest: asking again will not help."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Package versions that had a part in the answer, such as ``ax-platform`` and ``torch``."""
    seconds: float = 0.0
    """Wall seconds that the answer took; left out of the journal, which must not depend on them."""
