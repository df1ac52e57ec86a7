"""An action that opens a short window begins once what must follow it can follow in time."""

from __future__ import annotations

from collections import Counter

import pytest

from sdl.authoring import protocol, within
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.chains import SPARE_S, Chains
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from tests.core.cell import ONE_WELL, Cell, Reading, cell, cell_campaign, cell_script, quick_read
from tests.core.floor import Chances
from tests.core.test_snapshot import again, turns
from tests.core.test_transport import at_cell, start, until

SEEDS = range(12)
RUNS = 16


@protocol
async def two_windows(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    """Wash soon after dispensing, fill up soon after washing, read soon after that."""
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    async with within(70.0):
        await washer.wash(well.plate, cycles=2, volume_ul=100.0)
    async with within(30.0):
        await handler.dispense(well, {"dye": 100.0})
    async with within(30.0):
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))


def played(seed: int, function: object, *, odds: Chances | None = None) -> Cell:
    floor = Cell(
        Engine(cell_script(function)),
        seed=seed,
        chances=odds or Chances(),
        simulated=False,
        clock="wall",
        there=cell(RUNS, kind=ONE_WELL),
    )
    stop = StopRule(runs=RUNS, failures=100)
    floor.play(cell_campaign(range(1, RUNS + 1), parallel=4, stop=stop))
    return floor


def measured(floor: Cell) -> int:
    return sum(isinstance(each, do.EndRun) and each.outcome == "measured" for each in floor.journal)


def carried(floor: Cell) -> Counter[str]:
    """How often something was carried for the sake of each run."""
    carries = (each for each in floor.journal if isinstance(each, do.BeginCarry))
    return Counter(each.step.rpartition("/")[0] for each in carries)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("function", [quick_read, two_windows])
def test_no_window_is_broken_where_all_goes_well(function: object, seed: int) -> None:
    floor = played(seed, function)
    assert measured(floor) == RUNS, f"seed {seed}"
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"


def test_without_that_windows_are_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chains, "objection", lambda *_: "")
    monkeypatch.setattr(Chains, "promises", lambda _: [])
    monkeypatch.setattr(Chains, "calls", lambda *_: [])
    monkeypatch.setattr(Chains, "awaited", lambda *_: frozenset())
    assert any(measured(played(seed, two_windows)) < RUNS for seed in SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_plates_are_not_carried_to_and_fro(seed: int) -> None:
    counts = carried(played(seed, two_windows))
    put_away = counts.pop("")
    assert max(counts.values()) <= 8, f"seed {seed}: {counts}, and each run needs four"
    assert put_away <= RUNS, f"seed {seed}"


@pytest.mark.parametrize("seed", range(4))
def test_chains_are_the_same_from_any_snapshot(seed: int) -> None:
    odds = Chances(fail=0.03, unknown=0.03, lose=0.05, repeat=0.05, incidents=4)
    floor = played(seed, two_windows, odds=odds)
    fold(floor.engine.scripts, floor.journal)
    often = Engine(floor.engine.scripts)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % 7 == 0:
            often = again(often)


def test_what_is_held_back_in_a_window_of_its_own_starts_before_that_closes() -> None:
    floor = start(at_cell(5, cell(1), function=two_windows))
    until(floor, lambda: "dye/run-1/step-1/try-1" in floor.performed)
    floor.looked.add("handler")  # nobody lets it go on
    floor.turn(ev.PauseRequested(at=floor.at, what="handler", by="ada"))
    until(floor, lambda: any(each.operation == "wash" for each in floor.performed.values()))
    (wash,) = [each for each in floor.performed.values() if each.operation == "wash"]
    assert wash.not_after is not None
    assert do.Wait(timer=f"{wash.step}/prompt", until=wash.not_after - SPARE_S) in floor.journal
    assert floor.at == pytest.approx(wash.not_after - SPARE_S)


def test_where_two_arms_share_a_way_an_action_waits_for_the_first_of_them() -> None:
    relay = {"arm": ("handler", "hotel"), "arm-2": ("reader", "washer", "hotel")}
    there = cell(RUNS, hotel=2, kind=ONE_WELL, reaches=relay)
    floor = start(at_cell(2, there, function=two_windows), parallel=4)

    def is_held_back() -> bool:
        whys = (one.why for one in floor.engine.view().waits)
        return any("until arm has time to bring it to washer" in why for why in whys)

    until(floor, is_held_back)
