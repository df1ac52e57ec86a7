"""Instruments of which nothing is heard any more, and what becomes of what they had begun.

A node that is away for a moment comes back and says how its command ended. One that never does
would keep its run for ever: once it is lost, a person may say what became of the command, and
what nobody need be asked about ends by itself.
"""

from __future__ import annotations

from sdl.core.commons import Commons
from sdl.core.lab_state import InstrumentState
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.run import Run, Step


class Absences:
    """Who is away, and for how long already."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster

    def begin(self, instrument: InstrumentState, reason: str) -> None:
        """It went offline."""
        instrument.leave(self._commons.at, reason)
        if instrument.busy_with or instrument.halting:
            self._commons.await_return(instrument)

    def fired(self, name: str) -> None:
        """An instrument has been away for so long that it is lost, if it did not come back."""
        if not self._commons.lab.instruments[name].is_lost(self._commons.at):
            return
        for part in self._roster.everyone():
            for run, step in part.work.all():
                if step.instrument == name and run.steps.get(step.path) is step:
                    self._end(part, run, step)

    @staticmethod
    def _end(part: Part, run: Run, step: Step) -> None:
        """End a step that waits for a lost instrument, unless a person has to say how."""
        work = part.work
        if step.is_open and not run.aborted:
            if step.epoch < work.lab.checked_epoch:  # somebody has looked since it was sent
                part.questions.discard(run, step, "who resumed it")
            return
        if step.is_open:
            work.free(step)
            work.close(step, "unknown")
        elif step.state != "halts":
            return
        work.drop(run, step)
        work.close_if_over(run)
