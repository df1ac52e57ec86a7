"""``sdl tasks``: what a person is asked to do with their hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sdl.cli.console import say, tell, write_json
from sdl.cli.questions import astray
from sdl.cli.reach import Json, Lab, caller
from sdl.core.view import LabView


def tasks(lab: Lab = None, as_json: Json = False) -> None:
    """List what waits for a person: labware to carry, look for or bring, sources to refill.

    What no transporter reaches is carried by a person, who then says: sdl done TASK. Where a
    piece is that went astray is told with: sdl place; a refill with: sdl refill. Questions
    about actions are listed by: sdl resolve.
    """
    view = caller(lab).lab()
    carries = [one for one in view.carries if not one.carrier]
    if as_json:
        write_json(
            "sdl.tasks/1",
            lab=view.name,
            at=view.at,
            carries=carries,
            astray=view.astray,
            refills=view.refills,
            plates=view.plates,
        )
        return
    found = list(lines(view))
    for line in found:
        say(line)
    if not found:
        tell(f"{view.name}: nobody is asked for anything")


def lines(view: LabView) -> Iterator[str]:
    """A line for each task, the oldest first."""
    for one in view.carries:
        if not one.carrier:
            yield f"{one.task}: {one.asks} (asked {_clock(one.since)})"
    yield from astray(view)
    for each in view.refills:
        yield f"{each.id.rpartition('/')[2]}: {each.reason} (asked {_clock(each.since)})"
    for plate in view.plates:
        yield f"{plate.task}: {plate.reason} (asked {_clock(plate.since)})"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
