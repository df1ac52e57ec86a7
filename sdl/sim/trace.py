"""What happened in a simulation, in order: its hash is the same for the same seed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable


class Trace:
    """A growing list of moments, of which only a hash is kept, unless somebody listens."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        """``tell`` is given each moment as a line of text."""
        self.counts: Counter[str] = Counter()
        """How often what befell the lab, by name."""
        self._sha256 = hashlib.sha256()
        self._tell = tell

    def count(self, what: str) -> None:
        """Something befell the lab."""
        self.counts[what] += 1

    def note(self, at: float, what: str) -> None:
        """One moment. ``at``: virtual seconds."""
        line = f"{at:12.6f} {what}"
        self._sha256.update(line.encode())
        if self._tell is not None:
            self._tell(line)

    @property
    def sha256(self) -> str:
        """Over all so far (hex)."""
        return self._sha256.hexdigest()
