"""A simulated incubator: it takes its time to warm up, and open wells lose water in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sdl.capabilities import Incubator
from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Plate
from sdl.sim import Bench, FaultOptions
from sdl_simulators.options import (
    check_above_0,
    check_lasts,
    check_not_negative,
    check_order,
    check_within,
)
from sdl_simulators.physics import critical_rpm, evaporated_ul

ACTIONS = ("incubate",)
TEMPERATURE = "temperature_c"


class SimulatedIncubator:
    """One chamber with as many slots as ``sites`` in ``lab.toml`` says, at one temperature.

    It keeps the temperature that it was brought to last; ``make_safe`` switches it off, and it
    counts as cold again. Open wells lose ``volatile`` liquids by diffusion, see
    ``sdl_simulators.physics``; a sealed plate loses nothing. A plate that is shaken above a well's
    critical speed is mixed. Ranges, rates and humidity are rounded figures of automated
    cell-culture incubators, not measurements of one.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        low_c: float = 4.0,
        high_c: float = 50.0,
        room_c: float = 22.0,
        ramp_c_min: float = 0.5,
        humidity_fraction: float = 0.95,
        volatile: Sequence[str] = ("water", "buffer"),
        high_rpm: float = 1200.0,
        orbit_mm: float = 2.0,
        faults: FaultOptions = (),
    ) -> None:
        """``volatile``: the liquids, by their source's name, that are water and evaporate.

        ``ramp_c_min``: how fast the chamber warms or cools, in degrees per minute. UserMistake if
        an option makes no sense.
        """
        check_order(name, low_c=low_c, high_c=high_c)
        check_above_0(name, ramp_c_min=ramp_c_min, orbit_mm=orbit_mm)
        check_not_negative(name, high_rpm=high_rpm, humidity_fraction=humidity_fraction)
        if humidity_fraction > 1.0:
            raise UserMistake(f"{name}: humidity_fraction = {humidity_fraction}: give 0 to 1")
        self._name = name
        self._bench = bench
        self._low_c = low_c
        self._high_c = high_c
        self._room_c = room_c
        self._ramp_c_s = ramp_c_min / 60.0
        self._humidity = humidity_fraction
        self._volatile = tuple(volatile)
        self._high_rpm = high_rpm
        self._orbit_mm = orbit_mm
        self._kept: Counter[tuple[float, float]] = Counter()
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Heating and shaking end; the plates stay inside."""
        self._bench.stop(self._name)
        self._bench.turn(self._name, TEMPERATURE, self._room_c)

    @property
    def temperature_c(self) -> float:
        """What the chamber has been brought to."""
        return self._bench.dial(self._name, TEMPERATURE, self._room_c)

    async def incubate(
        self, plate: Plate, duration_s: float, temperature_c: float, shaking_rpm: float = 0.0
    ) -> None:
        self._bench.labware_kind(plate.labware)
        check_lasts(self._name, duration_s)
        check_within(
            self._name, "temperature_c", temperature_c, self._low_c, self._high_c, "degrees"
        )
        check_within(self._name, "shaking_rpm", shaking_rpm, 0.0, self._high_rpm, "rpm")
        wanted = (temperature_c, shaking_rpm)
        others = [setting for setting, plates in self._kept.items() if plates and setting != wanted]
        if others:
            raise DriverFault(
                f"{self._name}: it is at {others[0][0]:g} degrees and {others[0][1]:g} rpm for "
                "another plate; wait for that, or use another incubator"
            )
        self._kept[wanted] += 1
        try:
            with self._bench.floor.at_work(self._name, plate.labware):
                await self._keep(duration_s, temperature_c)
                self._after(plate, duration_s, temperature_c, shaking_rpm)
        finally:
            self._kept[wanted] -= 1

    async def _keep(self, duration_s: float, temperature_c: float) -> None:
        call = self._bench.begin(self._name, "incubate")
        await call.work(abs(temperature_c - self.temperature_c) / self._ramp_c_s)
        self._bench.turn(self._name, TEMPERATURE, temperature_c)
        await call.work(duration_s)

    def _after(
        self, plate: Plate, duration_s: float, temperature_c: float, shaking_rpm: float
    ) -> None:
        """What has become of the wells."""
        kind = self._bench.labware_kind(plate.labware)
        sealed = self._bench.floor.is_sealed(plate.labware)
        for well in self._bench.filled(plate.labware):
            held = self._bench.contents(well)
            volume_ul = sum(held.values())
            if shaking_rpm >= critical_rpm(kind, volume_ul, self._orbit_mm):
                self._bench.stir(well)
            water_ul = sum(held.get(liquid, 0.0) for liquid in self._volatile)
            if sealed or water_ul == 0.0:
                continue
            lost_ul = evaporated_ul(
                kind,
                volume_ul,
                temperature_c=temperature_c,
                humidity=self._humidity,
                duration_s=duration_s,
            )
            share = min(1.0, lost_ul / water_ul)
            self._bench.remove(
                well, {one: held[one] * share for one in self._volatile if one in held}
            )


_: type[Incubator] = SimulatedIncubator
