"""The desk beside a running orchestrator: what a person may see of it, and tell it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, TypeAlias

from sdl.core.events import Event
from sdl.core.view import LabView

Word: TypeAlias = Callable[[float], Event]
"""Makes the event of what a person said, given the lab time at which it is taken in."""


class Desk(Protocol):
    """One running orchestrator, as people reach it."""

    def lab(self) -> LabView:
        """The lab and its campaigns as they are now."""
        ...

    async def tell(self, word: Word) -> str:
        """Tell it something, and wait until that is on record.

        Returns why it makes no sense now, as a sentence for the person; empty if it was taken.
        RecordFault if it could not be written.
        """
        ...

    async def stop_all(self, by: str, note: str) -> None:
        """Stop everything in the lab: first over the bus, then on record."""
        ...


Beside: TypeAlias = Callable[[Desk, Path, str], AbstractAsyncContextManager[None]]
"""What runs beside an orchestrator while it works; is given its desk, the lab's ``.sdl``, and the
lab's name."""
