"""What a plan costs, from the problem's own weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sdl.scheduling.model import Lag, Placed, Plan, Point, Problem


def point_s(placed: Placed, point: Point) -> int:
    """The time of one end of an activity, in s."""
    return placed.start_s if point == "start" else placed.end_s


def outside_s(lag: Lag, placed: Mapping[str, Placed]) -> int:
    """Seconds by which a lag is not kept; 0 if it is, or if it does not bind."""
    before, after = placed.get(lag.before), placed.get(lag.after)
    if before is None or after is None:
        return 0
    gap_s = point_s(after, lag.after_point) - point_s(before, lag.before_point)
    short_s = 0 if lag.minimum_s is None else lag.minimum_s - gap_s
    long_s = 0 if lag.maximum_s is None else gap_s - lag.maximum_s
    return max(0, short_s, long_s)


def cost_of(problem: Problem, placed: Mapping[str, Placed]) -> int:
    """Makespan, weighted flow time, broken soft lags and changes against the current plan."""
    weights = problem.weights
    total = weights.makespan * max((one.end_s for one in placed.values()), default=0)
    if weights.flow:
        total += weights.flow * weighted_flow_s(problem, placed)
    total += sum(
        lag.cost_per_s * outside_s(lag, placed)
        for lag in problem.lags
        if lag.cost_per_s is not None
    )
    for old in problem.current:
        new = placed.get(old.activity)
        if new is not None:
            total += weights.moved * abs(new.start_s - old.start_s)
            total += weights.rerouted * (new.mode != old.mode)
    return total


def weighted_flow_s(problem: Problem, placed: Mapping[str, Placed]) -> int:
    """Sum over the groups of weight times seconds from release to the end of the last activity."""
    ends: dict[str, int] = {}
    for activity in problem.activities:
        one = placed.get(activity.name)
        if one is not None and activity.group:
            ends[activity.group] = max(ends.get(activity.group, one.end_s), one.end_s)
    return sum(
        group.weight * max(0, ends[group.name] - group.release_s)
        for group in problem.groups
        if group.name in ends
    )


def plan_of(problem: Problem, placed: Iterable[Placed]) -> Plan:
    """A plan with its cost, activities in the order of the problem."""
    by_name = {one.activity: one for one in placed}
    ordered = tuple(by_name[one.name] for one in problem.activities if one.name in by_name)
    return Plan(
        placed=ordered,
        cost=cost_of(problem, by_name),
        makespan_s=max((one.end_s for one in ordered), default=0),
    )
