"""A simulated incubator: it takes its time to warm up, open wells lose water, and cells grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sdl.capabilities import Incubator
from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import LabwareKind, Plate, Well
from sdl.sim import Bench, FaultOptions, Prediction, Stay
from sdl_simulators.options import check_above_0, check_not_negative, check_order, check_within
from sdl_simulators.physics import critical_rpm, evaporated_ul, grown_ul, warmth_fraction

ACTIONS = ("keep",)
TEMPERATURE, SHAKING = "temperature_c", "shaking_rpm"
NOTHING: Mapping[str, float] = MappingProxyType({})


class SimulatedIncubator:
    """One chamber with as many slots as ``sites`` in ``lab.toml`` says, at one temperature.

    It keeps the temperature that it was brought to last; ``make_safe`` switches it off, and it
    counts as cold again. A plate is kept from the moment at which ``keep`` returns until an arm or
    a person takes it out, and what that time does to its wells is done then. Open wells lose
    ``volatile`` liquids by diffusion, and cells grow, sealed or not, see
    ``sdl_simulators.physics``. A plate that is shaken above a well's critical speed is mixed.
    Ranges, rates and humidity are rounded figures of automated cell-culture incubators, not
    measurements of one.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        low_c: float = 4.0,
        high_c: float = 50.0,
        room_c: float = 22.0,
        set_point_c: float | None = None,
        ramp_c_min: float = 0.5,
        humidity_fraction: float = 0.95,
        volatile: Sequence[str] = ("water", "buffer"),
        high_rpm: float = 1200.0,
        orbit_mm: float = 2.0,
        growth_h: Mapping[str, float] = NOTHING,
        food: str = "medium",
        look_s: float = 3.0,
        faults: FaultOptions = (),
    ) -> None:
        """``set_point_c``: what it has been brought to beforehand; room temperature if None.

        ``volatile``: the liquids, by their source's name, that are water and evaporate.
        ``ramp_c_min``: how fast the chamber warms or cools, in degrees per minute. ``growth_h``:
        liquid to how fast the cells in it grow in ``food`` at their best temperature, in 1/h.
        ``look_s``: to find a plate by its bar code. UserMistake if an option makes no sense.
        """
        check_order(name, low_c=low_c, high_c=high_c)
        check_above_0(name, ramp_c_min=ramp_c_min, orbit_mm=orbit_mm)
        check_not_negative(name, high_rpm=high_rpm, humidity_fraction=humidity_fraction)
        check_not_negative(name, look_s=look_s)
        check_not_negative(name, **{f"growth_h.{one}": rate for one, rate in growth_h.items()})
        if humidity_fraction > 1.0:
            raise UserMistake(f"{name}: humidity_fraction = {humidity_fraction}: give 0 to 1")
        self._name = name
        self._bench = bench
        self._low_c = low_c
        self._high_c = high_c
        self._room_c = room_c
        self._set_point_c = room_c if set_point_c is None else set_point_c
        self._ramp_c_s = ramp_c_min / 60.0
        self._humidity = humidity_fraction
        self._volatile = tuple(volatile)
        self._high_rpm = high_rpm
        self._orbit_mm = orbit_mm
        self._growth_h = growth_h
        self._food = food
        self._look_s = look_s
        bench.plan_faults(name, ACTIONS, faults)
        bench.floor.keeper(name, self._after)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Heating and shaking end; the plates stay inside, and are kept no longer."""
        self._bench.stop(self._name)
        for labware in self._bench.floor.kept_by(self._name):
            self._bench.floor.release(labware)
        self._bench.turn(self._name, TEMPERATURE, self._room_c)

    @property
    def temperature_c(self) -> float:
        """What the chamber has been brought to."""
        return self._bench.dial(self._name, TEMPERATURE, self._set_point_c)

    async def keep(self, plate: Plate, temperature_c: float, shaking_rpm: float = 0.0) -> None:
        floor = self._bench.floor
        self._check(plate, temperature_c, shaking_rpm)
        wanted = {TEMPERATURE: temperature_c, SHAKING: shaking_rpm}
        with floor.at_work(self._name, plate.labware):
            call = self._bench.begin(self._name, "keep")
            kept = floor.kept_by(self._name).get(plate.labware)
            is_warm = self.temperature_c == temperature_c
            if is_warm and kept is not None and kept.conditions == wanted:
                await call.work(self._look_s)
                return
            floor.release(plate.labware)
            lasts_s = self.predict_keep(plate, temperature_c, shaking_rpm).duration_s
            # Kept from now on, so that nobody asks for other conditions while it warms up.
            ready_at = self._bench.clock.now() + lasts_s
            floor.keep(plate.labware, Stay(self._name, ready_at, wanted))
            try:
                await call.work(lasts_s)
            except BaseException:
                floor.release(plate.labware)
                raise
            self._bench.turn(self._name, TEMPERATURE, temperature_c)
            floor.keep(plate.labware, Stay(self._name, self._bench.clock.now(), wanted))

    def predict_keep(
        self,
        plate: Plate,  # noqa: ARG002 - as the action has it
        temperature_c: float,
        shaking_rpm: float = 0.0,  # noqa: ARG002 - as the action has it
    ) -> Prediction:
        warming_s = abs(temperature_c - self.temperature_c) / self._ramp_c_s
        return Prediction(duration_s=warming_s + self._look_s)

    def after_keep(
        self,
        plate: Plate,  # noqa: ARG002 - as the action has it
        temperature_c: float,
        shaking_rpm: float = 0.0,  # noqa: ARG002 - as the action has it
    ) -> None:
        self._bench.turn(self._name, TEMPERATURE, temperature_c)

    def _check(self, plate: Plate, temperature_c: float, shaking_rpm: float) -> None:
        self._bench.labware_kind(plate.labware)
        check_within(self._name, TEMPERATURE, temperature_c, self._low_c, self._high_c, "degrees")
        check_within(self._name, SHAKING, shaking_rpm, 0.0, self._high_rpm, "rpm")
        wanted = {TEMPERATURE: temperature_c, SHAKING: shaking_rpm}
        for other, kept in self._bench.floor.kept_by(self._name).items():
            if other != plate.labware and kept.conditions != wanted:
                raise DriverFault(
                    f"{self._name}: it is at {kept.conditions[TEMPERATURE]:g} degrees and "
                    f"{kept.conditions[SHAKING]:g} rpm for {other!r}; wait until that is taken "
                    "out, or use another incubator"
                )

    def _after(self, labware: str, stay: Stay) -> None:
        """What has become of the wells of a plate that was stay."""
        kind = self._bench.labware_kind(labware)
        lasted_s = max(0.0, self._bench.clock.now() - stay.since)
        if not lasted_s:
            return
        for well in self._bench.filled(labware):
            volume_ul = self._bench.volume_ul(well)
            if stay.conditions[SHAKING] >= critical_rpm(kind, volume_ul, self._orbit_mm):
                self._bench.stir(well)
            self._grow(well, stay.conditions[TEMPERATURE], lasted_s)
            if not self._bench.floor.is_sealed(labware):
                self._dry(well, kind, stay.conditions[TEMPERATURE], lasted_s)

    def _grow(self, well: Well, temperature_c: float, lasted_s: float) -> None:
        for cells, best_h in self._growth_h.items():
            held = self._bench.contents(well)
            grown = grown_ul(
                held.get(cells, 0.0),
                held.get(self._food, 0.0),
                rate_h=best_h * warmth_fraction(temperature_c),
                duration_s=lasted_s,
            )
            self._bench.change(well, {cells: grown, self._food: -grown})

    def _dry(self, well: Well, kind: LabwareKind, temperature_c: float, lasted_s: float) -> None:
        held = self._bench.contents(well)
        water_ul = sum(held.get(liquid, 0.0) for liquid in self._volatile)
        if water_ul == 0.0:
            return
        lost_ul = evaporated_ul(
            kind,
            sum(held.values()),
            temperature_c=temperature_c,
            humidity=self._humidity,
            duration_s=lasted_s,
        )
        share = min(1.0, lost_ul / water_ul)
        self._bench.change(well, {one: -held[one] * share for one in self._volatile if one in held})


_: type[Incubator] = SimulatedIncubator
