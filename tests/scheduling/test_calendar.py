"""A calendar answers what counting second by second answers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sdl.scheduling.calendar import NEVER, Calendar

SPAN = st.tuples(st.integers(0, 30), st.integers(0, 8), st.integers(1, 2))
SPANS = st.lists(SPAN, max_size=12)
END_S = 60


def filled(spans: list[tuple[int, int, int]]) -> tuple[Calendar, Counter[int]]:
    """A calendar, and the level of each second."""
    calendar, level = Calendar(), Counter[int]()
    for start, length, amount in spans:
        calendar.add(start, start + length, amount)
        for second in range(start, start + length):
            level[second] += amount
    return calendar, level


@given(SPANS, st.integers(0, 40), st.integers(1, 6), st.integers(0, 3))
def test_the_first_free_time_is_the_first(
    spans: list[tuple[int, int, int]], start: int, length: int, room: int
) -> None:
    calendar, level = filled(spans)
    expected = next(
        at
        for at in range(start, END_S)
        if all(level[second] <= room for second in range(at, at + length))
    )
    assert calendar.free_from(start, length, room) == expected


@given(SPANS, st.integers(0, 40), st.integers(1, 10), st.integers(0, 3))
def test_what_is_in_the_way_is_passed_to_the_last_second_and_no_further(
    spans: list[tuple[int, int, int]], start: int, length: int, room: int
) -> None:
    calendar, level = filled(spans)
    busy = [second for second in range(start, start + length) if level[second] > room]
    clear = calendar.clear_of(start, start + length, room)
    if not busy:
        assert clear == start
        return
    assert clear > busy[-1]
    assert all(level[second] > room for second in range(busy[-1], clear))


@given(SPANS)
def test_taking_everything_out_leaves_an_empty_calendar(
    spans: list[tuple[int, int, int]],
) -> None:
    calendar, _ = filled(spans)
    for start, length, amount in spans:
        calendar.add(start, start + length, -amount)
    assert calendar.steps() == Calendar().steps()


def test_what_is_taken_for_ever_is_never_free() -> None:
    calendar = Calendar()
    calendar.add(5, NEVER, 1)
    assert calendar.free_from(4, 2, 0) == NEVER
    assert calendar.clear_of(3, 9, 0) == NEVER
