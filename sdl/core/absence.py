"""Instruments of which nothing is heard any more, and what becomes of what they had begun.

A node that is away for a moment comes back and says how its command ended. One that never does
would keep its run for ever: once it is lost, a person may say what became of the command, and
what nobody need be asked about ends by itself.
"""

from __future__ import annotations

from sdl.core.lab_state import InstrumentState
from sdl.core.questions import Questions
from sdl.core.run import Run, Step
from sdl.core.work import Work


class Absences:
    """Who is away, and for how long already."""

    def __init__(self, work: Work, questions: Questions) -> None:
        self._work = work
        self._questions = questions

    def begin(self, instrument: InstrumentState, reason: str) -> None:
        """It went offline."""
        instrument.leave(self._work.at, reason)
        if instrument.busy_with or instrument.halting:
            self._work.await_return(instrument)

    def fired(self, name: str) -> None:
        """An instrument has been away for so long that it is lost, if it did not come back."""
        work, instrument = self._work, self._work.lab.instruments[name]
        if not instrument.is_lost(work.at):
            return
        for run, step in work.all():
            if step.instrument == name and run.steps.get(step.path) is step:
                self._end(run, step)

    def _end(self, run: Run, step: Step) -> None:
        """End a step that waits for a lost instrument, unless a person has to say how."""
        work = self._work
        if step.is_open and not run.aborted:
            if step.epoch < work.state.checked_epoch:  # somebody has looked since it was sent
                self._questions.discard(run, step, "who resumed it")
            return
        if step.is_open:
            work.free(step)
            work.close(step, "unknown")
        elif step.state != "halts":
            return
        work.drop(run, step)
        work.close_if_over(run)
