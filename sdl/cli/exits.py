"""What the exit code of each command means."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from sdl.errors import (
    Bug,
    DriverFault,
    LabFault,
    LimitReached,
    PlannerFault,
    RecordFault,
    RecordMismatch,
    SdlError,
    UserMistake,
    WindowMissed,
)

if TYPE_CHECKING:
    from sdl.core.view import View


GOOD = ("target", "budget", "exhausted", "enough")
"""Endings that a campaign is made for."""
WITHOUT_BEST = ("novelty", "discriminate")
"""Goals of which no point is the best."""


class Exit(IntEnum):
    """Exit codes, the same for every verb."""

    OK = 0
    """Done; a campaign reached its target, its budget or the end of its space, and measured."""
    USAGE = 2
    """The command line itself is wrong."""
    MISTAKE = 3
    """A file, a name or a protocol is wrong, or what was asked makes no sense now; nothing was
    started."""
    STOPPED = 4
    """A person ended the campaign in good order."""
    FAULT = 5
    """The lab, a driver or the planner ended it; nobody answers; an instrument has not made safe;
    or `sdl doctor` found something amiss."""
    RECORD = 6
    """The record cannot be read or written, or does not hold together; or `sdl replay` came to
    another point than the one on record."""
    BUG = 70
    """A defect of this program; the details are in the log file that the message names."""
    INTERRUPTED = 130
    """Left at once, by a second Ctrl-C; `sdl run --resume` goes on."""


def exit_of(error: SdlError) -> Exit:
    """The exit code for an error of ours, by whose fault it is."""
    match error:
        case RecordFault() | RecordMismatch():
            return Exit.RECORD
        case UserMistake():
            return Exit.MISTAKE
        case LabFault() | DriverFault() | PlannerFault() | WindowMissed() | LimitReached():
            return Exit.FAULT
        case Bug():
            return Exit.BUG
        case _:
            return Exit.BUG


def exit_of_ending(view: View) -> Exit:
    """The exit code for the way a campaign ended, or did not come to its end."""
    ended = view.ended
    if ended is None or ended.ending == "stopped":
        return Exit.STOPPED
    return Exit.OK if ended.ending in GOOD and _found_something(view) else Exit.FAULT


def _found_something(view: View) -> bool:
    """A best point, a front, or, where neither is looked for, anything measured."""
    if view.front is not None:
        return bool(view.front)
    if view.goal in WITHOUT_BEST:
        return view.runs_measured > 0
    return view.best is not None


def exit_of_session(endings: Sequence[str]) -> Exit:
    """The exit code for the ways in which the campaigns of one lab ended."""
    if all(ending in GOOD for ending in endings):
        return Exit.OK
    return Exit.STOPPED if set(endings) <= {*GOOD, "stopped"} else Exit.FAULT
