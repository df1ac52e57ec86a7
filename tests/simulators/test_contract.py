"""Every simulator keeps the device contract, and the contract finds what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sdl.capabilities import Device
from sdl.errors import DriverFault
from sdl.model.action import action
from sdl.model.labware import Plate, Well
from sdl.sim import Bench, Prediction
from sdl.testing.arguments import TryOut
from sdl.testing.contract_of_class import check_class
from sdl.testing.driver_contract import driver_contract
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.arm import SimulatedArm
from sdl_simulators.data_emulator import DataEmulator
from sdl_simulators.hotel import SimulatedHotel
from sdl_simulators.incubator import SimulatedIncubator
from sdl_simulators.liquid_handler import SimulatedLiquidHandler
from sdl_simulators.sealer import SimulatedSealer
from sdl_simulators.shaker import SimulatedShaker
from sdl_simulators.washer import SimulatedWasher

A1, PLATE = Well("plate-1", "A1"), Plate("plate-1")


def placed() -> Bench:
    """A plate in a hotel, and an arm that reaches it."""
    return Bench.instant(at={"plate-1": "hotel/1"}, sites={"hotel": 2}, reaches={"arm": ("hotel",)})


MADE: list[tuple[Callable[[], Device], TryOut]] = [
    (
        lambda: SimulatedLiquidHandler(name="h", bench=Bench.instant(), sources_ul={"dye": 1e4}),
        {"dispense": {"well": A1, "volumes_ul": {"dye": 20.0}}},
    ),
    (lambda: SimulatedAbsorbanceReader(name="r", bench=Bench.instant()), {}),
    (
        lambda: SimulatedArm(name="arm", bench=placed()),
        {"move": {"labware": "plate-1", "source": "hotel/1", "target": "hotel/1"}},
    ),
    (
        lambda: SimulatedHotel(name="hotel", bench=placed()),
        {"locate": {"labware": "plate-1"}},
    ),
    (
        lambda: SimulatedIncubator(name="i", bench=Bench.instant()),
        {"keep": {"plate": PLATE, "temperature_c": 37.0}},
    ),
    (
        lambda: SimulatedShaker(name="s", bench=Bench.instant()),
        {"shake": {"plate": PLATE, "speed_rpm": 900.0, "duration_s": 20.0}},
    ),
    (
        lambda: SimulatedWasher(name="w", bench=Bench.instant()),
        {"wash": {"plate": PLATE, "cycles": 2, "volume_ul": 200.0}},
    ),
    (
        lambda: SimulatedSealer(name="s", bench=Bench.instant()),
        {"seal": {"plate": PLATE, "temperature_c": 175.0, "duration_s": 2.0}},
    ),
    (
        lambda: DataEmulator(name="e", bench=Bench.instant(), dataset="crossed_barrel"),
        {"make": {"recipe": {"n": 6, "theta": 0, "r": 1.5, "t": 0.7}}},
    ),
]


NAMES = ("liquid-handler", "reader", "arm", "hotel", "incubator", "shaker", "washer", "sealer")


@pytest.mark.parametrize("make, try_out", MADE, ids=[*NAMES, "data-emulator"])
def test_simulators_keep_the_contract(make: Callable[[], Device], try_out: TryOut) -> None:
    driver_contract(make, try_out=try_out)


class Quiet:
    """Keeps the life cycle, and offers nothing."""

    async def connect(self) -> None:
        """Nothing to open."""

    async def disconnect(self) -> None:
        """Nothing to close."""

    async def make_safe(self) -> None:
        """Nothing moves."""


class Once(Quiet):
    """Cannot be connected twice."""

    connected = False

    async def connect(self) -> None:
        if self.connected:
            raise RuntimeError("already open")
        self.connected = True

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        raise NotImplementedError(well, wavelength_nm)


class Gullible(Quiet):
    """Measures anything."""

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        return 0.5 if well.name and wavelength_nm else 0.0


class Careless(Quiet):
    """Falls over a wrong recipe."""

    async def make(self, recipe: Mapping[str, float | int | str]) -> Mapping[str, float]:
        return {"y": float(recipe["x"])}


class Marked(Quiet):
    """Means something else by a name of a contract, and says so."""

    @action("once", timeout_s=60.0)
    async def shake(self, bottle: str) -> None:
        raise DriverFault(f"there is no bottle {bottle!r}")


class Mistyped(Quiet):
    """Has an argument of another type."""

    async def absorbance(self, well: str, wavelength_nm: float) -> float:
        raise NotImplementedError(well, wavelength_nm)


def test_a_class_may_mean_something_else_by_the_name_of_an_action() -> None:
    driver_contract(Marked)


@pytest.mark.parametrize(
    "kind, words",
    [
        (Quiet, "offers no action"),
        (Once, "connect, twice: RuntimeError: already open"),
        (Gullible, "returned 0.5; it must be refused"),
        (Careless, "raised KeyError: 'x'; raise a DriverFault"),
        (Mistyped, "unlike PlateReader.absorbance in"),
    ],
)
def test_the_contract_finds_what_is_broken(kind: type[Quiet], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        driver_contract(kind)


class Seer(Quiet):
    """Predicts, in one way or another."""

    async def absorbance(self, well: Well, wavelength_nm: float) -> float:
        return 0.5


class OfNothing(Seer):
    def predict_absorbence(self, well: Well, wavelength_nm: float) -> Prediction:
        return Prediction(duration_s=1.0)


class OfLess(Seer):
    def predict_absorbance(self, well: Well) -> Prediction:
        return Prediction(duration_s=1.0)


class InTime(Seer):
    async def predict_absorbance(self, well: Well, wavelength_nm: float) -> Prediction:
        return Prediction(duration_s=1.0)


@pytest.mark.parametrize(
    "kind,words",
    [
        (OfNothing, "there is no action absorbence"),
        (OfLess, "takes ['well']; the action takes ['well', 'wavelength_nm']"),
        (InTime, "must not be an 'async def'"),
    ],
)
def test_the_contract_finds_a_prediction_that_does_not_fit_its_action(
    kind: type, words: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        check_class(kind, {})
    assert words in str(caught.value)
