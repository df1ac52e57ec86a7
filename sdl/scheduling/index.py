"""A problem with numbers in place of names, which is what the algorithms work on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sdl.errors import UserMistake
from sdl.scheduling.model import Placed, Plan, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Point of activity ``target`` >= point of activity ``source`` + ``least_s``."""

    source: int
    source_end: bool
    target: int
    target_end: bool
    least_s: int
    window: bool = False
    """Whether it is the maximum of a lag, seen from its other end."""
    rate: int = 0
    """What a second costs by which it is not kept; 0: it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A hold by numbers; ``chooser`` is -1 where it does not hang on a mode."""

    resource: int
    amount: int
    first: int
    last: int
    chooser: int
    mode: int


class Indexed:
    """Arrays over the activities and resources of a problem, in its own order."""

    def __init__(self, problem: Problem) -> None:
        """UserMistake if the problem speaks of something that it does not hold."""
        _refuse_twins(problem)
        self.problem = problem
        self.number = {one.name: at for at, one in enumerate(problem.activities)}
        self.resource = {one.name: at for at, one in enumerate(problem.resources)}
        self.count = len(problem.activities)
        self.capacity = [one.capacity for one in problem.resources]
        self.duration = [[mode.duration_s for mode in a.modes] for a in problem.activities]
        self.demands = [
            [
                tuple((self._resource(need.resource), need.amount) for need in mode.demands)
                for mode in activity.modes
            ]
            for activity in problem.activities
        ]
        self.release = [max(a.release_s, problem.now_s) for a in problem.activities]
        self.fixed = [activity.fixed for activity in problem.activities]
        self.stays = [
            Stay(
                resource=self._resource(hold.resource),
                amount=hold.amount,
                first=self._activity(hold.first),
                last=self._activity(hold.last),
                chooser=self._activity(hold.activity) if hold.activity else -1,
                mode=hold.mode,
            )
            for hold in problem.holds
        ]
        self.hard = self._edges(soft=False)
        self.soft = self._edges(soft=True)
        self.members = self._members()

    def _activity(self, name: str) -> int:
        if name not in self.number:
            raise UserMistake(f"{self.problem.name}: there is no activity {name!r}")
        return self.number[name]

    def _resource(self, name: str) -> int:
        if name not in self.resource:
            raise UserMistake(f"{self.problem.name}: there is no resource {name!r}")
        return self.resource[name]

    def _edges(self, *, soft: bool) -> list[Edge]:
        edges = []
        for lag in self.problem.lags:
            if (lag.cost_per_s is not None) is not soft:
                continue
            ends = (self._activity(lag.before), lag.before_point == "end")
            other = (self._activity(lag.after), lag.after_point == "end")
            rate = lag.cost_per_s or 0
            if lag.minimum_s is not None:
                edges.append(_edge(ends, other, lag.minimum_s, rate))
            if lag.maximum_s is not None:
                edges.append(_edge(other, ends, -lag.maximum_s, rate, window=True))
        return edges

    def _members(self) -> list[list[int]]:
        """Activities by group, in the order of their first ones; without a group, one by one."""
        groups: dict[str, list[int]] = {}
        for at, activity in enumerate(self.problem.activities):
            groups.setdefault(activity.group or f"\0{activity.name}", []).append(at)
        return list(groups.values())

    def placed(self, starts: Iterable[int], modes: Iterable[int]) -> list[Placed]:
        """Placed activities from the arrays of an algorithm; mode -1 means left out."""
        result = []
        activities = self.problem.activities
        for activity, start_s, mode in zip(activities, starts, modes, strict=True):
            if activity.fixed is not None:
                fixed = activity.fixed
                one = Placed(
                    activity=activity.name,
                    mode=fixed.mode,
                    start_s=fixed.start_s,
                    end_s=fixed.end_s,
                )
            elif mode >= 0:
                end_s = start_s + activity.modes[mode].duration_s
                one = Placed(activity=activity.name, mode=mode, start_s=start_s, end_s=end_s)
            else:
                continue
            result.append(one)
        return result

    def arrays(self, plan: Plan) -> tuple[list[int], list[int]]:
        """Starts and modes of a plan by number; mode -1 for what it leaves out."""
        starts, modes = [0] * self.count, [-1] * self.count
        for one in plan.placed:
            at = self.number[one.activity]
            starts[at], modes[at] = one.start_s, one.mode
        return starts, modes

    def length(self, activity: int, mode: int) -> int:
        """Seconds from start to end: of what is fixed, as it is fixed."""
        fixed = self.fixed[activity]
        if fixed is not None:
            return fixed.end_s - fixed.start_s
        return self.duration[activity][mode]

    def horizon_s(self) -> int:
        """A time by which some plan has ended, if there is any."""
        begin = max([self.problem.now_s, *self.release], default=0)
        begin = max([begin, *(one.end_s for one in self.fixed if one is not None)])
        work = sum(max(modes) for modes in self.duration)
        return begin + work + sum(max(0, edge.least_s) for edge in self.hard)


def _edge(
    source: tuple[int, bool],
    target: tuple[int, bool],
    least_s: int,
    rate: int,
    *,
    window: bool = False,
) -> Edge:
    return Edge(
        source=source[0],
        source_end=source[1],
        target=target[0],
        target_end=target[1],
        least_s=least_s,
        window=window,
        rate=rate,
    )


def _refuse_twins(problem: Problem) -> None:
    for kind, names in (
        ("activity", [one.name for one in problem.activities]),
        ("resource", [one.name for one in problem.resources]),
        ("group", [one.name for one in problem.groups]),
    ):
        twice = [name for name, times in Counter(names).items() if times > 1]
        if twice:
            raise UserMistake(f"{problem.name}: {kind} {twice[0]!r} is there twice; rename one")
    for activity in problem.activities:
        if not activity.modes:
            raise UserMistake(f"{problem.name}: {activity.name!r} has no mode; give it one")


def shift(edge: Edge, source_length: int, target_length: int) -> int:
    """The edge as a bound between starts, in s, for given lengths of its two activities."""
    shifted = edge.least_s + (source_length if edge.source_end else 0)
    return shifted - (target_length if edge.target_end else 0)


__all__ = ["Edge", "Indexed", "Stay", "shift"]
