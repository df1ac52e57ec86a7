"""What the runtime asks a planner, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from sdl.model.bench import BenchState
from sdl.model.campaign import LinearConstraint, Objective, OutcomeConstraint, Parameter
from sdl.model.candidates import Candidates
from sdl.model.costs import Costs, Fidelity
from sdl.model.data import JsonValue, Suggestion, Trial
from sdl.model.rival import Rival

Needed: TypeAlias = Literal[
    "several_objectives",
    "range",
    "hits",
    "level",
    "novelty",
    "discriminate",
    "real_sums",
    "candidates",
    "fidelity",
    "conditions",
    "hints",
]
"""Without these a planner's answers would be wrong, ..."""
Helpful: TypeAlias = Literal["outcome_constraints", "costs", "descriptors", "left", "bench"]
"""... and without these they are only worse."""
Ability: TypeAlias = Literal[Needed, Helpful]
"""Something that not every planner can do. *several_objectives*: with their thresholds and
weights. *range*: an objective with two ends; *hits*, *level*, *novelty*, *discriminate*: one of
that goal. *real_sums*: sums of real numbers that have to be met. *conditions*: inputs that are
searched only at some values of others. *hints*: trials that were measured on something like it
only (``Trial.is_hint``). *left*: saying what is left to be gained (``Reason.left``).
*bench*: heeding what is left of stocks, and how long runs take (``Problem.bench``)."""

NEEDED: frozenset[Ability] = frozenset(get_args(Needed))
"""All of ``Needed``, as a set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What to search and for what; but for ``bench`` the same for all questions of a campaign."""

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
    hints: tuple[str, ...] = ()
    """Where trials come from that were measured on something like it only."""
    left: bool = False
    """Whether each suggestion shall say what is left to be gained, with one objective."""
    rivals: tuple[Rival, ...] = ()
    """Two or more, where the goal is ``discriminate``; else none."""
    runs: int | None = None
    """Runs, or samples, of the whole campaign at most; None where nobody has said."""
    bench: BenchState | None = None
    """What the bench has to say now: alone of all this, it is another one at each question."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them, in their order."""
        return (self.objective, *self.further)

    @property
    def is_weighted(self) -> bool:
        """Whether all objectives together give one score."""
        return all(one.weight is not None for one in self.objectives)

    @property
    def measures(self) -> frozenset[str]:
        """Without which a measured point says nothing: of objectives, and of their constraints."""
        steered = [one.measure for one in self.objectives]
        return frozenset([*steered, *(one.measure for one in self.outcomes)])


def asked_of(problem: Problem) -> frozenset[Ability]:
    """What a planner has to be able to do, to do all that a problem asks for."""
    real = {p.name for p in problem.space if p.kind == "range" and not p.integer}
    goals = {one.goal for one in problem.objectives}
    found: dict[Ability, bool] = {
        "several_objectives": bool(problem.further),
        "range": "range" in goals,
        "hits": "hits" in goals,
        "level": "level" in goals,
        "novelty": "novelty" in goals,
        "discriminate": "discriminate" in goals,
        "real_sums": any(
            one.equals is not None and not real.isdisjoint(one.weights)
            for one in problem.constraints
        ),
        "candidates": problem.candidates is not None,
        "conditions": any(p.only_if for p in problem.space),
        "fidelity": problem.fidelity is not None,
        "outcome_constraints": bool(problem.outcomes),
        "costs": problem.costs is not None,
        "hints": bool(problem.hints),
        "left": problem.left,
        "bench": problem.bench is not None,
        "descriptors": any(p.kind == "choice" and p.descriptors for p in problem.space),
    }
    return frozenset(ability for ability, is_asked in found.items() if is_asked)


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
