"""Groups that differ in nothing but their names: which of them goes first does not matter."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable

from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays


def twin_groups(index: Indexed) -> list[list[list[int]]]:
    """Sets of two or more groups that are alike, each group as its activities in order.

    Only groups that no lag, place or reservoir ties to others, with nothing fixed in them and
    nothing in the current plan: two of these may change places in any plan at no cost.
    """
    problem = index.problem
    group_of = {one: at for at, group in enumerate(index.members) for one in group}
    own: dict[int, list[Hashable]] = defaultdict(list)
    tied = {group_of[index.number[one.activity]] for one in problem.changes}
    tied |= {group_of[at] for at, fixed in enumerate(index.fixed) if fixed is not None}
    tied |= {
        group_of[index.number[old.activity]]
        for old in problem.current
        if old.activity in index.number
    }
    place = {one: at for group in index.members for at, one in enumerate(group)}
    for edge in index.hard + index.soft:
        source, target = group_of[edge.source], group_of[edge.target]
        tied |= {source, target} if source != target else set()
        ends = (edge.source_end, edge.target_end, edge.least_s)
        own[source].append(("lag", place[edge.source], place[edge.target], *ends))
    for stay in index.stays:
        ends_of = {group_of[one] for one in (stay.first, stay.last, stay.chooser) if one >= 0}
        tied |= ends_of if len(ends_of) > 1 else set()
        chooser = place[stay.chooser] if stay.chooser >= 0 else -1
        path = (place[stay.first], place[stay.last], chooser, stay.mode)
        own[group_of[stay.first]].append(("stay", stay.resource, stay.amount, *path))
    costs = {lag.before: lag.cost_per_s for lag in problem.lags if lag.cost_per_s is not None}
    weight = {group.name: (group.weight, group.release_s) for group in problem.groups}
    alike: dict[Hashable, list[list[int]]] = defaultdict(list)
    for at, group in enumerate(index.members):
        if at in tied or any(problem.activities[one].name in costs for one in group):
            continue
        activities = [problem.activities[one] for one in group]
        key = (
            tuple((one.modes, one.release_s, one.optional) for one in activities),
            weight.get(activities[0].group) if problem.weights.flow else None,
            frozenset(Counter(own[at]).items()),
        )
        alike[key].append(group)
    return [groups for groups in alike.values() if len(groups) > 1]


def in_order_of_twins(index: Indexed, arrays: Arrays) -> Arrays:
    """The same plan with groups that are alike in their order, as ``CpPlan`` asks for."""
    starts, modes = arrays[0][:], arrays[1][:]
    for groups in twin_groups(index):
        sources = sorted(groups, key=lambda group: arrays[0][group[0]])
        for group, source in zip(groups, sources, strict=True):
            for at, one in zip(group, source, strict=True):
                starts[at], modes[at] = arrays[0][one], arrays[1][one]
    return starts, modes
