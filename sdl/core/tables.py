"""The life cycle of a command as a literal table; what is not in it does not move the command.

``sent`` begins when the intent is durable. Events that are late, repeated or out of order find no
row and change nothing: they stay in the journal as what they are, words that came too late. Only
from ``unknown`` there is a way on, as long as no person has decided: word of its end was on its
way when nobody was left to ask.
"""

from __future__ import annotations

from typing import Literal

from sdl.core.events import (
    CommandAccepted,
    CommandDone,
    CommandFailed,
    CommandStarted,
    CommandUnknown,
)

State = Literal["sent", "accepted", "started", "done", "failed", "unknown"]

OPEN: frozenset[State] = frozenset({"sent", "accepted", "started"})
"""States in which the command still holds its instrument."""

MOVES: dict[State, dict[type, State]] = {
    "sent": {
        CommandAccepted: "accepted",
        CommandStarted: "started",
        CommandDone: "done",
        CommandFailed: "failed",
        CommandUnknown: "unknown",
    },
    "accepted": {
        CommandStarted: "started",
        CommandDone: "done",
        CommandFailed: "failed",
        CommandUnknown: "unknown",
    },
    "started": {
        CommandDone: "done",
        CommandFailed: "failed",
        CommandUnknown: "unknown",
    },
    "done": {},
    "failed": {},
    "unknown": {
        CommandDone: "done",
        CommandFailed: "failed",
    },
}
