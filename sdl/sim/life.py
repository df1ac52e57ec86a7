"""One process of a simulated lab: an orchestrator, a node, a planner worker, or a machine.

Every task and timer belongs to the life in whose context it was made. When a life is killed, not
one more line of its code runs, as with ``kill -9``; while it is frozen, whatever is due for it
waits, as with SIGSTOP.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["orchestrator", "node", "planner", "machine"]


class Killed(BaseException):
    """Raised where a process dies in the middle of its own step; nothing may catch it."""


class Life:
    """One process from its start to its death."""

    def __init__(self, role: Role, name: str) -> None:
        """``name``: of this very process, such as ``node-1#2`` for its second start."""
        self.role: Role = role
        self.name = name
        self.dead = False
        self.frozen = False
        self.held: list[asyncio.Handle] = []
        """What is due, and waits for the thaw."""
        self.passed: Counter[str] = Counter()
        """How often it came past each crash point."""
        self.on_death: list[Callable[[], None]] = []
        """What the world does when it dies: its lines break."""
        self.context = contextvars.copy_context()
        self.context.run(_LIFE.set, self)

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something as part of this life."""
        loop = asyncio.get_running_loop()
        return loop.create_task(work, name=self.name, context=self.context)

    def kill(self) -> None:
        """End it; safe to call twice."""
        if self.dead:
            return
        self.dead = True
        self.held.clear()
        for told in self.on_death:
            told()

    def freeze(self) -> None:
        """Stop it between two steps."""
        self.frozen = True

    def thaw(self) -> list[asyncio.Handle]:
        """Let it go on; what was due meanwhile, in order."""
        self.frozen = False
        held, self.held = self.held, []
        return held


_LIFE: contextvars.ContextVar[Life | None] = contextvars.ContextVar("life", default=None)


def living() -> Life | None:
    """Whose code this is; None: the simulation's own."""
    return _LIFE.get()


def life_of(context: contextvars.Context) -> Life | None:
    """Whose context it is."""
    return context.get(_LIFE)


def outside() -> contextvars.Context:
    """The context of the simulation itself, whoever calls."""
    context = contextvars.copy_context()
    context.run(_LIFE.set, None)
    return context


def as_life(life: Life) -> contextvars.Context:
    """The present context as part of another life: a machine goes on when its node has died."""
    context = contextvars.copy_context()
    context.run(_LIFE.set, life)
    return context
