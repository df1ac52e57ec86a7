"""Named points at which a process may die: between any two steps that leave a trace.

In a lab they do nothing. A simulation kills the role that comes past one, and a drill lets a real
process kill itself: ``SDL_CRASH_AT=node.started.committed:3`` at the third passing.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

POINTS: dict[str, str] = {
    "orchestrator.lease.taken": "the lease is ours, nothing is folded yet",
    "orchestrator.event.handled": "an event was decided on, nothing is written",
    "orchestrator.lines.committed": "events and intents are durable, nothing is published",
    "orchestrator.command.published": "a command is handed to the bus",
    "orchestrator.asked": "a question is handed to the planner",
    "node.command.received": "a command has come in, nothing is written",
    "node.accepted.committed": "the command stands in the node's journal",
    "node.started.committed": "its start is durable, the driver has not been called",
    "node.action.ended": "the driver has returned, nothing is written",
    "node.ended.committed": "the result is durable, nobody was told",
    "node.ended.published": "the result is handed to the bus",
    "node.halted": "an instrument was made safe, nobody was told",
    "planner.asked": "a question has come in",
    "planner.answered": "the answer is made, nobody was told",
}
"""By name, whose first word is the role: what has happened when it is passed."""

OF_PLANS = {"orchestrator.plan.asked": "the scheduler is about to be asked, nothing is written"}
"""The same, passed only where a lab asks for plans."""

VARIABLE = "SDL_CRASH_AT"

Hook = Callable[[str], None]
_hook: Hook | None = None


def crash_point(name: str) -> None:
    """Say that a named point is passed; a drill or a simulation may end this role here."""
    if _hook is not None:
        _hook(name)


def hook(passing: Hook | None) -> None:
    """Be told of every passing; None: no more."""
    global _hook  # noqa: PLW0603 - one for the process, as signals are
    _hook = passing


def die_as_told() -> None:
    """Obey ``SDL_CRASH_AT``: ``POINT`` or ``POINT:N``; called once, by processes of a lab."""
    told = os.environ.get(VARIABLE)
    if not told:
        return
    point, _, count = told.partition(":")
    if point not in POINTS and point not in OF_PLANS:
        sys.exit(f"{VARIABLE}: there is no crash point {point!r}")
    left = int(count or 1)

    def passing(name: str) -> None:
        nonlocal left
        if name == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    hook(passing)
