"""What a campaign came to, as the command line and a notebook receive it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from sdl.core.view import View

Watch: TypeAlias = Callable[[View], None]
"""Is shown a campaign from time to time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one process's work on a campaign."""

    view: View
    record_url: str
    """SQLAlchemy URL, without a password."""
    seq: int
    """Lines in the campaign's journal."""
    head: str
    """SHA-256 of the last line: two runs with the same head went the same way."""
    wall_s: float
    lab_s: float
    """Lab seconds from the campaign's start to its end."""
    folder: Path
    """Holds the logs of this run."""
