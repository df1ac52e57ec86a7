"""What each instrument spent its time on: busy, or idle and why.

An account is turned whenever its instrument begins something else; in between it costs nothing.
It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

Activity: TypeAlias = Literal[
    "busy", "idle", "waiting", "paused", "stopped", "person", "mending", "offline"
]
"""*busy*: a command holds it. *idle*: there is nothing to do for it. *waiting*: there is, and
something else that it takes is not there. *paused*: nothing new may start. *stopped*: it was made
safe, or is held. *person*: it waits for an answer. *mending*: a recovery is under way for it.
*offline*: it is not heard of, or nobody led the lab."""
ACTIVITIES: tuple[Activity, ...] = get_args(Activity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Lab seconds that one instrument spent on each activity, from one moment to another."""

    instrument: str
    begin: float
    """Lab time."""
    end: float
    busy_s: float = 0.0
    idle_s: float = 0.0
    waiting_s: float = 0.0
    paused_s: float = 0.0
    stopped_s: float = 0.0
    person_s: float = 0.0
    mending_s: float = 0.0
    offline_s: float = 0.0

    @property
    def by_activity(self) -> dict[Activity, float]:
        """The same by name, in seconds."""
        return dict(
            zip(
                ACTIVITIES,
                (
                    self.busy_s,
                    self.idle_s,
                    self.waiting_s,
                    self.paused_s,
                    self.stopped_s,
                    self.person_s,
                    self.mending_s,
                    self.offline_s,
                ),
                strict=True,
            )
        )

    def share(self, activity: Activity) -> float:
        """Of the whole time, 0 to 1; 0 where no time has passed."""
        whole_s = sum(self.by_activity.values())
        return self.by_activity[activity] / whole_s if whole_s > 0.0 else 0.0

    def since(self, before: Usage) -> Usage:
        """What came after an earlier moment of the same account."""
        then = before.by_activity
        spent = {name: max(0.0, s - then[name]) for name, s in self.by_activity.items()}
        return _usage(self.instrument, before.end, self.end, spent)


@dataclass(slots=True)
class Account:
    """Of one instrument; folded from events."""

    begin: float = 0.0
    """Lab time of its opening."""
    since: float = 0.0
    """Lab time at which it began what it does now."""
    doing: Activity = "offline"
    spent: dict[Activity, float] = field(default_factory=dict)
    """Lab seconds of what is over."""

    def turn(self, doing: Activity, at: float) -> None:
        """From lab time ``at`` on it does this."""
        if doing != self.doing:
            self.spent[self.doing] = self.spent.get(self.doing, 0.0) + max(0.0, at - self.since)
            self.doing, self.since = doing, max(at, self.since)

    def until(self, instrument: str, at: float) -> Usage:
        """All until a moment, as a value."""
        now_s = max(0.0, at - self.since)
        spent = {**self.spent, self.doing: self.spent.get(self.doing, 0.0) + now_s}
        return _usage(instrument, self.begin, max(at, self.since), spent)


def _usage(instrument: str, begin: float, end: float, spent: dict[Activity, float]) -> Usage:
    seconds = {f"{name}_s": spent.get(name, 0.0) for name in ACTIVITIES}
    return Usage(instrument=instrument, begin=begin, end=end, **seconds)


def after(usages: Iterable[Usage], before: Iterable[Usage]) -> tuple[Usage, ...]:
    """What came after an earlier moment; of one that was not there then, all of it."""
    then = {one.instrument: one for one in before}
    return tuple(
        one.since(then[one.instrument]) if one.instrument in then else one for one in usages
    )
