"""What a lab at work needs a person for, as sentences with what to type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from sdl.core.ids import run_of
from sdl.core.view import LabView

Kind = Literal["question", "carry", "refill", "plate", "astray", "held", "lost", "waits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that waits for a person."""

    kind: Kind
    id: str
    """The same for as long as it is the same need."""
    text: str
    """What it is, and what to type, in a sentence."""


def needs(lab: LabView, waiting: Mapping[str, float], held_s: float) -> Iterator[Need]:
    """What a person is needed for now, the most pressing first.

    ``waiting``: lab time since which each step has been seen to wait; one that has for ``held_s``
    lab seconds is a need, too.
    """
    for asked in lab.questions:
        text = f"{asked.step}: {asked.asks} {asked.reason}; look, then: sdl resolve"
        yield Need(kind="question", id=f"{asked.step}/{asked.attempt}", text=text)
    about = {asked.instrument for asked in lab.questions}
    for one in lab.instruments:
        if one.state == "offline":
            text = f"{one.name} is lost: {one.note or 'its node does not answer'}; see: sdl status"
            yield Need(kind="lost", id=one.name, text=text)
        elif one.state == "held" and one.name not in about:
            text = f"{one.name} is held: {one.note}; once all is well: sdl resume {one.name}"
            yield Need(kind="held", id=one.name, text=text)
    for carry in lab.carries:
        if not carry.carrier and carry.withdrawn is None:
            yield Need(kind="carry", id=carry.carry, text=carry.asks)
    for task in lab.refills:
        yield Need(kind="refill", id=task.id, text=task.reason)
    for plate in lab.plates:
        yield Need(kind="plate", id=plate.id, text=plate.reason)
    for piece in lab.astray:
        text = f"{piece.labware}: {piece.note}; say where it is: sdl place {piece.labware} SITE"
        yield Need(kind="astray", id=piece.labware, text=text)
    for step, since in waiting.items():
        if lab.at - since >= held_s:
            minutes = (lab.at - since) / 60.0
            text = f"{step} has waited for {minutes:.0f} min; see: sdl why {run_of(step)}"
            yield Need(kind="waits", id=step, text=text)


def waiting_steps(lab: LabView) -> Iterator[str]:
    """Steps that wait for their turn; of a lab that was paused by a person, none."""
    for view in lab.campaigns:
        if not (lab.paused or view.paused):
            for flying in view.in_flight:
                if flying.state == "waits":
                    yield flying.step
