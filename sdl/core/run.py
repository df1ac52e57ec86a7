"""One execution of a protocol with one suggestion: its open steps and what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sdl.authoring import Act, Settle
from sdl.core.tables import OPEN, State
from sdl.core.trampoline import Trampoline, Wanted
from sdl.model.data import Inputs
from sdl.model.labware import Well


@dataclass(slots=True)
class Step:
    """One open request of a run."""

    id: str
    """``dye-450/run-7/step-2``."""
    path: str
    request: Act | Settle
    not_after: float | None
    order: int
    instrument: str
    """Empty for a settling time."""
    state: Literal["waits", "settles"] | State
    until: float | None = None
    """When a settling time ends, in lab time."""
    attempt: int = 0
    memory: str = ""
    """Of the node's journal to which the present attempt was sent."""
    epoch: int = 0
    """Of the orchestrator that sent the present attempt."""
    watched: bool = False
    """Whether a timer will end its wait when its window closes."""

    @property
    def cid(self) -> str:
        """The command of the present attempt."""
        return f"{self.id}/try-{self.attempt}"

    @property
    def is_open(self) -> bool:
        """Whether a command of it is in the world."""
        return self.state in OPEN


@dataclass(slots=True)
class Run:
    """A run in flight."""

    id: str
    number: int
    suggestion: str
    inputs: Inputs
    wells: Mapping[str, Well]
    instruments: Mapping[str, str]
    """By role."""
    trampoline: Trampoline
    steps: dict[str, Step] = field(default_factory=dict)
    """Open ones by path, in order of asking."""
    broken: str | None = None
    """Why the outcome is unknown; then nothing new starts, and the run ends with its open steps."""

    def add(self, wanted: Wanted, order: int, at: float) -> Step:
        """Enter a request of the protocol."""
        request = wanted.request
        settles = isinstance(request, Settle)
        step = Step(
            id=f"{self.id}/step-{wanted.path}",
            path=wanted.path,
            request=request,
            not_after=None if settles else wanted.not_after,
            order=order,
            instrument="" if isinstance(request, Settle) else self.instruments[request.role],
            state="settles" if settles else "waits",
            until=at + request.seconds if isinstance(request, Settle) else None,
        )
        self.steps[wanted.path] = step
        return step

    def forget_stopped(self) -> None:
        """Drop steps whose branch was stopped before they left for the world."""
        if not self.trampoline.stopped:
            return
        self.steps = {
            path: step
            for path, step in self.steps.items()
            if step.is_open or self.trampoline.waits(path)
        }

    def break_off(self, reason: str) -> None:
        """The outcome is unknown: stop the protocol, keep only what is in the world already."""
        self.broken = reason
        self.trampoline.abandon()
        self.steps = {path: step for path, step in self.steps.items() if step.is_open}
