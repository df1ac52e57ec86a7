"""When there is a reason to plan anew, and which.

New work, a campaign that was stopped, paused or given another claim on the bench, an instrument
that went or came back, a step that takes longer than 95 % of its kind, a window in danger; or else
every five minutes. Never within twenty lab seconds of the plan before: what happens in that time is
planned for together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdl.core.engine import Engine
from sdl.core.ids import step_of
from sdl.shell.plan_question import Draft

EVERY_S = 300.0
"""Lab seconds after which a plan is made anew without a reason of its own."""
DEBOUNCE_S = 20.0
"""Lab seconds from one plan to the next at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """How far a campaign counts when the bench is planned."""

    campaign: str
    priority: int
    weight: float
    is_paused: bool
    is_stopped: bool


class Occasions:
    """Remembers what the last plan was made for."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._runs: frozenset[str] = frozenset()
        self._able: frozenset[str] = frozenset()
        self._claims: frozenset[Claim] = frozenset()
        self._missed = 0
        self._lengths: Mapping[str, float] = {}
        self._late: set[str] = set()
        self._threatened: set[str] = set()

    def due(self, engine: Engine, at: float) -> str:
        """Why to plan now, in words; empty if there is no reason."""
        if engine.is_over or (self._at is not None and at < self._at + DEBOUNCE_S):
            return ""
        if not may_overlap(engine):
            return ""
        runs = runs_ahead(engine)
        if self._at is None:
            return "the first plan"
        if runs - self._runs:
            return "new work"
        if able(engine) != self._able:
            return "an instrument went or came back"
        if claims(engine) - self._claims:
            return "a campaign was stopped, paused, or has another claim on the bench"
        if missed(engine) > self._missed:
            return "a window was missed"
        late = self._overdue(engine, at)
        if late:
            self._late.add(late)
            return f"{late} takes long"
        threatened = engine.commons.agenda.threatened(engine.lab, at)
        if threatened and threatened not in self._threatened:
            self._threatened.add(threatened)
            return f"the window of {threatened} is in danger"
        return "time has passed" if at >= self._at + EVERY_S else ""

    def asked(self, engine: Engine, at: float) -> None:
        """A plan is being made for this state."""
        self._at, self._runs, self._able = at, runs_ahead(engine), able(engine)
        self._missed, self._claims = missed(engine), claims(engine)

    def known(self, drafted: Draft) -> None:
        """How long its steps take."""
        self._lengths = drafted.patience_s
        self._late &= self._lengths.keys()
        self._threatened &= self._lengths.keys()

    def again(self) -> None:
        """The plan came to nothing: the next look may ask anew, after the usual time."""
        self._runs = frozenset()

    def _overdue(self, engine: Engine, at: float) -> str:
        for one in engine.lab.instruments.values():
            if one.busy_with is not None:
                step = step_of(one.busy_with)
                patience_s = self._lengths.get(step)
                is_late = patience_s is not None and at > one.busy_since + patience_s
                if is_late and step not in self._late:
                    return step
        return ""


def may_overlap(engine: Engine) -> bool:
    """Whether more than one run may be in flight: one alone has nobody to be put in order with."""
    count = 0
    for part in engine.campaigns.values():
        state = part.state
        left = 0 if state.closing else state.spec.stop.runs - state.samples_begun
        count += max(len(state.runs), min(state.runs_at_once, len(state.runs) + left))
    return count > 1


def runs_ahead(engine: Engine) -> frozenset[str]:
    """Runs in flight, and the next one of each campaign that may begin one."""
    found: set[str] = set()
    for part in engine.campaigns.values():
        state = part.state
        found.update(state.runs)
        if part.casting.may_begin or (
            not state.closing and state.samples_begun < state.spec.stop.runs
        ):
            found.add(f"{part.name}/run-{state.begun + 1}")
    return frozenset(found)


def claims(engine: Engine) -> frozenset[Claim]:
    """What each campaign may ask of the bench now."""
    return frozenset(
        Claim(
            campaign=part.name,
            priority=part.priority,
            weight=part.state.terms.weight,
            is_paused=bool(part.state.paused or engine.lab.paused),
            is_stopped=part.state.closing is not None and part.state.closing[0] == "stopped",
        )
        for part in engine.campaigns.values()
    )


def missed(engine: Engine) -> int:
    """Windows that were missed so far; behind one a run asks for other steps than were planned."""
    return sum(part.state.broken_windows for part in engine.campaigns.values())


def able(engine: Engine) -> frozenset[str]:
    """Instruments that may be asked for something."""
    return frozenset(one.name for one in engine.lab.instruments.values() if one.ready)
