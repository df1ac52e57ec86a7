"""Tabu search for job shops and flexible job shops.

Two kinds of moves along one longest path. Within a block (operations that follow each other on
one machine) one of them goes behind the last or before the first, or the first or last into the
middle: N6 of Balas and Vazacopoulos (1998) with the ends of N7, and their estimate. An operation
goes to another machine, where it does least harm: the insertion of Mastrolilli and Gambardella
(2000). After a move the topological order is mended between the places that moved, and times are
computed anew from there on only.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Pace
from sdl.scheduling.shop import Orders, Shop, orders_of

Move = tuple[int, int, int, int]
"""Kind and three numbers. 0: u behind v; 1: v before u, both of one machine; 2: u in a mode at
a place of that machine's sequence."""
BEHIND, AHEAD, ELSEWHERE = 0, 1, 2
PATIENCE = 1500
"""Steps without a better schedule after which the walk goes on elsewhere."""
MEMORIES = (0.5, 0.7, 1.0, 1.0, 1.3, 1.6)
"""How long moves stay tabu, against Zhang's rule of 10 + jobs / machines: drawn at each leap.

No one length, and neither of the two ways to read the list, was best on all shops.
"""
FULL = 0.9
"""Share of a machine's time from which on its work, and no longest path, is what is short."""
BETWEEN = 0.8
"""How often a search that stalled goes on between two good schedules, and not beside one."""
ELITE = 8
"""Good schedules that are kept."""
SAMPLE = 40
"""Operations of a longest path whose other machines are looked at in one step."""


class Tabu:
    """A walk over schedules. ``best`` is the shortest that it has seen, ``best_s`` its length."""

    def __init__(self, shop: Shop, starts: Sequence[Orders], seed: int) -> None:
        """``starts``: the walk begins at the first, which need not be the best of them."""
        self.shop = shop
        self.random = random.Random(seed)
        count = shop.count
        jobs = sum(1 for one in shop.before if one == count)
        self._memory = 10.0 + jobs / shop.machines
        self._tenure = (int(self._memory), int(1.4 * self._memory) + 1)
        self._is_strict = True
        self._before, self._after = shop.before, shop.after
        self._release = [*shop.release, 0]
        self._tabu: dict[int, int] = {}
        self._steps = 0
        self.patience = PATIENCE
        self._least_work = sum(min(took for _, took in choice) for choice in shop.options)
        self.elite: list[tuple[int, Orders]] = []
        for orders in reversed(starts):
            self.load(orders)
            self._remember(self.length_s, orders)
        self.best_s, self.best = self.elite[0]
        self._own, self._own_s = starts[0].copy(), self.length_s
        self._stalled = 0
        self._thrift = self._wanted_thrift()

    # The schedule that is stood on.

    def load(self, orders: Orders) -> None:
        """Stand on a schedule."""
        shop, none = self.shop, self.shop.count
        self.modes, self.order = orders.modes[:], orders.order[:]
        self.took = [shop.options[at][mode][1] for at, mode in enumerate(self.modes)] + [0]
        self.machine = [shop.options[at][mode][0] for at, mode in enumerate(self.modes)]
        self.sequence: list[list[int]] = [[] for _ in range(shop.machines)]
        for at in self.order:
            self.sequence[self.machine[at]].append(at)
        self.left, self.right = [none] * (none + 1), [none] * (none + 1)
        for sequence in self.sequence:
            for one, other in pairwise(sequence):
                self.right[one], self.left[other] = other, one
        self.place = [0] * (none + 1)
        for where, at in enumerate(self.order):
            self.place[at] = where
        self.end, self.tail = [0] * (none + 1), [0] * (none + 1)
        self._times(0, none - 1)

    def _times(self, low: int, high: int) -> None:
        """Ends from place ``low`` on, tails from place ``high`` back; the length."""
        end, tail, took = self.end, self.tail, self.took
        before, after, left, right = self._before, self._after, self.left, self.right
        release, order = self._release, self.order
        for at in order[low:]:
            one, other = end[before[at]], end[left[at]]
            if other > one:
                one = other
            if release[at] > one:
                one = release[at]
            end[at] = one + took[at]
        for at in order[high::-1]:
            one, other = tail[after[at]], tail[right[at]]
            tail[at] = (one if one > other else other) + took[at]
        self.length_s = max(end)

    def arrays_now(self) -> Arrays:
        """Starts and modes of what is stood on."""
        starts = [self.end[at] - self.took[at] for at in range(self.shop.count)]
        return starts, self.modes[:]

    @property
    def pace(self) -> Pace:
        return "second"

    def best_arrays(self) -> Arrays:
        """Starts and modes of the best."""
        now = Orders(self.modes, self.order)
        self.load(self.best)
        arrays = self.arrays_now()
        self.load(now)
        return arrays

    # The walk.

    def consider(self, arrays: Arrays) -> None:
        """A good plan that somebody else found, to go on from when this walk stalls."""
        now = Orders(self.modes, self.order)
        self.load(orders_of(self.shop, arrays))
        found = (self.length_s, Orders(self.modes, self.order))
        self.load(now)
        self.elite.append((found[0], found[1].copy()))
        self.elite.sort(key=lambda one: one[0])
        if found[0] < self.best_s:
            self.best, self.best_s = found[1], found[0]

    def run(self, until: float) -> bool:
        """Walk until a time of ``time.monotonic``. Whether the best got better."""
        old_s = self.best_s
        while time.monotonic() < until:
            for _ in range(20):
                self.step()
        return self.best_s < old_s

    def step(self) -> None:
        """One move."""
        self._steps += 1
        move = self._choose()
        if move is not None:
            self._make(move)
        self._stalled += 1
        if self.length_s < self._own_s:
            self._own_s, self._stalled = self.length_s, 0
            self._own = Orders(self.modes[:], self.order[:])
            if self.length_s < self.best_s:
                self.best, self.best_s = self._own, self.length_s
        if self._stalled > self.patience or move is None:
            self._leap()

    def _leap(self) -> None:
        """Leave a region that gives nothing any more, for one between two good schedules."""
        self._remember(self._own_s, self._own)
        chance = self.random
        if len(self.elite) > 1 and chance.random() < BETWEEN:
            (_, one), (_, other) = chance.sample(self.elite, 2)
            self.load(self._between(one, other))
        else:
            self.load(chance.choice(self.elite)[1])
            for _ in range(chance.randint(4, 8 + self.shop.count // 20)):
                moves = [move for _, move in self._candidates()]
                if moves:
                    self._make(chance.choice(moves))
        self._tabu.clear()
        memory = self._memory * chance.choice(MEMORIES)
        self._tenure = (int(memory), int(1.4 * memory) + 1)
        self._is_strict = chance.random() < 0.5
        self._thrift = self._wanted_thrift()
        self._own_s, self._own = self.length_s, Orders(self.modes[:], self.order[:])
        self._stalled = 0

    def _wanted_thrift(self) -> int:
        """1 where the machines are all but full, so that a slower one costs its seconds twice."""
        return int(self._least_work > FULL * self.best_s * self.shop.machines)

    def _remember(self, length_s: int, orders: Orders) -> None:
        """Keep a schedule among the good ones, unless there is one of its length already."""
        if all(length_s != one for one, _ in self.elite):
            self.elite.append((length_s, orders.copy()))
            self.elite.sort(key=lambda one: one[0])
            del self.elite[ELITE:]

    def _between(self, one: Orders, other: Orders) -> Orders:
        """A schedule between two: each operation at a weighted mean of its two places.

        A job's order is that of both, so it is that of the mean: what comes out is a schedule.
        """
        chance, count = self.random, self.shop.count
        share = 0.3 + 0.4 * chance.random()
        place = [0.0] * count
        for weight, orders in ((1.0 - share, one), (share, other)):
            for where, at in enumerate(orders.order):
                place[at] += weight * where
        modes = [
            mine if mine == its or chance.random() > share else its
            for mine, its in zip(one.modes, other.modes, strict=True)
        ]
        return Orders(modes, sorted(range(count), key=lambda at: place[at]))

    def _choose(self) -> Move | None:
        """The move with the best estimate that is not tabu, or that leads to a new best."""
        best: Move | None = None
        best_s, ties = 1 << 60, 0
        candidates = self._candidates()
        chance = self.random
        for length_s, move in candidates:
            if length_s > best_s or (length_s >= self.best_s and self._is_tabu(move)):
                continue
            if length_s < best_s:
                best, best_s, ties = move, length_s, 1
            else:
                ties += 1
                if chance.random() * ties < 1.0:
                    best = move
        if best is None and candidates:
            best = chance.choice(candidates)[1]
        return best

    def _is_tabu(self, move: Move) -> bool:
        """Strict: a move that undoes any passing is tabu; otherwise one that undoes them all."""
        kind, one, other, _ = move
        tabu, now, count = self._tabu, self._steps, self.shop.count
        if kind == ELSEWHERE:
            return tabu.get(-(one * self.shop.machines + self._machine_of(one, other)) - 1, 0) > now
        right, strict = self.right, self._is_strict
        at = right[one] if kind == BEHIND else one
        last = right[other] if kind == BEHIND else other
        while at != last:
            key = at * count + one if kind == BEHIND else other * count + at
            if (tabu.get(key, 0) > now) is strict:
                return strict
            at = right[at]
        return not strict

    def _machine_of(self, at: int, mode: int) -> int:
        return self.shop.options[at][mode][0]

    # What could be done.

    def _candidates(self) -> list[tuple[int, Move]]:
        blocks = self._blocks()
        found: list[tuple[int, Move]] = []
        for block in blocks:
            if len(block) > 1:
                self._within(block, found)
        if self.shop.is_flexible:
            path = [at for block in blocks for at in block if len(self.shop.options[at]) > 1]
            if len(path) > SAMPLE:
                path = self.random.sample(path, SAMPLE)
            for at in path:
                self._elsewhere(at, found)
        return found

    def _blocks(self) -> list[list[int]]:
        """One longest path, from its end, as runs on one machine in order of time."""
        end, took, none = self.end, self.took, self.shop.count
        before, left = self._before, self.left
        at = self.random.choice([one for one in self.order if end[one] == self.length_s])
        block, blocks = [at], list[list[int]]()
        while True:
            start = end[at] - took[at]
            prior, neighbour = before[at], left[at]
            by_job = prior != none and end[prior] == start
            by_machine = neighbour != none and end[neighbour] == start
            if by_machine and (not by_job or self.random.random() < 0.5):
                at = neighbour
                block.append(at)
                continue
            block.reverse()
            blocks.append(block)
            if not by_job:
                return blocks
            at = prior
            block = [at]

    def _within(self, block: list[int], found: list[tuple[int, Move]]) -> None:
        end, tail, before, after = self.end, self.tail, self._before, self._after
        first, last = block[0], block[-1]
        tail_last, end_first = tail[last], end[first]
        for at in range(len(block) - 1):
            one = block[at]
            if tail_last >= tail[after[one]]:
                found.append((self._behind(block, at, len(block) - 1), (BEHIND, one, last, 0)))
            other = block[at + 1]
            if len(block) > 2 and end_first >= end[before[other]]:
                found.append((self._ahead(block, 0, at + 1), (AHEAD, first, other, 0)))
        for at in range(1, len(block) - 1):
            other = block[at]
            if tail[other] >= tail[after[first]]:
                found.append((self._behind(block, 0, at), (BEHIND, first, other, 0)))
            if end[other] >= end[before[last]]:
                found.append((self._ahead(block, at, len(block) - 1), (AHEAD, other, last, 0)))

    def _behind(self, block: list[int], low: int, high: int) -> int:
        """Length of the longest path through what moves if block[low] goes behind block[high]."""
        moved = block[low]
        return self._estimate([*block[low + 1 : high + 1], moved], moved, block[high])

    def _ahead(self, block: list[int], low: int, high: int) -> int:
        """The same if block[high] goes before block[low]."""
        return self._estimate([block[high], *block[low:high]], block[low], block[high])

    def _estimate(self, fresh: list[int], first: int, last: int) -> int:
        """The same for a new order of what stood from ``first`` to ``last``."""
        end, tail, took = self.end, self.tail, self.took
        before, after = self._before, self._after
        ends = []
        now = end[self.left[first]]
        for at in fresh:
            prior = end[before[at]]
            now = (prior if prior > now else now) + took[at]
            ends.append(now)
        now = tail[self.right[last]]
        longest = 0
        for at in reversed(fresh):
            later = tail[after[at]]
            if later > now:
                now = later
            whole = ends.pop() + now
            if whole > longest:
                longest = whole
            now += took[at]
        return longest

    def _elsewhere(self, at: int, found: list[tuple[int, Move]]) -> None:
        """The best place for an operation on each other machine that can do it."""
        end, tail = self.end, self.tail
        head, rest = end[self._before[at]], tail[self._after[at]]
        if self._release[at] > head:
            head = self._release[at]
        own = self.modes[at]
        saved = self._thrift * self.took[at]
        for mode, (machine, took) in enumerate(self.shop.options[at]):
            if mode == own or machine == self.machine[at]:
                continue
            sequence = self.sequence[machine]
            low = bisect_right(sequence, head, key=end.__getitem__)
            high = bisect_right(sequence, -rest - 1, key=lambda one: -tail[one])
            if low >= high:  # a gap that fits: nothing there waits for anything of this job
                place = high if low == high else self.random.randint(high, low)
                whole = head + took + rest + self._thrift * took - saved
                found.append((whole, (ELSEWHERE, at, mode, place)))
                continue
            best_s, best = 1 << 60, 0
            for place in range(low, high + 1):
                early = end[sequence[place - 1]] if place > low else head
                late = tail[sequence[place]] if place < high else rest
                whole = (early if early > head else head) + took + (late if late > rest else rest)
                if whole < best_s:
                    best_s, best = whole, place
            whole = best_s + self._thrift * took - saved
            found.append((whole, (ELSEWHERE, at, mode, best)))

    # Doing it.

    def _make(self, move: Move) -> None:
        kind, one, other, where = move
        if kind == BEHIND:
            self._forbid_passed(one, other, moved=one)
            self._shift(one, self.modes[one], other)
        elif kind == AHEAD:
            self._forbid_passed(one, other, moved=other)
            self._shift(other, self.modes[other], self.left[one])
        else:
            self._forbid(-(one * self.shop.machines + self.machine[one]) - 1)
            sequence = self.sequence[self._machine_of(one, other)]
            self._shift(one, other, sequence[where - 1] if where else self.shop.count)

    def _forbid(self, key: int) -> None:
        self._tabu[key] = self._steps + self.random.randint(*self._tenure)

    def _forbid_passed(self, first: int, last: int, *, moved: int) -> None:
        """What was passed shall not be passed back for a while."""
        until, count = self._steps + self.random.randint(*self._tenure), self.shop.count
        at = first
        while True:
            if at != moved:
                key = moved * count + at if moved == first else at * count + moved
                self._tabu[key] = until
            if at == last:
                return
            at = self.right[at]

    def _unlink(self, at: int) -> None:
        one, other, none = self.left[at], self.right[at], self.shop.count
        if one != none:
            self.right[one] = other
        if other != none:
            self.left[other] = one
        self.sequence[self.machine[at]].remove(at)

    def _link(self, at: int, behind: int, sequence: list[int]) -> None:
        """Behind an operation of a sequence, or at its head."""
        none = self.shop.count
        where = sequence.index(behind) + 1 if behind != none else 0
        other = sequence[where] if where < len(sequence) else none
        sequence.insert(where, at)
        self.left[at], self.right[at] = behind, other
        if behind != none:
            self.right[behind] = at
        if other != none:
            self.left[other] = at

    def _shift(self, at: int, mode: int, behind: int) -> None:
        """To a mode and a place on its machine; back again if that closes a circle.

        What is proposed closes none, but for operations that take no time at all.
        """
        old_mode, old_behind = self.modes[at], self.left[at]
        self._settle(at, mode, behind)
        if not self._mend(at):
            self._settle(at, old_mode, old_behind)

    def _settle(self, at: int, mode: int, behind: int) -> None:
        self._unlink(at)
        self.modes[at] = mode
        self.machine[at], self.took[at] = self.shop.options[at][mode]
        self._link(at, behind, self.sequence[self.machine[at]])

    def _mend(self, at: int) -> bool:
        """Order and times after an operation got new neighbours.

        False, and nothing done, if there is no order any more.
        """
        none, place = self.shop.count, self.place
        own, low = place[at], place[self.left[at]] if self.left[at] != none else -1
        high = place[self.right[at]] if self.right[at] != none else none
        if low > own:
            if not self._pull_back(at, own, low):
                return False
            self._times(own, low)
        elif high < own:
            if not self._pull_ahead(at, high, own):
                return False
            self._times(high, own)
        else:
            self._times(own, own)
        return True

    def _pull_back(self, at: int, low: int, high: int) -> bool:
        """Put an operation, and what depends on it, behind place ``high`` of the order."""
        before, left, order = self._before, self.left, self.order
        moved, kept, later = {at}, list[int](), [at]
        for one in order[low + 1 : high + 1]:
            if before[one] in moved or left[one] in moved:
                moved.add(one)
                later.append(one)
            else:
                kept.append(one)
        if order[high] in moved:
            return False
        self._write(low, kept + later)
        return True

    def _pull_ahead(self, at: int, low: int, high: int) -> bool:
        """Put an operation, and what it depends on, before place ``low`` of the order."""
        after, right, order = self._after, self.right, self.order
        moved, kept, sooner = {at}, list[int](), [at]
        for one in order[low:high][::-1]:
            if after[one] in moved or right[one] in moved:
                moved.add(one)
                sooner.append(one)
            else:
                kept.append(one)
        if order[low] in moved:
            return False
        self._write(low, sooner[::-1] + kept[::-1])
        return True

    def _write(self, low: int, fresh: list[int]) -> None:
        self.order[low : low + len(fresh)] = fresh
        for where, one in enumerate(fresh, start=low):
            self.place[one] = where
