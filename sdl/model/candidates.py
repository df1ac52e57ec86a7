"""A list of points, small enough to be sent with each question."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sdl.model.data import InputValue

_WIDTH = 3
"""Bytes of an index: 16 million different values of one input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The values of one searched input, row by row: each different value is written once."""

    values: tuple[InputValue, ...]
    """The different ones, in order of their first row."""
    rows: str
    """Base64 of three bytes for each row, the highest first: its place in ``values``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Points that can be tried; there are no others.

    Compact, for 100,000 points go into the journal once, and with each question to the planner.
    """

    source: str
    """The file as it is named."""
    sha256: str
    """Of the file."""
    columns: tuple[Column, ...]
    """In the order of the search space."""

    def __hash__(self) -> int:
        """Of the file: to hash all values anew at each look would take milliseconds."""
        return hash((self.sha256, len(self.columns)))


def packed(
    source: str, sha256: str, rows: Sequence[Sequence[InputValue]], width: int
) -> Candidates:
    """A list of points of ``width`` values each; each should come once."""
    columns = zip(*rows, strict=True) if rows else [()] * width
    return Candidates(source=source, sha256=sha256, columns=tuple(map(_column, columns)))


def _column(values: Iterable[InputValue]) -> Column:
    places: dict[InputValue, int] = {}
    raw = b"".join(
        places.setdefault(value, len(places)).to_bytes(_WIDTH, "big") for value in values
    )
    return Column(values=tuple(places), rows=base64.b64encode(raw).decode())


@lru_cache(maxsize=4)
def rows_of(candidates: Candidates) -> tuple[tuple[InputValue, ...], ...]:
    """The points, in the order of the list."""
    return tuple(zip(*map(_unpacked, candidates.columns), strict=True))


@lru_cache(maxsize=4)
def members(candidates: Candidates) -> frozenset[tuple[InputValue, ...]]:
    """The same as a set."""
    return frozenset(rows_of(candidates))


def count_of(candidates: Candidates) -> int:
    """How many points are listed."""
    return len(base64.b64decode(candidates.columns[0].rows)) // _WIDTH


def _unpacked(column: Column) -> list[InputValue]:
    raw = base64.b64decode(column.rows)
    return [
        column.values[int.from_bytes(raw[start : start + _WIDTH], "big")]
        for start in range(0, len(raw), _WIDTH)
    ]
