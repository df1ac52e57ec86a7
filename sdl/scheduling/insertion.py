"""Plans by adding one group after the other: the start of every search, and new work at night.

``insert_all`` tries the groups in a given order and those that found no place once more behind
the others. ``justify`` shifts a plan to the right and back to the left, which shortens it or
leaves it as it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Protocol

from sdl.scheduling.board import Board
from sdl.scheduling.index import Indexed
from sdl.scheduling.layout import Layout, layout_of, mirrored
from sdl.scheduling.supply import Supply

Arrays = tuple[list[int], list[int]]
"""Starts and modes by number of activity; mode -1 for what is left out."""


def fresh_board(index: Indexed, layout: Layout, horizon_s: int) -> Board:
    """A board with nothing but what is fixed."""
    board = Board(layout, horizon_s)
    for at, fixed in enumerate(index.fixed):
        if fixed is not None:
            board.place(at, fixed.start_s, fixed.mode)
    return board


def insert_all(index: Indexed, order: Iterable[int] | None = None) -> Arrays | None:
    """A plan by adding groups (numbers into ``index.members``) in this order.

    One that has to come before another one is added before it all the same: behind it there would
    be no place. None if some group found no place. Optional activities are added only where a
    reservoir runs short; see ``sdl.scheduling.supply``.
    """
    board = fresh_board(index, layout_of(index), 2 * index.horizon_s())
    groups = [index.members[at] for at in in_precedence(index, order)]
    left = insert_groups(Supply(index, board), [_wanted(index, group) for group in groups])
    return None if left else arrays_of(board)


def in_precedence(index: Indexed, order: Iterable[int] | None = None) -> list[int]:
    """Groups in this order, but that none stands before one that it has to come after."""
    turns = list(range(len(index.members)) if order is None else order)
    rank = {at: turn for turn, at in enumerate(turns)}
    waits = {at: before & rank.keys() for at, before in _precedence(index).items() if at in rank}
    behind: dict[int, list[int]] = {}
    for at, before in waits.items():
        for other in before:
            behind.setdefault(other, []).append(at)
    found: dict[int, None] = {}
    ready = [turn for turn, at in enumerate(turns) if not waits.get(at)]  # a heap, as it is sorted
    for at in turns:
        while ready or at not in found:
            # Of those that wait for each other, the first.
            one = turns[heapq.heappop(ready)] if ready else at
            if one in found:
                continue
            found[one] = None
            for other in behind.get(one, ()):
                waits[other].discard(one)
                if not waits[other]:
                    heapq.heappush(ready, rank[other])
    return list(found)


def _precedence(index: Indexed) -> dict[int, set[int]]:
    """By group: those of which some activity has to be over before one of its own."""
    group_of = {member: at for at, group in enumerate(index.members) for member in group}
    found: dict[int, set[int]] = {}
    for edge in index.hard:
        source, target = group_of[edge.source], group_of[edge.target]
        is_fixed = index.fixed[edge.source] is not None or index.fixed[edge.target] is not None
        if source != target and edge.least_s >= 0 and not (edge.window or is_fixed):
            found.setdefault(target, set()).add(source)
    return found


class Inserts(Protocol):
    """What groups can be added to."""

    def insert(self, group: Sequence[int]) -> bool:
        """Add one; whether it found a place."""
        ...


def insert_groups(board: Inserts, groups: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """Add groups in order, the failed ones again behind the others; those that never fitted."""
    left = list(groups)
    while left:
        failed = [group for group in left if not board.insert(group)]
        if len(failed) == len(left):
            return failed
        left = failed
    return []


def _wanted(index: Indexed, group: Sequence[int]) -> list[int]:
    activities = index.problem.activities
    return [one for one in group if not activities[one].optional and activities[one].fixed is None]


def arrays_of(board: Board) -> Arrays:
    """What stands on a board."""
    modes = [mode if there else -1 for mode, there in zip(board.mode, board.is_placed, strict=True)]
    return board.start[:], modes


def end_of(index: Indexed, arrays: Arrays) -> int:
    """The last end in s."""
    starts, modes = arrays
    return max(
        (starts[at] + index.length(at, mode) for at, mode in enumerate(modes) if mode >= 0),
        default=0,
    )


def justify(index: Indexed, layout: Layout, arrays: Arrays) -> Arrays:
    """The plan with every group first as late, then as early as the others allow."""
    end_s = end_of(index, arrays)
    right = _shifted(index, mirrored(layout, end_s), _turned(index, arrays, end_s))
    return _shifted(index, layout, _turned(index, right, end_s))


def _turned(index: Indexed, arrays: Arrays, end_s: int) -> Arrays:
    starts, modes = arrays
    turned = [
        end_s - starts[at] - index.length(at, mode) if mode >= 0 else 0
        for at, mode in enumerate(modes)
    ]
    return turned, modes


def _shifted(index: Indexed, layout: Layout, arrays: Arrays) -> Arrays:
    starts, modes = arrays
    board = Board(layout, 2 * index.horizon_s())
    for at, mode in enumerate(modes):
        if mode >= 0:
            board.place(at, starts[at], mode)
    groups = [[one for one in group if modes[one] >= 0] for group in layout.members]
    for group in sorted(filter(None, groups), key=lambda each: min(starts[one] for one in each)):
        reinsert(board, [one for one in group if not layout.pinned[one]])
    return arrays_of(board)


def reinsert(board: Board, group: Sequence[int]) -> bool:
    """Take a group out and add it again, never to end later than it did. Whether it moved."""
    old = [(one, board.start[one], board.mode[one]) for one in group]
    old_end_s = max((board.start[one] + board.length[one] for one in group), default=0)
    for one in group:
        board.remove(one)
    if board.insert(group):
        if max((board.start[one] + board.length[one] for one in group), default=0) <= old_end_s:
            return any(board.start[one] != start_s for one, start_s, _ in old)
        for one in group:
            board.remove(one)
    for one, start_s, mode in old:
        board.place(one, start_s, mode)
    return False
