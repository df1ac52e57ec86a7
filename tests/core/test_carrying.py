"""Plates on sites: nothing locks up, nothing stands where something stands, whatever ends first."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest

from sdl.core.carrying import Want, next_carry
from sdl.core.floor import Floor
from sdl.core.safety import is_safe
from sdl.core.standing import Carry, Piece, Standing
from tests.core.courses import State, after, at_first, every_course, floor, play_by_chance

CELLS = [
    ({"a": 1, "b": 1}, [("a", "b"), ("b", "a"), ("a", "b", "a")]),
    ({"a": 1, "b": 1, "c": 1}, [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a"), ("c", "a")]),
    ({"a": 1, "b": 2}, [("a", "b", "a")] * 4),
    ({"a": 1, "b": 1, "c": 2, "d": 1}, [("a", "c", "b"), ("b", "c", "a"), ("d", "c", "d")]),
    ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, [("a", "b", "c"), ("e", "d", "c"), ("c", "b", "a")]),
    ({"a": 1, "b": 1}, [("a", "b")] * 2 + [("b", "a")] * 2),
]
LARGE = ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, [("a", "b", "c"), ("c", "b", "a")] * 3)


@pytest.mark.parametrize("arms", [1, 2])
@pytest.mark.parametrize("stations, routes", CELLS)
def test_no_small_cell_locks_up_in_whatever_order_things_end(
    stations: dict[str, int], routes: list[tuple[str, ...]], arms: int
) -> None:
    on = floor(stations, hotel=len(routes), arms=arms)
    order = range(len(routes)) if arms == 1 else [*reversed(range(len(routes)))]
    assert every_course(on, at_first(on, routes), order) > 3 * len(routes)


@pytest.mark.drill
@pytest.mark.timeout(3600)
def test_six_plates_on_five_stations_do_not_lock_up_in_whatever_order_things_end() -> None:
    stations, routes = LARGE
    on = floor(stations, hotel=len(routes))
    assert every_course(on, at_first(on, routes), range(len(routes))) > 1_000


def test_of_two_that_would_swap_only_one_goes_in() -> None:
    on = floor({"a": 1, "b": 1}, hotel=2)
    p0 = Piece(name="p0", site="a/1", claim=("a", "b"))
    standing = Standing(
        floor=on,
        pieces={"p0": p0, "p1": Piece(name="p1", site="hotel/2", claim=("b", "a"))},
        free_carriers=("arm-0",),
    )
    assert is_safe(standing)
    # With the hotel full, two that wait for each other's site could never go on.
    full = Piece(name="p2", site="hotel/1"), Piece(name="p3", site="hotel/2")
    stuck = Standing(
        floor=on,
        pieces={
            "p0": p0,
            "p1": Piece(name="p1", site="b/1", claim=("b", "a")),
            **{each.name: each for each in full},
        },
        free_carriers=("arm-0",),
    )
    assert not is_safe(stuck)
    before = replace(stuck.pieces["p1"], site="hotel/2")
    room = Standing(
        floor=on, pieces={"p0": p0, "p1": before, "p2": full[0]}, free_carriers=("arm-0",)
    )
    assert next_carry(room, [Want(step="s", piece="p1", place="b")]) is not None


def random_cell(seed: int) -> tuple[Floor, State, list[int]]:
    """Up to 12 plates, 6 stations and 2 arms; routes may come back to a station."""
    chance = random.Random(seed)
    names = "abcdef"[: chance.randint(1, 6)]
    on = floor(
        {name: chance.choice((1, 1, 1, 2, 3)) for name in names},
        hotel=chance.randint(12, 14),
        arms=chance.randint(1, 2),
    )
    routes = [
        tuple(chance.choice(names) for _ in range(chance.randint(1, 6)))
        for _ in range(chance.randint(1, 12))
    ]
    order = [*range(len(routes))]
    chance.shuffle(order)
    return on, at_first(on, routes), order


@pytest.mark.parametrize("block", range(5))
def test_random_cells_come_to_their_end(block: int) -> None:
    for seed in range(40 * block, 40 * block + 40):
        play_by_chance(*random_cell(seed), seed, turns_max=5_000)


def test_a_way_of_two_legs_goes_over_a_site_that_both_reach() -> None:
    on = Floor(
        sites={"hotel": ("hotel/1",), "nest": ("nest/1",), "reader": ("reader/1",)},
        stores=("hotel", "nest"),
        carriers={"arm": frozenset({"hotel", "nest"}), "rail": frozenset({"nest", "reader"})},
    )
    wants = [Want(step="s", piece="p", place="reader")]

    def at(site: str) -> Standing:
        piece = Piece(name="p", site=site, claim=("reader",))
        return Standing(floor=on, pieces={"p": piece}, free_carriers=("arm", "rail"))

    first, second = next_carry(at("hotel/1"), wants), next_carry(at("nest/1"), wants)
    assert first is not None
    assert second is not None
    assert (first.target, first.carrier) == ("nest/1", "arm")
    assert (second.target, second.carrier) == ("reader/1", "rail")
    assert next_carry(at("reader/1"), wants) is None


def test_what_is_held_or_on_its_way_stays_and_keeps_both_its_sites() -> None:
    on = floor({"a": 1, "b": 1}, hotel=2)
    going = Piece(name="p0", site="a/1", leaves="hotel/1", claim=("a",))
    held = Piece(name="p1", site="b/1", held=True, claim=("b",))
    standing = Standing(floor=on, pieces={"p0": going, "p1": held}, free_carriers=("arm-0",))
    assert standing.free["hotel"] == ["hotel/2"]
    assert standing.free["a"] == []
    wants = [Want(step=f"s{place}", piece="p0", place=place) for place in "ab"]
    assert next_carry(standing, wants) is None


def test_what_stands_in_the_way_goes_to_where_it_is_wanted_itself() -> None:
    on = floor({"handler": 1, "incubator": 2}, hotel=4)
    pieces = {
        "new": Piece(name="new", site="hotel/1", claim=("handler",)),
        "old": Piece(name="old", site="handler/1", claim=("incubator",), home="hotel/2"),
    }
    standing = Standing(floor=on, pieces=pieces, free_carriers=("arm-0",))
    wants = [
        Want(step="a", piece="new", place="handler"),
        Want(step="b", piece="old", place="incubator"),
    ]
    carry = next_carry(standing, wants, {"old": "incubator"}.__getitem__)
    assert carry is not None
    assert (carry.piece, carry.target) == ("old", "incubator/1"), "one carry in place of two"
    away = next_carry(standing, wants)
    assert away is not None
    assert (away.piece, away.target) == ("old", "hotel/2")


def test_who_leaves_a_transporter_to_others_has_nothing_carried_by_it_and_keeps_its_site() -> None:
    on = floor({"a": 1}, hotel=2, arms=2)
    pieces = {f"p{n}": Piece(name=f"p{n}", site=f"hotel/{n}", claim=("a",)) for n in (1, 2)}
    standing = Standing(floor=on, pieces=pieces, free_carriers=tuple(on.carriers))
    first = Want(step="s1", piece="p1", place="a", but=frozenset({"arm-0", "arm-1"}))
    second = Want(step="s2", piece="p2", place="a")
    assert next_carry(standing, [first, second]) is None
    assert next_carry(standing, [second]) is not None
    carry = next_carry(standing, [replace(first, but=frozenset({"arm-0"}))])
    assert carry is not None
    assert carry.carrier == "arm-1", "another one may"


@pytest.mark.parametrize("sites, held", [*product((1, 2), (False, True))])
def test_a_piece_in_the_way_is_put_into_store_unless_it_is_held(sites: int, held: bool) -> None:
    on = floor({"a": sites}, hotel=2)
    standing = Standing(
        floor=on,
        pieces={
            "old": Piece(name="old", site="a/1", held=held),
            "new": Piece(name="new", site="hotel/1", claim=("a",)),
        },
        free_carriers=("arm-0",),
    )
    carry = next_carry(standing, [Want(step="s", piece="new", place="a")])
    if sites == 2:
        assert carry is not None
        assert (carry.piece, carry.target) == ("new", "a/2")
    elif held:
        assert carry is None
    else:
        assert carry is not None
        assert (carry.piece, carry.target) == ("old", "hotel/2")


def random_standing(seed: int) -> Standing:
    """Some pieces on some sites, some on their way, in a cell whose stores may be too small."""
    chance = random.Random(seed)
    on = floor(
        {name: chance.randint(1, 2) for name in "abcd"[: chance.randint(2, 4)]},
        hotel=chance.randint(1, 5),
    )
    sites = [site for of_place in on.sites.values() for site in of_place]
    chance.shuffle(sites)
    pieces = {}
    for number in range(chance.randint(1, len(sites) - 1)):
        leaves = sites.pop() if len(sites) > 2 and chance.random() < 0.2 else ""
        pieces[f"p{number}"] = Piece(
            name=f"p{number}",
            site=sites.pop(),
            leaves=leaves,
            held=chance.random() < 0.2,
            claim=tuple(chance.choices("abcd"[: len(on.sites) - 1], k=chance.randint(0, 3))),
        )
        if len(sites) == 1:
            break
    return Standing(floor=on, pieces=pieces, free_carriers=("arm-0",))


@pytest.mark.parametrize("block", range(4))
def test_what_is_asked_of_a_carry_is_what_is_so_once_it_has_begun(block: int) -> None:
    found = set()
    for seed in range(block * 200, (block + 1) * 200):
        standing = random_standing(seed)
        for piece in standing.pieces.values():
            free = (site for sites in standing.free.values() for site in sites)
            for target in free if not piece.leaves else ():
                carry = Carry(
                    piece=piece.name, source=piece.site, target=target, carrier="arm-0", step=""
                )
                expected = is_safe(after(standing, carry))
                assert is_safe(standing, carry) == expected, f"seed {seed}: {carry}"
                found.add(expected)
    assert found == {True, False}


def test_what_stands_a_while_later_is_the_same_as_if_it_had_been_looked_at_afresh() -> None:
    moved = 0
    for seed in range(300):
        standing, chance = random_standing(seed), random.Random(seed)
        for _ in range(6):
            afresh = dict(standing.pieces)
            free = [site for sites in standing.free.values() for site in sites]
            for name in chance.sample(
                list(afresh), k=chance.randint(0, min(2, len(free), len(afresh)))
            ):
                was = afresh[name]
                held, site = chance.random() < 0.3, was.site if was.leaves else free.pop()
                leaves = "" if was.leaves or chance.random() < 0.5 else was.site
                afresh[name] = replace(was, held=held, site=site, leaves=leaves)
            closed = frozenset(chance.sample("abcd"[: len(standing.floor.sites) - 1], k=1))
            changed = [one for name, one in afresh.items() if one != standing.pieces[name]]
            standing.go_on(changed, ("arm-0",), closed)
            expected = replace(standing, pieces=afresh, closed=closed)
            assert standing == expected, f"seed {seed}"
            moved += len(changed)
    assert moved > 1000


def test_a_want_that_is_shut_out_changes_nothing() -> None:
    shut = 0
    for seed in range(400):
        standing, chance = random_standing(seed), random.Random(seed)
        wants = [
            Want(step=name, piece=name, place=chance.choice(list(standing.floor.sites)))
            for name in standing.pieces
        ]
        here = {name: standing.place(piece) for name, piece in standing.pieces.items()}
        open_ones = [
            one
            for one in wants
            if one.place != here[one.piece] and not standing.is_shut(here[one.piece], one.place)
        ]
        shut += len(wants) - len(open_ones)
        assert next_carry(standing, wants) == next_carry(standing, open_ones), f"seed {seed}"
    assert shut > 100
