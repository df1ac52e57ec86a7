"""What a plan says of each step, and of what has to follow it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sdl.core.ids import run_of
from sdl.core.plan import Planned

TIGHT_S = 900.0
"""Lab seconds from the end of a step to the close of a window, up to which both are one chain."""
EXCHANGE = 2
"""Carries from the end of one step at an instrument to the start of the next one: out, and in."""


@dataclass(slots=True)
class Timetable:
    """The steps of one plan."""

    steps: dict[str, Planned] = field(default_factory=dict)
    """By name, the first one to start first."""
    firsts: dict[str, Planned] = field(default_factory=dict)
    """By run: the step with which it enters."""
    tied: set[str] = field(default_factory=set)
    """Runs that have windows to keep."""
    followers: dict[str, list[Planned]] = field(default_factory=dict)
    """By step: those whose windows open at its end."""

    def enter(self, one: Planned) -> None:
        """Take a step in, unless it is there."""
        if one.step in self.steps:
            return
        self.steps[one.step] = one
        self.firsts.setdefault(run_of(one.step), one)
        if one.opened_by:
            self.tied.add(run_of(one.step))
            self.followers.setdefault(one.opened_by, []).append(one)

    def player(self, run: str, names: Sequence[str]) -> str:
        """Which of some instruments is given to a run; empty: none of them."""
        used = {one.instrument for step, one in self.steps.items() if run_of(step) == run}
        return next((name for name in names if name in used), "")

    def opens(self, planned: Planned) -> bool:
        """Whether something has to follow a step within a short window."""
        return any(one.most_s <= TIGHT_S for one in self.followers.get(planned.step, ()))

    def late_s(self, one: Planned) -> float:
        """By how much a step is planned too late for its window; below 0: in time."""
        opener = self.steps.get(one.opened_by)
        if one.closes is not None:
            return one.start - one.closes
        if opener is None:
            return -math.inf
        return one.start - (opener.start + opener.duration_s + one.most_s)

    def chain(
        self, opener: Planned, end_s: float, seen: set[str]
    ) -> Iterator[tuple[Planned, float, float]]:
        """What has to follow, and between which seconds from the start of the first."""
        for one in self.followers.get(opener.step, ()):
            if one.step not in seen and one.most_s <= TIGHT_S:
                seen.add(one.step)
                yield one, end_s + one.least_s, end_s + _latest_s(one)
                yield from self.chain(one, end_s + one.least_s + quick_s(one), seen)


def timetable(steps: Iterable[Planned]) -> Timetable:
    """Of the steps of a plan, in any order."""
    found = Timetable()
    for one in sorted(steps, key=lambda one: one.start):
        found.enter(one)
    return found


def quick_s(planned: Planned) -> float:
    """How long a step takes where it is quick."""
    return planned.quick_s or planned.duration_s


def _latest_s(follower: Planned) -> float:
    """How long after its window opened an instrument has to be free for a step, at the latest.

    Carries to and fro take their time; where they take more than there is, at its earliest.
    """
    return max(follower.least_s, follower.most_s - EXCHANGE * follower.carry_s)
