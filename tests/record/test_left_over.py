"""What sources and wells held last is taken over when work begins again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.errors import UserMistake
from sdl.model.campaign import PlateChoice, StopRule
from sdl.model.lab import Lab
from sdl.model.labware import Stored
from sdl.model.stock import Source, Stocks
from sdl.shell.left_over import check_fresh, left_over
from sdl.shell.opening import new
from sdl.shell.sessions import new_session
from tests.core.cell import ONE_WELL, Cell, cell, cell_campaign, cell_script
from tests.core.dye import SCRIPT
from tests.core.floor import Floor, campaign, lab, online
from tests.core.test_draws import begun as refused_at_work
from tests.core.test_draws import done, overfull, script_of
from tests.record.test_left_standing import kept

DYE = Source(volume_ul=1000.0, dead_volume_ul=30.0, lot="D1", expires="2031-01-01")
WATER = Source(volume_ul=1000.0)
LAB = replace(
    lab(simulated=False),
    stocks=(Stocks(instrument="handler", sources={"dye": DYE, "water": WATER}, error_ul=0.5),),
)
SPEC = campaign(stop=StopRule(runs=3))


def at_work() -> Floor:
    return Floor(Engine(SCRIPT), 3, simulated=False, clock="wall", there=LAB, stocks=LAB.stocks)


def worked(**changes: object) -> Floor:
    """The lab after a campaign of three runs."""
    return at_work().play(replace(SPEC, **changes))  # type: ignore[arg-type]


def taken(
    url: str, then: Floor, there: Lab = LAB, fresh: Collection[str] = ()
) -> tuple[ev.StockLeft | ev.WellsLeft, ...]:
    """What is taken over of that, once it is on record."""
    record = kept(url, then)
    try:
        return left_over(record, there, 5.0, fresh)
    finally:
        record.close()


def begun(before: tuple[ev.StockLeft | ev.WellsLeft, ...], there: Lab = LAB) -> Floor:
    """The next campaign, as it begins."""
    floor = Floor(Engine(SCRIPT), seed=4)
    spec = replace(SPEC, name="dye-2")
    first = new(SCRIPT, spec, there, at=5.0, clock="wall", speed=1.0, before=before).first
    for event in first:
        floor.turn(event)
    return floor


def declared(dye: Source) -> Lab:
    return replace(LAB, stocks=(replace(LAB.stocks[0], sources={"dye": dye, "water": WATER}),))


def test_a_source_holds_what_was_left_in_it_by_lot_and_expiry(url: str) -> None:
    then = worked()
    inventory = then.engine.lab.inventory
    assert inventory is not None
    level = inventory.level("handler/dye")
    assert level.volume_ul < 1000.0
    floor = begun(taken(url, then))
    now = floor.engine.lab.inventory
    assert now is not None
    assert now.level("handler/dye").volume_ul == level.volume_ul
    assert now.level("handler/dye").uncertainty_ul == pytest.approx(level.uncertainty_ul)
    assert now.level("handler/dye").lots == ("D1",)
    assert now.expired("handler/dye", 1.95e9).startswith("lot D1 expired")
    (book,) = [one for one in floor.commands(do.Book) if isinstance(one, do.Book)][1:2]
    assert (book.why, book.levels) == ("left", (now.level("handler/dye"),))
    assert fold(SCRIPT, floor.journal).state_sha256() == floor.engine.state_sha256()


def test_a_person_is_told_what_is_taken_over_and_how_to_say_otherwise(url: str) -> None:
    told = begun(taken(url, worked())).engine.view().left
    assert len(told) == 2, "nothing of water, which nobody drew"
    stock, wells = told
    assert stock.startswith("handler/dye holds ")
    assert stock.endswith(
        "as when dye ended, and not 1 mL as lab.toml says; if that is wrong: "
        "sdl refill handler/dye VOLUME --replaces"
    )
    assert wells == (
        "plate-1: 3 wells count as used, as when dye ended; if a fresh one stands there, begin "
        "with --fresh plate-1"
    )


def test_what_was_filled_in_is_there_and_what_was_replaced_is_not(url: str) -> None:
    floor = worked()
    at = floor.at
    refilled = ev.StockRefilled(
        at=at, source="handler/dye", volume_ul=500.0, replaces=True, by="ada", lot="D2"
    )
    level = floor.engine.lab.inventory.level("handler/dye")  # type: ignore[union-attr]
    full = replace(level, volume_ul=500.0, lots=("D2",))
    floor.journal += [refilled, do.Book(why="refilled", run="", levels=(full,))]
    (one, *_) = taken(url, floor)
    assert isinstance(one, ev.StockLeft)
    assert [(left.lot, left.volume_ul) for left in one.left] == [("D2", 500.0)]


def test_what_the_file_says_anew_is_believed(url: str) -> None:
    today = declared(replace(DYE, volume_ul=900.0, lot="D7"))
    assert not [one for one in taken(url, worked(), today) if isinstance(one, ev.StockLeft)]


def test_what_was_kept_for_runs_that_did_not_end_is_in_doubt(url: str) -> None:
    floor = at_work()
    with pytest.raises(AssertionError, match="no end after"):
        floor.play(SPEC, limit=6)
    inventory = floor.engine.lab.inventory
    assert inventory is not None
    kept_ul = inventory.level("handler/dye").reserved_ul
    assert kept_ul > 0.0
    now = begun(taken(url, floor)).engine.lab.inventory
    assert now is not None
    assert now.level("handler/dye").doubt_ul == kept_ul


def test_wells_that_were_used_are_not_offered_and_hold_what_they_held(url: str) -> None:
    then = worked()
    floor = begun(taken(url, then))
    assert floor.engine.lab.free_wells["plate-1"] == then.engine.lab.free_wells["plate-1"]
    before, now = then.engine.lab.inventory, floor.engine.lab.inventory
    assert before is not None
    assert now is not None
    volumes = {well: mixture.volume_pl for well, mixture in before.wells.items()}
    assert volumes == {well: mixture.volume_pl for well, mixture in now.wells.items()}
    assert len(volumes) == 3


@pytest.mark.parametrize("fresh", ["plate-1", "all"])
def test_a_fresh_plate_has_all_its_wells(url: str, fresh: str) -> None:
    events = taken(url, worked(), fresh=[fresh])
    assert [type(one) for one in events] == [ev.StockLeft]
    with pytest.raises(UserMistake, match="--fresh plate-9: the lab has no such labware"):
        check_fresh(LAB, ["plate-9"])
    check_fresh(LAB, [fresh])


def test_a_plate_that_a_campaign_had_for_itself_stays_its_own(url: str) -> None:
    kind = LAB.labware[0].kind.name
    then = worked(plates={"well": PlateChoice(kind=kind)})
    (wells,) = [one for one in taken(url, then) if isinstance(one, ev.WellsLeft)]
    assert (wells.owner, len(wells.used)) == ("dye", 3)


def test_what_was_taken_over_once_is_taken_over_again(url: str) -> None:
    first = taken(url, worked())
    again = taken(url, begun(first))
    assert [replace(one, journal="") for one in again] == [
        replace(one, journal="") for one in first
    ]


def test_a_session_takes_it_over_as_well(url: str) -> None:
    before = taken(url, worked())
    session = new_session(SCRIPT, LAB, "bench-lab", at=5.0, clock="wall", speed=1.0, before=before)
    for event in session.first:
        session.engine.handle(event)
    session.engine.handle(online("handler", at=6.0))
    assert len(session.engine.lab_view().left) == 2


def test_a_bench_in_simulation_begins_with_full_bottles_and_fresh_plates(url: str) -> None:
    machines = tuple(replace(one, simulated=True) for one in LAB.instruments)
    assert taken(url, worked(), replace(LAB, instruments=machines)) == ()


def test_what_is_taken_over_stands_in_the_record_as_a_lot_and_a_level(url: str) -> None:
    floor = begun(taken(url, worked()))
    record = kept(url, floor)
    assert floor.engine.lab.inventory is not None
    level = floor.engine.lab.inventory.level("handler/dye")
    rows = {row.source: row for row in record.stocks("dye-2")}
    assert rows["handler/dye"].volume_ul == level.volume_ul
    lots = [row for row in record.lots("dye-2") if row.source == "handler/dye"]
    record.close()
    assert [(row.lot, row.volume_ul, row.replaces, row.note) for row in lots] == [
        ("D1", 1000.0, True, ""),
        ("D1", level.volume_ul, True, "left when dye ended"),
    ]


def test_what_was_refused_stands_in_the_record_as_a_step_that_failed_before_it_began(
    url: str,
) -> None:
    floor = refused_at_work(500.0, 1, of=script_of(overfull))
    done(floor, "run-1/step-1")
    record = kept(url, floor)
    step = record.run("dye/run-1").steps[1]
    record.close()
    assert (step.status, step.phase, step.fault) == ("failed", "before_start", "material")
    assert (step.cid, step.operation) == ("dye/run-1/step-2/try-1", "dispense")
    assert (step.reason or "").startswith("dispense on handler was not sent: plate-1/A1 holds")


def test_wells_of_a_plate_that_was_brought_stay_used_once_the_file_knows_it(url: str) -> None:
    there = cell(1, hotel=3, kind=ONE_WELL)
    choice = {"well": PlateChoice(kind=ONE_WELL.name)}
    roles = {**cell_campaign(range(0)).roles, "well": ()}
    stop = StopRule(runs=2, full_plates="ask")
    then = Cell(Engine(cell_script()), seed=5, simulated=False, clock="wall", there=there)
    then.play(replace(cell_campaign(range(0)), roles=roles, plates=choice, stop=stop))
    (brought,) = then.engine.lab.brought.values()
    today = replace(there, labware=(*there.labware, brought))
    left = taken(url, then, today)
    assert [
        (one.labware, one.used, one.owner) for one in left if isinstance(one, ev.WellsLeft)
    ] == [
        ("plate-1", ("A1",), "dye"),
        (brought.name, ("A1",), "dye"),
    ]


STORED = Stored(well="H12", component="ligand", volume_ul=100.0, lot="L-3")
PLATE = replace(LAB.labware[0], contents=(STORED,))
STOCKED = replace(LAB, labware=(PLATE,))


def test_a_plate_of_stored_liquids_holds_what_was_left_in_it(url: str) -> None:
    then = Floor(Engine(SCRIPT), 3, simulated=False, clock="wall", there=STOCKED).play(SPEC)
    before = taken(url, then, STOCKED)
    (wells,) = [one for one in before if isinstance(one, ev.WellsLeft)]
    assert [(one.place, one.volume_ul) for one in wells.left if one.lot == "L-3"] == [
        ("plate-1/H12", 100.0)
    ]
    floor = begun(before, STOCKED)
    held = {one.place: one.volume_ul for one in floor.engine.contents()}
    assert held["plate-1/H12"] == 100.0
    gone = replace(wells, left=tuple(one for one in wells.left if one.lot != "L-3"))
    others = tuple(one for one in before if one is not wells)
    floor = begun((*others, gone), STOCKED)
    assert "plate-1/H12" not in {one.place for one in floor.engine.contents()}


def test_where_the_file_says_something_else_of_a_plate_it_is_believed(url: str) -> None:
    then = Floor(Engine(SCRIPT), 3, simulated=False, clock="wall", there=STOCKED).play(SPEC)
    new = replace(PLATE, contents=(replace(STORED, volume_ul=300.0, lot="L-4"),))
    there = replace(LAB, labware=(new,))
    assert not [one for one in taken(url, then, there) if isinstance(one, ev.WellsLeft)]
