"""Each step of a pooled role is done by whichever of its instruments is free."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, within
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.model.campaign import Campaign, StopRule
from sdl.model.lab import Instrument, Lab
from sdl.model.labware import Well
from tests.core.cell import (
    ONE_WELL,
    Cell,
    Reading,
    cell,
    cell_campaign,
    cell_script,
    quick_read,
    wash_assay,
)
from tests.core.floor import Chances, Start
from tests.core.nodes import DRIVERS
from tests.core.test_snapshot import again, turns
from tests.core.test_transport import QUIET, ROUGH, ends, until

SEEDS = range(8)
READERS = ("reader", "reader-2")
REACHES: dict[str, dict[str, tuple[str, ...]]] = {
    "one arm": {"arm": ("handler", *READERS, "washer", "hotel")},
    "two arms": {
        "arm": ("handler", "reader", "hotel"),
        "arm-2": ("washer", "reader-2", "reader", "hotel"),
    },
    "an arm and a person": {"arm": ("handler", "reader", "hotel")},
}


def two_readers(plates: int, who: str = "one arm") -> Lab:
    plain = cell(plates, kind=ONE_WELL, reaches=REACHES[who])
    second = Instrument(name="reader-2", driver=DRIVERS["reader-2"], simulated=False, sites=1)
    return replace(plain, instruments=(*plain.instruments, second))


def spec(plates: range, *, pooled: bool = True, **changes: object) -> Campaign:
    plain = cell_campaign(plates, stop=StopRule(runs=len(plates), failures=100), **changes)
    roles = {**plain.roles, "reader": READERS}
    return replace(plain, roles=roles, pooled=("reader",) if pooled else ())


def at_bench(seed: int, there: Lab, odds: Chances = QUIET, function: object = quick_read) -> Cell:
    return Cell(
        Engine(cell_script(function)),
        seed=seed,
        chances=odds,
        simulated=False,
        clock="wall",
        there=there,
    )


def started(floor: Cell, campaign: Campaign) -> Cell:
    with pytest.raises(AssertionError, match="no end"):
        floor.play(campaign, limit=0)
    return floor


def reads(floor: Cell) -> dict[str, str]:
    """By run: where it was read at last."""
    return {
        each.step.partition("/step-")[0]: each.instrument
        for each in floor.performed.values()
        if each.operation == "absorbance"
    }


def all_reads(floor: Cell) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in floor.performed.values():
        if each.operation == "absorbance":
            found.setdefault(each.step.partition("/step-")[0], []).append(each.instrument)
    return found


def cast(floor: Cell) -> dict[str, str]:
    """By run: which reader it began with."""
    begun = (each for each in floor.journal if isinstance(each, do.BeginRun))
    return {each.run: each.roles["reader"] for each in begun}


@protocol
async def slow_read(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    for _ in range(2):
        async with within(120.0):
            await reader.absorbance(well, wavelength_nm=450.0)
        await washer.wash(well.plate, cycles=2, volume_ul=100.0)
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@pytest.mark.parametrize("pooled", [True, False])
def test_only_in_a_pooled_role_is_a_plate_read_at_two_readers(*, pooled: bool) -> None:
    both = 0
    for seed in SEEDS:
        floor = at_bench(seed, two_readers(8), function=slow_read)
        floor.play(spec(range(1, 9), pooled=pooled, parallel=4))
        assert [each.outcome for each in ends(floor)] == ["measured"] * 8, f"seed {seed}"
        assert not floor.wrong, f"seed {seed}: {floor.wrong}"
        both += sum(len(set(names)) > 1 for names in all_reads(floor).values())
    assert (both > 0) == pooled


def dispensing(seed: int, *, pooled: bool = True) -> Cell:
    """While the first run is at the handler; its plate has to be read within a minute."""
    floor = started(at_bench(seed, two_readers(1)), spec(range(1, 2), pooled=pooled))
    until(floor, lambda: "dye/run-1/step-1/try-1" in floor.performed)
    assert cast(floor) == {"dye/run-1": "reader"}
    return floor


@pytest.mark.parametrize("seed", SEEDS)
def test_a_read_takes_the_other_reader_in_time_where_its_own_is_paused(seed: int) -> None:
    floor = dispensing(seed)
    floor.turn(ev.PauseRequested(at=floor.at, what="reader", by="ada"))
    until(floor, lambda: ends(floor))
    assert reads(floor) == {"dye/run-1": "reader-2"}, f"seed {seed}"
    assert [each.outcome for each in ends(floor)] == ["measured"], f"seed {seed}"


def test_a_read_takes_the_other_reader_where_its_own_is_lost() -> None:
    floor = dispensing(1)
    floor.nodes["reader"].die(floor.at, forgets=False)
    floor.turn(ev.InstrumentLost(at=floor.at, instrument="reader", reason="its cable is out"))
    until(floor, lambda: reads(floor))
    assert reads(floor) == {"dye/run-1": "reader-2"}


def test_an_action_is_held_back_only_while_no_reader_is_fit_for_what_follows() -> None:
    floor = started(at_bench(1, two_readers(1)), spec(range(1, 2)))
    until(floor, lambda: floor.engine.lab.carries)
    for name in READERS:
        floor.turn(ev.PauseRequested(at=floor.at, what=name, by="ada"))
    until(floor, lambda: not floor.engine.lab.carries)
    assert "until reader is fit for use" in " ".join(w.why for w in floor.engine.view().waits)
    floor.looked.update(READERS)  # nobody lets them go on
    floor.turn(ev.ResumeRequested(at=floor.at, what="reader-2", by="ada"))
    until(floor, lambda: reads(floor))
    assert reads(floor) == {"dye/run-1": "reader-2"}


def said_of_read(floor: Cell) -> str:
    (why,) = [one.why for one in floor.engine.view().waits if "step-2" in one.who]
    return why


def test_who_looks_is_told_of_the_reader_that_it_waits_for_now() -> None:
    floor = dispensing(1)
    floor.turn(ev.PauseRequested(at=floor.at, what="reader", by="ada"))
    until(floor, lambda: any(carry.step.endswith("step-2") for carry in _carries(floor)))
    assert "reader-2" in said_of_read(floor)


def waiting(seed: int) -> Cell:
    """A plate is to be read, and neither reader nor arm does anything."""
    floor = dispensing(seed)
    floor.looked.update((*READERS, "arm"))  # nobody else lets them go on
    for name in ("arm", *READERS):
        floor.turn(ev.PauseRequested(at=floor.at, what=name, by="ada", at_once=True))
    until(floor, lambda: any("step-2" in one.who for one in floor.engine.view().waits))
    assert not floor.engine.lab.carries, f"seed {seed}"
    return floor


def test_who_looks_is_told_of_another_reader_only_where_that_is_fit_for_use() -> None:
    floor = waiting(1)
    assert "as well" not in said_of_read(floor), "both are paused"
    floor.turn(ev.ResumeRequested(at=floor.at, what="reader-2", by="ada"))
    floor.turn(ev.ResumeRequested(at=floor.at, what="reader", by="ada"))
    assert said_of_read(floor).endswith("; reader may do it as well")
    floor.turn(ev.InstrumentLost(at=floor.at, instrument="reader", reason="its cable is out"))
    assert "as well" not in said_of_read(floor)


def test_who_looks_is_told_of_no_other_reader_once_the_plate_is_on_its_way() -> None:
    floor = waiting(1)
    for name in (*READERS, "arm"):
        floor.turn(ev.ResumeRequested(at=floor.at, what=name, by="ada"))
    assert [carry.step for carry in floor.engine.lab.carries.values()] == ["dye/run-1/step-2"]
    assert floor.engine.lab.instruments["reader-2"].ready
    assert "as well" not in said_of_read(floor)


def test_what_is_carried_for_a_step_already_goes_where_it_was_to() -> None:
    floor = dispensing(1)
    until(floor, lambda: any(carry.step.endswith("step-2") for carry in _carries(floor)))
    floor.looked.add("reader")  # nobody else lets it go on
    floor.turn(ev.PauseRequested(at=floor.at, what="reader", by="ada", at_once=True))
    until(floor, lambda: not floor.engine.lab.carries)
    floor.turn(ev.ResumeRequested(at=floor.at, what="reader", by="ada"))
    until(floor, lambda: reads(floor))
    assert reads(floor) == {"dye/run-1": "reader"}
    targets = [carry.target for carry in _carries(floor)]
    assert targets == ["handler/1", "reader/1"]


def _carries(floor: Cell) -> list[do.BeginCarry]:
    return [each for each in floor.journal if isinstance(each, do.BeginCarry)]


def held_against(floor: Cell, every: int) -> None:
    """Fold the journal again, once whole and once from many snapshots."""
    whole, often = Engine(floor.engine.scripts), Engine(floor.engine.scripts)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        where = f"seed {floor.seed}, turn {number}, restored each {every}"
        assert whole.handle(event) == commands, where
        assert often.handle(event) == commands, where
        if number % every == 0:
            often = again(often)
            assert often.state_sha256() == whole.state_sha256(), where


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    plates=st.integers(1, 8),
    who=st.sampled_from(sorted(REACHES)),
    rough=st.booleans(),
    function=st.sampled_from([wash_assay, quick_read]),
    every=st.integers(5, 60),
)
def test_whatever_happens_no_two_plates_meet_and_every_campaign_ends(
    seed: int, plates: int, who: str, rough: bool, function: object, every: int
) -> None:
    note(f"seed {seed}")
    floor = at_bench(seed, two_readers(plates, who), ROUGH if rough else QUIET, function)
    floor.play(spec(range(1, plates + 1), parallel=min(4, plates)))
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"
    assert not floor.doubles(), f"seed {seed}"
    assert floor.engine.is_over, f"seed {seed}"
    held_against(floor, every)


@pytest.mark.parametrize("seed", range(4))
def test_campaigns_with_and_without_pools_share_two_readers(seed: int) -> None:
    floor = at_bench(seed, two_readers(12), ROUGH if seed % 2 else QUIET)
    floor.play_lab(
        *(
            Start(
                spec=spec(range(4 * n + 1, 4 * n + 5), name=name, parallel=2, pooled=name != "b"),
                at=20.0 * n,
            )
            for n, name in enumerate(("a", "b", "c"))
        )
    )
    assert sum(isinstance(each, do.Conclude) for each in floor.journal) == 3, f"seed {seed}"
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"
    held_against(floor, 40)
