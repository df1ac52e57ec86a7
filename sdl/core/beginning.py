"""Which campaign begins the next run, and how many runs begin within one turn.

Two hundred that begin at once would keep everybody else waiting for as long as it takes to begin
them all. So a turn begins a few, and asks to be woken at once for the rest. How many stands at the
head of the journal; one of before says nothing of it, and all begin at once there, as they did.
"""

from __future__ import annotations

import math

from sdl.core.admittance import Admittance
from sdl.core.commands import Wait
from sdl.core.commons import Commons
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.schedule import Claim, order_of_beginning

IN_A_TURN = 8
"""Runs that begin within one turn at most, in a journal that begins now."""
MORE = "/more"
"""Behind the journal's name in the name of a timer that begins the rest."""


class Beginning:
    """Of one lab's runs."""

    def __init__(self, commons: Commons, roster: Roster, admittance: Admittance) -> None:
        """``roster``: who is at work; it may change."""
        self._commons = commons
        self._roster = roster
        self._admittance = admittance
        self._begun = 0
        """Runs within this turn."""

    def look_again(self) -> None:
        """A turn begins."""
        self._begun = 0

    @property
    def has_more(self) -> bool:
        """Whether more runs begin in the next turn, at this very moment.

        Who chooses among runs waits for these: the first few are not the most urgent ones.
        """
        return self._begun > self._most

    @property
    def _most(self) -> float:
        said = self._commons.lab.runs_in_a_turn
        return math.inf if said is None else said

    def begin_run(self) -> bool:
        """Begin one run, of the campaign whose turn it is and that can; whether one has begun."""
        if self._commons.lab.paused or self._commons.lab.closing or self.has_more:
            return False
        parts = [part for part in self._roster.values() if part.casting.may_begin]
        if parts and self._begun == self._most:
            timer = f"{self._commons.name}{MORE}"
            self._commons.out.append(Wait(timer=timer, until=self._commons.at))
            self._begun += 1  # it is asked for once
            return False
        if len(parts) > 1:
            parts = self._in_turn(parts)
        admits = self._admittance.admits
        has_begun = any(admits(part) and part.casting.begin_run() for part in parts)
        self._begun += has_begun
        return has_begun

    def _in_turn(self, parts: list[Part]) -> list[Part]:
        claims = (
            Claim(
                campaign=part.name,
                priority=part.priority,
                weight=part.state.terms.weight,
                in_flight=len(part.state.runs),
                place=place,
            )
            for place, part in enumerate(parts)
        )
        return [self._roster[claim.campaign] for claim in order_of_beginning(claims)]
