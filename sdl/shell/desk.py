"""The desk beside a running orchestrator: what a person may see of it, and tell it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from sdl.core.amounts import Content
from sdl.core.events import Event
from sdl.core.view import LabView
from sdl.model.campaign import Terms

Word: TypeAlias = Callable[[float], Event]
"""Makes the event of what a person said, given the lab time at which it is taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A campaign that a person wants to start in a lab at work."""

    path: Path
    """Of its file, as the orchestrator's machine knows it."""
    terms: Terms = field(default_factory=Terms)
    within_s: float | None = None
    """Lab seconds from its start to its deadline; None where it has none."""
    anew: bool = False
    """Begin it although one of this name is at work."""
    by: str = ""
    """The person."""


Tell: TypeAlias = Callable[[Word], Awaitable[str]]
"""``Desk.tell``."""
Admit: TypeAlias = Callable[[Start, Tell], Awaitable[str]]
"""Starts a campaign; returns its name on record. UserMistake where it may not start."""


class Desk(Protocol):
    """One running orchestrator, as people reach it."""

    def lab(self) -> LabView:
        """The lab and its campaigns as they are now."""
        ...

    def contents(self) -> tuple[Content, ...]:
        """What is in each well and source now; nothing where the lab declares no stocks."""
        ...

    async def tell(self, word: Word) -> str:
        """Tell it something, and wait until that is on record.

        Returns why it makes no sense now, as a sentence for the person; empty if it was taken.
        RecordFault if it could not be written.
        """
        ...

    async def start(self, start: Start) -> str:
        """Start a campaign; its name on record. UserMistake(s) where it may not start."""
        ...

    async def stop_all(self, by: str, note: str) -> None:
        """Stop everything in the lab: first over the bus, then on record."""
        ...


Beside: TypeAlias = Callable[[Desk, Path, str], AbstractAsyncContextManager[None]]
"""What runs beside an orchestrator while it works; is given its desk, the lab's ``.sdl``, and the
lab's name."""
