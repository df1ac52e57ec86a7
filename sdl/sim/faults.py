"""What can befall a lab, as values that one seed draws."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdl.shell.crash import POINTS

Kind: TypeAlias = Literal[
    "kill",
    "point",
    "freeze",
    "cut",
    "storm",
    "broker",
    "old",
    "record",
    "journal",
    "restored",
    "lost",
    "clock",
    "split",
    "stop",
    "pause",
    "abort",
    "unheard",
    "copy",
    "anew",
]
"""*kill*: a process dies. *point*: it dies where it passes a crash point. *freeze*: it makes no
step for a while. *cut*: its line to the broker is cut. *storm*: messages are lost, repeated,
delayed and reordered. *broker*: the broker dies with all that it kept. *old*: it comes back as it
was a while ago, and sends messages of the past again. *record*, *journal*: the disk of the
orchestrator or of a node is full, failing or slow, or commits and says that it did not.
*restored*, *lost*: a node's journal is put back to an older copy, or deleted. *clock*: a machine's
wall clock jumps, and its process starts anew.
*split*: a second orchestrator takes over while the first is cut off, or frozen, and comes back.
*stop*, *pause*, *abort*: a person stops the lab, pauses an instrument or breaks a run off, and lets
it go on after a while. *unheard*: the same, and the first words of that get lost, alone.
*copy*: a node's folder is copied and started a second time, and both live for a while. *anew*: a
second campaign is begun while nodes still hold commands of the first."""

ORCHESTRATOR, PLANNER, BROKER, PERSON = "orchestrator", "planner", "broker", "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault."""

    kind: Kind
    target: str
    """Name of a process; *broker* for what befalls the broker or the whole network, *person* for
    what a person does."""
    at: float = 0.0
    """Virtual seconds; of *point*, from when on it counts passings."""
    for_s: float = 0.0
    """How long it lasts, or how long until a killed process is started again."""
    point: str = ""
    passing: int = 1
    how: str = ""
    """Of *record* and *journal*: full, failing, slow; of *cut* and *split*: silently, frozen."""
    amount: float = 0.0
    """Of *clock*: seconds; of *storm*: how bad, 0 to 1; of *old*, *unheard*: messages."""

    def __str__(self) -> str:
        where = f" at {self.point} ({self.passing})" if self.point else f" at {self.at:.3f} s"
        how = f", {self.how}" if self.how else ""
        amount = f", {self.amount:g}" if self.amount else ""
        return f"{self.kind} of {self.target}{where} for {self.for_s:.3f} s{how}{amount}"


WEIGHTS: dict[Kind, float] = {
    "kill": 4.0,
    "point": 5.0,
    "freeze": 1.5,
    "cut": 1.5,
    "storm": 1.5,
    "broker": 1.5,
    "old": 0.7,
    "record": 1.0,
    "journal": 1.0,
    "restored": 0.7,
    "lost": 0.4,
    "clock": 0.7,
    "split": 1.2,
    "stop": 1.0,
    "pause": 0.5,
    "abort": 0.7,
    "unheard": 1.2,
    "copy": 0.6,
    "anew": 1.0,
}
"""How often each kind is drawn, relative to the others."""

WORDS = ("stop", "stop-all", "release", "made_safe", "greet")
"""What may get lost alone."""


def draw(
    chance: random.Random, *, nodes: Sequence[str], count: int, within_s: float
) -> list[Fault]:
    """Faults of one simulation.

    ``count``: how many; ``within_s``: virtual seconds in which they all begin.
    """
    kinds = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=count)
    return [_one(kind, chance, nodes, chance.uniform(0.0, within_s)) for kind in kinds]


def _one(kind: Kind, chance: random.Random, nodes: Sequence[str], at: float) -> Fault:
    anyone = chance.choice([ORCHESTRATOR, ORCHESTRATOR, *nodes, *nodes, PLANNER])
    node = chance.choice(list(nodes))
    short_s, long_s = chance.uniform(0.5, 12.0), chance.choice([5.0, 20.0, 60.0])
    match kind:
        case "point":
            return _at_point(chance, nodes, short_s)
        case "freeze":
            return Fault(kind=kind, target=anyone, at=at, for_s=long_s)
        case "cut":
            how = chance.choice(["silently", ""])
            return Fault(kind=kind, target=anyone, at=at, for_s=long_s, how=how)
        case "storm":
            bad = chance.choice([0.1, 0.3, 0.5])
            return Fault(kind=kind, target=BROKER, at=at, for_s=long_s, amount=bad)
        case "broker":
            return Fault(kind=kind, target=BROKER, at=at, for_s=short_s)
        case "old":
            count = chance.choice([5.0, 20.0, 60.0])
            return Fault(kind=kind, target=BROKER, at=at, for_s=short_s, amount=count)
        case "record" | "journal":
            target = ORCHESTRATOR if kind == "record" else node
            how = chance.choice(["full", "failing", "slow", "mute", "mute"])
            return Fault(kind=kind, target=target, at=at, for_s=long_s, how=how)
        case "restored":
            return Fault(kind=kind, target=node, at=at, for_s=short_s, amount=chance.uniform(1, 40))
        case "lost":
            return Fault(kind=kind, target=node, at=at, for_s=short_s)
        case "clock":
            by_s = chance.choice([-3600.0, 3600.0])
            target = chance.choice([ORCHESTRATOR, *nodes])
            return Fault(kind=kind, target=target, at=at, for_s=short_s, amount=by_s)
        case "split":
            how = chance.choice(["silently", "", "frozen"])
            return Fault(kind=kind, target=ORCHESTRATOR, at=at, for_s=long_s, how=how)
        case "copy":
            how = chance.choice(["the copy goes", "the copy stays"])
            return Fault(kind=kind, target=node, at=at, for_s=short_s, how=how)
        case "anew":
            how = chance.choice(["killed", "frozen"])
            wait_s = short_s if how == "killed" else long_s
            return Fault(kind=kind, target=ORCHESTRATOR, at=at, for_s=wait_s, how=how)
        case "unheard":
            word, count = chance.choice(WORDS), chance.choice([1.0, 1.0, 2.0, 5.0])
            return Fault(kind=kind, target=PERSON, at=at, for_s=short_s, how=word, amount=count)
        case "stop" | "pause" | "abort":
            return Fault(kind=kind, target=PERSON, at=at, for_s=short_s)
        case _:
            return Fault(kind=kind, target=anyone, at=at, for_s=short_s)


def _at_point(chance: random.Random, nodes: Sequence[str], for_s: float) -> Fault:
    point = chance.choice(list(POINTS))
    role = point.partition(".")[0]
    target = chance.choice(list(nodes)) if role == "node" else role
    passing = chance.choice([1, 1, 2, 3, 5, 8])
    return Fault(kind="point", target=target, point=point, passing=passing, for_s=for_s)
