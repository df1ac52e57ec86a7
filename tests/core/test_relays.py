"""Hand-over sites: a plate sets out only where it can go through, so none turns back for ever."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sdl.core.floor import Floor
from tests.core.courses import HOTEL, Plate, State, at_first, every_course, play_by_chance, relayed

NEST = ({"a": 1, "nest": 1, "b": 1}, [(HOTEL, "a"), (HOTEL, "nest"), ("nest", "b")])
"""An arm for one instrument, and for the other two that meet at a nest of one site."""
ROW = (
    {"a": 1, "nest": 1, "nest-2": 1, "b": 1},
    [(HOTEL, "a", "nest"), ("nest", "nest-2"), ("nest-2", "b")],
)
"""Two nests in a row."""
THROUGH = ({"a": 1, "b": 1}, [(HOTEL, "a"), ("a", "b")])
"""The only way to one instrument leads over a site of another."""
DEEP = ({"a": 1, "b": 2, "c": 1}, [(HOTEL, "a"), ("a", "b"), ("b", "c")])
FORK = ({"a": 1, "nest": 1, "b": 1, "c": 1}, [(HOTEL, "nest", "a"), ("nest", "b", "c")])
CELLS = {"nest": NEST, "row": ROW, "through": THROUGH, "deep": DEEP, "fork": FORK}
ROUTES = {
    "all one way": [("a", "b"), ("a", "b"), ("a", "b")],
    "two ways": [("a", "b"), ("b", "a"), ("a", "b", "a")],
    "to the end": [("b",), ("b", "a"), ("b",)],
}


@pytest.mark.parametrize("idle", ["", "a", "b"])
@pytest.mark.parametrize("routes", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize(
    "cell", [NEST, ROW, THROUGH, DEEP, FORK], ids=["nest", "row", "through", "deep", "fork"]
)
def test_no_cell_with_relays_locks_up_or_goes_in_circles(
    cell: tuple[dict[str, int], list[Sequence[str]]], routes: list[tuple[str, ...]], idle: str
) -> None:
    stations, reach = cell
    on = relayed(stations, hotel=len(routes) + bool(idle), reach=reach)
    state = at_first(on, [*routes, *([()] if idle else [])])
    if idle:
        state = (*state[:-1], replace(state[-1], site=f"{idle}/1"))
    for order in (range(len(routes)), range(len(routes))[::-1]):
        assert every_course(on, state, order) > 3


def random_cell(seed: int) -> tuple[Floor, State, list[int]]:
    """Up to six instruments and three nests, in a chain of arms; two plates may be in the way."""
    chance = random.Random(seed)
    instruments = [*"abcdef"[: chance.randint(2, 6)]]
    names = [*instruments, *("nest", "nest-2", "nest-3")[: chance.randint(0, 3)]]
    joined, reach, left = [HOTEL], [], chance.sample(names, k=len(names))
    while left:  # each arm reaches something that an earlier one reaches, too
        more = [left.pop() for _ in range(min(len(left), chance.randint(1, 3)))]
        met = chance.sample(joined, k=min(len(joined), chance.choice((1, 1, 2))))
        reach.append((*met, *more))
        joined += more
    stations = {name: chance.choice((1, 1, 1, 2)) for name in names}
    routes = [
        tuple(chance.choice(instruments) for _ in range(chance.randint(1, 5)))
        for _ in range(chance.randint(1, 10))
    ]
    idle = chance.randint(0, 2)
    on = relayed(stations, hotel=len(routes) + idle + chance.randint(0, 1), reach=reach)
    sites = chance.sample([site for site in on.place_of if not site.startswith(HOTEL)], k=idle)
    spare = [Plate(f"idle-{site}", (), site) for site in sites]
    state = (*at_first(on, routes), *spare)
    order = [*range(len(routes))]
    chance.shuffle(order)
    return on, state, order


@pytest.mark.parametrize("block", range(5))
def test_random_cells_with_relays_come_to_their_end(block: int) -> None:
    for seed in range(40 * block, 40 * block + 40):
        play_by_chance(*random_cell(seed), seed, turns_max=2_000)
