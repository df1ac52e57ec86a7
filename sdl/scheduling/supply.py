"""Refills for plans that are made group by group: when a reservoir runs short, one goes in.

Careful rather than clever: what takes from a reservoir waits for the last refill, and a refill
waits for all that was taken before. The constraint search does better where it matters.
"""

from __future__ import annotations

from collections.abc import Sequence

from sdl.scheduling.board import Board
from sdl.scheduling.index import Indexed


class Supply:
    """Levels while groups are added to a board."""

    def __init__(self, index: Indexed, board: Board) -> None:
        problem = index.problem
        self._index, self._board = index, board
        self._capacity = {one.name: one.capacity for one in problem.reservoirs}
        self._level = {one.name: one.level for one in problem.reservoirs}
        self._floor_s = dict.fromkeys(self._level, 0)
        self._last_s = dict.fromkeys(self._level, 0)
        self._changes = [(index.number[one.activity], one) for one in problem.changes]
        self._account([at for at, fixed in enumerate(index.fixed) if fixed is not None])

    def insert(self, group: Sequence[int]) -> bool:
        """Add a group, and before it the refills that it needs. False if it found no place."""
        inside = set(group)
        for name in self._level:
            taken = -sum(
                change.amount
                for at, change in self._changes
                if at in inside and change.reservoir == name and change.amount < 0
            )
            while self._level[name] < taken:
                if not self._refill(name):
                    return False
        not_before = {
            at: self._floor_s[change.reservoir]
            for at, change in self._changes
            if at in inside and change.amount < 0
        }
        if not self._board.insert(group, not_before):
            return False
        self._account(group)
        return True

    def _refill(self, name: str) -> bool:
        """Add the first refill that is left and fits, after all that was taken so far."""
        activities = self._index.problem.activities
        for at, change in self._changes:
            is_left = change.reservoir == name and not self._board.is_placed[at]
            fits = 0 < change.amount <= self._capacity[name] - self._level[name]
            if is_left and fits and activities[at].optional:
                if not self._board.insert([at], {at: self._last_s[name]}):
                    return False
                self._account([at])
                return True
        return False

    def _account(self, group: Sequence[int]) -> None:
        board, inside = self._board, set(group)
        for at, change in self._changes:
            if at not in inside:
                continue
            name = change.reservoir
            when_s = board.start[at] + (board.length[at] if change.point == "end" else 0)
            self._level[name] += change.amount
            kind = self._last_s if change.amount < 0 else self._floor_s
            kind[name] = max(kind[name], when_s)
