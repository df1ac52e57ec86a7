"""What became of commands that are over, and whether a later word contradicts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdl.core import events as ev
from sdl.model.data import JsonValue

End: TypeAlias = Literal["done", "not_started", "failed", "unknown"] | ev.Verdict
"""What its node said, or else the word of a person."""


@dataclass(slots=True, kw_only=True)
class Over:
    """One command that is over."""

    run: str
    step: str
    cid: str
    instrument: str
    memory: str
    """Of the node's journal that it was sent to."""
    end: End
    by: str = ""
    """The person whose word it is."""
    result: JsonValue = None
    flagged: bool = False
    """Whether a contradiction is on record already."""


class Past:
    """All commands of a campaign that are over."""

    def __init__(self) -> None:
        self._by_cid: dict[str, Over] = {}
        self._by_step: dict[str, Over] = {}

    def add(self, over: Over) -> None:
        """A command has ended."""
        self._by_cid[over.cid] = over
        self._by_step[over.step] = over

    def of(self, cid: str) -> Over | None:
        """What became of a command; None if it is not over, or was never sent."""
        return self._by_cid.get(cid)

    def of_step(self, step: str) -> Over | None:
        """What became of a step's last command."""
        return self._by_step.get(step)


def contradiction(over: Over, word: ev.CommandDone | ev.CommandFailed) -> str:
    """How late word of a node contradicts what the end was taken for; empty if it does not."""
    if over.end in ("unknown", "discard"):
        return ""
    was = f"{over.by} said: {over.end}" if over.by else f"was {over.end}"
    if isinstance(word, ev.CommandDone):
        if over.end not in ("done", "happened"):
            return f"{over.cid} ({was}) is reported as done after all"
        return "" if over.result == word.result else f"{over.cid} ({was}) now gives another result"
    now = "not_started" if word.phase == "before_start" else "failed"
    if over.end == now or (over.end, now) == ("did_not_happen", "not_started"):
        return ""
    return f"{over.cid} ({was}) is now reported as {now}: {word.reason}"
