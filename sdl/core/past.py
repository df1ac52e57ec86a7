"""What became of commands that are over, and whether a later word contradicts it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from json.encoder import encode_basestring_ascii as quoted
from typing import Literal, TypeAlias

from sdl.core import events as ev
from sdl.core.ids import run_of, step_of
from sdl.model.data import JsonValue

End: TypeAlias = Literal["done", "not_started", "failed", "unknown"] | ev.Verdict
"""What its node said, or else the word of a person."""


_JSON = {False: "false", True: "true"}
RESULT_MAX = 64
"""Characters of a result that is kept as it is; of a longer one its digest is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """One command that is over."""

    cid: str
    instrument: str
    memory: str
    """Of the node's journal that it was sent to."""
    end: End
    by: str = ""
    """The person whose word it is."""
    result: str = "null"
    """What it gave, as ``told`` makes it comparable."""
    flagged: bool = False
    """Whether a contradiction is on record already."""

    @property
    def step(self) -> str:
        """The step that it was an attempt of."""
        return step_of(self.cid)

    @property
    def run(self) -> str:
        """The run of that step."""
        return run_of(self.cid)


@dataclass(frozen=True, slots=True)
class Texts:
    """What was told of commands up to a moment, by command; it grows behind that, unseen."""

    cids: list[str]
    texts: list[str]
    count: int

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return islice(zip(self.cids, self.texts, strict=False), self.count)


class Past:
    """All commands of a campaign that are over.

    There may be a million of them, of which hardly one is ever asked about again: each is kept as
    one short text. Texts are only ever added, so that a snapshot need not copy them; of two about
    one command the later one holds.
    """

    def __init__(self, entries: Iterable[tuple[str, str]] = ()) -> None:
        """``entries``: those of another one, command and text."""
        self._cids: list[str] = []
        self._texts: list[str] = []
        self._place: dict[str, int] = {}
        """Of the last text of each command."""
        self._again: dict[str, str] = {}
        """The last command of each step that took more than one attempt."""
        for cid, text in entries:
            self._enter(cid, text)

    def add(self, over: Over) -> None:
        """A command has ended."""
        self.enter(
            over.cid,
            over.instrument,
            over.memory,
            over.end,
            by=over.by,
            result=over.result,
            flagged=over.flagged,
        )

    def enter(
        self,
        cid: str,
        instrument: str,
        memory: str,
        end: End,
        *,
        by: str = "",
        result: str = "null",
        flagged: bool = False,
    ) -> None:
        """The same, of the parts of an ``Over``: it is done a million times."""
        self._enter(
            cid,
            f"[{quoted(end)},{quoted(by)},{quoted(result)},{_JSON[flagged]},"
            f"{quoted(instrument)},{quoted(memory)}]",
        )

    def _enter(self, cid: str, text: str) -> None:
        self._place[cid] = len(self._texts)
        self._cids.append(cid)
        self._texts.append(text)
        if not cid.endswith("/try-1"):
            self._again[step_of(cid)] = cid

    def of(self, cid: str) -> Over | None:
        """What became of a command; None if it is not over, or was never sent."""
        place = self._place.get(cid)
        if place is None:
            return None
        end, by, result, flagged, instrument, memory = json.loads(self._texts[place])
        return Over(
            cid=cid,
            instrument=instrument,
            memory=memory,
            end=end,
            by=by,
            result=result,
            flagged=flagged,
        )

    def of_step(self, step: str) -> Over | None:
        """What became of a step's last command."""
        return self.of(self._again.get(step, f"{step}/try-1"))

    def flag(self, over: Over) -> None:
        """A contradiction about it is on record now."""
        self.add(replace(over, flagged=True))

    def texts(self) -> Texts:
        """All of them, as they are at this moment."""
        return Texts(self._cids, self._texts, len(self._texts))


def told(result: JsonValue) -> str:
    """A result as a text that is the same for equal ones, and short."""
    if result is None or type(result) is float:  # the most of them, and of the same text
        return "null" if result is None else repr(result)
    text = json.dumps(result, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= RESULT_MAX else hashlib.sha256(text.encode()).hexdigest()


def contradiction(over: Over, word: ev.CommandDone | ev.CommandFailed) -> str:
    """How late word of a node contradicts what the end was taken for; empty if it does not."""
    if over.end in ("unknown", "discard"):
        return ""
    was = f"{over.by} said: {over.end}" if over.by else f"was {over.end}"
    if isinstance(word, ev.CommandDone):
        if over.end not in ("done", "happened"):
            return f"{over.cid} ({was}) is reported as done after all"
        return (
            ""
            if over.result == told(word.result)
            else f"{over.cid} ({was}) now gives another result"
        )
    now = "not_started" if word.phase == "before_start" else "failed"
    if over.end == now or (over.end, now) == ("did_not_happen", "not_started"):
        return ""
    return f"{over.cid} ({was}) is now reported as {now}: {word.reason}"
