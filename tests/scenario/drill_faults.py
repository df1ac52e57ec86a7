"""What goes wrong in a drill, and when: made from a seed alone, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from sdl.shell.crash import POINTS

Kind: TypeAlias = Literal["kill", "freeze", "cut", "half_open", "slow", "stop"]

FREEZE_S = 8.0
"""Wall seconds that a frozen process does nothing: longer than its silence is borne."""
PAUSE_S = (0.1, 0.6)
"""Wall seconds between two faults, at least."""
ACTIONS_MAX, PATIENCE_S = 15, 2.0
"""Actions that begin between two faults, unless that takes so many wall seconds."""
CRASHES = {"orchestrator": 0.5, "node": 0.5, "planner": 0.2}
"""Share of the starts after which a process kills itself at a named point. A planner that died at
every question would only show that a campaign ends without one."""
PASSINGS_MAX = 25
"""The passing of a crash point at which it does, at most."""
RARE = {"orchestrator.lease.taken", "node.halted", "orchestrator.asked", "planner.asked"} | {
    "planner.answered"
}
"""Points that are passed once or twice in the life of a process."""
SLOW_BYTES_PER_S = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong."""

    after_s: float
    """Wall seconds after the one before it, at least."""
    actions: int
    """So many actions begin first, unless that takes too long."""
    kind: Kind
    target: str
    """A role, or a line: ``near`` (of the orchestrator) or ``far`` (of the nodes)."""
    for_s: float = 0.0
    """Wall seconds until it is mended."""


WEIGHTS: dict[tuple[Kind, str], float] = {
    ("kill", "orchestrator"): 26,
    ("kill", "node-0"): 24,
    ("kill", "node-1"): 24,
    ("kill", "broker"): 14,
    ("kill", "planner"): 4,
    ("freeze", "orchestrator"): 0.5,
    ("freeze", "node-0"): 1,
    ("freeze", "node-1"): 1,
    ("cut", "near"): 2,
    ("cut", "far"): 2,
    ("half_open", "near"): 1,
    ("half_open", "far"): 1,
    ("slow", "near"): 1,
    ("slow", "far"): 1,
    ("stop", "database"): 8,
}


def faults(seed: int, targets: set[str]) -> Iterator[Fault]:
    """An endless schedule. ``targets``: what there is."""
    random = Random(seed)
    known = {key: weight for key, weight in WEIGHTS.items() if key[1] in targets}
    while True:
        ((kind, target),) = random.choices(list(known), list(known.values()))
        yield Fault(
            after_s=random.uniform(*PAUSE_S),
            actions=random.randint(0, ACTIONS_MAX),
            kind=kind,
            target=target,
            for_s=_duration_s(kind, random),
        )


def _duration_s(kind: Kind, random: Random) -> float:
    match kind:
        case "freeze":
            return FREEZE_S
        case "cut" | "slow":
            return random.uniform(0.5, 4.0)
        case "kill" | "stop":  # until it is started again
            return random.uniform(0.0, 0.8)
        case _:
            return 0.0


def crash_points(seed: int, role: str) -> Iterator[str]:
    """For each start of a role, where it is to kill itself: ``POINT:N``, or empty for nowhere.

    Every point of the role has its turn before any comes again.
    """
    random = Random(f"{seed} {role}")
    kind = role.partition("-")[0]
    points = [point for point in POINTS if point.startswith(f"{kind}.")]
    while points:
        random.shuffle(points)
        for point in points:
            while random.random() > CRASHES[kind]:
                yield ""
            count = 1 if point in RARE else random.randint(1, PASSINGS_MAX)
            yield f"{point}:{count}"
    while True:
        yield ""
