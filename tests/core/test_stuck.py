"""A start from which nothing could ever be carried is found before anything begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core.stuck import Stuck, stuck
from sdl.core.transport import floor_of
from sdl.model.lab import Lab, Place
from tests.core.cell import cell
from tests.core.test_transport import at_cell, carries, start

NEEDS = (("handler",), ("washer",), ("reader",))


def full(*sites: str, hotel: int = 0) -> Lab:
    """Three instruments of one site each, a hotel, and a plate on each of these sites."""
    there = cell(len(sites))
    labware = (replace(one, at=at) for one, at in zip(there.labware, sites, strict=True))
    places = (Place(name="hotel", sites=hotel),) if hotel else ()
    return replace(there, labware=tuple(labware), places=places)


@pytest.mark.parametrize(
    "there, plates, found",
    [
        (full("handler/1", "washer/1", "reader/1"), 1, True),
        (full("handler/1", "washer/1", "reader/1"), 3, True),
        (full("handler/1", "washer/1"), 2, True),
        (full("handler/1"), 1, False),
        (full("handler/1", "washer/1", "reader/1", hotel=1), 3, True),
        (full("handler/1", "washer/1", "reader/1", hotel=2), 3, False),
        (full("hotel/1", "hotel/2", "hotel/3", hotel=3), 3, False),
        (full("hotel/1", "handler/1", "washer/1", "reader/1", hotel=2), 1, False),
    ],
)
def test_where_every_site_is_taken_nothing_can_move(there: Lab, plates: int, found: bool) -> None:
    needs = {f"plate-{n}": NEEDS for n in range(1, plates + 1)}
    example = Stuck(labware="plate-1", site="handler/1", places=("washer",)) if found else None
    assert stuck(floor_of(there), there, needs) == example


def test_a_full_hotel_keeps_what_is_needed_elsewhere() -> None:
    there = full("hotel/1", "handler/1", "washer/1", "reader/1", hotel=1)
    found = stuck(floor_of(there), there, {"plate-1": NEEDS})
    assert found == Stuck(labware="plate-1", site="hotel/1", places=("handler",))


def test_one_of_several_instruments_is_enough_and_what_is_within_reach_needs_no_carry() -> None:
    there = full("handler/1", "washer/1", "reader/1")
    assert stuck(floor_of(there), there, {"plate-1": [("handler", "reader")]}) is None
    loose = replace(there, labware=(*there.labware, replace(there.labware[0], name="p", at="")))
    assert stuck(floor_of(loose), loose, {"plate-1": NEEDS, "p": NEEDS}) is None


@pytest.mark.parametrize("hotel", [0, 1, 2])
@pytest.mark.parametrize("plates", [1, 2, 3])
def test_the_engine_carries_nothing_from_such_a_start_and_from_any_other_something(
    plates: int, hotel: int
) -> None:
    there = full(*("handler/1", "washer/1", "reader/1")[:plates], hotel=hotel)
    floor = start(at_cell(1, there))
    while floor.queue and not floor.engine.is_over:
        floor.step()
    found = stuck(floor_of(there), there, {f"plate-{n}": NEEDS for n in range(1, plates + 1)})
    assert bool(carries(floor)) == (found is None) == (plates - hotel < 2)
