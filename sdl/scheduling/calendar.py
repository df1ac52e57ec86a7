"""How much of one resource is in use over time: a step function that answers quickly."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

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


class Packing:
    """Amounts of several resources as one number, with a field and a spare bit for each of them.

    So a plan of many resources has one calendar, and one sum tells whether all of them have room.
    """

    def __init__(self, capacity: Sequence[int], needs: Iterable[Sequence[tuple[int, int]]]) -> None:
        """``needs``: resource and amount, of whatever will be asked for at once."""
        most = max((amount for each in needs for _, amount in each), default=0)
        self._width = (max(capacity, default=0) + most).bit_length() + 1
        self._capacity = capacity
        self._spare = 1 << (self._width - 1)
        self.spares = sum(self._spare << (at * self._width) for at in range(len(capacity)))

    def amount(self, needs: Iterable[tuple[int, int]]) -> int:
        """What is used, for ``Calendar.add``."""
        return sum(amount << (resource * self._width) for resource, amount in needs)

    def probe(self, needs: Iterable[tuple[int, int]]) -> int:
        """Added to a level it sets the spare bit of each resource that has not enough left."""
        return sum(
            (self._spare - 1 - self._capacity[resource] + amount) << (resource * self._width)
            for resource, amount in needs
        )


def free_of_all(calendar: Calendar, start_s: int, length_s: int, probe: int, spares: int) -> int:
    """``Calendar.free_from`` of a calendar of packed amounts, for all its resources at once."""
    times, levels = calendar.times, calendar.levels
    at = bisect_right(times, start_s) - 1
    last = len(times)
    while True:
        while (levels[at] + probe) & spares:
            at += 1
            if at == last:
                return NEVER
            start_s = times[at]
        until_s = start_s + length_s
        ahead = at + 1
        while ahead < last and times[ahead] < until_s:
            if (levels[ahead] + probe) & spares:
                break
            ahead += 1
        else:
            return start_s
        at = ahead
