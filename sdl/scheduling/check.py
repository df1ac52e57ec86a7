"""An independent judge of plans: it knows the problem and nothing of how plans are made.

It shares no code with the solver on purpose. Every plan passes it before it is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sdl.scheduling.model import Activity, Lag, Placed, Plan, Problem


def broken(problem: Problem, plan: Plan) -> tuple[str, ...]:
    """Every constraint that the plan breaks, one sentence for each; empty if it is valid.

    Soft lags are no constraints: their cost is part of what is compared with ``plan.cost``.
    """
    placed = {one.activity: one for one in plan.placed}
    found = [*_naming(problem, plan)]
    if found:
        return tuple(found)  # the rest would speak of activities that are not there
    found += _timing(problem, placed)
    found += _windows(problem, placed)
    found += _overuse(problem, placed)
    found += _levels(problem, placed)
    found += _figures(problem, placed, plan)
    return tuple(found)


def _naming(problem: Problem, plan: Plan) -> Iterator[str]:
    known = {activity.name: activity for activity in problem.activities}
    count = Counter(one.activity for one in plan.placed)
    for name, times in count.items():
        if name not in known:
            yield f"{name} is planned, but the problem has no such activity"
        elif times > 1:
            yield f"{name} is planned {times} times"
    for activity in problem.activities:
        if not count[activity.name] and (not activity.optional or activity.fixed):
            yield f"{activity.name} is not planned"
    for one in plan.placed:
        if one.activity in known and not 0 <= one.mode < len(known[one.activity].modes):
            yield f"{one.activity} is planned in mode {one.mode}, which it does not have"


def _timing(problem: Problem, placed: Mapping[str, Placed]) -> Iterator[str]:
    for activity in problem.activities:
        one = placed.get(activity.name)
        if one is not None:
            yield from _time_of(problem.now_s, activity, one)


def _time_of(now_s: int, activity: Activity, one: Placed) -> Iterator[str]:
    name, fixed = activity.name, activity.fixed
    if fixed is not None:
        if (one.mode, one.start_s, one.end_s) != (fixed.mode, fixed.start_s, fixed.end_s):
            yield (
                f"{name} is fixed to mode {fixed.mode} from {fixed.start_s} to {fixed.end_s} s,"
                f" and planned in mode {one.mode} from {one.start_s} to {one.end_s} s"
            )
        if one.end_s < now_s and not fixed.is_over:
            yield f"{name} runs and cannot have ended at {one.end_s} s, before now ({now_s} s)"
        return
    takes_s = activity.modes[one.mode].duration_s
    if one.end_s - one.start_s != takes_s:
        yield f"{name} takes {takes_s} s and is planned for {one.end_s - one.start_s} s"
    if one.start_s < activity.release_s:
        yield f"{name} starts at {one.start_s} s, before its release at {activity.release_s} s"
    if one.start_s < now_s:
        yield f"{name} starts at {one.start_s} s, before now ({now_s} s)"


def _windows(problem: Problem, placed: Mapping[str, Placed]) -> Iterator[str]:
    for lag in problem.lags:
        gap_s = _gap_s(lag, placed)
        if gap_s is None or lag.cost_per_s is not None:
            continue
        points = f"{lag.before_point} of {lag.before} to {lag.after_point} of {lag.after}"
        if lag.minimum_s is not None and gap_s < lag.minimum_s:
            yield f"{points}: {gap_s} s, at least {lag.minimum_s} s"
        if lag.maximum_s is not None and gap_s > lag.maximum_s:
            yield f"{points}: {gap_s} s, at most {lag.maximum_s} s"


def _gap_s(lag: Lag, placed: Mapping[str, Placed]) -> int | None:
    before, after = placed.get(lag.before), placed.get(lag.after)
    if before is None or after is None:
        return None
    left_s = before.start_s if lag.before_point == "start" else before.end_s
    right_s = after.start_s if lag.after_point == "start" else after.end_s
    return right_s - left_s


def _overuse(problem: Problem, placed: Mapping[str, Placed]) -> Iterator[str]:
    uses: dict[str, list[tuple[int, int, int, str]]] = defaultdict(list)
    for activity in problem.activities:
        one = placed.get(activity.name)
        if one is not None:
            for need in activity.modes[one.mode].demands:
                uses[need.resource].append((one.start_s, one.end_s, need.amount, one.activity))
    for hold in problem.holds:
        first, last = placed.get(hold.first), placed.get(hold.last)
        if first is None or last is None:
            continue
        if hold.activity:
            chosen = placed.get(hold.activity)
            if chosen is None or chosen.mode != hold.mode:
                continue
        if last.end_s < first.start_s:
            yield f"{hold.resource} is held by {hold.first} until {hold.last}, which ends before"
        words = f"{hold.first} until {hold.last}"
        uses[hold.resource].append((first.start_s, last.end_s, hold.amount, words))
    capacity = {resource.name: resource.capacity for resource in problem.resources}
    for name, intervals in uses.items():
        if name not in capacity:
            yield f"{name} is used and is no resource of the problem"
        else:
            yield from _crowds(name, capacity[name], intervals)


def _crowds(
    name: str, capacity: int, intervals: Sequence[tuple[int, int, int, str]]
) -> Iterator[str]:
    """The first moment of each stretch of time in which more is used than there is."""
    turns: dict[int, int] = defaultdict(int)
    for start_s, end_s, amount, _ in intervals:
        if end_s > start_s:
            turns[start_s] += amount
            turns[end_s] -= amount
    level, over = 0, False
    for when_s in sorted(turns):
        level += turns[when_s]
        if level > capacity and not over:
            who = [words for start, end, _, words in intervals if start <= when_s < end]
            yield f"{name} holds {capacity}, at {when_s} s it has {level}: {', '.join(who)}"
        over = level > capacity


def _levels(problem: Problem, placed: Mapping[str, Placed]) -> Iterator[str]:
    for reservoir in problem.reservoirs:
        turns: dict[int, int] = defaultdict(int)
        for change in problem.changes:
            one = placed.get(change.activity)
            if change.reservoir == reservoir.name and one is not None:
                turns[one.start_s if change.point == "start" else one.end_s] += change.amount
        level = reservoir.level
        for when_s in sorted(turns):
            level += turns[when_s]
            if not 0 <= level <= reservoir.capacity:
                yield (
                    f"{reservoir.name} would hold {level} at {when_s} s,"
                    f" it holds 0 to {reservoir.capacity}"
                )
                break


def _figures(problem: Problem, placed: Mapping[str, Placed], plan: Plan) -> Iterator[str]:
    makespan_s = max((one.end_s for one in plan.placed), default=0)
    if makespan_s != plan.makespan_s:
        yield f"the plan says that it ends at {plan.makespan_s} s, it ends at {makespan_s} s"
    cost = problem.weights.makespan * makespan_s + _flow_and_moves(problem, placed)
    for lag in problem.lags:
        gap_s = _gap_s(lag, placed)
        if gap_s is not None and lag.cost_per_s is not None:
            short_s = lag.minimum_s - gap_s if lag.minimum_s is not None else 0
            long_s = gap_s - lag.maximum_s if lag.maximum_s is not None else 0
            cost += lag.cost_per_s * max(short_s, long_s, 0)
    if cost != plan.cost:
        yield f"the plan says that it costs {plan.cost}, it costs {cost}"


def _flow_and_moves(problem: Problem, placed: Mapping[str, Placed]) -> int:
    weights, cost = problem.weights, 0
    group_of = {activity.name: activity.group for activity in problem.activities}
    ends: dict[str, list[int]] = defaultdict(list)
    for name, one in placed.items():
        ends[group_of[name]].append(one.end_s)
    for group in problem.groups:
        if ends[group.name]:
            flow_s = max(0, max(ends[group.name]) - group.release_s)
            cost += weights.flow * group.weight * flow_s
    for old in problem.current:
        if old.activity in placed:
            new = placed[old.activity]
            cost += weights.moved * abs(new.start_s - old.start_s)
            cost += weights.rerouted if new.mode != old.mode else 0
    return cost
