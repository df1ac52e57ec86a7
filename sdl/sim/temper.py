"""How rough one simulated lab is, apart from the faults that befall it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdl.shell.action_call import MAKE_SAFE_S

SLOW_S = 40.0
"""What a make_safe takes at most; the node waits ``MAKE_SAFE_S`` for it."""
EVERY = (5, 15, 40, 100)
"""Journal lines from one snapshot to the next."""

STUBBORN_S = 90.0
"""For so long, at most, one goes on that heeds no cancellation."""

Halt: TypeAlias = Literal["quick", "slow", "failing", "endless", "stubborn"]
Late: TypeAlias = Literal["skip", "flag", "requeue"]
LATE: tuple[Late, ...] = ("skip", "flag", "requeue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Temper:
    """How machines, people and the orchestrator of one lab are. All are chances, 0 to 1."""

    slow: float = 0.0
    """That a make_safe takes 0 to 40 s; ..."""
    failing: float = 0.0
    """... that it fails on the way; ..."""
    endless: float = 0.0
    """... that it never ends; ..."""
    stubborn: float = 0.0
    """... that it goes on beyond all patience, whoever cancels it."""
    deaf: float = 0.0
    """That an action goes on although its instrument is made safe, until it is cancelled."""
    snapshot_every: int = 0
    """Journal lines from one snapshot to the next; 0: none is taken."""
    hasty: float = 0.0
    """That a person lets go on at once what is held or stopped; ..."""
    contrary: float = 0.0
    """... says two different things about one step, at once; ..."""
    fickle: float = 0.0
    """... stops everything again while that is being resumed."""
    late: Late = "skip"
    """What is done about a broken window of which the campaign says nothing."""

    def halt(self, chance: random.Random) -> tuple[Halt, float]:
        """How the next make_safe goes, and how many seconds it takes."""
        draw = chance.random()
        ways: tuple[tuple[Halt, float, float, float], ...] = (
            ("endless", self.endless, MAKE_SAFE_S, MAKE_SAFE_S),
            ("stubborn", self.stubborn, MAKE_SAFE_S, STUBBORN_S),
            ("failing", self.failing, 0.0, SLOW_S),
            ("slow", self.slow, 0.0, SLOW_S),
        )
        for how, share, least_s, most_s in ways:
            if draw < share:
                return how, chance.uniform(least_s, most_s)
            draw -= share
        return "quick", 0.0


CALM = Temper()
"""Nothing takes its time, and everybody is of one mind."""


def draw_temper(chance: random.Random) -> Temper:
    """Of one simulation."""
    rough = chance.choice([0.0, 0.3, 1.0])
    every = chance.choice(EVERY)
    return Temper(
        slow=0.6 * rough,
        failing=0.1 * rough,
        endless=0.07 * rough,
        stubborn=0.07 * rough,
        deaf=chance.choice([0.0, 0.5]),
        snapshot_every=every if chance.random() < 0.3 else 0,  # noqa: PLR2004 - a chance
        hasty=chance.choice([0.0, 0.0, 0.5]),
        contrary=chance.choice([0.0, 0.0, 0.3]),
        fickle=chance.choice([0.0, 0.0, 0.3]),
        late=chance.choice(LATE),
    )
