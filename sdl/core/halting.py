"""Pause, resume, abort and stop: of a campaign, of an instrument, of the whole lab.

A pause starts nothing new. An abort gives runs up and makes their instruments safe: a step of
them ends when the node has told its end *and* that the instrument is safe. A stop of the lab makes
every instrument safe and gives up nothing that can still be saved.
"""

from __future__ import annotations

from sdl.core import events as ev
from sdl.core.commands import Halt, Release
from sdl.core.lab_state import InstrumentState
from sdl.core.run import AT_A_PERSON, Run
from sdl.core.work import Work


class Halting:
    """What keeps instruments, or the whole campaign, from going on."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._orders = f"{work.state.spec.name}/halt-"

    def pause(self, event: ev.PauseRequested) -> None:
        """Let nothing new start, at the next safe point or at once."""
        if not event.what:
            self._work.state.paused = _said("paused", event.by, event.note)
            self._work.state.paused_at_once = event.at_once
            return
        instrument = self._work.lab.instruments.get(event.what)
        if instrument is not None:
            instrument.paused = _said("paused", event.by, event.note)
            instrument.paused_at_once = event.at_once

    def resume(self, event: ev.ResumeRequested) -> None:
        """Let it go on. What still waits for a person's answer, or to be made safe, does not."""
        work = self._work
        if event.what:
            instrument = work.lab.instruments.get(event.what)
            if instrument is not None:
                instrument.paused = instrument.held = ""
                work.release_if_safe(instrument)
                work.touched[instrument.name] = None
            return
        work.state.paused = ""
        work.state.paused_at_once = work.state.lab_stopped = False
        for instrument in work.lab.instruments.values():
            if instrument.stopped_past_us:
                instrument.held = ""
            work.release_if_safe(instrument)
        work.touch_all()

    def abort(self, event: ev.AbortRequested) -> None:
        """Break runs off, and make the instruments safe that work for them."""
        reason = _said("aborted", event.by, event.note)
        if not event.what:
            self._work.state.close("stopped", reason)
        runs = self._runs(event.what)
        for run in runs:  # before anything else is done about any of them
            self._halt_all(run, reason)
        for run in runs:
            self._work.break_off(run, reason, "abandoned")

    def stop_lab(self, event: ev.LabStopRequested) -> None:
        """Make every instrument safe; nothing starts until a person resumes."""
        work = self._work
        reason = _said("the lab was stopped", event.by, event.note)
        work.state.paused, work.state.paused_at_once = reason, True
        work.state.lab_stopped = True
        for instrument in work.lab.instruments.values():
            instrument.order(event.order)
            self._halt(instrument, reason)

    def made_safe(self, event: ev.InstrumentMadeSafe) -> None:
        """A node says whether an instrument is safe."""
        work = self._work
        instrument = work.lab.instruments.get(event.instrument)
        if instrument is None or event.boot != instrument.boot:
            return
        answers = event.halt == instrument.halting != ""
        if not answers and event.halt.startswith(self._orders):
            return  # an answer that was given before, or to an order that another one followed
        if not answers and event.halt in instrument.lifted:
            return  # somebody else's order, which a person has lifted since
        if not event.safe:
            instrument.held = f"it could not be made safe: {event.reason or 'no reason was given'}"
        if not answers:  # somebody else's order; to ours there will be a word of its own
            if event.halt:
                self._stopped_past_us(instrument, "past this campaign", (event.halt,))
            return
        instrument.halting = ""
        for run, step in work.all():
            if step.instrument == instrument.name and step.state == "halts":
                work.drop(run, step)
                work.close_if_over(run)
        work.release_if_safe(instrument)
        work.touched[instrument.name] = None

    def back(
        self, instrument: InstrumentState, event: ev.InstrumentOnline, *, fresh: bool, forgot: bool
    ) -> None:
        """A node is back: it may not have heard, or have forgotten, that it has to be safe.

        Or that it was released, or it was told to stop past us. ``fresh``: it was away before; to
        one that was not, the order is told again until it answers. ``forgot``: its journal is
        another one.
        """
        stopped, stops = event.stopped, event.stops
        if (instrument.halting and fresh) or (instrument.stopped and forgot):
            instrument.order(*stops)
            self._halt(instrument, instrument.stopped)
        elif stopped and instrument.stopped:
            instrument.order(*stops)
        elif stopped and stops and all(one in instrument.lifted for one in stops):
            lifts = instrument.lift_again(*stops)
            self._work.out.append(Release(instrument=instrument.name, lifts=lifts))
        elif stopped:
            self._stopped_past_us(instrument, stopped, stops)
        elif instrument.stopped_past_us and not instrument.halting:
            instrument.stopped = instrument.held = ""
            instrument.stopped_past_us = False

    def _stopped_past_us(
        self, instrument: InstrumentState, why: str, stops: tuple[str, ...]
    ) -> None:
        """Somebody told it to stop, and its node obeys nothing before a person resumes it."""
        if stops and all(one in instrument.lifted for one in stops):
            return  # old word of an order that we have lifted since
        instrument.order(*stops)
        if not instrument.stopped:
            instrument.stopped = why
            instrument.held = instrument.held or f"it was stopped: {why}"
            instrument.stopped_past_us = True

    def objection(self, event: ev.PauseRequested | ev.ResumeRequested | ev.AbortRequested) -> str:
        """Why a person's word makes no sense now; empty if it does."""
        state, lab = self._work.state, self._work.lab
        instrument = lab.instruments.get(event.what)
        if event.what and instrument is None and event.what not in state.runs:
            known = ", ".join([*lab.instruments, *state.runs])
            return f"there is no instrument or run in flight {event.what!r}; there are: {known}"
        match event:
            case ev.PauseRequested() if event.what and instrument is None:
                return "a run cannot be paused by itself; pause an instrument, or the campaign"
            case ev.PauseRequested(at_once=at_once):
                paused = instrument.paused if instrument else state.paused
                was_at_once = instrument.paused_at_once if instrument else state.paused_at_once
                return f"it is already {paused}" if paused and was_at_once >= at_once else ""
            case ev.ResumeRequested():
                return self._not_resumed(instrument, event.what)
            case ev.AbortRequested(what=what):
                if self._runs(what) or not what:
                    return ""
                return f"{what} does nothing for this campaign that could be broken off"

    def _not_resumed(self, instrument: InstrumentState | None, what: str) -> str:
        state = self._work.state
        if what and instrument is None:
            return "a run cannot be resumed by itself; resume an instrument, or the campaign"
        if instrument is None:
            stopped = any(one.stopped for one in self._work.lab.instruments.values())
            return "" if state.paused or stopped else "the campaign is not paused"
        if instrument.held or instrument.paused:
            return ""
        if instrument.asking:
            return f"{what} waits for your answer about {instrument.asking}: sdl resolve"
        if instrument.stopped and state.lab_stopped:
            return f"{state.paused}; resume the whole campaign first: sdl resume"
        if instrument.stopped:
            return f"{what} has not yet said that it is safe; it goes on by itself once it has"
        return f"{what} is neither paused nor held"

    def _runs(self, what: str) -> list[Run]:
        """The runs that an abort is about."""
        runs = self._work.state.runs
        if what in runs:
            return [runs[what]]
        if not what:
            return list(runs.values())
        return [
            run
            for run in runs.values()
            if any(
                step.instrument == what and (step.is_open or step.state in AT_A_PERSON)
                for step in run.steps.values()
            )
        ]

    def _halt_all(self, run: Run, reason: str) -> None:
        work = self._work
        run.aborted = True
        for step in list(run.steps.values()):
            if step.is_open or step.state in AT_A_PERSON:
                instrument = work.instrument(step)
                self._halt(instrument, reason)
                if not instrument.online:
                    work.await_return(instrument)
            if step.state in AT_A_PERSON:  # nobody need be asked about a run that is given up
                work.close(step, "unknown")
                work.free(step)
                step.state = "halts"

    def _halt(self, instrument: InstrumentState, reason: str) -> None:
        if any(isinstance(c, Halt) and c.instrument == instrument.name for c in self._work.out):
            return  # two runs had work for it
        self._work.state.halts += 1
        instrument.halting = f"{self._orders}{self._work.state.halts}"
        instrument.stopped = instrument.stopped or reason
        instrument.order(instrument.halting)
        instrument.released = ()
        halt = Halt(id=instrument.halting, instrument=instrument.name, reason=reason)
        self._work.out.append(halt)


def _said(what: str, by: str, note: str) -> str:
    return f"{what} by {by}: {note}" if note else f"{what} by {by}"
