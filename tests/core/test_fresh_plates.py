"""All wells of a kind are used: a person is asked for a fresh plate, and the campaign goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.model.campaign import Campaign, PlateChoice, StopRule
from sdl.model.lab import Place
from sdl.model.provenance import Clock
from sdl.model.stock import Source, Stocks
from tests.core.cell import ONE_WELL, Cell, cell, cell_campaign, cell_script
from tests.core.floor import Chances, Start
from tests.core.test_replay import chances
from tests.core.test_snapshot import again, turns
from tests.core.test_transport import QUIET, ends, until

KIND = PlateChoice(kind=ONE_WELL.name)
LACK = f"no free well is left on a plate of the kind {ONE_WELL.name}"
SCRIPT = cell_script()


def asks(runs: int = 3, choice: PlateChoice = KIND, **changes: object) -> Campaign:
    stop = StopRule(runs=runs, failures=100, full_plates="ask")
    roles = {name: (name,) for name in ("handler", "reader", "washer")}
    plain: dict[str, object] = {
        "stop": stop,
        "roles": {**roles, "well": ()},
        "plates": {"well": choice},
    }
    return replace(cell_campaign(range(0)), **{**plain, **changes})  # type: ignore[arg-type]


def at_cell(
    seed: int, plates: int = 1, *, odds: Chances = QUIET, clock: Clock = "wall", hotel: int = 3
) -> Cell:
    there = cell(plates, hotel=hotel, kind=ONE_WELL)
    return Cell(Engine(SCRIPT), seed=seed, chances=odds, simulated=False, clock=clock, there=there)


def full(seed: int, spec: Campaign, plates: int = 1) -> Cell:
    """Nobody has come yet, and nothing goes on any more."""
    floor = at_cell(seed, plates)
    floor.patience = False
    floor.play(spec)
    return floor


def wells(floor: Cell) -> list[str]:
    return [line.roles["well"] for line in floor.journal if isinstance(line, do.BeginRun)]


def conclusions(floor: Cell) -> list[do.Conclude]:
    return [line for line in floor.journal if isinstance(line, do.Conclude)]


def test_a_campaign_without_wells_waits_and_says_what_to_do() -> None:
    floor = full(1, asks())
    assert not conclusions(floor)
    (task,) = floor.engine.lab_view().plates
    told = (
        f"{LACK}; bring fresh plates: put one on a free site of a store, then: "
        "sdl done fresh-1 NAME SITE; or: sdl stop"
    )
    assert (task.id, task.reason) == ("dye/fresh-1", told)
    assert {one.who: one.why for one in floor.engine.view().waits} == {"dye/run-2": told}
    asked = [line for line in floor.journal if isinstance(line, do.AskPlate)]
    assert [(one.task, one.campaign, one.reason) for one in asked] == [("dye/fresh-1", "dye", told)]


def test_it_goes_on_by_itself_once_a_fresh_plate_stands_there() -> None:
    floor = full(2, asks(runs=2))
    floor.turn(floor.brought("dye/fresh-1", "plate-9", "hotel/3"))
    assert floor.engine.lab_view().plates == ()
    assert wells(floor) == ["plate-1/A1", "plate-9/A1"]
    until(floor, lambda: floor.engine.is_over)
    assert [each.outcome for each in ends(floor)] == ["measured"] * 2
    assert conclusions(floor)[0].ending == "budget"
    assert not floor.wrong


def test_what_is_no_fresh_plate_or_finds_no_room_is_refused_with_what_to_do() -> None:
    floor = full(3, asks())
    task, refused = "dye/fresh-1", floor.engine.objection
    assert "sdl tasks" in refused(floor.brought("dye/fresh-7"))
    assert "sdl place plate-1 SITE" in refused(floor.brought(task, "plate-1"))
    assert "a name of its own" in refused(floor.brought(task, "reader"))
    assert "is no name" in refused(floor.brought(task, "Plate 9"))
    assert "one of hotel/1, hotel/2" in refused(floor.brought(task, site="reader/1"))
    assert "one of hotel/1, hotel/2" in refused(floor.brought(task, site="hotel/99"))
    said = refused(floor.brought(task, site="hotel/1"))
    assert said == (
        "plate-1 stands on hotel/1; take another, or take it off: sdl place plate-1 --off"
    )
    before = floor.engine.state_sha256()
    floor.turn(floor.brought(task, "plate-1"))
    assert floor.engine.state_sha256() == before


def test_a_full_plate_is_taken_off_and_the_fresh_one_stands_in_its_place() -> None:
    floor = full(4, asks(runs=2))
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    floor.truth["plate-1"] = ""
    floor.turn(floor.brought("dye/fresh-1", "plate-9", "hotel/1"))
    until(floor, lambda: floor.engine.is_over)
    assert wells(floor) == ["plate-1/A1", "plate-9/A1"]
    assert not floor.wrong


def test_the_last_site_over_which_plates_could_pass_each_other_is_kept_free() -> None:
    there = cell(3, kind=ONE_WELL)
    at = [f"{name}/1" for name in ("handler", "reader", "washer")]
    there = replace(
        there,
        places=(Place(name="hotel", sites=1),),
        labware=tuple(replace(one, at=site) for one, site in zip(there.labware, at, strict=True)),
    )
    floor = Cell(Engine(SCRIPT), seed=11, simulated=False, clock="wall", there=there)
    floor.patience = False
    with pytest.raises(AssertionError, match="no end"):
        floor.play(asks(runs=4, parallel=4), limit=0)
    until(floor, lambda: floor.engine.lab_view().plates)
    (task,) = floor.engine.lab_view().plates
    assert floor.engine.objection(floor.brought(task.id, "plate-9", "hotel/1")) == (
        "hotel/1 is needed by what comes back into store: plate-1, plate-2, plate-3; take a full "
        "plate off first, with: sdl place NAME --off"
    )


def test_a_plate_whose_place_is_named_is_asked_for_there() -> None:
    choice = PlateChoice(kind=ONE_WELL.name, at="hotel")
    floor = full(5, asks(choice=choice))
    (task,) = floor.engine.lab_view().plates
    assert task.reason.endswith(
        "put one on a free site of hotel, then: sdl done fresh-1 NAME hotel/N; or: sdl stop"
    )


def test_one_who_brings_back_a_plate_with_free_wells_has_done_as_well() -> None:
    floor = at_cell(6, 2)
    floor.patience = False
    with pytest.raises(AssertionError, match="no end"):
        floor.play(asks(runs=2), limit=0)
    floor.turn(ev.LabwarePlaced(at=0.0, labware="plate-2", site="", by="ada"))
    until(floor, lambda: floor.engine.lab_view().plates)
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-2", site="hotel/2", by="ada"))
    assert floor.engine.lab_view().plates == ()
    assert wells(floor) == ["plate-1/A1", "plate-2/A1"]


def test_what_goes_into_a_brought_plate_is_in_the_ledger() -> None:
    dye = Source(volume_ul=1000.0)
    there = replace(
        cell(1, hotel=3, kind=ONE_WELL),
        stocks=(Stocks(instrument="handler", sources={"dye": dye}),),
    )
    floor = Cell(
        Engine(SCRIPT), seed=12, simulated=False, clock="wall", there=there, stocks=there.stocks
    )
    floor.play(asks(runs=2))
    assert {one.place for one in floor.engine.contents()} >= {"plate-1/A1", "new-1/A1"}
    assert [each.outcome for each in ends(floor)] == ["measured"] * 2


def test_who_stops_the_campaign_is_asked_for_nothing_more() -> None:
    floor = full(7, asks())
    floor.turn(ev.StopRequested(at=floor.at, by="ada", reason="enough"))
    assert conclusions(floor)[0].ending == "stopped"
    assert floor.engine.lab_view().plates == ()
    assert "has ended" in floor.engine.objection(floor.brought("dye/fresh-1"))


@pytest.mark.parametrize(
    "clock,full_plates", [("virtual", "ask"), ("wall", "end")], ids=["nobody", "not asked"]
)
def test_where_nobody_comes_or_is_to_be_asked_it_ends_and_says_why(
    clock: Clock, full_plates: str
) -> None:
    floor = at_cell(8, clock=clock)
    stop = StopRule(runs=3, failures=100, full_plates=full_plates)  # type: ignore[arg-type]
    floor.play(asks(stop=stop))
    assert [(one.ending, one.reason) for one in conclusions(floor)] == [("material", LACK)]


def test_what_no_fresh_plate_could_hold_is_not_asked_for() -> None:
    """Named plates are those and no others; a kind of which none stands on a site is nowhere."""
    floor = at_cell(9)
    floor.play(asks(roles={**asks().roles, "well": ("plate-1",)}, plates={}))
    assert conclusions(floor)[0].ending == "material"


def test_each_campaign_of_a_lab_asks_for_a_plate_of_its_own() -> None:
    floor = at_cell(10, 2, hotel=4)
    floor.patience = False
    floor.play_lab(Start(spec=asks(name="a")), Start(spec=asks(name="b"), at=5.0))
    tasks = floor.engine.lab_view().plates
    assert [(one.campaign, one.task) for one in tasks] == [("a", "fresh-1"), ("b", "fresh-2")]
    assert tasks[0].reason.endswith("or: sdl campaign stop a")
    floor.turn(floor.brought(tasks[1].id, "plate-9"))
    (left,) = floor.engine.lab_view().plates
    begun = [line.run for line in floor.journal if isinstance(line, do.BeginRun)]
    assert begun[-1] == "a/run-2", "the plate is nobody's before it is used, and a waits longer"
    assert left.campaign == "b"


@settings(max_examples=25)
@given(
    odds=chances, seed=st.integers(0, 2**20), parallel=st.integers(1, 3), every=st.integers(5, 40)
)
def test_whatever_happens_brought_plates_are_used_once_and_replayed(
    odds: Chances, seed: int, parallel: int, every: int
) -> None:
    note(f"seed {seed}")
    floor = at_cell(seed, 1, odds=odds, hotel=12)
    floor.play(asks(runs=4, parallel=parallel))
    assert conclusions(floor), f"seed {seed}"
    assert len(set(wells(floor))) == len(wells(floor)), f"seed {seed}"
    assert fold(SCRIPT, floor.journal).state_sha256() == floor.engine.state_sha256()
    often = Engine(SCRIPT)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % every == 0:
            often = again(often)
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"
