"""Windows that cannot be kept, as labware takes longer on its way than they are wide.

What is told of durations and carries is believed, all instruments and transporters are taken to be
free, and of several that may play a role the nearest is taken: what is late even so is so each
time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sdl.core.causes import Afters
from sdl.core.floor import PERSON, Floor
from sdl.core.forecast import ROUNDING_S, Forecast, ForecastStep

Legs: TypeAlias = Callable[[str, str, str, str], float]
"""Lab seconds that a carrier takes with a piece from one place to another."""
_Places: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Of a piece to where it is needed."""

    takes_s: float = 0.0
    carriers: tuple[str, ...] = ()
    """One for each leg; the empty name stands for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFar:
    """A step that cannot begin within its window."""

    step: ForecastStep
    before: ForecastStep | None
    """At whose end the window opens; None: at the beginning of the run, or with a settling time."""
    labware: str
    way: Way
    """The carry, between the two, that takes longest."""
    needed_s: float
    """From the moment at which the window opens to the step's start, at least."""
    within_s: float


def too_far(
    found: Forecast,
    floor: Floor,
    pieces: Collection[str],
    pools: Mapping[str, Sequence[str]],
    leg_s: Legs,
) -> tuple[TooFar, ...]:
    """The steps of a run, none of whose carries was fast enough, in order.

    ``pieces``: the labware that stands on sites; ``pools``: by role, who may play it. Where it
    stands at first is not asked, and what is late without any carry is not told.
    """
    return tuple(_Run(found, floor, pieces, pools, leg_s).late())


class _Run:
    """One run, with the carries that its forecast leaves out."""

    def __init__(
        self,
        found: Forecast,
        floor: Floor,
        pieces: Collection[str],
        pools: Mapping[str, Sequence[str]],
        leg_s: Legs,
    ) -> None:
        self._steps = sorted(found.steps, key=lambda step: step.start_s)
        self._by_path = {step.path: step for step in found.steps}
        self._floor, self._pieces, self._pools, self._leg_s = floor, pieces, pools, leg_s
        self._ends = {"": found.began_s}
        self._began = dict[str, float]()
        self._ways = dict[str, tuple[str, Way]]()
        """By step: the longest way that labware comes for it."""

    def late(self) -> Iterator[TooFar]:
        """Those that miss a window for the sake of carries."""
        at: dict[str, _Places] = {}
        for step in self._steps:
            self._go(step, at)
        for step in self._steps:
            yield from self._missed(step)

    def _go(self, step: ForecastStep, at: dict[str, _Places]) -> None:
        """When it starts and ends; ``at``: where labware is by then, each at one of some places."""
        there = tuple(self._pools.get(step.role, (step.instrument,)))
        ways = [
            (piece, self._way(piece, at[piece], there)) for piece in step.labware if piece in at
        ]
        piece, way = max(ways, key=lambda one: one[1].takes_s, default=("", Way()))
        self._ways[step.path] = piece, way
        self._began[step.path] = self._moment(step.after) + way.takes_s
        self._ends[step.path] = self._began[step.path] + step.duration_s
        at.update({piece: there for piece in step.labware if piece in self._pieces})

    def _moment(self, after: Afters) -> float:
        return max((self._ends.get(one.step, 0.0) + one.lag_s for one in after), default=0.0)

    def _missed(self, step: ForecastStep) -> Iterator[TooFar]:
        for window in step.windows:
            opened = self._moment(window.opened)
            needed_s = self._began[step.path] - opened
            if needed_s <= window.within_s + ROUNDING_S:
                continue
            between = [
                self._ways[one.path]
                for one in self._steps
                if opened <= self._began[one.path] <= self._began[step.path]
                and self._ways[one.path][1].takes_s
            ]
            if not between:
                continue
            piece, way = max(between, key=lambda one: one[1].takes_s)
            (first, *more) = window.opened
            yield TooFar(
                step=step,
                before=None if more or first.lag_s else self._by_path.get(first.step),
                labware=piece,
                way=way,
                needed_s=needed_s,
                within_s=window.within_s,
            )
            return

    def _way(self, piece: str, here: _Places, there: _Places) -> Way:
        """The shortest of all; none where one of the ends has no sites, or it is there already.

        Nobody is asked for a leg without which transporters get there, too.
        """
        sites = self._floor.sites
        if set(here) & set(there) or not sites.keys() >= {*here, *there}:
            return Way()
        coming: list[tuple[int, float, str, tuple[str, ...]]] = [(0, 0.0, one, ()) for one in here]
        seen: set[str] = set()
        while coming:
            people, takes_s, place, carriers = heapq.heappop(coming)
            if place in there:
                return Way(takes_s=takes_s, carriers=carriers)
            if place in seen:
                continue
            seen.add(place)
            for other in sites.keys() - seen:
                for carrier in self._floor.carriers_between(place, other):
                    leg_s = takes_s + self._leg_s(carrier, piece, sites[place][0], sites[other][0])
                    leg = people + (carrier == PERSON), leg_s, other, (*carriers, carrier)
                    heapq.heappush(coming, leg)
        return Way()
