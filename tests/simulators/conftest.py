"""What the tests of the simulators share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sdl.sim import Bench
from sdl_simulators.absorbance_reader import SimulatedAbsorbanceReader
from sdl_simulators.liquid_handler import SimulatedLiquidHandler

SOURCES_UL = {"dye": 20_000.0, "buffer": 50_000.0}
Pair = tuple[Bench, SimulatedLiquidHandler, SimulatedAbsorbanceReader]


@pytest.fixture
def lab() -> Callable[[int], Pair]:
    """Make a bench with a liquid handler and a reader, for a seed."""

    def make(seed: int) -> Pair:
        bench = Bench.instant(seed=seed)
        handler = SimulatedLiquidHandler(name="handler", bench=bench, sources_ul=SOURCES_UL)
        return bench, handler, SimulatedAbsorbanceReader(name="reader", bench=bench)

    return make
