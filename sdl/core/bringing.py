"""Why labware has not come to where it is wanted, in words; and how sure it is where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdl.core.floor import PERSON
from sdl.core.lab_state import CarryState, LabState, PieceState
from sdl.core.view import CarryView
from sdl.model.lab import sites_of

if TYPE_CHECKING:
    from sdl.core.run import Step


def carry_view(one: CarryState) -> CarryView:
    """A carry as people may see it."""
    return CarryView(
        carry=one.id,
        labware=one.labware,
        source=one.ends[0],
        target=one.ends[1],
        carrier=one.carrier,
        step=one.step,
        since=one.since,
        withdrawn=one.withdrawn,
    )


def carried(carry: CarryState) -> str:
    """Who carries what, or is asked to."""
    if carry.carrier != PERSON:
        source, target = carry.ends
        return f"{carry.carrier} carries {carry.labware} from {source} to {target}"
    return carry_view(carry).asks


def not_come(piece: PieceState, lab: LabState, at: float, holder: str) -> str:
    """Why a piece is not there yet. ``holder``: who keeps it where it is, in words."""
    doubt = _doubt(piece, lab, at)
    if doubt:
        return f"for {piece.name}, and where that is, is not known for sure: {doubt}"
    if piece.lost:
        return f"{piece.name} is not to be had ({piece.lost}); {_say(piece)}"
    if not piece.leaves:
        return f"for {piece.name}, which stands on {piece.site}{holder and f'; {holder}'}"
    carry = _carry_of(piece, lab)
    return carried(carry) if carry is not None else f"for {piece.name}; {_say(piece)}"


def lid_in_the_way(lab: LabState, step: Step) -> str:
    """Which lid keeps a step from its beginning, in words; empty if none does."""
    plate, waiting = lab.lid_wants.get(step.instrument, ("", ""))
    if waiting != step.id:
        return ""
    lid = lab.lids[plate]
    if lid.lost:
        return f"{lid.name} is not to be had ({lid.lost}); {_say(lid)}"
    way = "taken off" if lid.site == plate else "put on"
    return f"{lid.name} has to be {way} first"


def no_room(piece: PieceState, lab: LabState, place: str, at: float) -> str:
    """What is on every site to which a piece could come, and what would take it away."""
    others = [one for one in lab.pieces.values() if one is not piece]
    there = {site: one for one in others for site in (one.site, one.leaves)}
    sites = sites_of(place, lab.sites.get(place, 0))
    if piece.leaves or piece.lost or any(site not in there for site in sites):
        return ""
    taken = (_taken(there[site], site, lab, at) for site in sites)
    return f"; no site of {place} is free: {', '.join(taken)}"


def _taken(piece: PieceState, site: str, lab: LabState, at: float) -> str:
    """That a piece is on a site, or may be."""
    doubt = _doubt(piece, lab, at)
    if doubt:
        return f"{piece.name} may be on {site}, which is not known for sure ({doubt})"
    carry = _carry_of(piece, lab)
    return f"{piece.name} on {site}{f' ({carried(carry)})' if carry is not None else ''}"


def _doubt(piece: PieceState, lab: LabState, at: float) -> str:
    """Why nobody knows where a piece of the bench is, what was known last, and what to do.

    Empty where it is known, and where it was taken off the bench.
    """
    carry = _carry_of(piece, lab)
    if piece.lost and piece.stands:
        why = piece.lost
    elif carry is not None and _is_unsure(carry, lab, at):
        why = f"nobody knows how far {carry.carrier} has carried it"
    else:
        return ""
    way = f", on its way to {piece.site}" if piece.leaves else ""
    ask = _say(piece) if piece.lost else "say what became of it: sdl resolve"
    return f"{why}; last known on {piece.stands}{way}; look for it, then {ask}"


def _is_unsure(carry: CarryState, lab: LabState, at: float) -> bool:
    """Whether a person is asked what became of the command of a carry."""
    carrier = lab.instruments.get(carry.carrier)
    if carrier is None:
        return False
    asked = carrier.asking or (carrier.busy_with or "" if carrier.is_lost(at) else "")
    return asked.startswith(f"{carry.id}/")


def _carry_of(piece: PieceState, lab: LabState) -> CarryState | None:
    return next((one for one in lab.carries.values() if one.piece == piece.name), None)


def _say(piece: PieceState) -> str:
    return f"say where it is: sdl place {piece.name} SITE"
