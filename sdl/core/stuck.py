"""A start of a campaign after which nothing could ever be carried: each site that matters is taken.

Told before anything begins. It holds against nothing that the rule of carrying could do: one carry
that this would begin, for the sake of any plate, is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sdl.core.carrying import Want, next_carry
from sdl.core.floor import PERSON, Floor
from sdl.core.standing import Piece, Standing
from sdl.model.lab import Lab, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A plate that could never come where it is needed, as an example of all."""

    labware: str
    site: str
    """Where it stands."""
    places: tuple[str, ...]
    """At one of which it is needed."""


def stuck(floor: Floor, lab: Lab, needs: Mapping[str, Sequence[tuple[str, ...]]]) -> Stuck | None:
    """The first plate of a campaign, if none of them can do, or be carried to, what it needs.

    ``needs``: by plate, for each role that acts on it the instruments that may play it.
    """
    pieces = {one.name: Piece(name=one.name, site=one.at) for one in lab.labware if one.at}
    found: list[Stuck] = []
    for name in needs:
        if name not in pieces:
            return None  # on no site: within everybody's reach
        here = place_of(pieces[name].site)
        away = [places for places in needs[name] if here not in places]
        claim = tuple(places[0] for places in needs[name] if len(places) == 1)
        ends = [place for places in away for place in places]
        if not away or any(_moves(floor, pieces, name, place, claim) for place in ends):
            return None
        found.append(Stuck(labware=name, site=pieces[name].site, places=away[0]))
    return found[0] if found else None


def _moves(
    floor: Floor, pieces: Mapping[str, Piece], name: str, place: str, claim: tuple[str, ...]
) -> bool:
    """Whether a carry could begin, so that a piece comes nearer to a place.

    ``claim``: the other places at which it will be needed in any case.
    """
    piece = replace(pieces[name], claim=tuple(dict.fromkeys((*claim, place))))
    carriers = (*floor.carriers, PERSON)
    standing = Standing(floor=floor, pieces={**pieces, name: piece}, free_carriers=carriers)
    return next_carry(standing, [Want(step="", piece=name, place=place)]) is not None
