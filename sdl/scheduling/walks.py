"""Which local search fits a problem."""

from __future__ import annotations

from typing import Protocol

from sdl.scheduling.balance import balanced_modes
from sdl.scheduling.dispatch import dispatch
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.layout import layout_of
from sdl.scheduling.model import Pace
from sdl.scheduling.project import Project
from sdl.scheduling.project_walk import ProjectWalk
from sdl.scheduling.ruin import Ruin
from sdl.scheduling.shop import Orders, Shop, orders_of, shop_of
from sdl.scheduling.tabu import Tabu


class Walk(Protocol):
    """A local search that begins with a plan and can be stopped and resumed at any time."""

    @property
    def pace(self) -> Pace:
        """What CP-SAT beside it does: ``first``, or ``second`` where the walk likely wins."""
        ...

    def run(self, until: float) -> bool:
        """Search until a time of ``time.monotonic``. Whether the best got better."""
        ...

    def best_arrays(self) -> Arrays:
        """The best so far."""
        ...

    def consider(self, arrays: Arrays) -> None:
        """A better plan that was found elsewhere."""
        ...


def walk_from(
    index: Indexed, project: Project | None, arrays: Arrays | None, seed: int
) -> Walk | None:
    """The local search for a problem, from a valid plan; None where there is none for it.

    ``project``: the problem as one, if it is one. ``arrays``: None if no plan is known; of a
    project, the walk looks for a first one too.
    """
    shop = shop_of(index)
    if shop is not None and arrays is not None:
        return Tabu(shop, [*_balanced(index, shop), orders_of(shop, arrays)], seed)
    if project is not None:
        return ProjectWalk(project, arrays, seed)
    return None if arrays is None else ruin_from(index, arrays, seed)


def ruin_from(index: Indexed, arrays: Arrays, seed: int) -> Ruin | None:
    """The local search for whatever has several groups; None where there is none."""
    free = [
        group
        for group in index.members
        if any(index.fixed[one] is None and arrays[1][one] >= 0 for one in group)
    ]
    if len(free) > 1 and not index.problem.changes:
        return Ruin(index, layout_of(index), arrays, seed)
    return None


def _balanced(index: Indexed, shop: Shop) -> list[Orders]:
    """A start with even loads, where machines can be chosen."""
    if not shop.is_flexible:
        return []
    arrays = dispatch(index, "MWKR", balanced_modes(shop))
    return [] if arrays is None else [orders_of(shop, arrays)]
