"""A plan kept usable after the bench did something else than planned, without a solver.

Right shift: every activity keeps its mode and its turn at each resource and place, and starts as
early as the longest path says, never before its planned time. What is new goes in afterwards, one
group at a time. Linear in activities and lags but for the sorting.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sdl.scheduling.board import Board
from sdl.scheduling.check import broken as objections
from sdl.scheduling.cost import outside_s, plan_of
from sdl.scheduling.index import Edge, Indexed, shift
from sdl.scheduling.insertion import Arrays, arrays_of, in_precedence, insert_all, insert_groups
from sdl.scheduling.layout import layout_of
from sdl.scheduling.model import Lag, Plan, Problem
from sdl.scheduling.supply import Supply

RAISES = 60
"""Times that starts are raised at most, for each activity there is: far more than are needed."""
NOBODY = -1
"""In place of a group: there are too many starts to raise, and no cycle among them."""
DROPS = 8
"""Groups that are taken out of the current plan and added anew, at most."""
BEFORE_S = -(10**9)
"""Before all that is still to begin, in s."""
Arc = tuple[int, int]
"""Target, and least seconds between the two starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What became of the current plan. It keeps everything but the lags that it names."""

    plan: Plan
    broken: tuple[Lag, ...]
    """Hard lags that it cannot keep: predicted breaks. With none of them the plan is valid."""


def repaired(problem: Problem) -> Repair | None:
    """The current plan of a problem, shifted to where it can be, with new groups added.

    Where that keeps not all it should, all groups are added anew in the order of the current plan.
    None if the current plan does not hold a mode of each activity that must be done, and the
    missing ones found no place either.
    """
    return _repaired(Indexed(problem))


def repaired_at_least_cost(problem: Problem) -> Repair | None:
    """The same, or all groups added anew where that costs less: for who does not search on.

    A plan that is far from what can be keeps its turns at any price.
    """
    index = Indexed(problem)
    found = _repaired(index)
    if found is None or not _misses(problem, found.plan):
        return found
    other = _anew(index)
    if other is None or not _is_sound(problem, other):
        return found
    return other if other.plan.cost < found.plan.cost else found


def _repaired(index: Indexed) -> Repair | None:
    shifted = _shifted(index)
    mended = None if shifted is None else _mended(index, shifted)
    if mended is not None and _is_sound(index.problem, mended):
        return mended
    return _anew(index) or mended


def _is_sound(problem: Problem, repair: Repair) -> bool:
    """Whether it keeps all that it must."""
    return not repair.broken and not objections(problem, repair.plan)


def _anew(index: Indexed) -> Repair | None:
    """All groups added one after the other, in the order of the current plan."""
    arrays = insert_all(index, _in_turn(index))
    return None if arrays is None else _mended(index, arrays)


def _misses(problem: Problem, plan: Plan) -> bool:
    """Whether a plan is late for what may be missed for a price."""
    placed = {one.activity: one for one in plan.placed}
    return any(lag.cost_per_s is not None and outside_s(lag, placed) for lag in problem.lags)


def _shifted(index: Indexed) -> Arrays | None:
    """The current plan pushed to the right; groups that stand in their own way go in anew."""
    out: set[int] = set()
    for _ in range(DROPS):
        arrays = _as_planned(index, out)
        found = _shift_right(index, arrays, with_windows=True)
        if isinstance(found, list):
            return _with_new(index, found, arrays[1])
        if found == NOBODY or found in out:
            break
        out.add(found)
    arrays = _as_planned(index, set())
    found = _shift_right(index, arrays, with_windows=False)
    return _with_new(index, found, arrays[1]) if isinstance(found, list) else None


def _as_planned(index: Indexed, out: set[int]) -> Arrays:
    """Starts and modes of the current plan, without some groups."""
    planned = {old.activity: old for old in index.problem.current}
    starts, modes = [0] * index.count, [-1] * index.count
    without = {one for group in out for one in index.members[group]}
    for at, activity in enumerate(index.problem.activities):
        fixed, old = index.fixed[at], planned.get(activity.name)
        if fixed is not None:
            starts[at], modes[at] = fixed.start_s, fixed.mode
        elif old is not None and 0 <= old.mode < len(activity.modes) and at not in without:
            starts[at], modes[at] = max(old.start_s, index.release[at]), old.mode
    return starts, modes


def _in_turn(index: Indexed) -> list[int]:
    """Numbers of groups: first what has begun or is in no plan, then the others as planned."""
    planned = {old.activity: old.start_s for old in index.problem.current}
    names = [activity.name for activity in index.problem.activities]

    def turn(at: int) -> int:
        group = index.members[at]
        if any(index.fixed[one] is not None for one in group):
            return BEFORE_S
        return min(planned.get(names[one], BEFORE_S) for one in group)

    return sorted(range(len(index.members)), key=turn)


def _mended(index: Indexed, arrays: Arrays) -> Repair:
    plan = plan_of(index.problem, index.placed(*arrays))
    placed = {one.activity: one for one in plan.placed}
    lags = index.problem.lags
    late = [lag for lag in lags if lag.cost_per_s is None and outside_s(lag, placed)]
    return Repair(plan=plan, broken=tuple(late))


def _with_new(index: Indexed, starts: list[int], modes: list[int]) -> Arrays | None:
    """The plan with all that is not in it, group by group, each as early as the others allow."""
    activities = index.problem.activities
    missing = [
        [one for one in group if modes[one] < 0 and not activities[one].optional]
        for group in (index.members[at] for at in in_precedence(index))
    ]
    if not any(missing):
        return starts, modes
    board = Board(layout_of(index), 2 * index.horizon_s() + max(starts, default=0))
    for at, mode in enumerate(modes):
        if mode >= 0:
            board.place(at, starts[at], mode)
    left = insert_groups(Supply(index, board), [one for one in missing if one])
    return None if left else arrays_of(board)


def _shift_right(index: Indexed, arrays: Arrays, *, with_windows: bool) -> list[int] | int:
    """Starts raised until every turn and every lag is kept, or the group that is in the way.

    The turns are those of the plan, not of what became of it.
    """
    starts, modes = arrays
    arcs: dict[int, list[Arc]] = defaultdict(list)
    lengths = [index.length(at, mode) if mode >= 0 else 0 for at, mode in enumerate(modes)]
    for edge in index.hard + _dearest(index.soft):
        if modes[edge.source] >= 0 and modes[edge.target] >= 0:
            least_s = shift(edge, lengths[edge.source], lengths[edge.target])
            if with_windows or not (edge.window or edge.least_s < 0):
                arcs[edge.source].append((edge.target, least_s))
    for source, target in _turns(index, modes, _spans(index, starts, lengths)):
        arcs[source].append((target, lengths[source]))
    return _raised(index, starts, arcs)


def _dearest(wishes: Sequence[Edge]) -> list[Edge]:
    """Of wishes about one window, the one that costs most where it is not kept."""
    found: dict[tuple[int, int, bool], Edge] = {}
    for edge in sorted(wishes, key=lambda edge: edge.rate):
        found[edge.source, edge.target, edge.window] = edge
    return list(found.values())


def _spans(index: Indexed, starts: list[int], lengths: list[int]) -> list[tuple[int, int]]:
    """From when to when each activity is planned; what has begun, before all that has not."""
    planned = {old.activity: old for old in index.problem.current}
    spans = []
    for at, activity in enumerate(index.problem.activities):
        old = planned.get(activity.name)
        if activity.fixed is not None:
            spans.append((BEFORE_S, starts[at] + lengths[at]))
        elif old is not None:
            spans.append((old.start_s, old.end_s))
        else:
            spans.append((starts[at], starts[at] + lengths[at]))
    return spans


def _raised(index: Indexed, starts: list[int], arcs: dict[int, list[Arc]]) -> list[int] | int:
    """Longest paths over the planned starts; of a cycle without a solution, one of its groups."""
    value, before, raises = starts[:], [-1] * index.count, 0
    # In the order of the plan most are raised once, after all that raises them; a heap of turns.
    order = sorted(range(index.count), key=starts.__getitem__)
    turn = [0] * index.count
    for place, one in enumerate(order):
        turn[one] = place
    queue, waits = list(range(index.count)), [True] * index.count
    while queue:
        one = order[heapq.heappop(queue)]
        waits[one] = False
        for target, least_s in arcs.get(one, ()):
            if value[one] + least_s <= value[target] or index.fixed[target] is not None:
                continue  # what began, out of its turn or early, stays as it is
            value[target], before[target] = value[one] + least_s, one
            raises += 1
            if raises % index.count == 0:
                cycle = _cycle_in(before)
                if cycle:
                    return _in_the_way(index, cycle)
                if raises > RAISES * index.count:
                    return NOBODY
            if not waits[target]:
                waits[target] = True
                heapq.heappush(queue, turn[target])
    return value


def _cycle_in(before: list[int]) -> list[int]:
    """Activities that raise each other's starts for ever; empty if there are none."""
    seen = [-1] * len(before)
    for at in range(len(before)):
        one = at
        while one >= 0 and seen[one] < 0:
            seen[one] = at
            one = before[one]
        if one >= 0 and seen[one] == at:
            cycle = [one]
            while (one := before[one]) != cycle[0]:
                cycle.append(one)
            return cycle
    return []


def _in_the_way(index: Indexed, cycle: list[int]) -> int:
    """Of the groups on a cycle, one that has not begun if there is any: it has a place for sure."""
    group_of = {member: at for at, group in enumerate(index.members) for member in group}
    groups = [group_of[member] for member in cycle]
    begun = {stay.last for stay in index.stays if index.fixed[stay.first] is not None}
    begun |= {at for at, fixed in enumerate(index.fixed) if fixed is not None}
    return next((at for at in groups if begun.isdisjoint(index.members[at])), groups[0])


def _turns(index: Indexed, modes: list[int], spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Who follows whom on each unit of each resource: the second starts as the first ends."""
    uses: dict[int, list[tuple[int, int, int, int, int]]] = defaultdict(list)
    for at, mode in enumerate(modes):
        if mode >= 0 and spans[at][1] > spans[at][0]:
            for resource, amount in index.demands[at][mode]:
                uses[resource].append((*spans[at], at, at, amount))
    for stay in index.stays:
        chosen = stay.chooser < 0 or modes[stay.chooser] == stay.mode
        if chosen and modes[stay.first] >= 0 and modes[stay.last] >= 0:
            span = (spans[stay.first][0], spans[stay.last][1])
            uses[stay.resource].append((*span, stay.first, stay.last, stay.amount))
    arcs = []
    for resource, each in uses.items():
        units = [(BEFORE_S, -1)] * index.capacity[resource]  # free since, after whom
        for _, end_s, first, last, amount in sorted(each):
            taken = [heapq.heappop(units) for _ in range(min(amount, len(units)))]
            arcs += [(before, first) for _, before in taken if before >= 0]
            for _ in taken:
                heapq.heappush(units, (end_s, last))
    return arcs
