"""Any liquid handler that PyLabRobot can drive. Source: its user guide and code, 0.2.2.

One channel with a fresh tip for each liquid. The deck is made by a function or class of
PyLabRobot or of the lab, and labware is put on it by slot (Opentrons) or by coordinate, or
stands on it already and is only named.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path

from sdl.capabilities import LiquidHandler
from sdl.errors import DriverFault, OutOfMaterial
from sdl.model.data import JsonValue
from sdl.model.labware import Well
from sdl_drivers.pylabrobot_bridge import container, faults_named, made
from sdl_drivers.pylabrobot_deck import put_on, read_source, tip_rack

# isort: split
from pylabrobot.liquid_handling import (  # type: ignore[import-untyped]
    LiquidHandler as Robot,
)
from pylabrobot.liquid_handling.backends import (  # type: ignore[import-untyped]
    LiquidHandlerBackend,
)
from pylabrobot.resources import (  # type: ignore[import-untyped]
    Container,
    Deck,
    TipSpot,
    set_tip_tracking,
    set_volume_tracking,
)

MIX_CYCLES_MAX = 50


class PyLabRobotLiquidHandler:
    """Grade: simulated. Not yet checked against a real machine, and says so when it connects.

    PyLabRobot has no stop that all machines know: ``make_safe`` lets the stroke under way end and
    refuses the next one. Its volume and tip tracking are switched on for the whole process.
    """

    def __init__(
        self,
        *,
        backend: str,
        labware: Mapping[str, Mapping[str, JsonValue]],
        sources: Mapping[str, Mapping[str, JsonValue]],
        tip_racks: tuple[str, ...] | list[str],
        deck: str = "pylabrobot.resources.opentrons.OTDeck",
        backend_options: Mapping[str, JsonValue] | None = None,
        deck_options: Mapping[str, JsonValue] | None = None,
        channel: int = 0,
        state_file: str = "",
    ) -> None:
        """``backend`` and ``deck`` are dotted paths.

        ``labware``: name to ``{ kind = "...", slot = 1 }``, on decks without slots
        ``{ kind = "...", at_mm = [x, y, z] }``, or ``{}`` for what the deck has already.
        ``sources``: liquid to ``{ at = "reservoir/A1", volume_ul = 10000 }``. ``tip_racks``:
        names among the labware, used up in this order. ``channel``: the one that pipettes, on an
        Opentrons robot 0 left and 1 right. ``state_file`` remembers volumes and tips over a
        restart; without one, racks and sources count as fresh. UserMistake if an option makes no
        sense.
        """
        self._sources = {name: read_source(name, fields) for name, fields in sources.items()}
        self._deck = made(deck, Deck, deck_options or {})
        for name, fields in labware.items():
            put_on(self._deck, name, fields)
        self._racks = [tip_rack(self._deck, name) for name in tip_racks]
        self._backend_path = backend
        self._robot = Robot(
            backend=made(backend, LiquidHandlerBackend, backend_options or {}), deck=self._deck
        )
        self._state_file = Path(state_file) if state_file else None
        self._channel = channel
        self._stops = 0

    @property
    def robot(self) -> Robot:
        """PyLabRobot's own object, for what this contract does not offer."""
        return self._robot

    async def connect(self) -> None:
        if self._robot.setup_finished:
            return
        set_volume_tracking(enabled=True)
        set_tip_tracking(enabled=True)
        with faults_named(f"connecting {self._backend_path}"):
            await self._robot.setup()
            for source in self._sources.values():
                container(self._deck, source.place).tracker.set_volume(source.volume_ul)
            if self._state_file is not None and self._state_file.exists():
                self._deck.load_state_from_file(str(self._state_file))
        logging.getLogger(__name__).warning(
            "PyLabRobotLiquidHandler over %s is graded 'simulated': it has not been checked on a "
            "real machine; watch its first moves",
            self._backend_path,
        )

    async def disconnect(self) -> None:
        if self._robot.setup_finished:
            with faults_named(f"disconnecting {self._backend_path}"):
                await self._robot.stop()

    async def make_safe(self) -> None:
        self._stops += 1

    async def dispense(self, well: Well, volumes_ul: Mapping[str, float]) -> None:
        target = container(self._deck, well)
        for liquid, volume_ul in volumes_ul.items():
            if liquid not in self._sources:
                raise DriverFault(f"no source {liquid!r}; there are: {', '.join(self._sources)}")
            _check_volume(volume_ul, at_least_0=True)
        wanted = [
            (container(self._deck, self._sources[liquid].place), volume_ul)
            for liquid, volume_ul in volumes_ul.items()
            if volume_ul > 0.0
        ]
        for source, volume_ul in wanted:
            _check_held(source, volume_ul)
        _check_room(target, sum(volume_ul for _, volume_ul in wanted))
        self._check_tips(len(wanted))
        stops = self._stops
        for source, volume_ul in wanted:
            await self._move(source, target, volume_ul, stops)

    async def transfer(self, source: Well, target: Well, volume_ul: float) -> None:
        drawn, filled = container(self._deck, source), container(self._deck, target)
        _check_volume(volume_ul)
        _check_held(drawn, volume_ul)
        _check_room(filled, volume_ul)
        self._check_tips(1)
        await self._move(drawn, filled, volume_ul, self._stops)

    async def mix(self, well: Well, volume_ul: float, cycles: int) -> None:
        mixed = container(self._deck, well)
        _check_volume(volume_ul)
        _check_held(mixed, volume_ul)
        if not 1 <= cycles <= MIX_CYCLES_MAX:
            raise DriverFault(f"cycles = {cycles}: give 1 to {MIX_CYCLES_MAX}")
        self._check_tips(1)
        stops = self._stops
        with faults_named(f"mixing {well}"):
            tip_ul = await self._take_tip()
            if volume_ul > tip_ul:
                raise DriverFault(f"a tip holds {tip_ul:g} µL, not {volume_ul:g}")
            for _ in range(cycles):
                await self._stroke(mixed, mixed, volume_ul, stops)
            await self._end()

    async def _move(
        self, source: Container, target: Container, volume_ul: float, stops: int
    ) -> None:
        with faults_named(f"moving {volume_ul:g} µL from {source.name} to {target.name}"):
            tip_ul = await self._take_tip()
            strokes = math.ceil(volume_ul / tip_ul)
            for _ in range(strokes):
                await self._stroke(source, target, volume_ul / strokes, stops)
            await self._end()

    async def _stroke(
        self, source: Container, target: Container, volume_ul: float, stops: int
    ) -> None:
        if stops != self._stops:
            raise DriverFault("stopped by make_safe; the sample is not complete")
        await self._robot.aspirate([source], vols=[volume_ul], use_channels=[self._channel])
        await self._robot.dispense([target], vols=[volume_ul], use_channels=[self._channel])

    async def _take_tip(self) -> float:
        """Take a fresh tip, having thrown away one that a failed action left; its volume in µL."""
        if self._robot.head[self._channel].has_tip:
            await self._robot.discard_tips(use_channels=[self._channel])
        spot = self._fresh_tips()[0]
        await self._robot.pick_up_tips([spot], use_channels=[self._channel])
        return float(self._robot.head[self._channel].get_tip().maximal_volume)

    async def _end(self) -> None:
        await self._robot.discard_tips(use_channels=[self._channel])
        if self._state_file is not None:
            self._deck.save_state_to_file(str(self._state_file))

    def _fresh_tips(self) -> list[TipSpot]:
        return [spot for rack in self._racks for spot in rack.get_all_items() if spot.has_tip()]

    def _check_tips(self, count: int) -> None:
        left = len(self._fresh_tips())
        if count > left:
            raise OutOfMaterial(
                f"{count} fresh tips are needed, {left} are left; put a new rack in"
            )


def _check_volume(volume_ul: float, *, at_least_0: bool = False) -> None:
    if not 0.0 <= volume_ul < math.inf or (volume_ul == 0.0 and not at_least_0):
        raise DriverFault(f"{volume_ul} µL is no volume")


def _check_held(source: Container, volume_ul: float) -> None:
    held_ul = source.tracker.get_used_volume()
    if volume_ul > held_ul:
        raise OutOfMaterial(
            f"{source.name} holds {held_ul:.1f} µL, {volume_ul:.1f} µL were asked for; refill it"
        )


def _check_room(target: Container, volume_ul: float) -> None:
    free_ul = target.tracker.get_free_volume()
    if volume_ul > free_ul:
        raise OutOfMaterial(f"{target.name} has room for {free_ul:.1f} µL, not {volume_ul:.1f}")


_: type[LiquidHandler] = PyLabRobotLiquidHandler
