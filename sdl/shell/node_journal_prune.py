"""What a node's journal may forget: commands that ended so long ago that nobody repeats them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic_core import from_json

KEPT_S = 90 * 24 * 3600.0
"""Lab seconds for which a command that has ended is known at the least."""
AT_ONCE = 100_000
"""Words of one instrument that are forgotten in one start, so that no other node waits for long."""


def horizon(now: float, newest: bytes | None) -> float:
    """Lab time before which words may be forgotten. ``newest``: the last one of the instrument.

    Counted from that word where the clock shows a later time: a clock that is set wrong, years
    ahead, must not make a node forget what it did yesterday.
    """
    return min(now, -math.inf if newest is None else said_at(newest)) - KEPT_S


def old_until(words: Iterable[tuple[int, bytes]], before: float) -> int:
    """Number of the last word of those at the beginning that are all older; 0 if none is.

    ``words``: in order, each with its number.
    """
    last = 0
    for seq, payload in words:
        if said_at(payload) >= before:
            break
        last = seq
    return last


def said_at(payload: bytes) -> float:
    """Lab time of a word; infinite where it cannot be read, for then it is not forgotten."""
    try:
        body = from_json(payload)
    except ValueError:
        return math.inf
    at = body.get("at") if isinstance(body, dict) else None
    return float(at) if isinstance(at, int | float) else math.inf
