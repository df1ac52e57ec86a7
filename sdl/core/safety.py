"""Whether every piece of labware could still come to its end: what no carry may put at risk.

That is the Banker's test of Lawley, Reveliotis and Ferreira (1998, doi 10.1023/A:1008048429082) on
sites, with the places that a piece may still need as its claim. It looks for an order in which
every piece that is out of store can come to its end, or into store, with the sites that are free
then; as pieces only give sites back, it takes the first order that it finds. An answer of *safe* is
therefore one whole way out.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sdl.core.standing import Carry, Piece, Standing


def is_safe(standing: Standing, carry: Carry | None = None) -> bool:
    """Whether there is an order in which every piece can come to its end.

    ``carry``: with all as it is once that has been begun.
    """
    open_sites = _open_sites(standing, carry)
    if sum(open_sites[store] for store in standing.floor.stores) > len(standing.out):
        return True  # all of them could go into store, one after the other
    waiting = list(standing.out) if carry is None else _out_after(standing, carry)
    return all(gone is not None for gone, _ in _gone(standing, waiting, open_sites))


def in_the_way(standing: Standing) -> set[str]:
    """Of the pieces that are out of store, those that the others could not get past.

    Two that each want the other's site come to no end in which neither gives way.
    """
    each = _gone(standing, list(standing.out), _open_sites(standing))
    return {gone.name for gone, has_ended in each if gone is not None and not has_ended}


def _open_sites(standing: Standing, carry: Carry | None = None) -> dict[str, int]:
    """By place, once what is on its way has come."""
    found = {place: len(free) for place, free in standing.free.items()}
    for place, number in standing.left.items():  # what a piece is being taken from is free soon
        found[place] += number
    if carry is not None:
        found[standing.floor.place_of[carry.target]] -= 1
        found[standing.floor.place_of[carry.source]] += 1
    return found


def _gone(
    standing: Standing, waiting: list[Piece], open_sites: dict[str, int]
) -> Iterator[tuple[Piece | None, bool]]:
    """Pieces in an order in which they can go, and whether to their end or into store for a while.

    None where no other can go. ``waiting`` and ``open_sites`` are used up.
    """
    while waiting:
        ended = next((piece for piece in waiting if _may_end(standing, piece, open_sites)), None)
        if ended is None and not any(open_sites[store] for store in standing.floor.stores):
            yield None, False
            return
        gone = ended or waiting[0]
        waiting.remove(gone)
        _end(standing, gone, open_sites)
        yield gone, ended is not None


def _out_after(standing: Standing, carry: Carry) -> list[Piece]:
    """What is out of store once a carry has been begun, in the order of all pieces."""
    moved = replace(standing.pieces[carry.piece], site=carry.target, leaves=carry.source)
    out = [piece for piece in standing.out if piece.name != carry.piece]
    if standing.place(moved) not in standing.floor.stores:
        insort(out, moved, key=lambda piece: standing.rank[piece.name])
    return out


def _may_end(standing: Standing, piece: Piece, open_sites: Mapping[str, int]) -> bool:
    """Whether every place of its claim has a site for it, with all others where they are now."""
    here = standing.place(piece)
    return all(place == here or open_sites[place] for place in piece.claim)


def _end(standing: Standing, piece: Piece, open_sites: dict[str, int]) -> None:
    """It comes to its end: into a store that has room, else it stays at its last place."""
    floor, here = standing.floor, standing.place(piece)
    last = piece.claim[-1] if piece.claim else here
    rest = next((store for store in floor.stores if open_sites[store]), last)
    open_sites[here] += 1
    open_sites[rest] -= 1
