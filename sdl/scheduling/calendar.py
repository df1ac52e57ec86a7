"""How much of one resource is in use over time: a step function that answers quickly."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

EVER = -(10**12)
"""Before all times, in s."""
NEVER = 10**12
"""After all times, in s."""


class Calendar:
    """Units in use over time, as the times at which they change and the levels from there on.

    ``add`` and the questions cost a binary search and a walk over the steps in question.
    """

    __slots__ = ("levels", "times")

    def __init__(self) -> None:
        self.times = [EVER]
        self.levels = [0]

    def copy(self) -> Calendar:
        """Another one, alike."""
        twin = Calendar()
        twin.times = self.times[:]
        twin.levels = self.levels[:]
        return twin

    def add(self, start_s: int, end_s: int, amount: int) -> None:
        """Use ``amount`` more (less, if below 0) from ``start_s`` until before ``end_s``."""
        if end_s <= start_s:
            return
        times, levels = self.times, self.levels
        low = bisect_left(times, start_s)
        if low == len(times) or times[low] != start_s:
            times.insert(low, start_s)
            levels.insert(low, levels[low - 1])
        high = bisect_left(times, end_s, low)
        if high == len(times) or times[high] != end_s:
            times.insert(high, end_s)
            levels.insert(high, levels[high - 1])
        for at in range(low, high):
            levels[at] += amount
        if levels[high] == levels[high - 1]:
            del times[high], levels[high]
        if levels[low] == levels[low - 1]:
            del times[low], levels[low]

    def free_from(self, start_s: int, length_s: int, room: int) -> int:
        """The first time from ``start_s`` on from which at most ``room`` is used for so long.

        NEVER if there is none.
        """
        times, levels = self.times, self.levels
        at = bisect_right(times, start_s) - 1
        last = len(times)
        while True:
            while levels[at] > room:
                at += 1
                if at == last:
                    return NEVER
                start_s = times[at]
            until_s = start_s + length_s
            ahead = at + 1
            while ahead < last and times[ahead] < until_s:
                if levels[ahead] > room:
                    break
                ahead += 1
            else:
                return start_s
            at = ahead

    def clear_of(self, start_s: int, end_s: int, room: int) -> int:
        """``start_s`` if at most ``room`` is used until before ``end_s``.

        Otherwise the end of the last stretch in between in which it is more.
        """
        times, levels = self.times, self.levels
        at = bisect_left(times, end_s) - 1
        while levels[at] <= room:
            if times[at] <= start_s:
                return start_s
            at -= 1
        if at + 1 == len(times):
            return NEVER
        return max(start_s, times[at + 1])

    def steps(self) -> list[tuple[int, int]]:
        """Every change: its time and the level from there on."""
        return list(zip(self.times, self.levels, strict=True))
