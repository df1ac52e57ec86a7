"""Keeps the accounts of what instruments spend their time on, as things change."""

from __future__ import annotations

from sdl.core import events as ev
from sdl.core.commons import Commons
from sdl.core.lab_state import InstrumentState
from sdl.core.roster import Roster
from sdl.core.usage import Account

STIRRING = (
    ev.OrchestratorStarted,
    ev.PauseRequested,
    ev.ResumeRequested,
    ev.AbortRequested,
    ev.LabStopRequested,
    ev.StepResolved,
    ev.InstrumentMadeSafe,
)
"""After which an instrument may do something else although there is nothing to dispatch to it."""


class Accounts:
    """One for each instrument; nothing is decided by them."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster

    def open(self) -> None:
        """The journal begins."""
        at = self._commons.at
        for instrument in self._commons.lab.instruments.values():
            instrument.account = Account(begin=at, since=at)

    def before(self, event: ev.Event, at: float) -> None:
        """Of the time since lab time ``at`` nobody knows anything, if another one takes over."""
        if isinstance(event, ev.OrchestratorStarted):
            for instrument in self._commons.lab.instruments.values():
                instrument.account.turn("offline", at)

    def after(self, event: ev.Event) -> None:
        """All that follows from an event has been decided."""
        if isinstance(event, STIRRING):
            for instrument in self._commons.lab.instruments.values():
                self.book(instrument)

    def book(self, instrument: InstrumentState) -> None:
        """From now on its time goes on what it does now."""
        at, lab = self._commons.at, self._commons.lab
        if instrument.busy_with is not None and instrument.online:  # as most of the time
            if instrument.account.doing != "busy":
                instrument.account.turn("busy", at)
            return
        waiting = self._commons.steps.waiting[instrument.name]
        paused = bool(lab.paused)
        if waiting and not paused:
            parts = (self._roster.of(run.id) for run, _ in waiting.values())
            paused = all(part is not None and part.state.paused for part in parts)
        doing = instrument.activity(has_work=bool(waiting), is_paused=paused)
        instrument.account.turn(doing, at)
