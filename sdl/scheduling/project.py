"""Problems that are projects: each activity in one mode, tied to others by lags of any kind.

A project knows what its lags imply: the least time from any start to any other, over all ways. So
whether an activity fits between others is told by those alone, and nothing has to be propagated.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sdl.scheduling.index import Indexed, shift
from sdl.scheduling.network import starts_and_tails

MOST_TIES = 60_000
"""Pairs of activities that are tied, at most: some 250 that all are, or more in parts."""
Ties = list[list[tuple[int, int]]]
"""By activity: another one, and the least time in s from start to start, below 0 for a maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Arrays over activities, and all that lags say of two of them."""

    lengths: list[int]
    needs: list[list[tuple[int, int]]]
    """Resource and amount, of each activity."""
    capacity: list[int]
    earliest: list[int]
    """Least starts by lags and releases."""
    tails: list[int]
    """Least times from each start to the end of all."""
    after: Ties
    before: Ties
    """The same, seen from the other one."""
    pinned: list[int]
    """Activities of which nothing is free; they stand at ``earliest``."""

    def turned(self) -> Project:
        """The same seen backwards in time, from any end, with nothing pinned."""
        lengths = self.lengths
        return Project(
            lengths=lengths,
            needs=self.needs,
            capacity=self.capacity,
            earliest=[tail - length for tail, length in zip(self.tails, lengths, strict=True)],
            tails=[first + length for first, length in zip(self.earliest, lengths, strict=True)],
            after=_by_ends(self.before, lengths, sign=-1),
            before=_by_ends(self.after, lengths),
            pinned=[],
        )

    def end_s(self, starts: list[int]) -> int:
        """The last end."""
        return max(start + length for start, length in zip(starts, self.lengths, strict=True))


def _by_ends(ties: Ties, lengths: list[int], sign: int = 1) -> Ties:
    """Bounds between starts as bounds between ends."""
    return [
        [(other, least_s + sign * (lengths[other] - lengths[one])) for other, least_s in each]
        for one, each in enumerate(ties)
    ]


def project_of(index: Indexed) -> Project | None:
    """The problem as a project; None if it is something else, or if too much is tied.

    A project: activities have one mode each and are all needed, they hold nothing beyond their
    ends, lags are hard, and the makespan is all that counts.
    """
    problem, weights = index.problem, index.problem.weights
    plain = weights.makespan and not (
        problem.holds
        or problem.changes
        or index.soft
        or weights.flow
        or weights.moved
        or weights.rerouted
        or any(one.optional or len(one.modes) > 1 for one in problem.activities)
    )
    bounds = starts_and_tails(index) if plain else None
    after = None if bounds is None else _all_ties(index)
    if bounds is None or after is None:
        return None
    before: Ties = [[] for _ in after]
    for one, ties in enumerate(after):
        for other, least_s in ties:
            before[other].append((one, least_s))
    return Project(
        lengths=[index.length(at, 0) for at in range(index.count)],
        needs=[[need for need in modes[0] if need[1]] for modes in index.demands],
        capacity=index.capacity,
        earliest=bounds[0],
        tails=bounds[1],
        after=after,
        before=before,
        pinned=[at for at, fixed in enumerate(index.fixed) if fixed is not None],
    )


def _all_ties(index: Indexed) -> Ties | None:
    """What the lags imply, from each activity on; None if that is too much to look at."""
    arcs: Ties = [[] for _ in range(index.count)]
    for edge in index.hard:
        lengths = index.length(edge.source, 0), index.length(edge.target, 0)
        arcs[edge.source].append((edge.target, shift(edge, *lengths)))
    after: Ties = []
    left = MOST_TIES
    for one in range(index.count):
        found = _longest_from(one, arcs)
        left -= len(found)
        if left < 0:
            return None
        after.append(sorted(found.items()))
    return after


def _longest_from(source: int, arcs: Ties) -> dict[int, int]:
    """Longest ways from one activity to each other one that can be reached."""
    reached, queue, waits = {source: 0}, deque([source]), {source}
    while queue:
        one = queue.popleft()
        waits.discard(one)
        so_far_s = reached[one]
        for other, least_s in arcs[one]:
            if other not in reached or so_far_s + least_s > reached[other]:
                reached[other] = so_far_s + least_s
                if other not in waits:
                    waits.add(other)
                    queue.append(other)
    del reached[source]
    return reached
