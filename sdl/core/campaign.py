"""The state of one campaign and the rules that read it: what to ask, when to stop."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from sdl.core.commands import Conclude
from sdl.core.evidence import Outcome
from sdl.core.run import Run
from sdl.core.view import BestPoint
from sdl.model.campaign import Campaign
from sdl.model.data import Measures, Suggestion, Trial
from sdl.model.hypothesis import Evidence
from sdl.model.planning import Ask, Problem
from sdl.model.space import grid_points, is_enumerable

Ending: TypeAlias = Literal[
    "target", "budget", "exhausted", "stopped", "failures", "planner", "material"
]

AHEAD = 1
"""Suggestions kept ready beyond the runs in flight, so that the bench does not wait for a fit.
Not with one run at a time: there, a suggestion made before the last result would be a worse one."""


@dataclass(slots=True)
class OpenAsk:
    """A question that the planner has not answered yet."""

    question: Ask
    attempt: int
    asked_at: float
    failures: int = 0
    """Attempts of the present planner that failed; a restart of ours is no failure of its."""
    fall_back: str = ""
    """Why another planner than the campaign's was asked; empty if it was not."""


@dataclass(slots=True)
class CampaignState:
    """Everything that changes in a campaign."""

    spec: Campaign
    started_at: float
    points: int | None
    """How many feasible points an enumerable search space has; None where it has no end."""
    epoch: int = 1
    asks: int = 0
    open_ask: OpenAsk | None = None
    suggestions: dict[str, Suggestion] = field(default_factory=dict)
    """Accepted and not yet disposed of, by id."""
    accepted: int = 0
    ready: deque[str] = field(default_factory=deque)
    trials: dict[str, Trial] = field(default_factory=dict)
    """By suggestion, in order of acceptance."""
    runs: dict[str, Run] = field(default_factory=dict)
    """In flight, in order of their beginning."""
    begun: int = 0
    ended: int = 0
    measured: int = 0
    unknown: int = 0
    failures_in_row: int = 0
    last_failure: str = ""
    checked_epoch: int = 0
    """The last epoch at whose start a person had looked at the bench."""
    best: BestPoint | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    evidence: Evidence | None = None
    closing: tuple[Ending, str] | None = None
    """Why no run is begun any more; the campaign ends when the last one in flight has."""
    concluded: Conclude | None = None

    def close(self, ending: Ending, reason: str) -> None:
        """Begin no more runs. The first reason stands."""
        if self.closing is None:
            self.closing = (ending, reason)

    def settle_trial(
        self, suggestion: str, status: Literal["measured", "failed"], measures: Measures
    ) -> None:
        """Tell the planner's history how the point ended."""
        self.trials[suggestion] = replace(
            self.trials[suggestion], status=status, measures=dict(measures)
        )


def wanted_suggestions(state: CampaignState) -> int:
    """How many points to ask the planner for now; 0 while it is still busy with a question."""
    if state.closing or state.open_ask:
        return 0
    spec = state.spec
    ahead = AHEAD if spec.parallel > 1 else 0
    room = spec.parallel + ahead - len(state.runs) - len(state.ready)
    budget = spec.stop.runs - state.begun - len(state.ready)
    left = budget if state.points is None else state.points - len(state.trials)
    return max(0, min(room, budget, left))


def problem(spec: Campaign) -> Problem:
    """The campaign as its planner sees it."""
    return Problem(
        space=spec.space,
        objective=spec.objective,
        constraints=spec.constraints,
        options=spec.planner.options,
    )


def count_points(spec: Campaign) -> int | None:
    """How many feasible points the search space has; None if it cannot be listed."""
    if not is_enumerable(spec.space):
        return None
    return sum(1 for _ in grid_points(problem(spec)))


def question(state: CampaignState, count: int) -> Ask:
    """The next question, a value that holds all the planner may know."""
    spec = state.spec
    ask = f"{spec.name}/ask-{state.asks + 1}"
    return Ask(
        id=ask,
        planner=spec.planner.kind,
        problem=problem(spec),
        trials=tuple(state.trials.values()),
        count=count,
        seed=spec.seed,
    )


def stop_reason(state: CampaignState, at: float) -> tuple[Ending, str] | None:
    """The first stop rule that holds; None while the campaign should go on."""
    stop, best = state.spec.stop, state.best
    if stop.tolerance is not None and best is not None and best.loss <= stop.tolerance:
        return "target", f"{best.run} is within {stop.tolerance:g} of the target"
    if state.failures_in_row >= stop.failures:
        return "failures", (
            f"{state.failures_in_row} runs in a row gave no measurement; the last: "
            f"{state.last_failure}"
        )
    if state.begun >= stop.runs and not state.runs:
        return "budget", f"all {stop.runs} runs are done"
    if stop.hours is not None and at - state.started_at >= stop.hours * 3600.0:
        return "budget", f"{stop.hours:g} hours are over"
    if state.points is not None and len(state.trials) >= state.points and not state.ready:
        return "exhausted", f"all {state.points} points of the search space were tried"
    return None


def trials_sha256(trials: tuple[Trial, ...]) -> str:
    """SHA-256 over the trials as canonical JSON: keys sorted, no spaces."""
    plain = [
        {"inputs": dict(t.inputs), "measures": dict(t.measures), "status": t.status} for t in trials
    ]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
