"""One campaign by look-up: a planner proposes, the pool answers, until the budget is spent."""

from __future__ import annotations

import copy
import random
import time
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from planner_contract import Offer
from planner_sets import MeasuredSet
from sdl.errors import PlannerFault

Mode: TypeAlias = Literal["one", "flight", "batch"]
MODES: dict[Mode, str] = {
    "one": "one at a time",
    "flight": "four in flight, results one by one in an order of seeded chance",
    "batch": "batches of four",
}
WIDTH = 4
"""Experiments at once, in flight or in a batch."""

BUDGET = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Which campaign is meant."""

    planner: str
    mode: Mode
    seed: int
    every_objective: bool = False
    """Whether the planner is told of all objectives; else of the first alone."""

    budget: int = BUDGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A campaign that was played to its end.

    ``order``: places in the pool in the order in which results arrived. ``seconds`` and
    ``cpu_seconds``: wall and processor time of each suggestion in the order of the proposals; the
    time of an answer with several is shared between them. ``moved``: how many proposals were no
    free point of the pool.
    """

    order: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    moved: int = 0


def play(data: MeasuredSet, offer: Offer, task: Task) -> Played:
    """Play a campaign. PlannerFault if the planner proposes nothing while nothing is under way."""
    space = copy.deepcopy(dict(data.space))
    if not task.every_objective:
        space["objectives"] = space["objectives"][:1]
    told = [str(one["name"]) for one in space["objectives"]]
    planner = offer(space, data.pool.copy(), task.seed)
    chance = random.Random(f"arrivals {task.seed}")
    budget = min(task.budget, len(data.pool))
    free = np.ones(len(data.pool), dtype=bool)
    order: list[int] = []
    flying: list[int] = []
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    moved = 0
    while len(order) < budget:
        room = min(1 if task.mode == "one" else WIDTH, budget - len(order)) - len(flying)
        if room > 0:
            began, cpu_began = time.perf_counter(), time.process_time()
            proposals = planner.suggest(
                [(dict(data.points[at]), data.observed(at, told)) for at in order],
                [dict(data.points[at]) for at in flying],
                room,
            )[:room]
            took, cpu_took = time.perf_counter() - began, time.process_time() - cpu_began
            for proposal in proposals:
                at = data.nearest(proposal, free)
                moved += any(data.points[at][name] != proposal[name] for name in data.pool)
                free[at] = False
                flying.append(at)
            seconds += [took / max(1, len(proposals))] * len(proposals)
            cpu_seconds += [cpu_took / max(1, len(proposals))] * len(proposals)
        if not flying:
            raise PlannerFault(f"{task.planner} proposed nothing although nothing was under way")
        if task.mode == "flight":
            order.append(flying.pop(chance.randrange(len(flying))))
        else:
            order += flying
            flying = []
    return Played(order=order, seconds=seconds, cpu_seconds=cpu_seconds, moved=moved)
