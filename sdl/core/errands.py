"""What people were asked to carry, and nobody needs any more.

A person may have the piece in their hands already, and nobody can see that. So they are told to
leave alone what is withdrawn, and both sites stay theirs for a while, in which their word holds:
done, it stands on the target. Only after that it is taken to have stayed where it was.
"""

from __future__ import annotations

from sdl.core.commands import Wait
from sdl.core.commons import Commons
from sdl.core.floor import PERSON
from sdl.core.lab_state import CarryState
from sdl.core.roster import Roster
from sdl.model.lab import place_of

GRACE_S = 300.0
"""Lab seconds in which somebody who has taken it up before it was withdrawn should be done."""


class Errands:
    """Of the people of one lab."""

    def __init__(self, commons: Commons, roster: Roster) -> None:
        self._commons = commons
        self._roster = roster

    def over(self) -> CarryState | None:
        """One that was withdrawn long enough ago. Withdraws what nobody needs any more."""
        for state in self._asked():
            if self._is_wanted(state):
                state.withdrawn = None
            elif state.withdrawn is None:
                state.withdrawn = self._commons.at + GRACE_S
                self._wait(state)
            elif state.withdrawn <= self._commons.at:
                return state
        return None

    def rewind_timers(self) -> None:
        """Set all timers again, after a restart."""
        for state in self._asked():
            self._wait(state)

    def _asked(self) -> list[CarryState]:
        return [one for one in self._commons.lab.carries.values() if one.carrier == PERSON]

    def _wait(self, state: CarryState) -> None:
        if state.withdrawn is not None:
            timer = f"{state.id}/withdrawn"
            self._commons.out.append(Wait(timer=timer, until=state.withdrawn))

    def _is_wanted(self, state: CarryState) -> bool:
        """Whether the step for whose sake it was asked waits still, or another one for the same."""
        part = self._roster.of(state.step)
        if part is not None and part.work.seek(state.step) is not None:
            return True
        waiting, place = self._commons.steps.lacking(state.piece), place_of(state.target)
        return any(step.instrument == place for _, step in waiting)
