"""Ruin and recreate: take a few groups out of a plan, add them again in another order.

For plates in a workcell and jobs of a laboratory: many groups, each short, tied by windows. What
goes out stands close in time, or ends last. What comes in is placed exactly (see
``sdl.scheduling.board``). Now and then all groups are pushed together from both sides.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence

from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays, arrays_of, fresh_board, justify
from sdl.scheduling.layout import Layout

MOST_OUT = 6
"""Groups that are taken out at once, at most."""
PUSH_EVERY = 1000
"""Steps after which the best plan is pushed together, and gone on from."""


class Ruin:
    """A walk over plans. ``best`` is the cheapest that it has seen, by makespan then by ends."""

    def __init__(self, index: Indexed, layout: Layout, arrays: Arrays, seed: int) -> None:
        self.index, self.layout = index, layout
        self.random = random.Random(seed)
        self.groups = [[one for one in group if not layout.pinned[one]] for group in layout.members]
        self.groups = [group for group in self.groups if group and arrays[1][group[0]] >= 0]
        self.steps = 0
        self.stand_on(arrays)
        self.best, self.best_cost = arrays, self.cost
        self.pushed = 0

    def stand_on(self, arrays: Arrays) -> None:
        """Go on from a plan."""
        board = fresh_board(self.index, self.layout, 2 * self.index.horizon_s())
        starts, modes = arrays
        for at, mode in enumerate(modes):
            if mode >= 0 and not self.layout.pinned[at]:
                board.place(at, starts[at], mode)
        self.board = board
        self.ends = [self._end_of(group) for group in self.groups]
        self.cost = self._cost()

    def _end_of(self, group: Sequence[int]) -> int:
        start, length = self.board.start, self.board.length
        return max(start[one] + length[one] for one in group)

    def _cost(self) -> float:
        ends = self.ends
        return max(ends) + 0.2 * sum(ends) / len(ends)

    def run(self, until: float) -> bool:
        """Walk until a time of ``time.monotonic``. Whether the best got better."""
        old = self.best_cost
        heat = 0.004 * max(self.ends)
        while time.monotonic() < until:
            self._step(heat)
            if self.steps % PUSH_EVERY == 0:
                self.push()
        return self.best_cost < old

    def _step(self, heat: float) -> None:
        self.steps += 1
        out = self._pick()
        board = self.board
        old = [[(one, board.start[one], board.mode[one]) for one in self.groups[at]] for at in out]
        for at in out:
            for one in self.groups[at]:
                board.remove(one)
        self.random.shuffle(out)
        before, ends = self.cost, self.ends[:]
        if self._recreate(out):
            self.cost = self._cost()
            if self.cost <= before + heat * -math.log(1.0 - self.random.random()) - heat / 2:
                if self.cost < self.best_cost:
                    self.best, self.best_cost = arrays_of(board), self.cost
                return
        self.ends, self.cost = ends, before
        for at in out:
            for one in self.groups[at]:
                if board.is_placed[one]:
                    board.remove(one)
        for each in old:
            for one, start_s, mode in each:
                board.place(one, start_s, mode)

    def _recreate(self, out: Sequence[int]) -> bool:
        for at in out:
            if not self.board.insert(self.groups[at]):
                return False
            self.ends[at] = self._end_of(self.groups[at])
        return True

    def _pick(self) -> list[int]:
        """Which groups go out."""
        chance, count = self.random, len(self.groups)
        many = min(count, 1 + int(chance.random() * MOST_OUT))
        if chance.random() < 0.5:
            moment = chance.random() * max(self.ends)
            start = self.board.start
            near = [
                (min(abs(start[one] - moment) for one in group), at)
                for at, group in enumerate(self.groups)
            ]
            return [at for _, at in sorted(near)[:many]]
        late = sorted(range(count), key=lambda at: -self.ends[at])
        out = {late[min(count - 1, int(chance.expovariate(0.5)))]}
        while len(out) < many:
            out.add(chance.randrange(count))
        return list(out)

    @property
    def pace(self) -> str:
        return "first"

    def best_arrays(self) -> Arrays:
        """Starts and modes of the best."""
        return self.best

    def consider(self, arrays: Arrays) -> None:
        """A better plan that somebody else found: go on from there."""
        self.stand_on(arrays)
        if self.cost < self.best_cost:
            self.best, self.best_cost = arrays, self.cost

    def push(self) -> bool:
        """Push all groups of the best plan together. Whether it got better."""
        arrays = justify(self.index, self.layout, self.best)
        old = self.best_cost
        self.stand_on(arrays)
        if self.cost < self.best_cost:
            self.best, self.best_cost = arrays, self.cost
        return self.best_cost < old
