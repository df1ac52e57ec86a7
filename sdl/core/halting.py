"""Pause, resume, abort and stop: of a campaign, of an instrument, of the whole lab.

A pause starts nothing new. An abort gives runs up and makes their instruments safe: a step of
them ends when the node has told its end *and* that the instrument is safe. A stop of the lab makes
every instrument safe and gives up nothing that can still be saved.
"""

from __future__ import annotations

from collections.abc import Iterator

from sdl.core import events as ev
from sdl.core.campaign import CampaignState
from sdl.core.commands import Halt, Release
from sdl.core.commons import Commons
from sdl.core.lab_state import InstrumentState, LabState
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.run import AT_A_PERSON, Run
from sdl.core.work import Work

Order = ev.PauseRequested | ev.ResumeRequested | ev.AbortRequested


class Halting:
    """What keeps instruments, campaigns or the whole lab from going on."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster
        self._orders = f"{commons.name}/halt-"

    def pause(self, event: ev.PauseRequested) -> None:
        """Let nothing new start, at the next safe point or at once."""
        found = self._paused_by(event)
        if found is not None:
            found.paused = _said("paused", event.by, event.note)
            found.paused_at_once = event.at_once

    def resume(self, event: ev.ResumeRequested) -> None:
        """Let it go on. What still waits for a person's answer, or to be made safe, does not."""
        commons, part = self._commons, self._part(event)
        if event.what:
            instrument = commons.lab.instruments.get(event.what)
            if instrument is not None:
                instrument.paused = instrument.held = ""
                commons.release_if_safe(instrument)
                commons.touched[instrument.name] = None
            return
        commons.lab.untouched = False
        if part is not None:
            part.state.paused, part.state.paused_at_once = "", False
            commons.touch_all()
            return
        commons.lab.paused = ""
        commons.lab.paused_at_once = commons.lab.stopped = False
        for instrument in commons.lab.instruments.values():
            if instrument.stopped_past_us:
                instrument.held = ""
            commons.release_if_safe(instrument)
        commons.touch_all()

    def abort(self, event: ev.AbortRequested) -> None:
        """Break runs off, and make the instruments safe that work for them."""
        reason = _said("aborted", event.by, event.note)
        part = self._part(event)
        if not event.what:
            self._commons.lab.untouched = True
            for one in [part] if part else self._roster.values():
                one.state.close("stopped", reason)
        runs = list(self._runs(event.what, part))
        for work, run in runs:  # before anything else is done about any of them
            self._halt_all(work, run, reason)
        for work, run in runs:
            work.break_off(run, reason, "abandoned")

    def stop_lab(self, event: ev.LabStopRequested) -> None:
        """Make every instrument safe; nothing starts until a person resumes."""
        lab = self._commons.lab
        reason = _said("the lab was stopped", event.by, event.note)
        lab.paused, lab.paused_at_once, lab.stopped = reason, True, True
        for instrument in lab.instruments.values():
            instrument.order(event.order)
            self._halt(instrument, reason)

    def made_safe(self, event: ev.InstrumentMadeSafe) -> None:
        """A node says whether an instrument is safe."""
        instrument = self._commons.lab.instruments.get(event.instrument)
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
                past = "past this lab" if self._commons.is_shared else "past this campaign"
                self._stopped_past_us(instrument, past, (event.halt,))
            return
        instrument.halting = ""
        for work in [part.work for part in self._roster.everyone()]:
            for run, step in work.all():
                if step.instrument == instrument.name and step.state == "halts":
                    work.drop(run, step)
                    work.close_if_over(run)
        self._commons.release_if_safe(instrument)
        self._commons.touched[instrument.name] = None

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
            self._commons.out.append(Release(instrument=instrument.name, lifts=lifts))
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

    def objection(self, event: Order) -> str:
        """Why a person's word makes no sense now; empty if it does."""
        lab, part = self._commons.lab, self._part(event)
        instrument = lab.instruments.get(event.what)
        runs = [name for one in self._roster.everyone() for name in one.state.runs]
        if event.what and instrument is None and event.what not in runs:
            known = ", ".join([*lab.instruments, *runs])
            return f"there is no instrument or run in flight {event.what!r}; there are: {known}"
        match event:
            case ev.PauseRequested() if event.what and instrument is None:
                return "a run cannot be paused by itself; pause an instrument, or the campaign"
            case ev.PauseRequested(at_once=at_once):
                found = self._paused_by(event)
                assert found is not None
                is_so = found.paused and found.paused_at_once >= at_once
                return f"it is already {found.paused}" if is_so else ""
            case ev.ResumeRequested():
                return self._not_resumed(instrument, part, event.what)
            case ev.AbortRequested(what=what):
                if not what or any(self._runs(what, part)):
                    return ""
                work_for = "the lab" if self._commons.is_shared else "this campaign"
                return f"{what} does nothing for {work_for} that could be broken off"

    def _not_resumed(self, instrument: InstrumentState | None, part: Part | None, what: str) -> str:
        lab = self._commons.lab
        if what and instrument is None:
            return "a run cannot be resumed by itself; resume an instrument, or the campaign"
        if part is not None:
            return "" if part.state.paused else f"the campaign {part.name} is not paused"
        if instrument is None:
            stopped = any(one.stopped for one in lab.instruments.values())
            whole = "lab" if self._commons.is_shared else "campaign"
            return "" if lab.paused or stopped else f"the {whole} is not paused"
        if instrument.held or instrument.paused:
            return ""
        if instrument.asking:
            return f"{what} waits for your answer about {instrument.asking}: sdl resolve"
        if instrument.stopped and lab.stopped:
            whole = "lab" if self._commons.is_shared else "campaign"
            return f"{lab.paused}; resume the whole {whole} first: sdl resume"
        if instrument.stopped:
            return f"{what} has not yet said that it is safe; it goes on by itself once it has"
        return f"{what} is neither paused nor held"

    def _part(self, event: Order) -> Part | None:
        """The campaign that is meant; None: the lab, or its only one."""
        if event.what or not self._commons.is_shared:
            return None
        return self._roster.get(event.campaign)

    def _paused_by(
        self, event: ev.PauseRequested
    ) -> LabState | CampaignState | InstrumentState | None:
        """What a pause is about; None if there is no such thing."""
        if event.what:
            return self._commons.lab.instruments.get(event.what)
        part = self._part(event)
        return self._commons.lab if part is None else part.state

    def _runs(self, what: str, part: Part | None) -> Iterator[tuple[Work, Run]]:
        """The runs that an abort is about."""
        one = part or (self._roster.of(what) if "/" in what else None)
        # What is on its way, when all is given up, is let arrive.
        all_of_them = self._roster.everyone() if what else self._roster.values()
        for each in [one] if one else all_of_them:
            for run in each.state.runs.values():
                is_used = any(
                    step.instrument == what and (step.is_open or step.state in AT_A_PERSON)
                    for step in run.steps.values()
                )
                if what in ("", run.id) or is_used:
                    yield each.work, run

    def _halt_all(self, work: Work, run: Run, reason: str) -> None:
        run.aborted = True
        for step in list(run.steps.values()):
            if step.is_open or step.state in AT_A_PERSON:
                instrument = work.instrument(step)
                self._halt(instrument, reason)
                if not instrument.online:
                    self._commons.await_return(instrument)
            if step.state in AT_A_PERSON:  # nobody need be asked about a run that is given up
                work.close(step, "unknown")
                work.free(step)
                step.state = "halts"

    def _halt(self, instrument: InstrumentState, reason: str) -> None:
        commons = self._commons
        if any(isinstance(c, Halt) and c.instrument == instrument.name for c in commons.out):
            return  # two runs had work for it
        commons.lab.halts += 1
        instrument.halting = f"{self._orders}{commons.lab.halts}"
        instrument.stopped = instrument.stopped or reason
        instrument.order(instrument.halting)
        instrument.released = ()
        halt = Halt(id=instrument.halting, instrument=instrument.name, reason=reason)
        commons.out.append(halt)


def _said(what: str, by: str, note: str) -> str:
    return f"{what} by {by}: {note}" if note else f"{what} by {by}"
