"""What there is to schedule, and a schedule, as values. Every time is in whole seconds.

The clock starts where the one who states a problem says: usually ``now_s = 0`` and what runs
already began before it. Names are free text; they are unique within their kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Point = Literal["start", "end"]
"""Which of its two ends of an activity is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something of which at most ``capacity`` units are in use at a time (1: unary).

    Like devices that differ in nothing are one resource: which of them it is, is chosen when an
    activity is begun, and that is exact.
    """

    name: str
    capacity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservoir:
    """Something that is used up and filled again: 0 <= level <= ``capacity`` at all times."""

    name: str
    level: int
    """At ``now_s``."""
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Units of a resource that an activity holds from its start to its end."""

    resource: str
    amount: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way of doing an activity: how long it takes, and what it holds meanwhile."""

    duration_s: int
    demands: tuple[Demand, ...] = ()
    name: str = ""
    """What the reader of a plan knows it by, such as the instrument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """An activity that runs or is over: nothing about it is free.

    What is over stays in a problem for as long as a lag or a place ties something to it.
    """

    mode: int
    start_s: int
    end_s: int
    """Expected, at ``now_s`` or later, where it runs."""
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A step or a move: it is begun once, in one of its modes, and is not interrupted."""

    name: str
    modes: tuple[Mode, ...]
    group: str = ""
    release_s: int = 0
    """It starts at this time or later, and never before ``now_s``."""
    optional: bool = False
    """A plan may leave it out, such as a refill that is not needed."""
    fixed: Fixed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A place that is taken from the start of one activity to the end of another.

    The nest under a plate, from the start of the move that brings it to the end of the move that
    takes it away. With ``activity``, only if that one is done in mode number ``mode``.
    """

    resource: str
    first: str
    last: str
    amount: int = 1
    activity: str = ""
    mode: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Bounds on the time from a point of one activity to a point of another.

    ``cost_per_s``: None makes the bounds hard; otherwise each second outside of them costs that
    much. Precedence is a minimum of 0; no wait is a minimum and a maximum of 0; a window is a
    maximum. A lag does not bind if one of its activities is left out.
    """

    before: str
    after: str
    before_point: Point = "end"
    after_point: Point = "start"
    minimum_s: int | None = 0
    maximum_s: int | None = None
    cost_per_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an activity adds to a reservoir (or takes, below 0) at its start or its end."""

    reservoir: str
    activity: str
    amount: int
    point: Point = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Activities that belong together: a plate, a run, a job. Flow time is counted by group."""

    name: str
    weight: int = 1
    release_s: int = 0
    """Flow time counts from here, and is 0 for what ends before. It binds no activity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a second costs, of each aim. All 0 or more; the sum over a plan is its cost."""

    makespan: int = 1
    flow: int = 0
    """Times the weight of the group, for each second from its release to its end."""
    moved: int = 0
    """For each second by which a start differs from the current plan."""
    rerouted: int = 0
    """For each activity that is in another mode than in the current plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One activity in a plan."""

    activity: str
    mode: int
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """All that a planner must know."""

    name: str
    activities: tuple[Activity, ...]
    resources: tuple[Resource, ...] = ()
    reservoirs: tuple[Reservoir, ...] = ()
    holds: tuple[Hold, ...] = ()
    lags: tuple[Lag, ...] = ()
    changes: tuple[Change, ...] = ()
    groups: tuple[Group, ...] = ()
    weights: Weights = Weights()
    now_s: int = 0
    current: tuple[Placed, ...] = ()
    """The plan in force, for stability and as a start; it may be partial or broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When each activity starts and ends, in which mode, and what all of it costs."""

    placed: tuple[Placed, ...]
    cost: int
    makespan_s: int
    """The last end, counted from time 0 of the problem."""


Status = Literal["optimal", "feasible", "infeasible", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How far a search is. Later answers to the same question are never worse."""

    status: Status
    plan: Plan | None = None
    bound: int | None = None
    """No plan costs less than this; None where nothing is known."""
    seconds: float = 0.0
    """Wall time since the question was read."""
    found_by: str = ""
    """The method that the plan came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A problem, and how long to think about it."""

    problem: Problem
    seconds: float
    seed: int = 0
    workers: int = 8
    """Threads of a constraint search; more than cores is fine, see ``sdl.scheduling.race``."""


Pace = Literal["alone", "first", "second"]
"""Of the constraint search: nobody else searches; or it has the machine to itself at first; or
the local search beside it has it, and it takes what is left.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What sets the constraint search off, once there are starts."""

    pace: Pace
    seconds: float
    known: Plan | None = None
