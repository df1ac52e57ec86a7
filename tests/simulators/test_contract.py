"""Every simulator keeps the device contract, and the contract finds what is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sdl.capabilities import Device
from sdl.model.labware import Well
from sdl.sim import Bench, Prediction
from sdl.testing.arguments import TryOut
from sdl.testing.contract_of_class import check_class
from sdl.testing.driver_contract import driver_contract
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.data_emulator import DataEmulator
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

A1 = Well("plate-1", "A1")
MADE: list[tuple[Callable[[], Device], TryOut]] = [
    (
        lambda: SimulatedLiquidHandler(name="h", bench=Bench.instant(), sources_ul={"dye": 1e4}),
        {"dispense": {"well": A1, "volumes_ul": {"dye": 20.0}}},
    ),
    (lambda: SimulatedAbsorbanceReader(name="r", bench=Bench.instant()), {}),
    (
        lambda: DataEmulator(name="e", bench=Bench.instant(), dataset="crossed_barrel"),
        {"make": {"recipe": {"n": 6, "theta": 0, "r": 1.5, "t": 0.7}}},
    ),
]


@pytest.mark.parametrize("make, try_out", MADE, ids=["liquid-handler", "reader", "data-emulator"])
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


class Mistyped(Quiet):
    """Has an argument of another type."""

    async def absorbance(self, well: str, wavelength_nm: float) -> float:
        raise NotImplementedError(well, wavelength_nm)


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
