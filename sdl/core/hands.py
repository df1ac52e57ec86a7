"""Who plays a role of a run from now on."""

from __future__ import annotations

from sdl.authoring import Act
from sdl.core.run import Run
from sdl.core.work import Work


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
