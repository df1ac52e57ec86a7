"""Where labware stood when a lab was at work last, held against where its file has it stand now.

Nobody has told us what happened on the bench in between. Where both say the same it is believed;
where they do not, the piece is doubted: a person says where it is, and all else goes on meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.model.lab import Lab
from sdl.wire.journal import Line, load

MOVES = ("BeginCarry", "EndCarry")
"""Lines of a journal that say where labware is."""


class Moves(Protocol):
    """What is asked of a record."""

    def journals(self) -> list[str]:
        """Of campaigns by themselves and of sessions, the earliest first."""
        ...

    def lines(self, campaign: str, after: int = 0) -> Iterator[Line]:
        """The journal of one campaign in order, from the line after ``after`` on."""
        ...

    def of_types(self, campaign: str, types: tuple[str, ...]) -> list[tuple[str, str]]:
        """Type and body of those of its lines that are of some types, in order."""
        ...


def doubts(record: Moves, lab: Lab, at: float) -> tuple[ev.LabwareDoubted, ...]:
    """What cannot be believed of a lab's file as work begins at lab time ``at``.

    Nothing of a lab in simulation, whose bench is a fresh one each time.
    """
    stands = {piece.name: piece.rests for piece in lab.labware if piece.rests}
    last = last_at_work(record, lab) if stands else None
    if last is None:
        return ()
    journal, then = last
    left = _left(record, journal, then)
    when = f"when {journal} ended, and lab.toml has it on"
    return tuple(
        ev.LabwareDoubted(
            at=at,
            labware=name,
            site=left[name][0],
            reason=f"it {left[name][1]} {when} {site}",
        )
        for name, site in stands.items()
        if name in left and left[name] != (site, f"stood on {site}")
    )


def last_at_work(record: Moves, lab: Lab) -> tuple[str, Lab] | None:
    """The journal of the last time that a lab was at work, and the lab as it was described then.

    None of one in simulation, and where there was no such time.
    """
    for journal in reversed(record.journals()) if not lab.simulated else ():
        then = _lab_of(record, journal)
        if then is not None and then.name == lab.name and not then.simulated:
            return journal, then
    return None


def _lab_of(record: Moves, journal: str) -> Lab | None:
    first = next(record.lines(journal), None)
    head = None if first is None else load(first.type, first.body)
    return head.lab if isinstance(head, ev.CampaignStarted | ev.LabOpened) else None


def _left(record: Moves, journal: str, lab: Lab) -> dict[str, tuple[str, str]]:
    """By piece: the site on which it stood at the end, or had stood last, and how."""
    begun = {piece.name: piece.rests for piece in lab.labware if piece.rests}
    left = {name: (site, f"stood on {site}") for name, site in begun.items()}
    for type_name, body in record.of_types(journal, MOVES):
        match load(type_name, body):
            case do.BeginCarry(labware=name, source=source, target=target):
                left[name] = (source, f"was on its way from {source} to {target}")
            case do.EndCarry(labware=name, site=site, lost=""):
                left[name] = (site, f"stood on {site}")
            case do.EndCarry(labware=name, site=site, lost=lost):
                left[name] = (site, f"was not to be had ({lost})")
            case _:
                pass
    return left
