"""Cells played to their end by the rule of carrying alone, in every order in which things end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from sdl.core.carrying import Want, next_carry
from sdl.core.floor import Floor
from sdl.core.safety import is_safe
from sdl.core.standing import Carry, Piece, Standing

HOTEL = "hotel"


@dataclass(frozen=True, slots=True)
class Plate:
    """One plate of a cell that is played to its end."""

    name: str
    route: tuple[str, ...]
    """Places at which it is worked on, in order."""
    site: str
    leaves: str = ""
    by: str = ""
    """Who carries it."""
    done: int = 0
    at_work: bool = False

    @property
    def wanted_at(self) -> str:
        """Where it has to go, or is worked on, next; empty at its end."""
        return self.route[self.done] if self.done < len(self.route) else ""


State = tuple[Plate, ...]


def floor(stations: dict[str, int], *, hotel: int, arms: int = 1) -> Floor:
    """A cell in which every arm reaches everything."""
    sites = {
        place: tuple(f"{place}/{number + 1}" for number in range(count))
        for place, count in (stations | ({HOTEL: hotel} if hotel else {})).items()
    }
    reach = frozenset(sites)
    stores = (HOTEL,) if hotel else ()
    return Floor(sites=sites, stores=stores, carriers={f"arm-{n}": reach for n in range(arms)})


def at_first(on: Floor, routes: Sequence[tuple[str, ...]]) -> State:
    """Every plate in its slot of the hotel."""
    slots = on.sites[HOTEL]
    return tuple(Plate(f"p{number}", route, slots[number]) for number, route in enumerate(routes))


def relayed(stations: dict[str, int], *, hotel: int, reach: Sequence[Sequence[str]]) -> Floor:
    """A cell in which each arm reaches some places only. What is named nest is no instrument."""
    whole = floor(stations, hotel=hotel)
    carriers = {f"arm-{number}": frozenset(places) for number, places in enumerate(reach)}
    return Floor(sites=whole.sites, stores=whole.stores, carriers=carriers)


def settled(on: Floor, state: State, order: Sequence[int]) -> State:
    """Begin all that the rule begins, with the plates in this order of urgency."""
    while True:
        state = _started(on, state)
        standing, wants = standing_of(on, state), wants_of(on, state, order)
        bound = dict.fromkeys(standing.pieces, "") | {one.piece: one.place for one in wants}
        carry = next_carry(standing, wants, bound.__getitem__)
        if carry is None:
            return state
        assert carry.target not in standing.taken, f"{carry} goes where something is"
        assert is_safe(after(standing, carry)), carry
        state = tuple(
            replace(each, site=carry.target, leaves=carry.source, by=carry.carrier)
            if each.name == carry.piece
            else each
            for each in state
        )


def _started(on: Floor, state: State) -> State:
    """What stands where it is wanted is worked on, one plate at a time."""
    busy = closed(on, state)
    begun = []
    for each in state:
        here = on.place_of[each.site]
        begins = not each.leaves and here == each.wanted_at and here not in busy
        begun.append(replace(each, at_work=True) if begins else each)
        busy |= {here} if begins else set()
    return tuple(begun)


def closed(on: Floor, state: State) -> set[str]:
    """Instruments that are at work, or that an arm approaches."""
    busy = [(each.site, each.leaves) for each in state if each.at_work or each.leaves]
    places = {on.place_of[site] for sites in busy for site in sites if site}
    return {place for place in places if place != HOTEL and not place.startswith("nest")}


def standing_of(on: Floor, state: State) -> Standing:
    """As the rule sees it."""
    under_way = {each.by for each in state if each.leaves}
    return Standing(
        floor=on,
        pieces={
            each.name: Piece(
                name=each.name,
                site=each.site,
                leaves=each.leaves,
                held=each.at_work,
                claim=each.route[each.done :],
            )
            for each in state
        },
        free_carriers=tuple(name for name in on.carriers if name not in under_way),
        closed=frozenset(closed(on, state)),
    )


def after(standing: Standing, carry: Carry) -> Standing:
    """The same once a carry has been begun."""
    moved = replace(standing.pieces[carry.piece], site=carry.target, leaves=carry.source)
    return Standing(
        floor=standing.floor,
        pieces={**standing.pieces, carry.piece: moved},
        free_carriers=standing.free_carriers,
        closed=standing.closed,
        blocked=standing.blocked,
    )


def wants_of(on: Floor, state: State, order: Sequence[int]) -> list[Want]:
    """What each plate that is not worked on needs next; the first of ``order`` first."""
    return [
        Want(step=state[number].name, piece=state[number].name, place=state[number].wanted_at)
        for number in order
        if state[number].wanted_at and not state[number].at_work
    ]


def ends(state: State) -> Iterator[State]:
    """All that may end next: the work on a plate, or its way."""
    for number, each in enumerate(state):
        if each.leaves:
            ended = replace(each, leaves="", by="")
        elif each.at_work:
            ended = replace(each, at_work=False, done=each.done + 1)
        else:
            continue
        yield (*state[:number], ended, *state[number + 1 :])


def every_course(on: Floor, state: State, order: Sequence[int]) -> int:
    """Play a cell in every order in which things may end; the states that were seen.

    No course comes to a stand before all is done, and none goes in circles.
    """
    begun = settled(on, state, order)
    follows: dict[State, list[State]] = {}
    waiting = [begun]
    while waiting:
        now = waiting.pop()
        if now in follows:
            continue
        follows[now] = [settled(on, each, order) for each in ends(now)]
        left = [each for each in now if each.wanted_at] if not follows[now] else []
        assert not left, f"nothing goes on, and these are not done: {left} of {now}"
        waiting += follows[now]
    try:
        TopologicalSorter(follows).prepare()
    except CycleError as error:
        raise AssertionError(f"it goes in circles: {error.args[1][:6]}") from None
    return len(follows)


def play_by_chance(
    on: Floor, state: State, order: Sequence[int], seed: int, *, turns_max: int
) -> None:
    """Play a cell to its end, in an order of endings by chance."""
    chance = random.Random(seed)
    state, turns = settled(on, state, order), 0
    while following := list(ends(state)):
        state, turns = settled(on, chance.choice(following), order), turns + 1
        assert turns < turns_max, f"seed {seed}: it goes in circles: {state}"
    left = [each for each in state if each.wanted_at]
    assert not left, f"seed {seed}: nothing goes on, and these are not done: {left}"
