"""What the lags alone say: earliest starts, tails, and whether they contradict each other."""

from __future__ import annotations

from collections import defaultdict, deque

from sdl.scheduling.index import Edge, Indexed


def starts_and_tails(index: Indexed) -> tuple[list[int], list[int]] | None:
    """Earliest starts, and least times from each start to the end of all, in s.

    From lags, releases and the shortest modes. None if a cycle of lags has no solution.
    """
    shortest = [
        min(index.length(at, m) for m in range(len(index.duration[at])))
        for at in range(index.count)
    ]
    longest = [
        max(index.length(at, m) for m in range(len(index.duration[at])))
        for at in range(index.count)
    ]
    ahead: dict[int, list[tuple[int, int]]] = defaultdict(list)
    behind: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for edge in index.hard:
        if _binds(index, edge):
            weight = edge.least_s + (shortest[edge.source] if edge.source_end else 0)
            weight -= longest[edge.target] if edge.target_end else 0
            ahead[edge.source].append((edge.target, weight))
            behind[edge.target].append((edge.source, weight))
    first = [
        fixed.start_s if fixed is not None else release
        for fixed, release in zip(index.fixed, index.release, strict=True)
    ]
    heads = _longest(first, ahead)
    if heads is None:
        return None
    for fixed, head in zip(index.fixed, heads, strict=True):
        if fixed is not None and head > fixed.start_s:
            return None
    tails = _longest(shortest, behind)
    return None if tails is None else (heads, tails)


def _binds(index: Indexed, edge: Edge) -> bool:
    activities = index.problem.activities
    return not (activities[edge.source].optional or activities[edge.target].optional)


def _longest(first: list[int], arcs: dict[int, list[tuple[int, int]]]) -> list[int] | None:
    """Longest paths from given values; None if a cycle makes them endless."""
    value, length = first[:], [0] * len(first)
    queue, waits = deque(range(len(first))), [True] * len(first)
    while queue:
        one = queue.popleft()
        waits[one] = False
        for target, weight in arcs.get(one, ()):
            if value[one] + weight > value[target]:
                value[target] = value[one] + weight
                length[target] = length[one] + 1
                if length[target] > len(first):
                    return None
                if not waits[target]:
                    waits[target] = True
                    queue.append(target)
    return value


def least_makespan_s(
    index: Indexed, known: tuple[list[int], list[int]] | None = None
) -> int | None:
    """No plan ends before, by paths of lags and by the load of each resource.

    For each resource: of the activities that start no earlier than one head and have no shorter
    tail than another, all the work must fit between. None if the lags contradict each other.
    ``known``: earliest starts and tails, where more is known of them than the lags say.
    """
    found = known or starts_and_tails(index)
    if found is None:
        return None
    heads, tails = found
    activities = index.problem.activities
    there = [at for at in range(index.count) if not activities[at].optional]
    best = max((heads[at] + tails[at] for at in there), default=0)
    for resource, capacity in enumerate(index.capacity):
        work = [
            (heads[at], tails[at] - length, amount * length)
            for at in there
            for length, amount in [_least_use(index, at, resource)]
            if length * amount
        ]
        work += [
            (heads[one.first], _after(index, tails, one.last), one.amount * length)
            for one in index.stays
            if one.resource == resource and one.chooser < 0
            for length in [_least_stay(index, heads, one.first, one.last)]
            if length
        ]
        best = max(best, _load_bound(work, capacity))
    return best


def _least_use(index: Indexed, at: int, resource: int) -> tuple[int, int]:
    """Seconds and units that an activity takes of a resource in every mode; else 0."""
    uses = []
    for mode, needs in enumerate(index.demands[at]):
        amount = sum(units for one, units in needs if one == resource)
        uses.append((index.length(at, mode), amount))
    if any(amount == 0 for _, amount in uses):
        return 0, 0
    return min(uses)[0], min(amount for _, amount in uses)


def _after(index: Indexed, tails: list[int], last: int) -> int:
    shortest = min(index.length(last, mode) for mode in range(len(index.duration[last])))
    return tails[last] - shortest


def _least_stay(index: Indexed, heads: list[int], first: int, last: int) -> int:
    """The least seconds of a stay, by the lags directly between its two activities."""
    shortest = [
        min(index.length(at, m) for m in range(len(index.duration[at]))) for at in (first, last)
    ]
    least = 0
    for edge in index.hard:
        if edge.source == first and edge.target == last and not edge.target_end:
            begin = shortest[0] if edge.source_end else 0
            least = max(least, begin + edge.least_s + shortest[1])
    return least if heads else 0


def _load_bound(work: list[tuple[int, int, int]], capacity: int) -> int:
    """Greatest head + load + tail over all pairs of a least head and a least tail."""
    best = 0
    by_tail = sorted(work, key=lambda one: -one[1])
    for head in sorted({one[0] for one in work}):
        load = 0
        for start, tail, area in by_tail:
            if start >= head:
                load += area
                best = max(best, head + -(-load // capacity) + tail)
    return best
