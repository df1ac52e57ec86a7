"""A simulated orbital shaker: a well is mixed once its liquid moves at all."""

from __future__ import annotations

from sdl.capabilities import Shaker
from sdl.model.labware import Plate
from sdl.sim import Bench, FaultOptions, Prediction
from sdl_simulators.options import (
    check_above_0,
    check_lasts,
    check_not_negative,
    check_order,
    check_within,
)
from sdl_simulators.physics import critical_rpm

ACTIONS = ("shake",)


class SimulatedShaker:
    """Moves a plate in circles of ``orbit_mm``; wells above their critical speed are mixed.

    Orbit and range of speeds are those that the maker states for a BioShake 3000. How long a well
    takes to become even, and the time to lock the plate, are rounded guesses.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        orbit_mm: float = 2.0,
        low_rpm: float = 200.0,
        high_rpm: float = 3000.0,
        mixed_after_s: float = 10.0,
        lock_s: float = 2.0,
        faults: FaultOptions = (),
    ) -> None:
        """UserMistake if an option makes no sense."""
        check_above_0(name, orbit_mm=orbit_mm, low_rpm=low_rpm)
        check_order(name, low_rpm=low_rpm, high_rpm=high_rpm)
        check_not_negative(name, mixed_after_s=mixed_after_s, lock_s=lock_s)
        self._name = name
        self._bench = bench
        self._orbit_mm = orbit_mm
        self._low_rpm = low_rpm
        self._high_rpm = high_rpm
        self._mixed_after_s = mixed_after_s
        self._lock_s = lock_s
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """It comes to rest, and nothing counts as mixed."""
        self._bench.stop(self._name)

    async def shake(self, plate: Plate, speed_rpm: float, duration_s: float) -> None:
        kind = self._bench.labware_kind(plate.labware)
        check_within(
            self._name,
            "speed_rpm",
            speed_rpm,
            self._low_rpm,
            self._high_rpm,
            "rpm",
        )
        check_lasts(self._name, duration_s)
        with self._bench.floor.at_work(self._name, plate.labware):
            await self._bench.work(self._name, "shake", self._lock_s + duration_s)
            if duration_s < self._mixed_after_s:
                return
            for well in self._bench.filled(plate.labware):
                volume_ul = self._bench.volume_ul(well)
                if speed_rpm >= critical_rpm(kind, volume_ul, self._orbit_mm):
                    self._bench.stir(well)

    def predict_shake(self, plate: Plate, speed_rpm: float, duration_s: float) -> Prediction:  # noqa: ARG002 - as the action has it
        return Prediction(duration_s=self._lock_s + duration_s)


_: type[Shaker] = SimulatedShaker
