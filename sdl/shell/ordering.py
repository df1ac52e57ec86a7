"""Words of nodes in the order in which they were written, however the bus brings them.

Each word that stands in a node's journal has a number there: 1, 2, 3 ... for each instrument and
memory, without a gap. A number that is missing is asked for again; what came after it waits, but
not for long, for a journal may have lost what it held.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sdl.wire.mqtt import EventMessage

BUFFERED_S = 1.0
"""Loop seconds that words wait for one that is missing before them; looked at each second."""
STARTS_KEPT = 100
"""Words of started actions that are remembered, for each instrument and memory."""
ENDS = frozenset({"done", "failed", "unknown"})
"""Words that are passed on even where they are older than all that we have heard ourselves: one of
them may be all that is left to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Words that are missing, and have to be asked for."""

    device: str
    memory: str
    from_seq: int
    """The first one that is missing."""


@dataclass(slots=True)
class _Queue:
    next: int | None
    """The number that is due; None: whichever comes first."""
    first: int = 0
    """The number with which we began to listen."""
    skipped: list[range] = field(default_factory=list)
    """Numbers that were waited for in vain; they may still come."""
    older: set[int] = field(default_factory=set)
    """Numbers below ``first`` that were passed on; once is enough."""
    starts: dict[int, str] = field(default_factory=dict)
    """By number, the boot in which an action was started; of the last ones."""
    waiting: dict[int, EventMessage] = field(default_factory=dict)
    since: float = 0.0
    """When the first of those that wait came, by the loop's clock."""


class Ordering:
    """What was heard of each instrument and memory, and what waits for words before it."""

    def __init__(self) -> None:
        self._queues: dict[tuple[str, str], _Queue] = {}

    def expect(self, device: str, memory: str, after: int | None) -> None:
        """A node was greeted: it goes on after this number. None: nothing was heard of it yet."""
        queue = self._queues.setdefault((device, memory), _Queue(None))
        if after is not None and queue.next is None:
            queue.next = queue.first = after + 1

    def take(self, word: EventMessage, heard: float) -> tuple[list[EventMessage], Gap | None]:
        """One word came at ``heard``, by the loop's clock.

        Gives the words that are due now, in order, and what has to be asked for, once for each gap.
        """
        if word.seq == 0:
            return [word], None
        queue = self._queues.setdefault((word.dev, word.memory), _Queue(None))
        if queue.next is None:
            queue.next = queue.first = word.seq
        if word.st == "started" and _is_anothers(queue, word):
            return [word], None
        if word.seq < queue.next:
            return ([word] if _is_news(queue, word) else []), None
        if word.seq > queue.next:
            is_new_gap = not queue.waiting
            if is_new_gap:
                queue.since = heard
            queue.waiting[word.seq] = word
            gap = Gap(device=word.dev, memory=word.memory, from_seq=queue.next)
            return [], gap if is_new_gap else None
        queue.next += 1
        return [word, *self._follow(queue, heard)], None

    def overdue(self, heard: float) -> list[EventMessage]:
        """Words that have waited long enough; what is missing before them may still come."""
        due: list[EventMessage] = []
        for queue in self._queues.values():
            if queue.waiting and heard - queue.since >= BUFFERED_S:
                assert queue.next is not None
                found = min(queue.waiting)
                queue.skipped.append(range(queue.next, found))
                queue.next = found
                due += self._follow(queue, heard)
        return due

    @staticmethod
    def _follow(queue: _Queue, heard: float) -> list[EventMessage]:
        """Those that waited for the number that has just come."""
        due: list[EventMessage] = []
        assert queue.next is not None
        while (word := queue.waiting.pop(queue.next, None)) is not None:
            due.append(word)
            queue.next += 1
        queue.since = heard  # another gap, if any, has its own time
        return due


def _is_anothers(queue: _Queue, word: EventMessage) -> bool:
    """Whether another start of a node wrote a word of the same number: two have one journal."""
    first = queue.starts.setdefault(word.seq, word.boot)
    if len(queue.starts) > STARTS_KEPT:
        del queue.starts[next(iter(queue.starts))]
    return first != word.boot


def _is_news(queue: _Queue, word: EventMessage) -> bool:
    """Whether a word of an old number was not heard before."""
    for numbers in queue.skipped:
        if word.seq in numbers:
            queue.skipped.remove(numbers)
            split = (range(numbers.start, word.seq), range(word.seq + 1, numbers.stop))
            queue.skipped += [left for left in split if left]
            return True
    if word.seq >= queue.first or word.st not in ENDS or word.seq in queue.older:
        return False
    queue.older.add(word.seq)
    return True
