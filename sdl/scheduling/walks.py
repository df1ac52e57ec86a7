"""Which local search fits a problem."""

from __future__ import annotations

from typing import Protocol

from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.layout import layout_of
from sdl.scheduling.ruin import Ruin
from sdl.scheduling.shop import orders_of, shop_of
from sdl.scheduling.tabu import Tabu


class Walk(Protocol):
    """A local search that begins with a plan and can be stopped and resumed at any time."""

    def run(self, until: float) -> bool:
        """Search until a time of ``time.monotonic``. Whether the best got better."""
        ...

    def best_arrays(self) -> Arrays:
        """The best so far."""
        ...

    def consider(self, arrays: Arrays) -> None:
        """A better plan that was found elsewhere."""
        ...


def walk_from(index: Indexed, arrays: Arrays, seed: int) -> Walk | None:
    """The local search for a problem, from a valid plan; None where there is none for it."""
    shop = shop_of(index)
    if shop is not None:
        return Tabu(shop, orders_of(shop, arrays), seed)
    if len(index.members) > 1 and not index.problem.changes:
        return Ruin(index, layout_of(index, keep_soft=False), arrays, seed)
    return None
