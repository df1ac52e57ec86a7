"""What lives as long as its process is not looked at again and again."""

from __future__ import annotations

import gc
import weakref

from sdl.shell.collecting import THRESHOLDS, short_pauses


class Knot:
    """A value in a cycle, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_set_aside_and_given_back_at_the_end() -> None:
    usual, kept = gc.get_threshold(), [Knot()]
    with short_pauses():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == THRESHOLDS
        old, new = weakref.ref(kept.pop()), weakref.ref(Knot())
        gc.collect()
        assert old() is not None, "a full collection looked at what was there before"
        assert new() is None, "what came later is not collected"
    gc.collect()
    assert old() is None, "it is kept for ever"
    assert (gc.get_threshold(), gc.get_freeze_count()) == (usual, 0)


def test_garbage_of_the_start_is_not_kept() -> None:
    lost = weakref.ref(Knot())
    with short_pauses():
        assert lost() is None
