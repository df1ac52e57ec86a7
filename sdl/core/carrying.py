"""Which piece of labware is carried where next: always correct, deterministic, needs no plan.

A piece stands on one site and goes to a site that nothing stands on and nothing goes to. No carry
is begun after which some piece could never get where it has to go, as ``safety`` judges.

Who needs a piece at a place says so by a ``Want``. Wants come in order of urgency. The site that
one could take if a carrier were free is kept for it from those after it. A piece that stands in the
way is put into store, unless its run holds it where it is.

A piece sets out over a relay, a site that is neither its end nor a store, only where it can go
through to where it may rest; else what keeps it is cleared first, from the far end. Once it is on
its way, the sites ahead are kept for it from what is less urgent. So each time that a piece has to
turn back something more urgent has come nearer to its end, and none goes to and fro for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sdl.core.floor import Floor
from sdl.core.safety import is_safe
from sdl.core.standing import Carry, Piece, Standing

Bound: TypeAlias = Callable[[str], str]
"""The place where a piece is wanted; empty: nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A step that needs a piece at a place."""

    step: str
    piece: str
    place: str
    beside: frozenset[str] = frozenset()
    """What the step needs there, too: that is not put away for its sake."""
    ahead: bool = False
    """Whether the piece comes only later: a site is kept for it, or cleared."""
    but: frozenset[str] = frozenset()
    """Transporters that have to be ready for what is more urgent."""
    alike: bool = False
    """Whether others follow that differ from it in their pieces alone, each with at least as much
    beside: where it leads nowhere, they do not either."""


def next_carry(
    standing: Standing, wants: Iterable[Want], bound: Bound = lambda _: ""
) -> Carry | None:
    """The carry to begin now, for the most urgent want that may have one; None if none may.

    ``wants``: the most urgent one first. ``bound``: where pieces that stand in the way are wanted
    themselves. To be asked again after each carry that was begun.
    """
    if not standing.free_carriers:
        return None
    kept: set[str] = set()
    shut: set[tuple[str, str]] = set()
    standing.passed.clear()
    for want in wants:
        piece = standing.pieces.get(want.piece)
        if piece is None or (here := standing.place(piece)) == want.place:
            continue
        if want.ahead and (site := standing.open_site(want.place, kept)):
            kept.update(site)
            continue
        ahead = [] if want.ahead else standing.passes(piece, want.place, kept)
        if (here, want.place) in shut:  # a thousand may wait for one instrument
            pass
        elif not want.ahead and standing.shuts_out(here, want.place, kept):
            shut.add((here, want.place))
            standing.passed.add((here, want.place))
        else:
            carry = _sought(standing, want, piece, kept, bound)
            if carry is not None:
                if carry.carrier in standing.free_carriers and carry.carrier not in want.but:
                    return carry
                kept.add(carry.target)
            elif want.alike and not (piece.moves or piece.held):
                standing.passed.add((here, want.place))
        # What has set out gets through before what is less urgent.
        kept.update((piece.site, *ahead) if ahead else ())
    return None


def _sought(
    standing: Standing, want: Want, piece: Piece, kept: set[str], bound: Bound
) -> Carry | None:
    """The best safe carry for a want, whether its carrier is free for it or not."""
    legs = _towards(standing, want, piece, kept, bound)
    return next((carry for carry in legs if is_safe(standing, carry)), None)


def _towards(
    standing: Standing, want: Want, piece: Piece, kept: set[str], bound: Bound
) -> Iterator[Carry]:
    """Legs that bring a piece nearer to where it is wanted, the best first, or make room for it.

    ``bound``: where a piece is wanted.
    """
    if want.ahead:
        yield from _room(standing, want, want.place, kept, bound)
        return
    if piece.moves or piece.held or standing.place(piece) in standing.closed:
        return
    floor, here = standing.floor, standing.place(piece)
    nearer = floor.nearer(here, want.place)
    for place in nearer:
        if standing.through(place, want.place, kept) is not None:
            yield from _legs(standing, want, piece, standing.open_site(place, kept, piece.home))
    for place in nearer:
        yield from _cleared(standing, want, (place, want.place), kept, bound, frozenset())


def _cleared(
    standing: Standing,
    want: Want,
    way: tuple[str, str],
    kept: set[str],
    bound: Bound,
    seen: frozenset[str],
) -> Iterator[Carry]:
    """Carries that make room on a way, the far end first: what is there may have to come this way.

    ``way``: the place behind its start, and its end; ``seen``: places where room is made already.
    """
    for place in reversed(standing.floor.corridor(*way)):
        if place not in seen and not standing.open_site(place, kept):
            yield from _room(standing, want, place, kept, bound, seen | {place})


def _room(
    standing: Standing,
    want: Want,
    place: str,
    kept: set[str],
    bound: Bound,
    seen: frozenset[str] = frozenset(),
) -> Iterator[Carry]:
    """Carries of what stands at a place for no reason: to where it is wanted, or into store.

    Where its way out is taken, room is made there first, and be it by what is to come in.
    """
    floor = standing.floor
    if place in floor.stores:
        return
    steps_aside = {want.piece} if place != want.place else set()
    away = [
        one
        for one in standing.idle[place]
        if one.site not in kept and one.name not in want.beside - steps_aside
    ]
    for other in away:
        aim = bound(other.name) or place
        for towards in floor.nearer(place, aim) if aim != place else ():
            if towards == aim:  # a relay could come to rest on the way
                targets = standing.open_site(towards, kept)
                yield from _legs(standing, want, other, targets)
        for store in _stores(floor, place, other):
            for towards in floor.nearer(place, store):
                if standing.through(towards, store, kept) is not None:
                    targets = standing.open_site(towards, kept, other.home)
                    yield from _legs(standing, want, other, targets)
    for other in away:
        for store in _stores(floor, place, other):
            for towards in floor.nearer(place, store):
                yield from _cleared(standing, want, (towards, store), kept, bound, seen)


def _stores(floor: Floor, place: str, piece: Piece) -> list[str]:
    """Where a piece may be put away, the nearest first, its home before others as near."""
    home = floor.place_of.get(piece.home, "")
    return sorted(floor.stores, key=lambda store: (floor.far(place, store), store != home))


def _legs(standing: Standing, want: Want, piece: Piece, targets: Sequence[str]) -> Iterator[Carry]:
    """By each carrier that could, those that are free for it first."""
    place_of, free = standing.floor.place_of, set(standing.free_carriers) - want.but
    for target in targets:
        able = standing.floor.carriers_between(place_of[piece.site], place_of[target])
        for carrier in sorted(able, key=lambda name: name not in free):
            yield Carry(
                piece=piece.name, source=piece.site, target=target, carrier=carrier, step=want.step
            )
