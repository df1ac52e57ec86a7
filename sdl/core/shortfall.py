"""Steps that wait for an instrument and are short of what they would draw there.

They are held until there is enough, and a person is asked once for what all of them lack. Where
nobody comes by, or the error policy has a rule for it, the step fails as if its driver had refused
it. Others go before it meanwhile, and nothing is brought for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sdl.core.commons import Commons
from sdl.core.draws import short_among, shortages
from sdl.core.let import is_let_by_people
from sdl.core.open_steps import Entry
from sdl.core.storeroom import Storeroom
from sdl.errors import OutOfMaterial

if TYPE_CHECKING:
    from sdl.core.lab_state import InstrumentState
    from sdl.core.part import Part
    from sdl.core.roster import Roster
    from sdl.core.run import Run, Step


class Shortfall:
    """Of one lab."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster
        self._storeroom = Storeroom(commons)

    def of(self, instrument: InstrumentState) -> list[Entry]:
        """The steps that wait for an instrument and are short."""
        inventory = self._commons.lab.inventory
        if inventory is None:
            return []
        return short_among(inventory, self._commons.steps.waiting[instrument.name].values())

    def fail(self, instrument: InstrumentState, short: Iterable[Entry]) -> bool:
        """Give one of these that need not wait back to its error policy; whether there was one."""
        if instrument.busy_with is not None or instrument.approached:
            return False
        for run, step in short:
            part = self._part(run)
            is_let = is_let_by_people(self._commons.lab, part.state, step, instrument)
            if is_let and not self._waits(run, step):
                lack = OutOfMaterial(part.work.materials.lack(step))
                part.steps.lack(run, step, lack)
                return True
        return False

    def ask(self, short: Iterable[Entry]) -> None:
        """Ask a person for what steps wait for, as far as they still do."""
        inventory, is_waiting = self._commons.lab.inventory, self._commons.steps.is_waiting
        if inventory is None:
            return
        held = [step for run, step in short if is_waiting(step) and self._waits(run, step)]
        for lack in shortages(inventory, held):
            self._storeroom.ask(lack)

    def _waits(self, run: Run, step: Step) -> bool:
        """Whether a step that is short waits until somebody has filled up."""
        inventory = self._commons.lab.inventory
        is_attended = inventory is not None and inventory.attended
        return is_attended and not self._part(run).steps.has_rule(run, step, "material")

    def _part(self, run: Run) -> Part:
        part = self._roster.of(run.id)
        assert part is not None
        return part
