"""Words of a node come out in the order of its journal, whatever the bus makes of them."""

from __future__ import annotations

import random
from typing import Literal

import pytest

from sdl.shell.ordering import BUFFERED_S, Gap, Ordering
from sdl.wire.mqtt import EventMessage

Word = Literal["accepted", "started", "done", "not_seen"]


def word(seq: int, st: Word = "started", memory: str = "m", device: str = "reader") -> EventMessage:
    return EventMessage(
        journal="j",
        cid=f"c/{seq}",
        dev=device,
        boot="b",
        memory=memory,
        epoch=1,
        seq=seq,
        st=st,
        at=0.0,
    )


def heard(ordering: Ordering, *seqs: int, at: float = 0.0) -> list[int]:
    """The numbers that come out when these come in."""
    return [out.seq for seq in seqs for out in ordering.take(word(seq), at)[0]]


@pytest.mark.parametrize(
    "after, given, told",
    [
        (None, (7, 8, 9), [7, 8, 9]),
        (None, (7, 9, 8), [7, 8, 9]),
        (3, (4, 5), [4, 5]),
        (3, (5, 4), [4, 5]),
        (3, (6, 5, 4), [4, 5, 6]),
        (3, (3, 4, 4, 5), [4, 5]),
        (3, (6, 8), []),
        (3, (6, 8, 4, 5), [4, 5, 6]),
        (0, (0, 0, 1), [0, 0, 1]),
    ],
)
def test_numbers_come_out_in_order(
    after: int | None, given: tuple[int, ...], told: list[int]
) -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", after)
    assert heard(ordering, *given) == told


def test_a_gap_is_asked_for_once() -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", 3)
    assert ordering.take(word(6), 0.0) == ([], Gap(device="reader", memory="m", from_seq=4))
    assert ordering.take(word(7), 0.0) == ([], None)
    assert heard(ordering, 4, 5) == [4, 5, 6, 7]
    assert ordering.take(word(9), 0.0) == ([], Gap(device="reader", memory="m", from_seq=8))


def test_what_never_comes_is_not_waited_for() -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", 3)
    assert heard(ordering, 6, 7, 9) == []
    assert ordering.overdue(BUFFERED_S / 2) == []
    assert [each.seq for each in ordering.overdue(BUFFERED_S)] == [6, 7]
    assert ordering.overdue(BUFFERED_S) == [], "the next gap has a time of its own"
    assert [each.seq for each in ordering.overdue(2 * BUFFERED_S)] == [9]
    assert heard(ordering, 10) == [10]


def test_what_was_not_waited_for_is_passed_on_when_it_comes_once() -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", 3)
    heard(ordering, 6)
    ordering.overdue(BUFFERED_S)
    assert heard(ordering, 5, 5, 4, 6) == [5, 4]


def test_an_end_from_before_our_time_is_passed_on() -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", 5)
    assert ordering.take(word(4, "started"), 0.0)[0] == []
    assert ordering.take(word(4, "done"), 0.0)[0] == [word(4, "done")]
    assert ordering.take(word(4, "done"), 0.0)[0] == [], "once: each is a line of the journal"
    assert ordering.take(word(3, "done"), 0.0)[0] == [word(3, "done")]


def test_each_memory_of_each_instrument_counts_by_itself() -> None:
    ordering = Ordering()
    for memory in ("m", "n"):
        for device in ("reader", "handler"):
            ordering.expect(device, memory, 0)
            assert ordering.take(word(1, memory=memory, device=device), 0.0)[0]


def test_a_greeting_does_not_take_back_what_was_heard() -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", 3)
    assert heard(ordering, 4, 5) == [4, 5]
    ordering.expect("reader", "m", 3)  # the engine has not counted what is not its campaign's
    assert heard(ordering, 4, 5, 6) == [6]


@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_lost_doubled_or_mixed_comes_out_once(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(1, 40)
    sent = [seq for seq in range(1, count + 1) for _ in range(chance.choice((0, 1, 1, 2)))]
    sent.sort(key=lambda seq: seq + chance.uniform(0.0, chance.choice((0.0, 3.0, 40.0))))
    ordering, at, told = Ordering(), 0.0, list[int]()
    ordering.expect("reader", "m", 0)
    is_answered = chance.random() < 0.5
    came = set(sent)
    for seq in sent:
        due, gap = ordering.take(word(seq), at)
        told += [each.seq for each in due]
        if gap is not None and is_answered:  # the greeting arrives: all is said again
            told += heard(ordering, *range(gap.from_seq, count + 1), at=at)
            came |= set(range(gap.from_seq, count + 1))
        at += chance.uniform(0.0, 0.2)
        told += [each.seq for each in ordering.overdue(at)]
    while late := ordering.overdue(at := at + 1.5 * BUFFERED_S):
        told += [each.seq for each in late]
    assert sorted(told) == sorted(came), f"seed {seed}: {told}"
    assert not is_answered or told == sorted(told), f"seed {seed}: out of order: {told}"


def test_a_number_far_ahead_costs_nothing_and_what_it_skipped_may_still_come() -> None:
    ordering = Ordering()
    ordering.expect("reader", "m", 0)
    far = 2**53 - 2
    assert heard(ordering, 1, far) == [1]
    assert [each.seq for each in ordering.overdue(BUFFERED_S)] == [far]
    assert heard(ordering, 5, 5, 2, 4, far - 1, 7, 2, far) == [5, 2, 4, far - 1, 7]


def test_a_second_node_with_the_same_journal_is_heard_of_and_a_repetition_is_not() -> None:
    ordering = Ordering()
    heard(ordering, 1, 2)
    assert heard(ordering, 2) == []
    copied = word(2).model_copy(update={"boot": "b-2"})
    assert ordering.take(copied, 0.0) == ([copied], None)
    assert heard(ordering, 3) == [3]
