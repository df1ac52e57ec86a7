"""Which of the ready steps an instrument does next, and which campaign begins the next run.

Always correct, and needs no plan. Earliest end of a maximum lag first: a step that can still keep
its window is never passed over for one that has none, whosoever they are. Among those without a
window, the higher rank goes first: priority, one more for a campaign that falls behind the
deadline it has, and one more for each ``RAISE_S`` of waiting, as long as a higher one is there to
be reached; so a low priority waits long, and not for ever. Among equals it is start-time fair
queueing: each campaign has a *tag* at each instrument, which grows by the seconds that it used it
over its weight, and the lowest tag is served. One that was away begins at the tag that is being
served now, so that nobody saves up a claim. Then the older run, then the order of asking.

Where there is a plan, its order goes before the tags, for it has weighed the campaigns already, and
behind rank, which a person has set. It is a hint: one that has waited long goes before it.

Goyal, Vin, Cheng: Start-time fair queueing, IEEE/ACM Transactions on Networking 5 (1997) 690.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

RAISE_S = 1800.0
"""Lab seconds of waiting after which a step counts for one priority more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyStep:
    """An action that only waits for its instrument."""

    step: str
    """``dye-450/run-7/step-2``."""
    run_number: int
    order: int
    """Grows with each step that became ready."""
    not_after: float | None
    priority: int = 0
    """Of its campaign, one more where that is behind its deadline."""
    waited_s: float = 0.0
    """Lab seconds since it became ready."""
    place: float = 0.0
    """Where a plan puts it; the same for all without a plan."""
    tag: float = 0.0
    """Of its campaign at this instrument, as ``Share.start`` gives it."""


def next_step(ready: Iterable[ReadyStep]) -> ReadyStep:
    """Which of the steps that wait for one instrument it should do now; at least one waits."""
    steps = list(ready)
    highest = max(step.priority for step in steps)
    return min(steps, key=lambda step: _urgency(step, highest))


def in_turn(ready: Iterable[ReadyStep]) -> list[ReadyStep]:
    """All steps that wait for one instrument, the most urgent first, as things stand."""
    steps = list(ready)
    highest = max((step.priority for step in steps), default=0)
    return sorted(steps, key=lambda step: _urgency(step, highest))


def _urgency(step: ReadyStep, highest: int) -> tuple[float, int, float, float, int, int]:
    if step.not_after is not None:
        return (step.not_after, 0, 0.0, 0.0, step.run_number, step.order)
    rank = min(highest, step.priority + int(step.waited_s // RAISE_S))
    return (math.inf, -rank, step.place, step.tag, step.run_number, step.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of one instrument each campaign had, in seconds over weight."""

    served: float = 0.0
    """The tag at which a step was served last."""
    tags: tuple[tuple[str, float], ...] = ()
    """By campaign, by name: where its next step begins."""

    def start(self, campaign: str) -> float:
        """The tag of a campaign's next step."""
        return max(self.served, dict(self.tags).get(campaign, 0.0))

    def after(self, campaign: str, used_s: float, weight: float) -> Share:
        """Once a step of a campaign has used the instrument for so many seconds."""
        start = self.start(campaign)
        tags = {**dict(self.tags), campaign: start + used_s / weight}
        return Share(served=start, tags=tuple(sorted(tags.items())))

    def without(self, campaign: str) -> Share:
        """Once a campaign has ended."""
        return Share(served=self.served, tags=tuple(t for t in self.tags if t[0] != campaign))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A campaign that could begin a run."""

    campaign: str
    priority: int
    """One more where it is behind its deadline."""
    weight: float
    in_flight: int
    """Runs of it."""
    place: int
    """In order of the campaigns' starts."""


def order_of_beginning(claims: Iterable[Claim]) -> list[Claim]:
    """Who begins a run first: the higher priority, then who has fewest in flight for its weight."""
    return sorted(claims, key=lambda c: (-c.priority, c.in_flight / c.weight, c.place))


def is_behind(*, at: float, started_at: float, deadline: float | None, done: float) -> bool:
    """Whether a campaign will miss its deadline if it goes on as it has so far.

    ``done``: how much of its work is over, 0 to 1. Once the deadline has passed nothing is to be
    saved any more, and nobody need stand back for it.
    """
    if deadline is None or not started_at < at <= deadline:
        return False
    return done < (at - started_at) / (deadline - started_at)
