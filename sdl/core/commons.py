"""What all campaigns of one lab share: the bench, who waits for it, and the turn being taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from sdl.core.agenda import Agenda
from sdl.core.commands import Command, Release, Wait
from sdl.core.lab_state import LOST_S, InstrumentState, LabState
from sdl.core.open_steps import OpenSteps
from sdl.core.run import Run, Step

PLAN = "/plan"
"""Behind the journal's name in the name of a timer that ends a wait for the plan."""
CARRY = "/carry-"
"""Between the journal's name and the number of a carry, in its id."""
LOST = "/lost/"
"""Between the journal's name and an instrument in the name of a timer that waits for its return."""


@dataclass(slots=True)
class Commons:
    """One bench and its queues."""

    name: str
    """Of the journal: that of its campaign where it has one alone, else of the lab's session."""
    lab: LabState
    at: float = 0.0
    out: list[Command] = field(default_factory=list)
    """Where commands are put; the engine's own list of the present turn."""
    touched: dict[str, None] = field(default_factory=dict)
    """Instruments for which there may be something to dispatch, in order."""
    order: int = 0
    """How many steps there were so far."""
    agenda: Agenda = field(default_factory=Agenda)
    """The plan in force, if any."""
    steps: OpenSteps = field(init=False)
    """Of all runs."""

    def __post_init__(self) -> None:
        """The books of open steps follow from all else."""
        self.steps = OpenSteps(self.lab)

    @property
    def is_shared(self) -> bool:
        """Whether several campaigns may be at work, and others may come."""
        return self.lab.is_shared

    def touch_all(self) -> None:
        """Something has changed for the whole lab: look at every instrument again."""
        self.touched.update(dict.fromkeys(self.lab.instruments))

    def waits_for(self, instrument: str) -> list[tuple[Run, Step]]:
        """What waits for an instrument, in order of having begun to."""
        return list(self.steps.waiting[instrument].values())

    def look_again(self, until: float) -> None:
        """Be woken at a moment until which the plan keeps somebody waiting."""
        agenda = self.agenda
        if not self.at < agenda.wake <= until:
            agenda.wake = until
            self.out.append(Wait(timer=f"{self.name}{PLAN}", until=until))

    def release_if_safe(self, instrument: InstrumentState) -> None:
        """Let a node that was stopped obey again, once nothing speaks against it."""
        stays = self.lab.stopped or instrument.halting or instrument.held
        if instrument.stopped and not stays and instrument.busy_with is None:
            instrument.stopped, instrument.stopped_past_us = "", False
            self.touched[instrument.name] = None
            self.out.append(Release(instrument=instrument.name, lifts=instrument.lift()))

    def await_return(self, instrument: InstrumentState) -> None:
        """Look again at what an absent instrument had begun, once it is lost."""
        timer = f"{self.name}{LOST}{instrument.name}"
        self.out.append(Wait(timer=timer, until=instrument.lost_at + LOST_S))
