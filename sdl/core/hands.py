"""Who plays a role of a run from now on."""

from __future__ import annotations

from sdl.authoring import Act
from sdl.core.lab_state import LabState
from sdl.core.run import Run, Step
from sdl.core.work import Work
from sdl.model.lab import place_of


def stays(lab: LabState, run: Run, role: str, instrument: str) -> bool:
    """Whether a role that an instrument plays cannot go to another one now.

    So it is while a step of it is under way, or has what it needs there or on the way there; where
    labware of the run lives at the instrument; and in a run that was broken off.
    """
    if run.broken is not None or instrument in run.lodgings:
        return True
    carried_for = {carry.step for carry in lab.carries.values()}
    return any(
        step.state != "waits" or step.id in carried_for or _is_there(lab, step)
        for step in run.steps.values()
        if isinstance(step.request, Act) and step.request.role == role
    )


def _is_there(lab: LabState, step: Step) -> bool:
    sites = [lab.pieces[piece].site for piece in step.labware]
    return bool(sites) and all(place_of(site) == step.instrument for site in sites)


def give(work: Work, run: Run, role: str, other: str) -> None:
    """Give a role to another instrument for the rest of a run, with all its steps that wait."""
    work.commons.touched[run.instruments[role]] = None  # others there may have given way to it
    work.lab.playing.subtract([run.instruments[role]])
    work.lab.playing[other] += 1
    run.instruments[role] = other
    work.commons.steps.change_hands(run)
    for step in run.steps.values():
        plays = isinstance(step.request, Act) and step.request.role == role
        if plays and step.state == "waits":
            work.move(run, step, other)
