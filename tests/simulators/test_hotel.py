"""The simulated hotel: it finds what stands in it, and says so of what does not."""

from __future__ import annotations

import pytest

from sdl.errors import DriverFault
from sdl.sim import Bench
from sdl_simulators.hotel import SimulatedHotel


async def test_a_hotel_finds_what_stands_in_it_and_nothing_else() -> None:
    bench = Bench.instant(
        plates={"plate-1": "plate-96-flat", "plate-2": "plate-96-flat"},
        at={"plate-1": "hotel/3", "plate-2": "reader/1"},
        sites={"hotel": 4, "reader": 1},
    )
    hotel = SimulatedHotel(name="hotel", bench=bench)
    assert await hotel.locate("plate-1") == "hotel/3"
    with pytest.raises(DriverFault, match="hotel: 'plate-2' does not stand here"):
        await hotel.locate("plate-2")
    with pytest.raises(DriverFault, match="there is no plate 'plate-9' on the bench"):
        await hotel.locate("plate-9")
    bench.floor.put("plate-2", "hotel/1")
    assert await hotel.locate("plate-2") == "hotel/1"
