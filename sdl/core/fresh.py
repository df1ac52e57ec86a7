"""Fresh plates that people bring while a lab is at work: what they say, and what follows of it.

A plate that is brought has a name of its own, which nothing in the lab had before, so that no well
of it is ever taken for one that was used. It stands on a site like any other from then on.
"""

from __future__ import annotations

from sdl.core import events as ev
from sdl.core.commands import EndCarry
from sdl.core.commons import Commons
from sdl.core.plate_task import PlateTask
from sdl.core.roster import Roster
from sdl.core.safety import is_safe
from sdl.core.standing import Piece, Standing
from sdl.core.transport import Transport
from sdl.model.lab import is_name, place_of
from sdl.model.labware import Labware


class Fresh:
    """Takes fresh plates of one lab in."""

    def __init__(self, commons: Commons, roster: Roster, transport: Transport) -> None:
        self._commons = commons
        self._roster = roster
        self._transport = transport

    def bring(self, event: ev.PlateBrought) -> None:
        """Take a person's word in, unless it makes no sense."""
        asked = self._asked(event.task)
        if asked is None or self.objection(event):
            return
        part = self._roster[asked.campaign]
        kind = part.casting.plates.kind_of(asked.kind)
        plate = Labware(name=event.labware, kind=kind, at=event.site)
        piece = self._commons.lab.bring(plate)
        self._commons.steps.know(piece)
        self._transport.set_down_by_hand(piece)
        for each in self._roster.values():
            each.casting.plates.take_in(plate)
        part.state.wants_plate = None
        end = EndCarry(carry="", labware=plate.name, site=plate.at, lost="")
        self._commons.out.append(end)

    def objection(self, event: ev.PlateBrought) -> str:
        """Why a person's word makes no sense now; empty if it does."""
        asked = self._asked(event.task)
        if asked is None:
            return f"no plate is asked for by {event.task}, or not any more; see: sdl tasks"
        return self._of_name(event.labware) or self._of_site(asked, event)

    def _asked(self, task: str) -> PlateTask | None:
        asked = (part.state.wants_plate for part in self._roster.values())
        return next((one for one in asked if one is not None and one.id == task), None)

    def _of_name(self, name: str) -> str:
        lab = self._commons.lab
        if name in lab.pieces:
            return (
                f"there is a {name} already; a fresh plate has a name of its own. If it is {name} "
                f"that you have brought back: sdl place {name} SITE"
            )
        if name in lab.free_wells or name in lab.instruments:
            return f"there is a {name!r} already; a fresh plate has a name of its own"
        if not is_name(name):
            return f"{name!r} is no name; use up to 40 of a-z, 0-9 and -, such as plate-9"
        return ""

    def _of_site(self, asked: PlateTask, event: ev.PlateBrought) -> str:
        floor, site = self._transport.floor, event.site
        places = (asked.place,) if asked.place else floor.stores
        if place_of(site) not in places or site not in floor.place_of:
            sites = ", ".join(one for place in places for one in floor.sites.get(place, ()))
            return f"a fresh plate is not put on {site!r} but on one of {sites}"
        standing = self._transport.deck.standing()
        there = standing.taken.get(site)
        if there is None:
            return self._of_room(standing, event)
        if not there:
            return f"something may stand on {site} of which nobody knows where it is; take another"
        return f"{there} stands on {site}; take another, or take it off: sdl place {there} --off"

    def _of_room(self, standing: Standing, event: ev.PlateBrought) -> str:
        """Why a site has to stay free for what will come back to it; empty if it need not."""
        fresh = Piece(name=event.labware, site=event.site, home=event.site)
        after = Standing(
            floor=standing.floor,
            pieces={**standing.pieces, fresh.name: fresh},
            free_carriers=standing.free_carriers,
            blocked=standing.blocked,
        )
        if is_safe(after):
            return ""
        out = ", ".join(piece.name for piece in standing.out)
        return (
            f"{event.site} is needed by what comes back into store: {out}; take a full plate off "
            "first, with: sdl place NAME --off"
        )
