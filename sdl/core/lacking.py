"""Steps that wait for labware which is elsewhere, the most urgent first, as far as anybody asks.

They stand in lanes: one for each instrument, place at which what they need stands, and campaign.
Within a lane urgency never changes, and where nothing can be carried from its place nobody looks
into it; so a thousand steps that wait cost no more than those that could be helped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from heapq import merge
from operator import itemgetter
from typing import TypeAlias

from sdl.core.commons import Commons
from sdl.core.ids import campaign_of
from sdl.core.let import Turns, Urgency, is_let
from sdl.core.open_steps import Lack, Lane
from sdl.core.part import Part
from sdl.core.roster import Roster
from sdl.core.run import Run, Step

KeepsOut: TypeAlias = Callable[[Run, Step], bool]
IsShut: TypeAlias = Callable[[str, str], bool]
"""Whether nothing can be brought from one place nearer to another, as far as is known by now."""
Lacked: TypeAlias = tuple[Urgency, int, str, Run, Step]
"""How urgent it is, which of the step's pieces it is, the piece, and whose step needs it."""


class Lacking:
    """Of one lab at one moment."""

    def __init__(
        self,
        commons: Commons,
        roster: Roster,
        there: Mapping[str, Collection[str]],
        keeps_out: KeepsOut | None,
    ) -> None:
        """``there``: what stands at each instrument.

        ``keeps_out``: whether nothing is brought for a step yet; it is asked of those alone for
        which something could be. None: nobody is kept out.
        """
        self._commons = commons
        self._roster = roster
        self._there = there
        self._keeps_out = keeps_out
        self._kept: dict[str, bool] = {}
        """By step, as far as it was asked."""
        self._turns = Turns(commons.lab)
        self._speaker: dict[str, str] = {}
        """By piece: the step that it is brought for; empty if there is none."""

    def counts(self, run: Run, step: Step) -> bool:
        """Whether something is to be brought for a step, once it is let."""
        if step.deadline is not None and step.deadline < self._commons.at:
            return False
        at_hand = self._there.get(step.instrument, ())
        return not all(name in at_hand for name in step.labware) and not self._is_kept(run, step)

    def _is_kept(self, run: Run, step: Step) -> bool:
        if self._keeps_out is None:
            return False
        if step.id not in self._kept:
            self._kept[step.id] = self._keeps_out(run, step)
        return self._kept[step.id]

    def urgency(self, run: Run, step: Step) -> Urgency:
        """The turn of a step of a campaign."""
        return self._turns.urgency(self._part(run), run, step)

    def bound(self, piece: str) -> str:
        """The instrument of the most urgent one that needs a piece; empty if there is none."""
        found = [one for one in self._commons.steps.lacking(piece) if self.counts(*one)]
        return min(found, key=lambda one: self.urgency(*one))[1].instrument if found else ""

    def in_turn(self, is_shut: IsShut, *, in_window: bool = False) -> Iterator[Lacked]:
        """What is to be brought, each piece once, for steps that may begin when it is there.

        ``is_shut``: asked before each. ``in_window``: only for steps whose window closes some time.
        """
        lanes = (
            self._lane(lane, lacks, is_shut, in_window=in_window)
            for lane, lacks in self._commons.steps.in_lanes()
            if lane[0] != lane[1]
        )
        return merge(*lanes, key=itemgetter(0, 1))

    def _lane(
        self, lane: Lane, lacks: list[Lack], is_shut: IsShut, *, in_window: bool
    ) -> Iterator[Lacked]:
        target, source, _ = lane
        if not self._commons.lab.instruments[target].able:
            return
        for *_, number, run, step in lacks:
            if (in_window and step.not_after is None) or is_shut(source, target):
                return
            piece = step.labware[number]
            speaks = self._may(run, step) and self._speaks_for(piece) == step.id
            if speaks and piece not in self._commons.steps.lost:
                yield self.urgency(run, step), number, piece, run, step

    def _speaks_for(self, piece: str) -> str:
        """Of several steps that want one piece, the one that counts."""
        if piece not in self._speaker:
            found = [one for one in self._commons.steps.lacking(piece) if self._may(*one)]
            if len(found) > 1:
                found.sort(key=lambda one: self.urgency(*one))
            self._speaker[piece] = found[0][1].id if found else ""
        return self._speaker[piece]

    def _may(self, run: Run, step: Step) -> bool:
        instrument = self._commons.lab.instruments[step.instrument]
        mends = not instrument.mending or bool(step.mends)
        let = mends and is_let(self._commons.lab, self._part(run).state, step, instrument)
        return let and self.counts(run, step)

    def _part(self, run: Run) -> Part:
        return self._roster[campaign_of(run.id)]
