"""A simulation that stands still for want of a person: what waits, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from sdl.cli.console import short, tell
from sdl.cli.questions import astray, idle, known, wanted, why
from sdl.cli.words import duration
from sdl.core.events import Verdict
from sdl.core.view import View


class Answer(Enum):
    """How ``--answer`` is said."""

    HAPPENED = "happened"
    DID_NOT_HAPPEN = "did-not-happen"
    DISCARD = "discard"

    @property
    def verdict(self) -> Verdict:
        """The same, as an engine understands it."""
        return _VERDICTS[self]


_VERDICTS: dict[Answer, Verdict] = {
    Answer.HAPPENED: "happened",
    Answer.DID_NOT_HAPPEN: "did_not_happen",
    Answer.DISCARD: "discard",
}


def tell_unattended(view: View, lab_s: float, campaign: Path) -> None:
    """Tell what one campaign waits for, on stderr.

    ``lab_s``: how long it went on. ``campaign``: its file.
    """
    tell(
        f"{view.campaign} stands still since it waits for a person, and nobody is there in a "
        f"simulation; it was ended after {duration(lab_s)} of virtual time:"
    )
    for line in _waits(view):
        tell(f"  {line}")
    tell("What to do next, one of:")
    if view.questions:
        tell(f"  sdl simulate {short(campaign)} --answer discard    one answer to every question")
        tell(
            '  [[policy]] then = "retry" or "skip"    a rule in place of the question, in that file'
        )
    tell(
        f"  sdl simulate {short(campaign)} --faults    with a simulated person, who looks and says"
    )


def _waits(view: View) -> Iterator[str]:
    for question in view.questions:
        yield f"{question.step}: {question.asks} {known(question)}; {why(question)}"
    yield from wanted(view)
    yield from astray(view)
    for one in view.instruments:
        if one.state not in ("idle", "busy"):
            yield idle(one)
    if not view.questions:
        for each in view.waits:
            yield f"{each.who}: {each.why}"
