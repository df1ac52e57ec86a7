"""A simulated plate washer: what its tubes do not reach stays in the wells, thinned each time."""

from __future__ import annotations

import math

from sdl.capabilities import Washer
from sdl.errors import DriverFault, OutOfMaterial
from sdl.model.labware import LabwareKind, Plate, Well
from sdl.sim import Bench, FaultOptions, Prediction
from sdl_simulators.options import check_above_0, check_not_negative

ACTIONS = ("wash",)
SUPPLY, WASTE = "wash liquid", "room for waste"
MOST_CYCLES = 20


class SimulatedWasher:
    """Draws all wells off and fills them, again and again; ``residual_ul`` stays each time.

    So ``cycles`` times ``volume_ul`` leave ``(residual / (residual + volume)) ** cycles`` of what
    was in the residue before. Residue, precision and times are rounded figures of 96-tube washers
    as their makers state them, not measurements of one.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        liquid: str = "buffer",
        supply_ul: float = 2_000_000.0,
        waste_ul: float = 4_000_000.0,
        residual_ul: float = 3.0,
        fill_cv: float = 0.03,
        draw_s: float = 5.0,
        fill_s: float = 5.0,
        faults: FaultOptions = (),
    ) -> None:
        """``liquid``: the name of what it fills in. ``waste_ul``: what its waste bottle takes.

        UserMistake if an option makes no sense.
        """
        check_above_0(name, supply_ul=supply_ul, waste_ul=waste_ul)
        check_not_negative(
            name, residual_ul=residual_ul, fill_cv=fill_cv, draw_s=draw_s, fill_s=fill_s
        )
        self._name = name
        self._bench = bench
        self._liquid = liquid
        self._residual_ul = residual_ul
        self._fill_cv = fill_cv
        self._draw_s = draw_s
        self._fill_s = fill_s
        bench.stock_up(name, {SUPPLY: supply_ul, WASTE: waste_ul})
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Pumps stop; the stroke under way is the last."""
        self._bench.stop(self._name)

    async def wash(self, plate: Plate, cycles: int, volume_ul: float) -> None:
        kind = self._bench.labware_kind(plate.labware)
        self._check(plate, kind, cycles, volume_ul)
        wells = [Well(plate.labware, each) for each in kind.wells]
        with self._bench.floor.at_work(self._name, plate.labware):
            call = self._bench.begin(self._name, "wash")
            chance = self._bench.random(self._name)
            for _ in range(cycles):
                await call.work(self._draw_s)
                self._draw_off(wells)
                await call.work(self._fill_s)
                for well in wells:
                    filled_ul = volume_ul * max(0.0, 1.0 + self._fill_cv * chance.gauss())
                    self._fill(well, filled_ul)
            await call.work(self._draw_s)
            self._draw_off(wells)

    def predict_wash(self, plate: Plate, cycles: int, volume_ul: float) -> Prediction:  # noqa: ARG002 - as the action has it
        return Prediction(duration_s=cycles * (self._draw_s + self._fill_s) + self._draw_s)

    def _draw_off(self, wells: list[Well]) -> None:
        for well in wells:
            drawn_ul = max(0.0, self._bench.volume_ul(well) - self._residual_ul)
            self._bench.take(well, drawn_ul)
            self._bench.use(self._name, WASTE, drawn_ul)

    def _fill(self, well: Well, volume_ul: float) -> None:
        room_ul = self._bench.kind(well).capacity_ul - self._bench.volume_ul(well)
        filled_ul = min(volume_ul, room_ul, self._bench.left(self._name, SUPPLY))
        self._bench.use(self._name, SUPPLY, filled_ul)
        self._bench.add(well, {self._liquid: filled_ul})

    def _check(self, plate: Plate, kind: LabwareKind, cycles: int, volume_ul: float) -> None:
        if not kind.wells:
            raise DriverFault(f"{self._name}: {plate} is a {kind.category} and has no wells")
        if not 1 <= cycles <= MOST_CYCLES:
            raise DriverFault(f"{self._name}: cycles = {cycles}: give 1 to {MOST_CYCLES}")
        if not 0.0 < volume_ul < math.inf:
            raise DriverFault(f"{self._name}: {volume_ul} µL is no volume; give a number above 0")
        self._bench.floor.check_open(self._name, plate.labware)
        if volume_ul + self._residual_ul > kind.capacity_ul:
            raise OutOfMaterial(
                f"{self._name}: {volume_ul:g} µL do not fit into the wells of {plate}, which hold "
                f"{kind.capacity_ul:g}"
            )
        needed_ul = cycles * volume_ul * kind.count
        left_ul = self._bench.left(self._name, SUPPLY)
        if needed_ul > left_ul:
            raise OutOfMaterial(
                f"{self._name}: {needed_ul / 1e3:.1f} mL of {self._liquid} are needed, "
                f"{left_ul / 1e3:.1f} are left; refill it"
            )
        drawn_ul = needed_ul + sum(map(self._bench.volume_ul, self._bench.filled(plate.labware)))
        room_ul = self._bench.left(self._name, WASTE)
        if drawn_ul > room_ul:
            raise OutOfMaterial(
                f"{self._name}: the waste bottle has room for {room_ul / 1e3:.1f} mL, "
                f"{drawn_ul / 1e3:.1f} are coming; empty it"
            )


_: type[Washer] = SimulatedWasher
