"""What is there from before: sources that were drawn from, and wells that were used.

The lab's file says what is there when a lab is at work for the first time. What its record says of
the last time comes as events when work begins again, and each is told to people in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable

from sdl.core.events import StockLeft, WellsLeft
from sdl.core.inventory import Inventory
from sdl.core.lab_state import LabState
from sdl.core.mixture import Mixture, Portion, picolitres
from sdl.model.stock import Remnant


def put_in_store(inventory: Inventory, event: StockLeft) -> str:
    """A declared source holds what was left in it; in words. Empty if it is not declared."""
    vessel = inventory.sources.get(event.source)
    if vessel is None:
        return ""
    said_pl = vessel.contents.volume_pl
    vessel.contents = _mixed(event.left, event.journal)
    vessel.expiries = {each.lot: each.expires for each in event.left if each.expires}
    vessel.doubts = {event.journal: picolitres(event.doubt_ul)} if event.doubt_ul > 0.0 else {}
    doubt = f" ({vessel.spoken(vessel.doubt_pl)} of it in doubt)" if vessel.doubts else ""
    amount = "COUNT" if vessel.is_counted else "VOLUME"
    return (
        f"{event.source} holds {vessel.spoken(vessel.contents.volume_pl)}{doubt}, as when "
        f"{event.journal} ended, and not {vessel.spoken(said_pl)} as lab.toml says; if that is "
        f"wrong: sdl refill {event.source} {amount} --replaces"
    )


def take_out(lab: LabState, event: WellsLeft) -> str:
    """Wells that were used are not free; in words. Empty if nothing of it is news."""
    free = lab.free_wells.get(event.labware)
    if free is None:
        return ""
    used = set(event.used)
    lab.free_wells[event.labware] = [name for name in free if name not in used]
    if used:
        lab.opened.setdefault(event.labware, event.owner)
    if lab.inventory is not None:
        held = lab.inventory.wells  # what is told now is all that it holds
        for place in [place for place in held if place.partition("/")[0] == event.labware]:
            del held[place]
        for place in dict.fromkeys(one.place for one in event.left):
            its = [one for one in event.left if one.place == place]
            held[place] = _mixed(its, f"{event.journal}/{place}")
    if not used:
        return (
            f"{event.labware} holds what was left in it when {event.journal} ended; if it was "
            f"filled anew, begin with --fresh {event.labware}"
        )
    wells = "1 well" if len(used) == 1 else f"{len(used)} wells"
    count = "counts" if len(used) == 1 else "count"
    return (
        f"{event.labware}: {wells} {count} as used, as when {event.journal} ended; if a fresh one "
        f"stands there, begin with --fresh {event.labware}"
    )


def _mixed(left: Iterable[Remnant], error: str) -> Mixture:
    """``error``: names what one is off by, and with it all others of the same place."""
    portions = (
        Portion(
            component=one.component,
            lot=one.lot,
            volume_pl=picolitres(one.volume_ul),
            errors={error: one.uncertainty_ul} if one.uncertainty_ul else {},
        )
        for one in left
    )
    return Mixture().plus(Mixture(tuple(portions)))
