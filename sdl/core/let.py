"""Whether anything but work that is under way keeps a step from its instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdl.core.campaign import CampaignState
    from sdl.core.lab_state import InstrumentState, LabState
    from sdl.core.run import Step


def is_let(lab: LabState, state: CampaignState, step: Step, instrument: InstrumentState) -> bool:
    """Whether a step may go on: nothing is paused, held, stopped or offline that it needs."""
    if not instrument.able:
        return False
    in_window = step.not_after is not None
    if lab.paused and (lab.paused_at_once or not in_window):
        return False
    if state.paused and (state.paused_at_once or not in_window):
        return False
    return not instrument.paused or (in_window and not instrument.paused_at_once)
