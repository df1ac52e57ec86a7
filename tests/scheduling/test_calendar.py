"""A calendar answers what counting second by second answers."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sdl.scheduling.calendar import NEVER, Calendar, Packing, free_of_all

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


NEEDS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=3, unique_by=lambda n: n[0]
)
CAPACITY = st.lists(st.integers(1, 3), min_size=3, max_size=3)
USES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8), NEEDS), max_size=12)


@given(CAPACITY, USES, st.integers(0, 40), st.integers(1, 6), NEEDS)
def test_several_resources_in_one_number_are_free_when_each_of_them_is(
    capacity: list[int],
    uses: list[tuple[int, int, list[tuple[int, int]]]],
    start: int,
    length: int,
    needs: list[tuple[int, int]],
) -> None:
    packing = Packing(capacity, [needs, *(each for _, _, each in uses)])
    packed = Calendar()
    apart = [Calendar() for _ in capacity]
    for begin, took, each in uses:
        if all(
            apart[one].free_from(begin, max(1, took), capacity[one] - amount) == begin
            for one, amount in each
        ):
            packed.add(begin, begin + took, packing.amount(each))
            for one, amount in each:
                apart[one].add(begin, begin + took, amount)
    expected = next(
        (
            at
            for at in range(start, END_S)
            if all(
                apart[one].free_from(at, length, capacity[one] - amount) == at
                for one, amount in needs
            )
        ),
        NEVER,
    )
    found = free_of_all(packed, start, length, packing.probe(needs), packing.spares)
    assert found == expected
