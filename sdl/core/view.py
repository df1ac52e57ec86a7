"""What a person may want to see of a campaign at one moment; a value, made from the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdl.core.commands import Conclude
from sdl.model.data import InputValue
from sdl.model.hypothesis import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPoint:
    """The measured run that came closest to the objective."""

    run: str
    inputs: Mapping[str, InputValue]
    value: float
    """Of the objective's measure, in its unit."""
    loss: float
    expected: float | None
    """What the planner predicted for this point before the run; None if it predicted nothing."""
    sd: float | None
    """Standard deviation of that prediction, noise of one measurement included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """One run that has begun and not ended."""

    run: str
    step: str
    """Its first open step, or the last part of the id of the settling time."""
    instrument: str
    """Empty where it settles."""
    state: Literal["waits", "sent", "accepted", "started", "settles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentView:
    """One instrument as last heard of."""

    name: str
    state: Literal["idle", "busy", "held", "offline"]
    """*held*: nobody knows whether its last action happened; it does nothing until a person has
    looked."""
    simulated: bool
    note: str = ""
    """The command it works on, or why it is held or offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Who waits, and for what, in one sentence each."""

    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The whole campaign at one moment of lab time."""

    campaign: str
    at: float
    started_at: float
    runs_begun: int
    runs_ended: int
    runs_measured: int
    failures: int
    """Runs that ended without a measurement, unknown ones included."""
    unknown: int
    """Of those, the runs in which an action may or may not have happened: look at the bench."""
    last_failure: str
    """The run that failed last, and why; empty while none has."""
    runs_max: int
    measure: str
    in_flight: tuple[InFlight, ...]
    best: BestPoint | None
    instruments: tuple[InstrumentView, ...]
    evidence: Evidence | None
    suggestions_ready: int
    planner_state: str
    """``idle``, or what it was asked and since when."""
    waits: tuple[Waiting, ...]
    ended: Conclude | None
