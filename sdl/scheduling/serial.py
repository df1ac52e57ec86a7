"""A plan of a project by placing its activities one after the other, each as early as it can be.

The serial scheme for lags with a maximum (Franck, Neumann and Schwindt 2001): where an activity
finds its place only after a maximum lag from one that stands already is over, that one is taken
out again and may only come back late enough. Nothing else is taken out, unlike there: what that
leaves open is closed by pushing the plan together, and three times as many plans are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from sdl.scheduling.calendar import EVER, NEVER, Calendar, Packing, free_of_all
from sdl.scheduling.project import Project

PATIENCE = 2
"""Times that something is taken out, for each activity, before an order is given up."""


class SerialScheme:
    """Orders of work of one project into plans."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._later = _next_of(project)
        self._earlier_count = [0] * len(project.lengths)
        for each in self._later:
            for other in each:
                self._earlier_count[other] += 1
        packing = Packing(project.capacity, project.needs)
        self.amounts = [packing.amount(needs) for needs in project.needs]
        self.probes = [packing.probe(needs) for needs in project.needs]
        self.spares = packing.spares

    def order(self, priority: Sequence[float]) -> list[int]:
        """All activities, the least priority first, as far as their lags allow."""
        waits_for = self._earlier_count[:]
        ready = [(priority[one], one) for one, many in enumerate(waits_for) if not many]
        heapify(ready)
        order = []
        while ready:
            _, one = heappop(ready)
            order.append(one)
            for other in self._later[one]:
                waits_for[other] -= 1
                if not waits_for[other]:
                    heappush(ready, (priority[other], other))
        return order

    def plan(self, priority: Sequence[float], latest_s: int = NEVER) -> list[int] | None:
        """Starts of a plan that ends by ``latest_s``; None if this order gives none."""
        return _Placing(self, latest_s).all_of(self.order(priority))


def _next_of(project: Project) -> list[set[int]]:
    """Of each activity, those that always start later, without those that follow from others."""
    pinned = set(project.pinned)
    back = [dict(ties) for ties in project.after]
    later = [
        {
            other
            for other, least_s in ties
            if other not in pinned
            and (least_s > 0 or (least_s == 0 and back[other].get(one, EVER) < 0))
        }
        for one, ties in enumerate(project.after)
    ]
    return [each.difference(*(later[other] for other in each)) for each in later]


class _Placing:
    """One plan in the making."""

    def __init__(self, scheme: SerialScheme, latest_s: int) -> None:
        self._scheme, self._latest_s = scheme, latest_s
        self._project = project = scheme.project
        self._starts = [EVER] * len(project.lengths)
        """Of what stands; EVER of the others."""
        self._least = project.earliest[:]
        self._calendar = Calendar()
        for one in project.pinned:
            self._put(one, project.earliest[one])

    def all_of(self, order: Sequence[int]) -> list[int] | None:
        """Starts of all, placed in this order; None if that gives no plan."""
        starts, tails, after = self._starts, self._project.tails, self._project.after
        left = PATIENCE * len(order)
        at = 0
        while at < len(order):
            one = order[at]
            at += 1
            if starts[one] != EVER:
                continue
            start_s = self._fit(one)
            if start_s + tails[one] > self._latest_s:
                return None
            early = [
                (other, start_s + least_s)
                for other, least_s in after[one]
                if EVER < starts[other] < start_s + least_s
            ]
            if not early:
                self._put(one, start_s)
                continue
            at, left = 0, left - 1
            if not left or not self._take_out(early):
                return None
        return starts

    def _fit(self, one: int) -> int:
        """Where it can stand at the earliest, by what stands already."""
        starts, scheme, project = self._starts, self._scheme, self._project
        start_s = max(
            [
                self._least[one],
                *[starts[other] + least_s for other, least_s in project.before[one]],
            ]
        )
        length_s, probe = project.lengths[one], scheme.probes[one]
        if not length_s or not probe:
            return start_s
        return free_of_all(self._calendar, start_s, length_s, probe, scheme.spares)

    def _put(self, one: int, start_s: int) -> None:
        self._starts[one] = start_s
        end_s = start_s + self._project.lengths[one]
        self._calendar.add(start_s, end_s, self._scheme.amounts[one])

    def _remove(self, one: int) -> None:
        start_s = self._starts[one]
        end_s = start_s + self._project.lengths[one]
        self._calendar.add(start_s, end_s, -self._scheme.amounts[one])
        self._starts[one] = EVER

    def _take_out(self, early: Sequence[tuple[int, int]]) -> bool:
        """Let these come later than they stand. False if one of them cannot."""
        starts, least = self._starts, self._least
        for one, least_s in early:
            if least_s > least[one]:
                least[one] = least_s
                for other, gap_s in self._project.after[one]:
                    least[other] = max(least[other], least_s + gap_s)
        for one, start_s in enumerate(starts):
            if EVER < start_s < least[one]:
                self._remove(one)
        return all(starts[one] != EVER for one in self._project.pinned)
