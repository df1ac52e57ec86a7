"""A simulated plate arm: it grips what really stands there, and sometimes loses it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sdl.capabilities import Arm
from sdl.errors import DriverFault, UserMistake
from sdl.model.lab import place_of
from sdl.sim import Bench, FaultOptions, Prediction, mark_effect
from sdl_simulators.options import check_above_0, check_not_negative, check_order

ACTIONS = ("move",)
NOWHERE: Mapping[str, Sequence[float]] = MappingProxyType({})
PLANE = 2
"""Coordinates of a place: x and y."""


class SimulatedArm:
    """Carries labware between the sites that ``reaches`` in ``lab.toml`` names.

    It goes to the source, comes down, grips, rises, goes to the target, comes down and lets go.
    What it holds when it is stopped stays in its gripper, and the next ``move`` of that piece goes
    on from there. Labware that meets a taken site, or falls, spills and lies on the floor.

    Speeds are those in the maker's hardware manual of the PreciseFlex 400: at most 500 mm/s, the
    last 50 mm to a nest at 50 mm/s; its gripper takes plates at their short and their long side,
    83 and 123 mm apart in that manual. The time to close the fingers is a rounded guess.
    """

    carries_lids = True

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        positions_mm: Mapping[str, Sequence[float]] = NOWHERE,
        reach_mm: float = 600.0,
        speed_mm_s: float = 500.0,
        approach_mm: float = 50.0,
        approach_mm_s: float = 50.0,
        grip_s: float = 0.5,
        narrowest_mm: float = 70.0,
        widest_mm: float = 132.0,
        faults: FaultOptions = (),
    ) -> None:
        """``positions_mm``: place to ``[x, y]`` from the arm's own foot, none beyond ``reach_mm``.

        A place without a position is taken to be ``reach_mm`` away from all others. Labware is
        gripped at whichever side fits between ``narrowest_mm`` and ``widest_mm``. UserMistake if
        an option makes no sense.
        """
        check_above_0(name, reach_mm=reach_mm, speed_mm_s=speed_mm_s, approach_mm_s=approach_mm_s)
        check_not_negative(name, approach_mm=approach_mm, grip_s=grip_s, narrowest_mm=narrowest_mm)
        check_order(name, narrowest_mm=narrowest_mm, widest_mm=widest_mm)
        for place, position in positions_mm.items():
            if len(position) != PLANE or not math.hypot(*position) <= reach_mm:
                raise UserMistake(
                    f"{name}: positions_mm.{place} = {list(position)}: give [x, y], "
                    f"at most {reach_mm:g} mm away"
                )
        self._name = name
        self._bench = bench
        self._positions_mm = positions_mm
        self._reach_mm = reach_mm
        self._speed_mm_s = speed_mm_s
        self._approach_s = approach_mm / approach_mm_s
        self._grip_s = grip_s
        self._narrowest_mm = narrowest_mm
        self._widest_mm = widest_mm
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """It stands still, and holds what it holds: its gripper is closed by a spring."""
        self._bench.stop(self._name)

    async def move(self, labware: str, source: str, target: str) -> None:
        floor = self._bench.floor
        floor.site(labware)
        floor.check_reach(self._name, source, target)
        self._check_grip(labware)
        call = self._bench.begin(self._name, "move")
        await call.work(self._travel_s("", source) + self._approach_s + self._grip_s)
        floor.lift(self._name, labware, source)
        await call.work(self._approach_s + self._travel_s(source, target) / 2.0)
        if call.shows("drop"):
            self._bench.spill(labware)
            floor.drop(self._name, labware)
        await call.work(self._travel_s(source, target) / 2.0 + self._approach_s)
        if not floor.is_free_for(labware, target):
            self._bench.spill(labware)
        floor.set_down(self._name, labware, target)
        mark_effect()
        await call.work(self._grip_s)

    def predict_move(self, labware: str, source: str, target: str) -> Prediction:  # noqa: ARG002 - as the action has it
        travel_s = self._travel_s("", source) + self._travel_s(source, target)
        return Prediction(duration_s=travel_s + 3.0 * self._approach_s + 2.0 * self._grip_s)

    def _check_grip(self, labware: str) -> None:
        kind = self._bench.labware_kind(labware)
        sides_mm = (kind.length_mm, kind.width_mm)
        if not any(self._narrowest_mm <= side <= self._widest_mm for side in sides_mm):
            raise DriverFault(
                f"{self._name}: {labware!r} ({kind.name}) is {kind.length_mm:g} by "
                f"{kind.width_mm:g} mm; the gripper takes {self._narrowest_mm:g} to "
                f"{self._widest_mm:g} mm"
            )

    def _travel_s(self, source: str, target: str) -> float:
        """From one place to another; from its foot where no source is given."""
        if source and place_of(source) == place_of(target):
            return 0.0
        ends = [self._positions_mm.get(place_of(site)) for site in (source, target) if site]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return self._reach_mm / self._speed_mm_s
        return math.dist(known[0], known[1] if source else (0.0, 0.0)) / self._speed_mm_s


_: type[Arm] = SimulatedArm
