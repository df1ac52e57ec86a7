"""Plans by simple rules in order of time: what a bench without a planner would do.

At each moment, of all that can start the rule picks one, until nothing can. Nobody looks ahead:
windows break, and plates may lock each other up.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from sdl.scheduling.calendar import NEVER
from sdl.scheduling.index import Edge, Indexed, shift
from sdl.scheduling.insertion import Arrays

Rule = Literal["FIFO", "MWKR", "SPT", "EDF"]
"""First ready first; most work remaining; shortest time; earliest deadline."""
RULES: tuple[Rule, ...] = ("FIFO", "MWKR", "SPT", "EDF")


def dispatch(index: Indexed, rule: Rule, modes: Sequence[int] | None = None) -> Arrays | None:
    """The plan of one rule. None if it locked up. It may break maximum lags, and nothing else.

    ``modes``: the mode of each activity, where it is not for the rule to choose the quickest that
    is free.
    """
    return _Dispatch(index, rule, modes).run()


class _Dispatch:
    """A simulation in order of time."""

    def __init__(self, index: Indexed, rule: Rule, modes: Sequence[int] | None) -> None:
        self.index, self.rule = index, rule
        self._order = [
            sorted(range(len(times)), key=times.__getitem__) if modes is None else [modes[at]]
            for at, times in enumerate(index.duration)
        ]
        count = index.count
        self.now_s = index.problem.now_s
        self.starts, self.modes = [0] * count, [-1] * count
        self._free = index.capacity[:]
        self._ready_s = index.release[:]
        self._deadline_s = [NEVER] * count
        self._waits_for = [0] * count
        self._after: list[list[Edge]] = [[] for _ in range(count)]
        self._windows: list[list[Edge]] = [[] for _ in range(count)]
        for edge in index.hard + index.soft:
            if edge.least_s >= 0 and not edge.window:
                self._after[edge.source].append(edge)
                self._waits_for[edge.target] += 1
            else:
                self._windows[edge.target].append(edge)
        self._stays_of: list[list[int]] = [[] for _ in range(count)]
        for at, stay in enumerate(index.stays):
            for one in {stay.first, stay.chooser, stay.last} - {-1}:
                self._stays_of[one].append(at)
        self._taken = [False] * len(index.stays)
        self._events: list[tuple[int, int, int]] = []
        self._left = self._remaining_work()

    def run(self) -> Arrays | None:
        """Begin everything that is not optional, each as soon as the rule lets it."""
        index = self.index
        wanted = {at for at in range(index.count) if not index.problem.activities[at].optional}
        for at, fixed in enumerate(index.fixed):
            if fixed is not None:
                self._begin(at, fixed.mode, fixed.start_s)
                wanted.discard(at)
        ready = {at for at in wanted if not self._waits_for[at]}
        while wanted:
            picked = self._pick(ready)
            if picked is not None:
                self._begin(picked, self._startable(picked), self.now_s)
                wanted.discard(picked)
                ready.discard(picked)
                ready.update(
                    edge.target
                    for edge in self._after[picked]
                    if edge.target in wanted and not self._waits_for[edge.target]
                )
            elif not self._advance(ready):
                return None
        return self.starts, self.modes

    def _pick(self, ready: set[int]) -> int | None:
        first = [(self._key(at), at) for at in ready if self._ready_s[at] <= self.now_s]
        return next((at for _, at in sorted(first) if self._startable(at) >= 0), None)

    def _key(self, at: int) -> tuple[int, int]:
        match self.rule:
            case "FIFO":
                return (self._ready_s[at], 0)
            case "MWKR":
                return (-self._left[at], 0)
            case "SPT":
                return (min(self.index.duration[at]), 0)
            case "EDF":
                return (self._deadline_s[at], self.index.release[at] + self._left[at])

    def _remaining_work(self) -> list[int]:
        """Seconds of work from each activity to the end of its group, by its shortest modes."""
        left = [0] * self.index.count
        for group in self.index.members:
            total = 0
            for at in reversed(group):
                total += min(self.index.duration[at])
                left[at] = total
        return left

    def _startable(self, at: int) -> int:
        """The quickest mode whose resources are free now; -1 if there is none."""
        for mode in self._order[at]:
            needed: dict[int, int] = defaultdict(int)
            for resource, amount in self.index.demands[at][mode]:
                needed[resource] += amount
            for one in self._stays_of[at]:
                stay = self.index.stays[one]
                if not self._taken[one] and self._opens(one, at, mode):
                    needed[stay.resource] += stay.amount
            if all(self._free[resource] >= amount for resource, amount in needed.items()):
                return mode
        return -1

    def _opens(self, stay: int, at: int, mode: int) -> bool:
        """Whether a place is taken as soon as an activity begins in a mode."""
        hold = self.index.stays[stay]
        first = at == hold.first or self.modes[hold.first] >= 0
        chosen = mode if at == hold.chooser else self.modes[hold.chooser]
        return first and (hold.chooser < 0 or chosen == hold.mode)

    def _begin(self, at: int, mode: int, start_s: int) -> None:
        for one in self._stays_of[at]:
            if not self._taken[one] and self._opens(one, at, mode):
                self._taken[one] = True
                self._free[self.index.stays[one].resource] -= self.index.stays[one].amount
        self.starts[at], self.modes[at] = start_s, mode
        length = self.index.length(at, mode)
        for resource, amount in self.index.demands[at][mode]:
            self._free[resource] -= amount
            heapq.heappush(self._events, (start_s + length, resource, amount))
        for one in self._stays_of[at]:
            stay = self.index.stays[one]
            if stay.last == at and self._taken[one]:
                heapq.heappush(self._events, (start_s + length, stay.resource, stay.amount))
        for edge in self._after[at]:
            other = self.index.duration[edge.target][0]
            least_s = start_s + shift(edge, length, other)
            self._ready_s[edge.target] = max(self._ready_s[edge.target], least_s)
            self._waits_for[edge.target] -= 1
        for edge in self._windows[at]:
            shortest = min(self.index.duration[edge.source])
            latest_s = start_s + (length if edge.target_end else 0) - edge.least_s
            latest_s -= shortest if edge.source_end else 0
            self._deadline_s[edge.source] = min(self._deadline_s[edge.source], latest_s)

    def _advance(self, ready: set[int]) -> bool:
        """On to the next moment at which something changes. False if nothing ever will."""
        times = [self._ready_s[at] for at in ready if self._ready_s[at] > self.now_s]
        if self._events:
            times.append(self._events[0][0])
        if not times:
            return False
        self.now_s = max(self.now_s, min(times))
        while self._events and self._events[0][0] <= self.now_s:
            _, resource, amount = heapq.heappop(self._events)
            self._free[resource] += amount
        return True
