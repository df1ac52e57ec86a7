"""Which of two activities goes first, where lags and resources leave no choice.

Two that cannot run at once come in one order or the other. If the lags exclude one of these, the
other is a lag too, which may exclude more; if they exclude both, there is no plan at all. That
takes milliseconds and finds most projects out that have no plan.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from sdl.scheduling.calendar import EVER
from sdl.scheduling.project import Project

Rows = list[dict[int, int]]
"""By activity: another one, and the least time in s from start to start."""


def with_forced_orders(project: Project) -> Project | None:
    """The project with every order among its ties that follows from others. None: no plan."""
    orders = _Orders(project)
    open_pairs = _rivals(project)
    while True:
        left = [pair for pair in open_pairs if not orders.settle(*pair)]
        if orders.contradict:
            return None
        if len(left) == len(open_pairs):
            return orders.project()
        open_pairs = left


def _rivals(project: Project) -> list[tuple[int, int]]:
    """Pairs of activities that cannot run at once."""
    pinned = set(project.pinned)
    busy = [at for at, length in enumerate(project.lengths) if length and project.needs[at]]
    needs = [dict(each) for each in project.needs]
    return [
        (one, other)
        for one, other in combinations(busy, 2)
        if not (one in pinned and other in pinned)
        and any(
            amount + needs[other].get(resource, 0) > project.capacity[resource]
            for resource, amount in needs[one].items()
            if resource in needs[other]
        )
    ]


class _Orders:
    """Ties of a project while more become known."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._after: Rows = [dict(ties) for ties in project.after]
        self._before: Rows = [dict(ties) for ties in project.before]
        self.contradict = False
        """Whether nothing can meet them all."""

    def settle(self, one: int, other: int) -> bool:
        """Whether it is known which of two rivals is first; what follows from it is added."""
        took, its = self._project.lengths[one], self._project.lengths[other]
        forth = self._after[one].get(other, EVER)
        back = self._after[other].get(one, EVER)
        if forth >= took or back >= its:
            return True
        if back + took > 0:  # the other one would have to wait for too long
            self._add(other, one, its)
            return True
        if forth + its > 0:
            self._add(one, other, took)
            return True
        return False

    def _add(self, source: int, target: int, least_s: int) -> None:
        """A tie, and all that follows from it."""
        after, before = self._after, self._before
        if after[target].get(source, EVER) + least_s > 0:
            self.contradict = True
            return
        behind = [(target, 0), *after[target].items()]
        for one, first_s in [(source, 0), *before[source].items()]:
            row = after[one]
            for other, last_s in behind:
                whole_s = first_s + least_s + last_s
                if other != one and whole_s > row.get(other, EVER):
                    row[other] = before[other][one] = whole_s

    def project(self) -> Project | None:
        """The project with these ties. None if something pinned would have to be later."""
        plain = self._project
        earliest, tails = plain.earliest[:], plain.tails[:]
        for one, row in enumerate(self._after):
            for other, least_s in row.items():
                earliest[other] = max(earliest[other], plain.earliest[one] + least_s)
                tails[one] = max(tails[one], plain.tails[other] + least_s)
        if any(earliest[one] > plain.earliest[one] for one in plain.pinned):
            return None
        return replace(
            plain,
            earliest=earliest,
            tails=tails,
            after=[sorted(row.items()) for row in self._after],
            before=[sorted(row.items()) for row in self._before],
        )
