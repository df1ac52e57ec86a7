"""A node is there: whether it is the one that is meant, and what became of what was open on it."""

from __future__ import annotations

from sdl.core.absence import Absences
from sdl.core.commands import Query
from sdl.core.commons import Commons
from sdl.core.events import InstrumentOnline
from sdl.core.halting import Halting
from sdl.core.roster import Roster
from sdl.core.steps import greeting


class Arrivals:
    """Takes up the instruments of one lab."""

    def __init__(
        self, commons: Commons, roster: Roster, halting: Halting, absences: Absences
    ) -> None:
        self._commons = commons
        self._roster = roster
        self._halting = halting
        self._absences = absences

    def take_up(self, event: InstrumentOnline) -> None:
        """A node is there: greet it, and find out what became of what was open."""
        instrument = self._commons.lab.instruments.get(event.instrument)
        if instrument is None:
            return
        if (event.driver, event.simulated) != (instrument.driver, instrument.simulated):
            kind = "simulator" if event.simulated else "driver"
            whose = "the session's" if self._commons.is_shared else "this campaign's"
            absence = (
                f"its node runs the {kind} {event.driver!r}, {whose} lab file says "
                f"{instrument.driver!r}; start the node with the same file"
            )
            self._absences.begin(instrument, absence)
            return
        fresh = not instrument.online or event.boot != instrument.boot
        forgot = event.memory != instrument.memory
        if forgot:
            instrument.change_memory(event.memory)
        instrument.online, instrument.boot, instrument.absence = True, event.boot, ""
        instrument.effects = dict(event.effects)
        if not event.stopped:
            instrument.released = ()
        self._commons.touched[instrument.name] = None
        self._halting.back(instrument, event, fresh=fresh, forgot=forgot)
        self._commons.out.append(greeting(instrument))
        if forgot and instrument.busy_with:
            part = self._roster.of(instrument.busy_with)
            if part is not None:
                part.steps.forgotten(instrument)
        if instrument.busy_with:
            self._commons.out.append(Query(cid=instrument.busy_with))
