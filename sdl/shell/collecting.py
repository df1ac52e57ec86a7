"""Garbage collection in a process that must answer in milliseconds.

An engine and a node make many small values that live as long as they do. A full collection looks
at each of them: 100 ms and more with 1,000 instruments, during which nothing is heard or sent, and
it finds nothing. What is there at the start is therefore set aside, and the rest is looked at less
often. Reference counts free nearly all of what dies; collections are for cycles alone.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (5_000, 2, 700)
"""New values, and collections of the younger ages, after which each of the three ages is looked
at. The usual 700, 10, 10 would look at all values after 70,000 new ones; and 5,000, 10 would look
at 55,000 values at a time, which takes 17 ms."""


@contextmanager
def short_pauses() -> Iterator[None]:
    """Set aside what is there now, and collect seldom, until the block ends.

    To be entered when a process has all that it will keep. Of this process as a whole.
    """
    usual = gc.get_threshold()
    gc.collect()  # so that no garbage is kept with the rest
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
