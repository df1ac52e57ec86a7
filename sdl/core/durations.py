"""How long actions took, by instrument and action; and so how long the next one will take.

Of each action of each instrument the last ones are kept, and of those the middle is believed: one
that hung for an hour says nothing about the others. Where an action is told how long to last, in
an argument ``duration_s``, what is learned is how much longer it took, and of those only what was
told to last about as long is believed. What lasts half as long varies by half as much.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from sdl.core.commands import Command, Perform
from sdl.core.events import CommandDone, CommandFailed, CommandUnknown, Event
from sdl.model.data import JsonValue
from sdl.model.prediction import Prediction

MEMORY = 64
"""Durations that are kept of each action of each instrument."""
OPEN_MAX = 4_096
"""Commands under way that are remembered; beyond, the oldest is forgotten."""
ENOUGH = 5
"""Durations from which on their own spread is believed; of fewer it may be small by chance."""
PRACTISED = 16
"""Durations that are believed before anybody's prediction; of more, so many that were told to last
about as long: the middle of fewer lies by chance too far from that of all."""
FEW_SPREAD = 0.25
"""Share of the middle duration that the spread is at least, before there are enough."""
NORMAL_QUARTILES = 1.349
"""Standard deviations between the quartiles of a normal distribution."""
ASKED = "duration_s"
"""The argument in which an action is told how long to last."""

Kept: TypeAlias = tuple[str, str, tuple[tuple[float, float], ...]]
"""Instrument, action, and of the last ones: how many seconds they were told to last, and by how
many more they did."""


class Durations:
    """Folded from events; a ``Predictor``. The same lines give the same predictions."""

    def __init__(self, kept: Iterable[Kept] = ()) -> None:
        self._over: dict[tuple[str, str], deque[tuple[float, float]]] = {}
        self._open: dict[str, Perform] = {}
        for instrument, operation, over in kept:
            self._over[instrument, operation] = deque(over, MEMORY)

    def take(self, line: Event | Command) -> None:
        """Take the next line of a journal in. Only what ended well teaches anything."""
        match line:
            case Perform(cid=cid):
                self._open[cid] = line
                if len(self._open) > OPEN_MAX:
                    del self._open[next(iter(self._open))]
            case CommandDone(cid=cid, duration_s=duration_s) if cid in self._open:
                done = self._open.pop(cid)
                self.add(done.instrument, done.operation, done.args, duration_s)
            case CommandFailed(cid=cid) | CommandUnknown(cid=cid):
                self._open.pop(cid, None)
            case _:
                pass

    def add(
        self,
        instrument: str,
        operation: str,
        arguments: Mapping[str, JsonValue],
        duration_s: float,
    ) -> None:
        """One more action took ``duration_s``; nonsense is left out."""
        if 0.0 <= duration_s < math.inf:
            over = self._over.setdefault((instrument, operation), deque(maxlen=MEMORY))
            told_s = asked_s(arguments)
            over.append((told_s, duration_s - told_s))

    def kept(self) -> tuple[Kept, ...]:
        """All that was learned, as plain values."""
        return tuple((*key, tuple(over)) for key, over in sorted(self._over.items()))

    def count(self, instrument: str, operation: str) -> int:
        """How many durations of an action are kept."""
        return len(self._over.get((instrument, operation), ()))

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        """What an action will probably take, from what it took; None before it was ever done."""
        told_s = asked_s(arguments)
        over = self._near(self._over.get((instrument, operation), ()), told_s)
        if not over:
            return None
        middle = quantile(sorted(over_s for _, over_s in over), 0.5)
        duration_s = max(0.0, told_s + middle)
        apart = sorted(
            (over_s - middle) * (told_s / other_s if told_s and other_s else 1.0)
            for other_s, over_s in over
        )
        spread_s = (quantile(apart, 0.75) - quantile(apart, 0.25)) / NORMAL_QUARTILES
        if len(over) < ENOUGH:
            spread_s = max(spread_s, FEW_SPREAD * abs(middle))
        return Prediction(duration_s=duration_s, spread_s=spread_s)

    @staticmethod
    def _near(learned: Iterable[tuple[float, float]], told_s: float) -> list[tuple[float, float]]:
        """Those of the learned ones that were told to last about so long."""
        apart = sorted((abs(other_s - told_s), other_s, over_s) for other_s, over_s in learned)
        if not apart:
            return []
        most, *_ = apart[min(PRACTISED, len(apart)) - 1]
        return [(other_s, over_s) for each, other_s, over_s in apart if each <= most]


class Practised:
    """A ``Predictor``: durations of what was done often enough that one mishap says little."""

    def __init__(self, learned: Durations) -> None:
        """``learned``: may go on to learn."""
        self._learned = learned

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        """As it was learned; None before there are enough."""
        if self._learned.count(instrument, operation) < PRACTISED:
            return None
        return self._learned.predict(instrument, operation, arguments)


def asked_s(arguments: Mapping[str, JsonValue]) -> float:
    """How long an action is told to last; 0 where it is not told."""
    asked = arguments.get(ASKED)
    is_number = isinstance(asked, int | float) and not isinstance(asked, bool)
    return float(asked) if is_number and 0.0 <= asked < math.inf else 0.0  # type: ignore[operator,arg-type]


def quantile(ordered: list[float], share: float) -> float:
    """The value below which this share of an ordered, not empty list lies, between two places."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
