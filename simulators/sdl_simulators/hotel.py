"""A simulated hotel: shelves that know what stands on them."""

from __future__ import annotations

from sdl.capabilities import Hotel
from sdl.errors import DriverFault
from sdl.model.lab import place_of
from sdl.sim import Bench, FaultOptions, Prediction
from sdl_simulators.options import check_not_negative

ACTIONS = ("locate",)


class SimulatedHotel:
    """Looks along its own sites, as many as ``sites`` in ``lab.toml`` says, for a bar code.

    The time for one look is a rounded guess for a reader that is driven along the shelves.
    """

    def __init__(
        self, *, name: str, bench: Bench, look_s: float = 3.0, faults: FaultOptions = ()
    ) -> None:
        """UserMistake if an option makes no sense."""
        check_not_negative(name, look_s=look_s)
        self._name = name
        self._bench = bench
        self._look_s = look_s
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """The reader stands still."""
        self._bench.stop(self._name)

    async def locate(self, labware: str) -> str:
        floor = self._bench.floor
        floor.site(labware)
        await self._bench.work(self._name, "locate", self._look_s)
        site = floor.site(labware)
        if place_of(site) != self._name:
            raise DriverFault(f"{self._name}: {labware!r} does not stand here")
        return site

    def predict_locate(self, labware: str) -> Prediction:  # noqa: ARG002 - as the action has it
        return Prediction(duration_s=self._look_s)


_: type[Hotel] = SimulatedHotel
