"""Ruin and recreate: take a few groups out of a plan, add them again in another order.

For plates in a workcell and jobs of a laboratory: many groups, each short, tied by windows. What
goes out stands close in time, or ends last. What comes in is placed exactly (see
``sdl.scheduling.board``). Now and then all groups are pushed together from both sides.
"""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from sdl.scheduling.index import Edge, Indexed
from sdl.scheduling.insertion import Arrays, arrays_of, fresh_board, justify
from sdl.scheduling.layout import Layout
from sdl.scheduling.model import Pace

MOST_OUT = 5
"""Groups that are taken out at once, at most."""
PUSH_EVERY = 1000
"""Steps after which the best plan is pushed together, and gone on from."""
MEAN_END = 0.2
"""What a second of the mean end of all groups counts, against one of the makespan.

The makespan alone says nothing of a move that does not touch the last group.
"""
MISSED_SHARE = 0.5
"""Of the steps, while wishes are not kept: groups are taken out around one of these."""
HEAT = 0.004
"""How much worse a plan may be that is gone on from, as a share of its cost."""


class Ruin:
    """A walk over plans. ``best`` is the best that it has seen, by cost then by mean end."""

    def __init__(self, index: Indexed, layout: Layout, arrays: Arrays, seed: int) -> None:
        self.index, self.layout = index, layout
        self.random = random.Random(seed)
        free = [[one for one in group if not layout.pinned[one]] for group in layout.members]
        self.groups = [group for group in free if group and arrays[1][group[0]] >= 0]
        self._fees = _Fees(index, self.groups)
        self._all_needs = [
            [frozenset(resource for resource, _ in needs) for needs in modes]
            for modes in layout.demands
        ]
        self.steps = 0
        self.stand_on(arrays)
        self.best, self.best_cost = arrays, self.cost

    def stand_on(self, arrays: Arrays) -> None:
        """Go on from a plan."""
        board = fresh_board(self.index, self.layout, 2 * self.index.horizon_s())
        starts, modes = arrays
        for at, mode in enumerate(modes):
            if mode >= 0 and not self.layout.pinned[at]:
                board.place(at, starts[at], mode)
        self.board = board
        self.ends = [self._end_of(group) for group in self.groups]
        self.fees = [self._fee_of(at) for at in range(len(self.groups))]
        self.cost = self._cost()

    def _end_of(self, group: Sequence[int]) -> int:
        start, length = self.board.start, self.board.length
        return max(start[one] + length[one] for one in group)

    def _fee_of(self, at: int) -> int:
        board = self.board
        return self._fees.of(at, self.ends[at], board.start, board.mode, board.length)

    def _cost(self) -> float:
        """The makespan and the fees of all groups, and a little for the mean end."""
        weight = max(1, self.index.problem.weights.makespan)
        mean_s = sum(self.ends) / len(self.ends)
        return weight * (max(self.ends) + MEAN_END * mean_s) + sum(self.fees)

    def run(self, until: float) -> bool:
        """Walk until a time of ``time.monotonic``. Whether the best got better."""
        old = self.best_cost
        while time.monotonic() < until:
            self.step()
            if self.steps % PUSH_EVERY == 0:
                self.push()
        return self.best_cost < old

    def step(self) -> None:
        """Take some groups out and put them in again; go back if that is much worse."""
        self.steps += 1
        out, board = self._pick(), self.board
        self.random.shuffle(out)
        members = [one for at in out for one in self.groups[at]]
        old = [(one, board.start[one], board.mode[one]) for one in members]
        before, ends, fees = self.cost, self.ends[:], self.fees[:]
        for one in members:
            board.remove(one)
        if self._recreate(out):
            self.cost = self._cost()
            bar = HEAT * before * (-math.log(1.0 - self.random.random()) - 0.5)
            if self.cost <= before + bar:
                if self.cost < self.best_cost:
                    self.best, self.best_cost = arrays_of(board), self.cost
                return
        self.cost, self.ends, self.fees = before, ends, fees
        for one in members:
            if board.is_placed[one]:
                board.remove(one)
        for one, start_s, mode in old:
            board.place(one, start_s, mode)

    def _recreate(self, out: Sequence[int]) -> bool:
        for at in out:
            if not self.board.insert(self.groups[at]):
                return False
            self.ends[at] = self._end_of(self.groups[at])
            self.fees[at] = self._fee_of(at)
        return True

    def _pick(self) -> list[int]:
        """Which groups go out."""
        chance, count = self.random, len(self.groups)
        many = min(count, 1 + int(chance.random() * MOST_OUT))
        missed = self._missed()
        if missed and chance.random() < MISSED_SHARE:
            (_, at, one, due_s), *_ = chance.choices(missed, [rate for rate, *_ in missed])
            moment = due_s + chance.random() * (self.board.start[one] - due_s)
            needs = self._needs(one) if chance.random() < 0.5 else frozenset()
            near = self._near(moment, needs)
            return [at, *(other for other in near if other != at)][: max(2, many)]
        if chance.random() < 0.5:
            return self._near(chance.random() * max(self.ends))[:many]
        late = sorted(range(count), key=lambda at: -self.ends[at])
        out = [late[min(count - 1, int(chance.expovariate(0.5)))]]
        while len(out) < many:
            other = chance.randrange(count)
            if other not in out:
                out.append(other)
        return out

    def _near(self, moment: float, needs: frozenset[int] = frozenset()) -> list[int]:
        """Groups, first those of which something starts close to a moment.

        ``needs``: only of what needs one of these resources; empty: of anything.
        """
        start, near = self.board.start, []
        for at, group in enumerate(self.groups):
            ones = [one for one in group if not needs or needs & self._needs(one)]
            if ones:
                near.append((min(abs(start[one] - moment) for one in ones), at))
        return [at for _, at in sorted(near)]

    def _needs(self, one: int) -> frozenset[int]:
        """Resources of an activity."""
        return self._all_needs[one][self.board.mode[one]]

    def _missed(self) -> list[tuple[int, int, int, int]]:
        """Wishes that are not kept: cost of a second, group, what is late, and since when."""
        board = self.board
        return [
            (rate, at, one, due_s)
            for at in range(len(self.groups))
            for rate, one, due_s in self._fees.missed(at, board.start, board.length)
        ]

    @property
    def pace(self) -> Pace:
        return "first"

    def arrays_now(self) -> Arrays:
        """Starts and modes of what is stood on."""
        return arrays_of(self.board)

    def best_arrays(self) -> Arrays:
        """Starts and modes of the best."""
        return self.best

    def consider(self, arrays: Arrays) -> None:
        """A better plan that somebody else found: go on from there."""
        self.stand_on(arrays)
        if self.cost < self.best_cost:
            self.best, self.best_cost = arrays, self.cost

    def push(self) -> None:
        """Push all groups of the best plan together, and go on from there."""
        self.consider(justify(self.index, self.layout, self.best))


class _Fees:
    """What a plan costs beside its makespan, group by group."""

    def __init__(self, index: Indexed, groups: Sequence[Sequence[int]]) -> None:
        problem = index.problem
        self._weights = problem.weights
        by_name = {one.name: one for one in problem.groups}
        self._flow = []
        for group in groups:
            found = by_name.get(problem.activities[group[0]].group)
            rate = problem.weights.flow * (found.weight if found is not None else 0)
            self._flow.append((rate, found.release_s if found is not None else 0))
        at_of = {one: at for at, group in enumerate(groups) for one in group}
        self._old: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        if problem.weights.moved or problem.weights.rerouted:
            for old in problem.current:
                one = index.number.get(old.activity, -1)
                if one in at_of:
                    self._old[at_of[one]].append((one, old.start_s, old.mode))
        self._soft: dict[int, list[Edge]] = defaultdict(list)
        for edge in index.soft:
            owner = at_of.get(edge.target, at_of.get(edge.source))
            if owner is not None:
                self._soft[owner].append(edge)

    def of(self, at: int, end_s: int, start: list[int], mode: list[int], length: list[int]) -> int:
        """Flow time, changes against the current plan and soft lags of one group."""
        rate, release_s = self._flow[at]
        fee = rate * max(0, end_s - release_s)
        for one, start_s, old_mode in self._old.get(at, ()):
            fee += self._weights.moved * abs(start[one] - start_s)
            fee += self._weights.rerouted * (mode[one] != old_mode)
        for edge in self._soft.get(at, ()):
            early = start[edge.source] + (length[edge.source] if edge.source_end else 0)
            late = start[edge.target] + (length[edge.target] if edge.target_end else 0)
            fee += edge.rate * max(0, early + edge.least_s - late)
        return fee

    def missed(
        self, at: int, start: list[int], length: list[int]
    ) -> Iterator[tuple[int, int, int]]:
        """Of wishes of a group that are not kept: their rates, what is late, and when it should."""
        for edge in self._soft.get(at, ()):
            early = start[edge.source] + (length[edge.source] if edge.source_end else 0)
            late = start[edge.target] + (length[edge.target] if edge.target_end else 0)
            if edge.rate and early + edge.least_s > late:
                yield edge.rate, edge.source, late - edge.least_s
