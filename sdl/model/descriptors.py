"""Numbers that say how named options differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """A table with one row for each option."""

    names: tuple[str, ...]
    """Of the columns."""
    rows: tuple[tuple[float, ...], ...]
    """In the order of the options; finite, each as long as ``names``."""
    source: str
    """The file as it is named; of computed ones, the method."""
    sha256: str = ""
    """Of the file."""
