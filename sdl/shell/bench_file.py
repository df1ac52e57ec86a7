"""The file in which a node keeps the state of its simulated bench over a restart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sdl.errors import UserMistake
from sdl.model.data import JsonValue

BENCH_FILE = "bench.json"


class Remembering(Protocol):
    """What is kept: the bench of the simulators."""

    version: int
    """Grows with every change."""

    def snapshot(self) -> dict[str, JsonValue]:
        """All of its state."""
        ...

    def restore(self, snapshot: Mapping[str, JsonValue]) -> None:
        """Go on where a snapshot was taken."""
        ...

    def set_down(self, journal: str, said: Iterable[tuple[int, str, str, str]]) -> Sequence[str]:
        """People have moved or brought labware, if that is news; what could not be done."""
        ...


class BenchFile:
    """Writes the bench's state when it has changed, in one piece or not at all."""

    def __init__(self, bench: Remembering, path: Path) -> None:
        self._bench = bench
        self._path = path
        self._saved = -1

    def restore(self) -> None:
        """Take up the state of the last time, if there is one. UserMistake if it is unreadable."""
        if self._path.exists():
            try:
                snapshot = json.loads(self._path.read_bytes())
            except ValueError as error:
                raise UserMistake(
                    f"{self._path} is damaged ({error}); delete it to start with fresh plates"
                ) from error
            self._bench.restore(snapshot)
        self._saved = self._bench.version

    def save(self) -> None:
        """Write the state, unless it is what was written last."""
        if self._bench.version == self._saved:
            return
        self._saved = self._bench.version
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(self._bench.snapshot()), encoding="utf-8")
        beside.replace(self._path)
