"""In which order the runs on one plate use it: an *outing* is what they do before it goes back.

A plate is at one place, so of the runs that share one some order has to be planned. It is that in
which steps could start, as the rule takes them: all that is wanted where the plate stands goes
first, unless a window of some run would be missed that way. A solver may move an outing, and what
is done within one stay; the order of the stays it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sdl.core.forecast import ForecastStep
from sdl.core.outlook import RunAhead

RUNS_MAX = 8
"""Runs that enter within one outing: more are too much to be fitted in as one."""
COUNTED = 0.8
"""Share of a window that is counted on: what the solver does with it takes some as well."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step of the question."""

    id: str
    step: ForecastStep
    run: RunAhead
    length_s: int
    release_s: int
    """Seconds from now before which neither it nor a carry for it begins."""
    is_fixed: bool
    """Whether its instrument is busy with it; one that rests before it is tried again is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Where what is shared stands, and how long it takes elsewhere."""

    at: float
    """Lab time."""
    places: Mapping[str, str]
    """By piece of labware; those that are not in here are nowhere."""
    carry_s: float


@dataclass(slots=True)
class _Then:
    """A moment to come. Times are seconds from now."""

    ways: Ways
    settles: Mapping[str, float]
    place: dict[str, str]
    left: dict[str, tuple[Foreseen, ...]]
    """By run."""
    ends: dict[str, float] = field(default_factory=dict)
    """By step."""
    idle: dict[str, float] = field(default_factory=dict)
    """By instrument, and by piece: since when."""
    stays: dict[str, float] = field(default_factory=dict)
    """By piece: until when something settles in it."""

    def copy(self) -> _Then:
        return replace(
            self,
            place=dict(self.place),
            left=dict(self.left),
            ends=dict(self.ends),
            idle=dict(self.idle),
            stays=dict(self.stays),
        )

    def start_s(self, each: Foreseen) -> float:
        """When a step can start."""
        if each.is_fixed:
            return 0.0
        bounds = [float(each.release_s), self.idle.get(each.step.instrument, 0.0)]
        for after in each.step.after:
            if after.step:
                end_s = self.ends.get(_sibling(each, after.step), -after.lag_s)
                bounds.append(end_s + after.lag_s)
        for piece in each.step.labware:
            bounds.append(self.idle.get(piece, 0.0))
            if self.place.get(piece, each.step.instrument) != each.step.instrument:
                bounds[-1] = max(bounds[-1], self.stays.get(piece, 0.0)) + self.ways.carry_s
        return max(bounds)

    def closes_s(self, each: Foreseen) -> float | None:
        """When the first window of a step closes that is open; None without one."""
        found = []
        for window in each.step.windows:
            names = [(_sibling(each, one.step), one.lag_s) for one in window.opened]
            ends = [self.ends[name] + lag_s for name, lag_s in names if name in self.ends]
            if ends:
                found.append(max(ends) + COUNTED * window.within_s)
            elif each.step.not_after is not None and each.run.so_far is not None:
                found.append(each.step.not_after - self.ways.at)
        return min(found, default=None)

    def take(self, each: Foreseen) -> None:
        """A step is done next."""
        end_s = self.start_s(each) + each.length_s
        self.ends[each.id] = self.idle[each.step.instrument] = end_s
        for piece in each.step.labware:
            self.idle[piece], self.place[piece] = end_s, each.step.instrument
            stays_s = end_s + self.settles.get(each.id, 0.0)
            self.stays[piece] = max(self.stays.get(piece, 0.0), stays_s)
        run = each.run.run
        self.left[run] = self.left[run][1:]

    def heads(self) -> Iterator[Foreseen]:
        """What each run does next."""
        return (steps[0] for steps in self.left.values() if steps)

    def is_there(self, each: Foreseen) -> bool:
        """Whether all that a step needs stands where it is done."""
        return all(self.place.get(one) == each.step.instrument for one in each.step.labware)

    def keeps_windows(self, each: Foreseen) -> bool:
        """Whether all windows that are open, or will be, can be kept if a step goes first."""
        then = self.copy()
        then.take(each)
        while True:
            closes = [(then.closes_s(one), one) for one in then.heads()]
            urgent = [(at_s, one) for at_s, one in closes if at_s is not None]
            if not urgent:
                return True
            at_s, one = min(urgent, key=lambda pair: pair[0])
            if then.start_s(one) > at_s:
                return False
            then.take(one)


def outings(
    runs: Sequence[Sequence[Foreseen]], ways: Ways, settles: Mapping[str, float]
) -> Iterator[list[Foreseen]]:
    """The steps of all runs in the order of their outings; one that shares nothing has its own.

    ``runs``: the steps of each, in order. ``settles``: by step, seconds for which its labware
    stays where it is behind it.
    """
    for group in _sharing(runs, ways.places):
        if len(group) == 1:
            yield list(group[0])
            continue
        left = {steps[0].run.run: tuple(steps) for steps in group}
        yield from _split(_Then(ways, settles, dict(ways.places), left))


def _split(then: _Then) -> Iterator[list[Foreseen]]:
    """The outings of runs that share something."""
    found: list[Foreseen] = []
    entered = {one.run.run for one in then.heads() if one.run.has_entered or one.is_fixed}
    while any(then.left.values()):
        has_room = len(entered) < RUNS_MAX
        can = [one for one in then.heads() if has_room or one.run.run in entered]
        if not any(then.left[run] for run in entered):
            can = [one for one in can if then.is_there(one)] if found else can
            if not can:
                yield found
                found, entered = [], set()
                continue
        one = _next(then, can)
        then.take(one)
        found.append(one)
        entered.add(one.run.run)
    yield found


def _next(then: _Then, can: Sequence[Foreseen]) -> Foreseen:
    """What can start first and lets all windows be kept; else what is most urgent."""
    in_turn = sorted(can, key=lambda one: (not one.is_fixed, then.start_s(one)))
    for one in in_turn:
        if one.is_fixed or len(in_turn) == 1 or then.keeps_windows(one):
            return one
    closes = [(then.closes_s(one), one) for one in in_turn]
    urgent = [(at_s, one) for at_s, one in closes if at_s is not None]
    return min(urgent, key=lambda pair: pair[0])[1] if urgent else in_turn[0]


def _sharing(
    runs: Iterable[Sequence[Foreseen]], pieces: Mapping[str, str]
) -> list[list[Sequence[Foreseen]]]:
    """Runs in groups: two that use one piece are in one, and so on."""
    groups: list[tuple[set[str], list[Sequence[Foreseen]]]] = []
    for steps in runs:
        if not steps:
            continue
        mine = {name for each in steps for name in each.step.labware if name in pieces}
        together = [group for group in groups if group[0] & mine]
        groups = [group for group in groups if not group[0] & mine]
        for names, _ in together:
            mine |= names
        groups.append((mine, [*(one for _, those in together for one in those), steps]))
    return [those for _, those in groups]


def _sibling(each: Foreseen, path: str) -> str:
    return f"{each.run.run}/step-{path}"
