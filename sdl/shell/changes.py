"""What a journal line does to one row of a table, and how values stand in it."""

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


def acted(line: Line, act: str, what: str, by: str, note: str) -> Insert:
    """What a person told the orchestrator."""
    words: dict[str, Cell] = {"act": act, "what": as_text(what), "by": as_text(by)}
    made: dict[str, Cell] = {"note": as_text(note), "at": line.at}
    return insert(line, "act", (line.campaign, line.seq), {**words, **made})


def insert(line: Line, table: str, key: Key, values: Mapping[str, Cell]) -> Insert:
    """A new row, with the columns that every row has."""
    made: dict[str, Cell] = {"campaign": line.campaign, "seq": line.seq, "last_seq": line.seq}
    return Insert(table, key, {**values, **made})


def update(line: Line, table: str, key: Key, values: Mapping[str, Cell]) -> Update:
    """A changed row, which says what changed it last."""
    return Update(table, key, {**values, "last_seq": line.seq})


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def as_json(value: object) -> str:
    """JSON text with sorted keys, so that equal values give equal text."""
    return _ENCODER.encode(value)


def as_text(words: str) -> str:
    """Words as every database can hold them: PostgreSQL refuses a NUL that a driver may send."""
    return words.replace("\x00", "\ufffd")
