"""Local search for projects: the starts of a good plan, shaken, are priorities for the next one.

Each plan is pushed together from both sides (double justification, Valls, Ballestín and Quintanilla
2005): seen backwards and placed by its ends, then forwards again.
"""

from __future__ import annotations

import math
import random
import time

from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Pace
from sdl.scheduling.project import Project
from sdl.scheduling.serial import SerialScheme

FIRST = 20
"""Plans by priorities of their own before the best of them is shaken."""
NEAR = 0.8
"""Of the steps, how many shake only what starts within some stretch of time."""
STRETCH = (0.2, 0.3, 0.5)
"""How long that is, as a share of the makespan."""
SPREAD = (0.01, 0.02, 0.05, 0.1, 0.2)
"""How far a start is shaken in the others, as a share of the makespan."""
SHARE = (0.05, 0.1, 0.3, 1.0)
"""Of the activities, how many are shaken."""
WORSE = 0.03
"""A plan that is longer by more than this share is given up while it is made."""
PATIENCE = 1200
"""Steps without a better plan after which the walk begins anew, with its best kept aside."""
HEAT = 0.004
"""How much worse a plan may be that is gone on from, as a share of its length."""
ENDLESS_S = 1 << 60
"""Longer than any plan."""


class ProjectWalk:
    """A walk over plans, which needs none to begin with. ``best_s``: the least makespan so far."""

    def __init__(self, project: Project, arrays: Arrays | None, seed: int) -> None:
        self.project = project
        self.random = random.Random(seed)
        self._forwards = SerialScheme(project)
        self._backwards = SerialScheme(project.turned())
        self.steps = 0
        self._began, self._bettered = 0, 0
        """Steps at which the walk began, and at which it last came to a better plan."""
        self.best: list[int] | None = None
        self.best_s = self._now_s = self._own_s = ENDLESS_S
        self._now: list[int] | None = None
        if arrays is not None:
            self.consider(arrays)

    @property
    def pace(self) -> Pace:
        return "first" if self.best is None else "second"

    def run(self, until: float) -> bool:
        """Walk until a time of ``time.monotonic``. Whether the best got better."""
        old_s = self.best_s
        while time.monotonic() < until:
            self.step()
        return self.best_s < old_s

    def step(self) -> None:
        """One plan near the one that is stood on; it is gone on from if it is good."""
        self.steps += 1
        if self.steps - self._bettered > PATIENCE:
            self._begin_anew()
        now = self._now
        if now is None or self.steps - self._began <= FIRST:
            starts = self._forwards.plan(self._by_tails())
        else:
            starts = self._forwards.plan(self._shaken(now), self._now_s + int(WORSE * self._now_s))
        if starts is None:
            return
        starts = self._justified(starts)
        end_s = self.project.end_s(starts)
        worse = (end_s - self._now_s) / (HEAT * end_s)
        if now is None or worse <= 0 or self.random.random() < math.exp(-worse):
            self._stand_on(starts, end_s)

    def _begin_anew(self) -> None:
        """Leave a region that gives nothing any more."""
        self._now, self._now_s, self._own_s = None, ENDLESS_S, ENDLESS_S
        self._began = self._bettered = self.steps

    def _by_tails(self) -> list[float]:
        """What has the most behind it comes first; less so with each step."""
        chance = self.random
        doubt = 0.5 if self.steps > 1 else 0.0
        low, wide = 1.0 - doubt, 2.0 * doubt
        return [-tail * (low + wide * chance.random()) for tail in self.project.tails]

    def _shaken(self, starts: list[int]) -> list[float]:
        """Priorities near these starts."""
        chance, end_s = self.random, self._now_s
        if chance.random() < NEAR:
            reach_s = 0.5 * end_s * chance.choice(STRETCH)
            middle_s = end_s * chance.random()
            return [
                start + (chance.gauss(0.0, reach_s) if abs(start - middle_s) < reach_s else 0.0)
                for start in starts
            ]
        far_s, share = end_s * chance.choice(SPREAD), chance.choice(SHARE)
        return [
            start + (chance.gauss(0.0, far_s) if chance.random() < share else 0.0)
            for start in starts
        ]

    def _justified(self, starts: list[int]) -> list[int]:
        """The plan with all as late, then all as early as that allows, or as it was."""
        late = self._backwards.plan(self._from_behind(starts))
        early = None if late is None else self._forwards.plan(self._from_behind(late))
        if early is None or self.project.end_s(early) > self.project.end_s(starts):
            return starts
        return early

    def _from_behind(self, starts: list[int]) -> list[int]:
        """Priorities for the other direction: what ends last comes first."""
        lengths = self.project.lengths
        return [-start - length for start, length in zip(starts, lengths, strict=True)]

    def _stand_on(self, starts: list[int], end_s: int) -> None:
        self._now, self._now_s = starts, end_s
        if end_s < self._own_s:
            self._own_s, self._bettered = end_s, self.steps
        if end_s < self.best_s:
            self.best, self.best_s = starts, end_s

    def best_arrays(self) -> Arrays:
        """Starts and modes of the best; there must be one."""
        assert self.best is not None
        return self.best, [0] * len(self.best)

    def consider(self, arrays: Arrays) -> None:
        """A better plan that somebody else found: go on from there."""
        starts = arrays[0]
        self._stand_on(starts, self.project.end_s(starts))
