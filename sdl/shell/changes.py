"""What a line does to the tables, as values: a new row, or new values of one that is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sdl.wire.journal import Line

Cell: TypeAlias = str | int | float | bool | None
Key: TypeAlias = tuple[Cell, ...]
"""Values of a table's primary key, in the order of its columns."""


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row; columns that are not named are empty."""

    table: str
    key: Key
    values: Mapping[str, Cell]
    """All that is known, the key included."""


@dataclass(frozen=True, slots=True)
class Update:
    """New values for some columns of a row that an earlier line made."""

    table: str
    key: Key
    values: Mapping[str, Cell]


Change: TypeAlias = Insert | Update


def said_by(by: str, words: str) -> str:
    """A person, and what they said."""
    return text_of(f"{by}: {words}" if words else by)


def acted(line: Line, campaign: str, act: str, what: str, by: str, note: str) -> Insert:
    """What a person told the orchestrator."""
    words: dict[str, Cell] = {"act": act, "what": text_of(what), "by": text_of(by)}
    made: dict[str, Cell] = {"note": text_of(note), "at": line.at}
    return insert(line, campaign, "act", (campaign, line.seq), {**words, **made})


def insert(line: Line, campaign: str, table: str, key: Key, values: Mapping[str, Cell]) -> Insert:
    """A row that a line makes, of a campaign or session."""
    made: dict[str, Cell] = {"campaign": campaign, "seq": line.seq, "last_seq": line.seq}
    return Insert(table, key, {**values, **made})


def update(line: Line, table: str, key: Key, values: Mapping[str, Cell]) -> Update:
    """New values for a row; nothing where there is no such row."""
    return Update(table, key, {**values, "last_seq": line.seq})


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def json_of(value: object) -> str:
    """JSON text with sorted keys, so that equal values give equal text."""
    return _ENCODER.encode(value)


def text_of(words: str) -> str:
    """Words as every database can hold them: PostgreSQL refuses a NUL that a driver may send."""
    return words.replace("\x00", "\ufffd")
