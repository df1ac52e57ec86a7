"""A simulated heat sealer: a foil holds only where it was pressed on hot and long enough."""

from __future__ import annotations

from sdl.capabilities import FOILS, Sealer
from sdl.errors import DriverFault, OutOfMaterial
from sdl.model.labware import Plate
from sdl.sim import Bench, FaultOptions, Prediction
from sdl_simulators.options import (
    check_above_0,
    check_lasts,
    check_not_negative,
    check_order,
    check_within,
)

ACTIONS = ("seal",)
TEMPERATURE = "temperature_c"


class SimulatedSealer:
    """Cuts a foil off its roll and presses it on; what is sealed neither evaporates nor is filled.

    Temperatures from 50 to 200 degrees are what PyLabRobot's driver of an a4S sealer allows. From
    which temperature and time on a foil holds depends on the foil: ``bonds_c`` and ``bonds_s`` are
    rounded guesses for polypropylene, as are the times.
    """

    def __init__(
        self,
        *,
        name: str,
        bench: Bench,
        foils: int = 500,
        low_c: float = 50.0,
        high_c: float = 200.0,
        room_c: float = 22.0,
        ramp_c_s: float = 1.0,
        bonds_c: float = 140.0,
        bonds_s: float = 0.5,
        handling_s: float = 10.0,
        faults: FaultOptions = (),
    ) -> None:
        """``ramp_c_s``: how fast the plate of the press warms or cools, in degrees per second.

        UserMistake if an option makes no sense.
        """
        check_order(name, low_c=low_c, high_c=high_c)
        check_above_0(name, ramp_c_s=ramp_c_s)
        check_not_negative(name, foils=foils, bonds_s=bonds_s, handling_s=handling_s)
        self._name = name
        self._bench = bench
        self._low_c = low_c
        self._high_c = high_c
        self._room_c = room_c
        self._ramp_c_s = ramp_c_s
        self._bonds_c = bonds_c
        self._bonds_s = bonds_s
        self._handling_s = handling_s
        bench.stock_up(name, {FOILS: float(foils)})
        bench.plan_faults(name, ACTIONS, faults)

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """The press opens, and its heater goes off."""
        self._bench.stop(self._name)
        self._bench.turn(self._name, TEMPERATURE, self._room_c)

    @property
    def foils_left(self) -> int:
        """How many plates can still be sealed."""
        return int(self._bench.left(self._name, FOILS))

    async def seal(self, plate: Plate, temperature_c: float, duration_s: float) -> None:
        kind = self._bench.labware_kind(plate.labware)
        if kind.category != "plate":
            raise DriverFault(f"{self._name}: {plate} is a {kind.category}; only plates are sealed")
        check_lasts(self._name, duration_s)
        check_within(
            self._name, "temperature_c", temperature_c, self._low_c, self._high_c, "degrees"
        )
        if not self.foils_left:
            raise OutOfMaterial(f"{self._name}: there is no foil left; put a new roll in")
        with self._bench.floor.at_work(self._name, plate.labware):
            call = self._bench.begin(self._name, "seal")
            await call.work(self._warming_s(temperature_c))
            self._bench.turn(self._name, TEMPERATURE, temperature_c)
            self._bench.use(self._name, FOILS, 1)
            await call.work(self._handling_s + duration_s)
            if temperature_c >= self._bonds_c and duration_s >= self._bonds_s:
                self._bench.floor.seal(plate.labware)

    def predict_seal(self, plate: Plate, temperature_c: float, duration_s: float) -> Prediction:  # noqa: ARG002 - as the action has it
        warming_s = self._warming_s(temperature_c)
        return Prediction(duration_s=warming_s + self._handling_s + duration_s)

    def after_seal(self, plate: Plate, temperature_c: float, duration_s: float) -> None:  # noqa: ARG002 - as the action has it
        self._bench.turn(self._name, TEMPERATURE, temperature_c)

    def _warming_s(self, temperature_c: float) -> float:
        was_c = self._bench.dial(self._name, TEMPERATURE, self._room_c)
        return abs(temperature_c - was_c) / self._ramp_c_s


_: type[Sealer] = SimulatedSealer
