"""A simulated one-channel liquid handler: volumes, tips, dispense error and durations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from sdl.capabilities import TIP_WASTE, TIPS, LiquidHandler
from sdl.errors import DriverFault, OutOfMaterial, UserMistake
from sdl.model.labware import Well
from sdl.sim import Bench, FaultOptions, Prediction, mark_effect
from sdl_simulators.options import check_above_0, check_not_negative

ACTIONS = ("dispense", "transfer", "mix")
MIX_CYCLES_MAX = 50


class SimulatedLiquidHandler:
    """Moves liquids on a ``Bench``. What leaves a source arrives in a well, to the last picolitre.

    The volume that is moved misses the one asked for by a normal error of standard deviation
    ``sqrt(error_ul^2 + (error_cv * volume)^2)``. The defaults are those of a good air-displacement
    pipette: ISO 8655-2 allows one of 200 µL a random error of 0.6 µL, and 0.3 % is typical of
    commercial liquid handlers (Yoshikawa et al., Digital Discovery 2023, doi 10.1039/D3DD00115F).
    The flow is the maker's default for an Opentrons P300 single-channel pipette (GEN2); times for
    tips and moves are rounded guesses for such a gantry robot, not measurements.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        sources_ul: Mapping[str, float],
        dead_volume_ul: float = 200.0,
        tips: int = 960,
        tip_volume_ul: float = 300.0,
        tip_racks: Sequence[str] = (),
        waste_tips: int = 0,
        error_ul: float = 0.5,
        error_cv: float = 0.003,
        flow_ul_per_s: float = 94.0,
        tip_change_s: float = 8.0,
        move_s: float = 2.0,
        faults: FaultOptions = (),
    ) -> None:
        """``sources_ul``: liquid to volume filled in, of which ``dead_volume_ul`` cannot be drawn.

        ``tip_racks``: labware of the lab that the tips are in; how many there are and what one
        holds is then its kind's, and ``tips`` and ``tip_volume_ul`` count for nothing.
        ``waste_tips``: so many used ones the waste takes, 0 for any number. UserMistake if an
        option makes no sense.
        """
        if not sources_ul:
            raise UserMistake(
                f"{name}: sources_ul names no liquid; write {{ water = 50000 }} or such"
            )
        if tip_racks:
            tips, tip_volume_ul = _in_racks(name, bench, tip_racks)
        check_above_0(name, tip_volume_ul=tip_volume_ul, flow_ul_per_s=flow_ul_per_s)
        check_not_negative(name, dead_volume_ul=dead_volume_ul, tips=tips, waste_tips=waste_tips)
        check_not_negative(name, error_ul=error_ul, error_cv=error_cv)
        check_not_negative(name, tip_change_s=tip_change_s, move_s=move_s)
        check_not_negative(name, **{f"source {one}": held for one, held in sources_ul.items()})
        self._name = name
        self._bench = bench
        self._sources = tuple(sources_ul)
        self._dead_volume_ul = dead_volume_ul
        self._tip_volume_ul = tip_volume_ul
        self._fills_waste = waste_tips > 0
        self._error_ul = error_ul
        self._error_cv = error_cv
        self._flow_ul_per_s = flow_ul_per_s
        self._tip_change_s = tip_change_s
        self._move_s = move_s
        bench.stock_up(name, {_stock(source): volume for source, volume in sources_ul.items()})
        bench.stock_up(name, {TIPS: float(tips), TIP_WASTE: float(waste_tips)})
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """The stroke under way is the last of its action."""
        self._bench.stop(self._name)

    def left_ul(self, source: str) -> float:
        """What a source still holds, its dead volume included."""
        return self._bench.left(self._name, _stock(source))

    @property
    def tips_left(self) -> int:
        """How many fresh tips there are."""
        return int(self._bench.left(self._name, TIPS))

    async def dispense(self, well: Well, volumes_ul: Mapping[str, float]) -> None:
        self._bench.kind(well)
        for source, volume_ul in volumes_ul.items():
            self._check_source(source, volume_ul)
        wanted = {source: volume for source, volume in volumes_ul.items() if volume > 0.0}
        self._bench.check_room(well, sum(wanted.values()))
        self._check_tips(len(wanted))
        with self._at_work(well):
            call = self._bench.begin(self._name, "dispense")
            chance = self._bench.random(self._name)
            for source, volume_ul in wanted.items():
                self._take_tip()
                await call.work(self._duration_s(volume_ul))
                room_ul = self._bench.kind(well).capacity_ul - self._bench.volume_ul(well)
                moved_ul = self._moved_ul(volume_ul, chance.gauss(), self.left_ul(source), room_ul)
                self._bench.use(self._name, _stock(source), moved_ul)
                self._bench.add(well, {source: moved_ul})
                mark_effect()

    async def transfer(self, source: Well, target: Well, volume_ul: float) -> None:
        self._check_volume(volume_ul)
        self._bench.check_room(target, volume_ul)
        self._check_drawable(source, volume_ul)
        self._check_tips(1)
        with self._at_work(source), self._at_work(target):
            self._take_tip()
            await self._bench.work(self._name, "transfer", self._duration_s(volume_ul))
            error = self._bench.random(self._name).gauss()
            room_ul = self._bench.kind(target).capacity_ul - self._bench.volume_ul(target)
            moved_ul = self._moved_ul(volume_ul, error, self._bench.volume_ul(source), room_ul)
            self._bench.add(target, self._bench.take(source, moved_ul))
            mark_effect()

    async def mix(self, well: Well, volume_ul: float, cycles: int) -> None:
        self._check_volume(volume_ul)
        if not 1 <= cycles <= MIX_CYCLES_MAX:
            raise DriverFault(f"{self._name}: cycles = {cycles}: give 1 to {MIX_CYCLES_MAX}")
        if volume_ul > self._tip_volume_ul:
            tip_ul = self._tip_volume_ul
            raise DriverFault(f"{self._name}: a tip holds {tip_ul:g} µL, not {volume_ul:g}")
        self._check_drawable(well, volume_ul)
        self._check_tips(1)
        with self._at_work(well):
            self._take_tip()
            await self._bench.work(self._name, "mix", self._mixing_s(volume_ul, cycles))
            self._bench.stir(well)
            mark_effect()

    def _at_work(self, well: Well) -> AbstractContextManager[None]:
        """Reach into a well that stands on the deck and is open. DriverFault if it is not."""
        self._bench.floor.check_open(self._name, well.labware)
        return self._bench.floor.at_work(self._name, well.labware)

    # What is known beforehand.

    def predict_dispense(self, well: Well, volumes_ul: Mapping[str, float]) -> Prediction:  # noqa: ARG002 - as the action has it
        wanted = [volume_ul for volume_ul in volumes_ul.values() if volume_ul > 0.0]
        return Prediction(duration_s=sum(map(self._duration_s, wanted)))

    def predict_transfer(self, source: Well, target: Well, volume_ul: float) -> Prediction:  # noqa: ARG002 - as the action has it
        return Prediction(duration_s=self._duration_s(volume_ul))

    def predict_mix(self, well: Well, volume_ul: float, cycles: int) -> Prediction:  # noqa: ARG002 - as the action has it
        return Prediction(duration_s=self._mixing_s(volume_ul, cycles))

    def _mixing_s(self, volume_ul: float, cycles: int) -> float:
        strokes_s = 2.0 * cycles * volume_ul / self._flow_ul_per_s
        return self._tip_change_s + self._move_s + strokes_s

    def _duration_s(self, volume_ul: float) -> float:
        """A tip, then for each tipful a move, a draw, a move and a push."""
        trips = math.ceil(volume_ul / self._tip_volume_ul)
        return self._tip_change_s + 2.0 * (trips * self._move_s + volume_ul / self._flow_ul_per_s)

    def _moved_ul(self, asked_ul: float, error: float, held_ul: float, room_ul: float) -> float:
        sd_ul = math.hypot(self._error_ul, self._error_cv * asked_ul)
        return max(0.0, min(asked_ul + sd_ul * error, held_ul, room_ul))

    def _check_volume(self, volume_ul: float) -> None:
        if not 0.0 < volume_ul < math.inf:
            raise DriverFault(f"{self._name}: {volume_ul} µL is no volume; give a number above 0")

    def _check_source(self, source: str, volume_ul: float) -> None:
        if source not in self._sources:
            raise DriverFault(
                f"{self._name}: there is no source {source!r}; it has: {', '.join(self._sources)}"
            )
        if not 0.0 <= volume_ul < math.inf:
            raise DriverFault(
                f"{self._name}: {volume_ul} µL of {source!r} is no volume; give 0 or more"
            )
        usable_ul = max(0.0, self.left_ul(source) - self._dead_volume_ul)
        if volume_ul > usable_ul:
            raise OutOfMaterial(
                f"{self._name}: source {source!r} has {usable_ul:.1f} µL that can be drawn, "
                f"{volume_ul:.1f} µL were asked for; refill it"
            )

    def _check_drawable(self, well: Well, volume_ul: float) -> None:
        held_ul = self._bench.volume_ul(well)
        if volume_ul > held_ul:
            raise OutOfMaterial(
                f"{self._name}: well {well} holds {held_ul:.1f} µL, "
                f"{volume_ul:.1f} µL were asked for"
            )

    def _check_tips(self, count: int) -> None:
        if count > self.tips_left:
            raise OutOfMaterial(
                f"{self._name}: {count} fresh tips are needed, {self.tips_left} are left; "
                "put a new rack in"
            )
        if self._fills_waste and count > self._bench.left(self._name, TIP_WASTE):
            raise OutOfMaterial(f"{self._name}: the waste is full of used tips; empty it")

    def _take_tip(self) -> None:
        """Every tip is used once, and thrown away."""
        self._bench.use(self._name, TIPS, 1)
        if self._fills_waste:
            self._bench.use(self._name, TIP_WASTE, 1)
        mark_effect()


def _stock(source: str) -> str:
    return f"source {source}"


def _in_racks(name: str, bench: Bench, racks: Sequence[str]) -> tuple[int, float]:
    """How many tips some racks hold, and what one takes."""
    try:
        kinds = [bench.labware_kind(rack) for rack in racks]
    except DriverFault as fault:
        raise UserMistake(f"{name}: tip_racks: {fault}") from fault
    wrong = [rack for rack, kind in zip(racks, kinds, strict=True) if kind.category != "tip_rack"]
    if wrong:
        raise UserMistake(f"{name}: tip_racks: {wrong[0]!r} is no rack of tips")
    volumes = {kind.capacity_ul for kind in kinds}
    if len(volumes) > 1:
        raise UserMistake(f"{name}: tip_racks: all tips must hold the same, not {volumes}")
    return sum(kind.count for kind in kinds), volumes.pop()


_: type[LiquidHandler] = SimulatedLiquidHandler
