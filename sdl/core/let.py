"""Whether anything but work that is under way keeps a step from its instrument, and its turn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from sdl.core.draws import is_short

if TYPE_CHECKING:
    from sdl.core.campaign import CampaignState
    from sdl.core.lab_state import InstrumentState, LabState
    from sdl.core.part import Part
    from sdl.core.run import Run, Step

TURN_S = 300.0
"""Seconds over weight by which one campaign may have had more of an instrument than another one
before labware of the other is brought in its place: to change it costs time, too."""
Urgency: TypeAlias = tuple[float, int, int, float, int]
"""End of its window, priority, share, age of its run, order of asking; the least goes first."""


def is_let(lab: LabState, state: CampaignState, step: Step, instrument: InstrumentState) -> bool:
    """Whether a step may go on: nothing is short, paused, held, stopped or offline it needs."""
    return not is_short(lab.inventory, step) and is_let_by_people(lab, state, step, instrument)


def is_let_by_people(
    lab: LabState, state: CampaignState, step: Step, instrument: InstrumentState
) -> bool:
    """The same, however much of what it draws there is."""
    if not instrument.able:
        return False
    in_window = step.not_after is not None
    if lab.paused and (lab.paused_at_once or not in_window):
        return False
    if state.paused and (state.paused_at_once or not in_window):
        return False
    return not instrument.paused or (in_window and not instrument.paused_at_once)


def urgency(lab: LabState, part: Part, run: Run, step: Step) -> Urgency:
    """The turn of a step among all that want its instrument, where labware has to be brought."""
    return Turns(lab).urgency(part, run, step)


class Turns:
    """The turns of many steps at one moment."""

    def __init__(self, lab: LabState) -> None:
        self._lab = lab
        self._known: dict[tuple[str, str], tuple[int, int]] = {}
        """By instrument and campaign: priority, and share."""

    def urgency(self, part: Part, run: Run, step: Step) -> Urgency:
        """That of one of them."""
        return self._urgency(run, step, self._known_of(part, step.instrument))

    def of_any(self, part: Part, run: Run, step: Step, names: Iterable[str]) -> Urgency:
        """That of one which any of several instruments may do, whichever it waits for now."""
        return self._urgency(run, step, min(self._known_of(part, name) for name in names))

    @staticmethod
    def _urgency(run: Run, step: Step, known: tuple[int, int]) -> Urgency:
        due = math.inf if step.not_after is None else step.not_after
        return (due, *known, run.began, step.order)

    def _known_of(self, part: Part, instrument: str) -> tuple[int, int]:
        key = instrument, part.name
        known = self._known.get(key)
        if known is None:
            turns = 0
            if self._lab.is_shared and not part.is_porter:
                share = self._lab.instruments[instrument].share
                turns = int(share.start(part.name) // TURN_S)
            known = self._known[key] = -part.priority, turns
        return known
