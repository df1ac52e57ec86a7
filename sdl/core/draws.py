"""What an action would draw and fill in, held against what there is, before it is sent.

A run may draw what is kept for it, and what is kept for nobody; a step that needs more waits, and
is short. Of a well it is refused what cannot be: to draw more than it holds, or to fill in more
than it takes. What lies within what the ledger does not know of a well is let pass, and so is all
that is drawn from a well of which it knows nothing, as a person may have filled that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sdl.core.amounts import Shortage
from sdl.core.ids import run_of
from sdl.core.inventory import Inventory
from sdl.core.mixture import PL_PER_UL, picolitres, spoken
from sdl.errors import LimitReached
from sdl.model.labware import Well
from sdl.model.stock import Transfer

if TYPE_CHECKING:
    from sdl.core.open_steps import Entry
    from sdl.core.run import Step

DEVIATIONS = 3.0
"""Standard uncertainties of what a well holds by which it may be off."""


# From sources.


def is_short(inventory: Inventory | None, step: Step) -> bool:
    """Whether a step would draw what is not there, or is kept for others."""
    if inventory is None or not step.draws:
        return False
    run = run_of(step.id)
    return any(lacks(inventory, run, source, pl) for source, pl in step.draws.items())


def short_among(inventory: Inventory, waiting: Iterable[Entry]) -> list[Entry]:
    """Those of many steps that are short; nearly all draw no more than what is kept for them."""
    is_all_there: dict[str, bool] = {}
    found = []
    for run, step in waiting:
        mine = inventory.reserved.get(run.id, {})
        for source, volume_pl in step.draws.items():
            if source not in is_all_there:
                usable_pl = inventory.sources[source].usable_pl
                is_all_there[source] = inventory.reserved_pl(source) <= usable_pl
            if volume_pl > mine.get(source, 0) or not is_all_there[source]:
                found += [(run, step)] if is_short(inventory, step) else []
                break
    return found


def lacks(inventory: Inventory, run: str, source: str, volume_pl: int) -> bool:
    """Whether a run may not draw so much of a declared source."""
    usable_pl, kept_pl = inventory.sources[source].usable_pl, kept_for(inventory, run, source)
    if volume_pl <= kept_pl:
        return volume_pl > usable_pl
    return volume_pl > kept_pl + max(0, usable_pl - inventory.reserved_pl(source))


def kept_for(inventory: Inventory, run: str, source: str) -> int:
    """What is reserved for a run, in picolitres."""
    return inventory.reserved.get(run, {}).get(source, 0)


def shortages(inventory: Inventory, steps: Iterable[Step]) -> tuple[Shortage, ...]:
    """What is not there of what steps would draw, by source, of all that are short together."""
    wanted: dict[str, dict[str, int]] = {}
    for step in steps:
        run = run_of(step.id)
        for source, volume_pl in step.draws.items():
            if lacks(inventory, run, source, volume_pl):
                by_run = wanted.setdefault(source, {})
                by_run[run] = by_run.get(run, 0) + volume_pl
    return tuple(_short(inventory, source, wanted[source]) for source in sorted(wanted))


def _short(inventory: Inventory, source: str, by_run: Mapping[str, int]) -> Shortage:
    """``by_run``: what is wanted, in picolitres."""
    left_pl = inventory.sources[source].usable_pl - inventory.reserved_pl(source)
    kept_pl = sum(min(pl, kept_for(inventory, run, source)) for run, pl in by_run.items())
    # Where more is kept than there is, what lacks of that has to be filled in as well.
    free_pl, needed_pl = kept_pl + left_pl, sum(by_run.values())
    return inventory.short(source, needed_pl - min(0, free_pl), max(0, free_pl))


def claims(inventory: Inventory, steps: Iterable[Step]) -> dict[str, int]:
    """By source: what of it, that is kept for nobody, steps of runs in flight will draw."""
    wanted: dict[tuple[str, str], int] = {}
    for step in steps:
        run = run_of(step.id)
        for source, volume_pl in step.draws.items():
            wanted[run, source] = wanted.get((run, source), 0) + volume_pl
    found: dict[str, int] = {}
    for (run, source), volume_pl in wanted.items():
        more_pl = volume_pl - kept_for(inventory, run, source)
        if more_pl > 0:
            found[source] = found.get(source, 0) + more_pl
    return found


# In wells.


def objection(inventory: Inventory, transfers: Iterable[Transfer]) -> str:
    """Why the wells that an action touches cannot do it, and what to do; empty if they can."""
    drawn: dict[str, int] = {}
    filled: dict[Well, int] = {}
    for each in transfers:
        try:
            volume_pl = picolitres(each.volume_ul)
        except LimitReached:
            continue  # no volume; whoever makes the transfer says so
        if isinstance(each.source, Well):
            drawn[str(each.source)] = drawn.get(str(each.source), 0) + volume_pl
        if each.target is not None:
            filled[each.target] = filled.get(each.target, 0) + volume_pl
    by_name = {str(well): volume_pl for well, volume_pl in filled.items()}
    said = (
        *(_underfull(inventory, well, pl, by_name.get(well, 0)) for well, pl in drawn.items()),
        *(_overfull(inventory, well, pl, drawn.get(str(well), 0)) for well, pl in filled.items()),
    )
    return "; ".join(one for one in said if one)


def may_be(inventory: Inventory, transfer: Transfer) -> bool:
    """Whether a transfer between wells that were filled may be, as far as the ledger is sure."""
    is_known = isinstance(transfer.source, Well) and str(transfer.source) in inventory.wells
    return is_known and not objection(inventory, [transfer])


def _underfull(inventory: Inventory, well: str, drawn_pl: int, filled_pl: int) -> str:
    is_known = well in inventory.wells or filled_pl > 0 or well in inventory.stored
    there_pl = inventory.contents(well).volume_pl
    if not is_known or drawn_pl <= there_pl + filled_pl + _unsure_pl(inventory, well):
        return ""
    return (
        f"{well} holds {spoken(there_pl)}, {spoken(drawn_pl)} were asked for; "
        "fill it first, or draw less"
    )


def _overfull(inventory: Inventory, well: Well, filled_pl: int, drawn_pl: int) -> str:
    capacity_pl = inventory.capacities_pl.get(well.labware)
    there_pl = inventory.contents(str(well)).volume_pl
    most_pl = there_pl - drawn_pl + filled_pl - _unsure_pl(inventory, str(well))
    if capacity_pl is None or most_pl <= capacity_pl:
        return ""
    remedy = "use a fresh well" if filled_pl <= capacity_pl else "fill in less"
    return (
        f"{well} holds {spoken(there_pl)} of {spoken(capacity_pl)}; {spoken(filled_pl)} more "
        f"would overflow it; {remedy}"
    )


def _unsure_pl(inventory: Inventory, well: str) -> int:
    """By how much more, or less, than is known a well may hold."""
    doubts = inventory.in_doubt.get(well, {}).values()
    doubt_pl = sum(volume_pl for amounts in doubts for volume_pl in amounts.values())
    spread_ul = DEVIATIONS * inventory.contents(well).uncertainty_ul
    return doubt_pl + round(spread_ul * PL_PER_UL)
