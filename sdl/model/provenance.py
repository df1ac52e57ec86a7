"""What made a record: software, clock and code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Clock = Literal["wall", "scaled", "virtual"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Written at the head of each campaign's journal."""

    file_name: str
    """The campaign's name in its file; its id has a number behind it where that was taken."""
    clock: Clock
    """*scaled*: simulated instruments, lab time runs ``speed`` times as fast as the wall clock."""
    speed: float
    software: Mapping[str, str]
    """Package to version, the interpreter and platform included."""
    protocol_sha256: str
    hypothesis_sha256: str = ""
    """Over the canonical JSON of the hypothesis; empty where there is none."""
    runs_in_a_turn: int | None = None
    """Runs that begin within one turn of the engine at most, above 0; of a journal's head alone.
    None: as many as can, as in journals of before there was such a number."""
    checks_draws: bool = False
    """Whether an action waits for stock that is kept for others, and is refused where its wells
    cannot do it; of a journal's head alone. Nobody looked in journals of before."""
