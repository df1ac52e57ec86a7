"""Stations that work on a plate for a while, and a run whose way among them is one number."""

from __future__ import annotations

from dataclasses import dataclass

from sdl import Capability, Well, action, protocol
from sdl.sim import Bench

WORK_S = (5.0, 60.0, 240.0)
STATIONS = 5
STEPS_MAX = 6


class Station(Capability):
    """Does something to what stands there, and to nothing else."""

    def __init__(self, *, name: str, bench: Bench) -> None:
        self._name = name
        self._bench = bench

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """It stands still."""
        self._bench.stop(self._name)

    @action("once", timeout_s=3600.0, lid="off")
    async def work(self, well: Well, seconds: float) -> None:
        """Work on a plate for so long. DriverFault if it stands elsewhere, or has its lid on."""
        self._bench.floor.check_open(self._name, well.labware)
        with self._bench.floor.at_work(self._name, well.labware):
            await self._bench.work(self._name, "work", seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one run observes."""

    visits_count: int


@protocol
async def wander(
    a: Station, b: Station, c: Station, d: Station, e: Station, well: Well, *, course: int
) -> Way:
    """Go to up to six stations, in the order that the digits of ``course`` name."""
    stations = (a, b, c, d, e)
    rest, visits = divmod(course, STEPS_MAX)
    for _ in range(visits + 1):
        rest, place = divmod(rest, STATIONS)
        await stations[place].work(well, WORK_S[(rest + place) % len(WORK_S)])
    return Way(visits_count=visits + 1)
