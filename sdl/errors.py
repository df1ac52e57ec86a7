"""Every error of the runtime, sorted by whose fault it is.

::

    SdlError
    |-- UserMistake           a file, a name or a command line is wrong; carries file and line
    |   |-- UserMistakes      several at once, each with its own file and line
    |   |-- ProtocolMistake   a protocol awaits or does something it may not
    |   `-- RecordMismatch    the code no longer does what the record says it did
    |-- LabFault              the bench needs a person: instrument lost, out of reach or material
    |   |-- OutOfMaterial     too little liquid, no tip, no free well
    |   `-- LeaseLost         another orchestrator leads this lab: nothing may be sent any more
    |-- DriverFault           the instrument, or its driver, said no
    |   |-- ActionRefused     refused before anything moved: limits, deadline, unknown action
    |   `-- OutcomeUnknown    nobody can say whether the action happened
    |-- WindowMissed          a maximum lag of the protocol was not kept
    |-- PlannerFault          the planner died, hung, or answered nonsense
    |   `-- SpaceExhausted    it has suggested every point that there is
    |-- LimitReached          a bound of the runtime was met
    |-- RecordFault           the database cannot be read or written
    |   `-- RecordAway        for now: the server is away or the disk is full; tried again
    `-- Bug                   an invariant of ours is broken: stop and make safe
        `-- Broken            the same, found by a simulation with faults

A message says what happened, where, and what to do next. The class name is the code.
"""

from __future__ import annotations

from dataclasses import dataclass

SAID_CAP = 4096
"""Bytes of what an error says that are kept."""


class SdlError(Exception):
    """Root of the tree. Catch it to catch everything that this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file the mistake stands."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class UserMistake(SdlError):
    """A file, a name or a command line is wrong. Mend it and run again; nothing was started."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message if place is None else f"{place}: {message}")
        self.message = message
        self.place = place


class UserMistakes(UserMistake):
    """Several mistakes, one line each, so that one reading of the message mends them all."""

    def __init__(self, mistakes: tuple[UserMistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class ProtocolMistake(UserMistake):
    """A protocol awaits other things than lab actions, reads a clock, or has a wrong signature."""


class RecordMismatch(UserMistake):
    """Replaying the record gives other commands: the protocol was edited in mid-campaign."""


class LabFault(SdlError):
    """The bench needs a person."""


class OutOfMaterial(LabFault):
    """Too little liquid in a source, no tip left, no free well."""


class LeaseLost(LabFault):
    """Another orchestrator leads this lab; whoever is told must send nothing more."""


class DriverFault(SdlError):
    """The instrument, or its driver, said no."""


class ActionRefused(DriverFault):
    """Refused before anything moved: out of limits, past its deadline, or not offered."""


class OutcomeUnknown(DriverFault):
    """Nobody can say whether the action happened, so it must not be repeated by itself."""


class WindowMissed(SdlError):
    """A step could not start within the maximum lag that its protocol asks for."""


class PlannerFault(SdlError):
    """The planner died, did not answer in time, or answered nonsense."""


class SpaceExhausted(PlannerFault):
    """No point is left to suggest: every one was tried."""


class LimitReached(SdlError):
    """A bound of the runtime was met; the message names the bound and how to raise it."""


class RecordFault(SdlError):
    """The database cannot be opened, read or written."""


class RecordAway(RecordFault):
    """The database cannot be reached or written at this moment; later it may."""


class Bug(SdlError):
    """An invariant of this project is broken. Please report it with the record."""


def said(error: BaseException) -> str:
    """What anybody's error says, as text that every journal and message can hold.

    Its class's name where it says nothing, or fails at it; cut where it does not end.
    """
    try:
        text = str.encode(str(error), "utf-8", "replace")
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - its __str__ is foreign code, and may do anything
        text = b""
    return text[:SAID_CAP].decode("utf-8", "ignore") or type(error).__name__
