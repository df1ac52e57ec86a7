"""Broken windows in words: which step missed its maximum lag, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sdl.cli.words import duration
from sdl.core.view import Waiting

if TYPE_CHECKING:
    from sdl.shell.tables import BrokenWindowRow

DONE: Mapping[str, str] = {
    "flag": "it is done late, as soon as it can start",
    "divert": "its sample was brought to safety, and its run has failed",
    "requeue": "its run was given up, for its suggestion to be tried again",
    "skip": "the error went into the protocol",
    "quarantine": "the error went into the protocol, and the instrument is not used",
    "stop": "the error went into the protocol, and no new run begins",
}
"""By remedy, for a step that has not started."""


def said(row: BrokenWindowRow) -> str:
    """What became of one step."""
    if row.late_s is not None:
        return f"started on {row.instrument} {duration(row.late_s)} after its window had closed"
    return f"missed its window on {row.instrument}: {DONE.get(row.remedy, row.remedy)}"


def told(rows: Sequence[BrokenWindowRow], of: str) -> Iterator[Waiting]:
    """Those of a run, or of one step of it."""
    for row in rows:
        if of in (row.step, row.run):
            yield Waiting(who=row.step, why=said(row))
