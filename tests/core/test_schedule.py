"""The dispatch rule: windows first, then the oldest run, then the order of asking."""

from __future__ import annotations

import pytest

from sdl.core.schedule import ReadyStep, next_step


def step(name: str, run: int, order: int, not_after: float | None = None) -> ReadyStep:
    return ReadyStep(step=name, run_number=run, order=order, not_after=not_after)


@pytest.mark.parametrize(
    "ready, first",
    [
        ([step("a", 2, 1), step("b", 1, 2)], "b"),
        ([step("a", 1, 2), step("b", 1, 1)], "b"),
        ([step("a", 1, 1), step("b", 9, 9, 100.0)], "b"),
        ([step("a", 9, 9, 50.0), step("b", 1, 1, 100.0)], "a"),
    ],
    ids=["older run", "asked first", "a window before none", "the earlier window"],
)
def test_what_an_instrument_does_next(ready: list[ReadyStep], first: str) -> None:
    assert next_step(ready).step == first
    assert next_step(list(reversed(ready))).step == first
