"""The moment at which a simulated action changes the world."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

deed: ContextVar[Callable[[], None] | None] = ContextVar("deed", default=None)
"""Set by a simulation with faults around each call of a simulator."""


def mark_effect() -> None:
    """Say, in a simulator's action, that this is a moment at which the world changes.

    One that changes it in several steps says so at each; it has happened from the first on. An
    action that never says so has happened when it ends without an error. It matters only to
    ``sdl simulate --faults``; elsewhere this does nothing.
    """
    told = deed.get()
    if told is not None:
        told()
