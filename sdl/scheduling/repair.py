"""A plan kept usable after the bench did something else than planned, without a solver.

Right shift: every activity keeps its mode and its turn at each resource and place, and starts as
early as the longest path says, never before its planned time. What is new goes in afterwards, one
group at a time. Linear in activities and lags but for the sorting.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from sdl.scheduling.board import Board
from sdl.scheduling.cost import outside_s, plan_of
from sdl.scheduling.index import Indexed, shift
from sdl.scheduling.insertion import Arrays, arrays_of, insert_groups
from sdl.scheduling.layout import layout_of
from sdl.scheduling.model import Lag, Plan, Problem
from sdl.scheduling.supply import Supply

VISITS = 60
"""Times that an activity's start may be raised before its windows count as out of reach."""
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

    None if the current plan does not hold a mode of each activity that must be done, and the
    missing ones found no place either.
    """
    index = Indexed(problem)
    planned = {old.activity: old for old in problem.current}
    starts, modes = [0] * index.count, [-1] * index.count
    for at, activity in enumerate(problem.activities):
        fixed, old = index.fixed[at], planned.get(activity.name)
        if fixed is not None:
            starts[at], modes[at] = fixed.start_s, fixed.mode
        elif old is not None and 0 <= old.mode < len(activity.modes):
            starts[at], modes[at] = max(old.start_s, index.release[at]), old.mode
    turns = [
        (old.start_s, old.end_s) if (old := planned.get(one.name)) and not one.fixed else None
        for one in problem.activities
    ]
    _shift_right(index, starts, modes, turns)
    arrays: Arrays | None = (starts, modes)
    if any(
        mode < 0 and not activity.optional
        for mode, activity in zip(modes, problem.activities, strict=True)
    ):
        arrays = _with_new(index, starts, modes)
    if arrays is None:
        return None
    mended = _mended(index, arrays)
    if mended.broken:
        anew = _anew(index, arrays, mended.broken)
        mended = mended if anew is None else _mended(index, anew)
    return mended


def _mended(index: Indexed, arrays: Arrays) -> Repair:
    plan = plan_of(index.problem, index.placed(*arrays))
    placed = {one.activity: one for one in plan.placed}
    lags = index.problem.lags
    late = [lag for lag in lags if lag.cost_per_s is None and outside_s(lag, placed)]
    return Repair(plan=plan, broken=tuple(late))


def _anew(index: Indexed, arrays: Arrays, broken: Sequence[Lag]) -> Arrays | None:
    """The plan with the groups of broken lags added anew, in their turn; None if one cannot be."""
    starts, modes = arrays
    late = {index.number[name] for lag in broken for name in (lag.before, lag.after)}
    groups = [
        [one for one in group if index.fixed[one] is None and modes[one] >= 0]
        for group in index.members
        if not late.isdisjoint(group)
    ]
    out = {one for group in groups for one in group}
    board = _board(index, starts)
    for at, mode in enumerate(modes):
        if mode >= 0 and at not in out:
            board.place(at, starts[at], mode)
    in_turn = sorted(filter(None, groups), key=lambda group: min(starts[one] for one in group))
    return None if insert_groups(Supply(index, board), in_turn) else arrays_of(board)


def _board(index: Indexed, starts: Sequence[int]) -> Board:
    return Board(layout_of(index), 2 * index.horizon_s() + max(starts, default=0))


def _with_new(index: Indexed, starts: list[int], modes: list[int]) -> Arrays | None:
    """The plan with the groups that are not in it, each as early as the others allow."""
    board = _board(index, starts)
    for at, mode in enumerate(modes):
        if mode >= 0:
            board.place(at, starts[at], mode)
    activities = index.problem.activities
    missing = [
        [one for one in group if modes[one] < 0 and not activities[one].optional]
        for group in index.members
    ]
    left = insert_groups(Supply(index, board), [one for one in missing if one])
    return None if left else arrays_of(board)


def _shift_right(
    index: Indexed, starts: list[int], modes: list[int], planned: list[tuple[int, int] | None]
) -> None:
    """Raise starts until every turn and every lag is kept; windows only if all of them can be.

    The turns are those of the plan, not of what became of it: a plan closes no circle.
    """
    arcs: dict[int, list[Arc]] = defaultdict(list)
    windows: dict[int, list[Arc]] = defaultdict(list)
    lengths = [index.length(at, mode) if mode >= 0 else 0 for at, mode in enumerate(modes)]
    for edge in index.hard + index.soft:
        if modes[edge.source] >= 0 and modes[edge.target] >= 0:
            least_s = shift(edge, lengths[edge.source], lengths[edge.target])
            kind = windows if edge.window or edge.least_s < 0 else arcs
            kind[edge.source].append((edge.target, least_s))
    spans = [
        old or (start_s, start_s + length)
        for old, start_s, length in zip(planned, starts, lengths, strict=True)
    ]
    for source, target in _turns(index, modes, spans):
        arcs[source].append((target, lengths[source]))
    plain = _raised(index, starts, arcs, {})
    kept = _raised(index, starts, arcs, windows)
    starts[:] = kept or plain or starts


def _raised(
    index: Indexed,
    starts: list[int],
    arcs: dict[int, list[Arc]],
    windows: dict[int, list[Arc]],
) -> list[int] | None:
    """Longest paths over the planned starts; None if a cycle has no solution."""
    value, visits = starts[:], [0] * index.count
    order = sorted(range(index.count), key=starts.__getitem__)
    queue, waits = deque(order), [True] * index.count
    while queue:
        one = queue.popleft()
        waits[one] = False
        for each in (arcs, windows):
            for target, least_s in each.get(one, ()):
                if value[one] + least_s <= value[target]:
                    continue
                if index.fixed[target] is not None:
                    continue  # it began, out of its turn or early; nothing can be done about it
                value[target] = value[one] + least_s
                visits[target] += 1
                if visits[target] > VISITS:
                    return None
                if not waits[target]:
                    waits[target] = True
                    queue.append(target)
    return value


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
        units = [(-(10**9), -1)] * index.capacity[resource]  # free since, after whom
        for _, end_s, first, last, amount in sorted(each):
            taken = [heapq.heappop(units) for _ in range(min(amount, len(units)))]
            arcs += [(before, first) for _, before in taken if before >= 0]
            for _ in taken:
                heapq.heappush(units, (end_s, last))
    return arcs
