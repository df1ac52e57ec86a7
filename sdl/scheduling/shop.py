"""Problems that are job shops or flexible job shops, and a schedule of one as orders of work."""

from __future__ import annotations

from dataclasses import dataclass

from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Arrays over operations; number ``count`` stands for "none" in ``before`` and ``after``."""

    count: int
    machines: int
    before: list[int]
    """The operation before it in its job."""
    after: list[int]
    options: list[list[tuple[int, int]]]
    """Machine and duration of each operation in each of its modes."""
    release: list[int]
    is_flexible: bool


def shop_of(index: Indexed) -> Shop | None:
    """The problem as a shop; None if it is something else.

    A shop: every activity takes one unit of one unary resource in each mode, lags are plain
    precedence in chains, and the makespan is all that counts.
    """
    problem, count = index.problem, index.count
    weights = problem.weights
    plain = not (
        problem.holds
        or problem.changes
        or index.soft
        or any(index.fixed)
        or weights.flow
        or weights.moved
        or weights.rerouted
        or not weights.makespan
        or any(one.optional for one in problem.activities)
    )
    if not plain or not count:
        return None
    before, after = [count] * count, [count] * count
    for edge in index.hard:
        is_order = edge.source_end and not edge.target_end and edge.least_s == 0
        if not is_order or after[edge.source] != count or before[edge.target] != count:
            return None
        after[edge.source], before[edge.target] = edge.target, edge.source
    options = []
    for at in range(count):
        choice = []
        for needs, length in zip(index.demands[at], index.duration[at], strict=True):
            if len(needs) != 1 or needs[0][1] != 1 or index.capacity[needs[0][0]] != 1:
                return None
            choice.append((needs[0][0], length))
        options.append(choice)
    return Shop(
        count=count,
        machines=len(index.capacity),
        before=before,
        after=after,
        options=options,
        release=index.release,
        is_flexible=any(len(choice) > 1 for choice in options),
    )


@dataclass(slots=True)
class Orders:
    """A schedule as what it is made of: the mode of each operation, and an order of them all.

    The order agrees with every job; on a machine, operations follow each other in that order.
    """

    modes: list[int]
    order: list[int]

    def copy(self) -> Orders:
        """Another one, alike."""
        return Orders(self.modes[:], self.order[:])


def orders_of(shop: Shop, arrays: Arrays) -> Orders:
    """The orders in a plan."""
    starts, modes = arrays
    ends = [
        start + shop.options[at][mode][1]
        for at, (start, mode) in enumerate(zip(starts, modes, strict=True))
    ]
    depth = [0] * shop.count
    for first in range(shop.count):
        if shop.before[first] == shop.count:
            at, steps = first, 0
            while at != shop.count:
                depth[at] = steps
                at, steps = shop.after[at], steps + 1
    order = sorted(range(shop.count), key=lambda at: (starts[at], ends[at], depth[at], at))
    return Orders(list(modes), order)
