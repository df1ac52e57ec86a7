"""Materials of a campaign: reserved for a run, used by it, in doubt where nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.inventory import Inventory
from sdl.core.mixture import microlitres, picolitres
from sdl.model.action import Capability, action, operations_of
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from sdl.model.policy import Rule
from sdl.model.provenance import Clock
from sdl.model.stock import Source, Stocks, Transfer
from tests.core.dye import SCRIPT, Place, at_work
from tests.core.floor import ROLES, Chances, Floor, campaign, lab, script
from tests.core.nodes import failed
from tests.core.test_replay import chances, policies
from tests.core.test_snapshot import again, turns


@dataclass(frozen=True)
class Reading:
    y_au: float


@protocol
async def diluted(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """Two thirds of what is reserved are used early, the rest late."""
    await handler.dispense(well, {"dye": 100.0 * x_fraction, "buffer": 50.0})
    await settle(5.0)
    await handler.mix(well, 50.0, 3)
    first = await reader.absorbance(well, wavelength_nm=450.0)
    await handler.dispense(well, {"buffer": 50.0})
    return Reading(first + await reader.absorbance(well, wavelength_nm=450.0))


MANY = 9600.0
"""Tips: a hundred racks."""
STOCKS = (
    Stocks(
        instrument="handler",
        sources={
            "dye": Source(volume_ul=400.0, dead_volume_ul=50.0, lot="D1"),
            "buffer": Source(volume_ul=500.0, dead_volume_ul=50.0, lot="B1"),
            "tips": Source(volume_ul=MANY, capacity_ul=MANY, is_counted=True),
        },
        error_ul=0.5,
        error_cv=0.003,
    ),
)


def ledger(engine: Engine) -> Inventory:
    assert engine.lab.inventory is not None
    return engine.lab.inventory


def volumes(perform: do.Perform) -> Mapping[str, float]:
    found = perform.args.get("volumes_ul", {})
    assert isinstance(found, dict)
    return found  # type: ignore[return-value]


def drawn_ul(perform: do.Perform, source: str) -> float:
    """What a command draws, or how many tips it takes."""
    if source != "tips":
        return volumes(perform).get(source, 0.0)
    liquids = sum(volume_ul > 0.0 for volume_ul in volumes(perform).values())
    return {"dispense": liquids, "mix": 1}.get(perform.operation, 0)


@protocol
async def mend(reader: PlateReader) -> None:
    await reader.absorbance(Well("plate-1", "A1"), wavelength_nm=600.0)


def books(floor: Floor) -> list[do.Book]:
    return [line for line in floor.journal if isinstance(line, do.Book)]


def check_against_truth(floor: Floor, stocks: tuple[Stocks, ...] = STOCKS) -> None:
    """What was booked was drawn, and no more was drawn than what was booked or is in doubt."""
    inventory = ledger(floor.engine)
    still_open = {perform.cid for perform in floor.engine.sent()}
    for source in stocks[0].sources:
        booked = sum(
            picolitres(moved.volume_ul)
            for book in books(floor)
            for moved in book.moves
            if moved.source == f"handler/{source}"
        )
        drawn = sum(
            times * picolitres(drawn_ul(floor.performed[cid], source))
            for cid, times in floor.effects.items()
            if cid not in still_open
        )
        doubt_pl = inventory.sources[f"handler/{source}"].doubt_pl
        where = f"seed {floor.seed}, {source}"
        assert booked <= drawn <= booked + doubt_pl, where
        filled = sum(
            picolitres(line.volume_ul)
            for line in floor.journal
            if isinstance(line, ev.StockRefilled) and line.source == f"handler/{source}"
        )
        first = picolitres(stocks[0].sources[source].volume_ul)
        assert inventory.total_pl()[source] == first + filled, where
        left = inventory.contents(f"handler/{source}").volume_pl
        assert left == first + filled - booked, where


@settings(max_examples=50, deadline=None)
@given(
    odds=chances,
    rules=policies,
    seed=st.integers(0, 2**20),
    parallel=st.integers(1, 3),
    simulated=st.booleans(),
)
def test_whatever_happens_the_ledger_knows_what_was_drawn_or_that_it_does_not(
    odds: Chances, rules: tuple[Rule, ...], seed: int, parallel: int, simulated: bool
) -> None:
    note(f"seed {seed}")
    honest = replace(odds, lie=0.0)
    engine = Engine(script(diluted, mend=mend))
    floor = Floor(
        engine, seed=seed, chances=honest, stocks=STOCKS, clock="wall", simulated=simulated
    )
    stop = StopRule(runs=6, failures=20)
    floor.play(campaign(parallel=parallel, stop=stop, seed=seed, policy=rules))
    assert floor.engine.state.concluded is not None, f"seed {seed}: the campaign never ended"
    check_against_truth(floor)
    assert ledger(floor.engine).reserved == {}
    whole, often = Engine(floor.engine.scripts), Engine(floor.engine.scripts)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        where = f"seed {seed}, turn {number}"
        assert whole.handle(event) == often.handle(event) == commands, where
        if number % 11 == 0:
            often = again(often)
            assert often.state_sha256() == whole.state_sha256(), where
            assert often.view() == whole.view(), where
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


def played(stocks: tuple[Stocks, ...], clock: Clock = "wall", *, simulated: bool = True) -> Floor:
    """A campaign of the dye protocol, with its first suggestion there."""
    floor, _ = at_work(Place(stocks, clock, simulated))
    return floor


DYE = Source(volume_ul=140.0, dead_volume_ul=30.0, lot="D1")


def handler_with(dye: Source) -> tuple[Stocks, ...]:
    return (Stocks(instrument="handler", sources={"dye": dye}, error_cv=0.003),)


def test_a_run_reserves_what_it_will_need_and_uses_it_when_it_is_done() -> None:
    floor = played(handler_with(DYE))  # one run needs 50 µL
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.reserved_ul, level.free_ul) == (140.0, 50.0, 60.0)
    floor.turn(ev.CommandDone(at=9.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=5.0))
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.reserved_ul, level.free_ul) == (90.0, 0.0, 60.0)
    book = books(floor)[-1]
    (moved,) = book.moves
    assert (book.why, book.run, book.cid) == ("used", "dye/run-1", "dye/run-1/step-1/try-1")
    assert (moved.source, moved.target, moved.lot) == ("handler/dye", "plate-1/A1", "D1")
    assert (moved.volume_ul, moved.uncertainty_ul) == (50.0, 0.003 * 50.0)
    contents = ledger(floor.engine).contents("plate-1/A1")
    assert contents.portions[0].errors == {"dye/run-1/step-1.1": 0.003 * 50.0}


def test_short_stock_holds_the_next_run_with_a_reason_until_it_is_refilled() -> None:
    floor = played(handler_with(replace(DYE, volume_ul=75.0)))
    assert floor.engine.state.runs == {}
    (task,) = floor.engine.view().refills
    assert task.reason == (
        "5 µL of dye short on handler (50 µL needed, 45 µL free); refill it: "
        "sdl refill handler/dye VOLUME"
    )
    assert [(one.who, one.why) for one in floor.engine.view().waits] == [("dye/run-1", task.reason)]
    asked = [line for line in floor.journal if isinstance(line, do.AskRefill)]
    assert [(one.task, one.missing_ul) for one in asked] == [("dye/refill-1", 5.0)]
    few = refilled(at=20.0, volume_ul=1.0)
    floor.turn(few)
    assert floor.engine.state.runs == {}, "one microlitre is not enough"
    assert [one.id for one in floor.engine.view().refills] == ["dye/refill-2"]
    out = floor.turn(refilled(at=30.0, volume_ul=100.0))
    assert [type(one).__name__ for one in out][:4] == ["Book", "BeginRun", "Book", "Perform"]
    assert floor.engine.view().refills == ()
    assert floor.engine.view().stocks[0].lots == ("D1", "D2")


def refilled(at: float, volume_ul: float, *, replaces: bool = False) -> ev.StockRefilled:
    return ev.StockRefilled(
        at=at, source="handler/dye", volume_ul=volume_ul, replaces=replaces, by="ada", lot="D2"
    )


def test_where_nobody_comes_by_short_stock_ends_the_campaign() -> None:
    floor = played(handler_with(replace(DYE, volume_ul=75.0)), clock="virtual")
    ended = floor.engine.view().ended
    assert ended is not None
    assert ended.ending == "material"
    assert ended.reason.startswith("5 µL of dye short on handler")


def test_what_failed_before_it_began_stays_reserved_and_what_failed_later_is_in_doubt() -> None:
    floor = played(handler_with(DYE))
    floor.turn(failed(5.0, "dye/run-1/step-1/try-1", "before_start", "driver"))
    level = floor.engine.view().stocks[0]
    assert (level.reserved_ul, level.doubt_ul) == (50.0, 0.0)
    floor.turn(failed(6.0, "dye/run-1/step-1/try-2", "during", "driver"))
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.reserved_ul, level.doubt_ul, level.free_ul) == (
        140.0,
        0.0,
        50.0,
        60.0,
    )
    floor.turn(refilled(at=7.0, volume_ul=120.0, replaces=True))
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.doubt_ul, level.free_ul) == (120.0, 0.0, 90.0)


@pytest.mark.parametrize(
    "verdict, expected",
    [
        ("did_not_happen", (140.0, 50.0, 0.0)),
        ("happened", (90.0, 0.0, 0.0)),
        ("discard", (140.0, 0.0, 50.0)),
    ],
)
def test_what_failed_on_the_way_is_in_doubt_until_a_person_says_what_became_of_it(
    verdict: ev.Verdict, expected: tuple[float, float, float]
) -> None:
    rule = Rule(then="ask", on=("driver",))
    floor, _ = at_work(Place(handler_with(DYE)), policy=(rule,))
    floor.turn(failed(6.0, "dye/run-1/step-1/try-1", "during", "driver"))
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.reserved_ul, level.doubt_ul) == (140.0, 0.0, 50.0)
    floor.turn(
        ev.StepResolved(at=9.0, step="dye/run-1/step-1", verdict=verdict, by="ada", attempt=1)
    )
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.reserved_ul, level.doubt_ul) == expected


def in_wells(floor: Floor) -> list[tuple[str, str, float, float]]:
    """Place, component, volume and what is in doubt of it."""
    return [
        (one.place, one.component, one.volume_ul, one.doubt_ul)
        for one in floor.engine.contents()
        if one.place.startswith("plate-1/")
    ]


@pytest.mark.parametrize(
    "verdict, expected",
    [
        ("did_not_happen", []),
        ("happened", [("plate-1/A1", "dye", 50.0, 0.0)]),
        ("discard", [("plate-1/A1", "dye", 0.0, 50.0)]),
    ],
)
def test_a_well_is_in_doubt_by_what_an_action_may_have_done_to_it_until_a_person_says(
    verdict: ev.Verdict, expected: list[tuple[str, str, float, float]]
) -> None:
    rule = Rule(then="ask", on=("driver",))
    floor, _ = at_work(Place(handler_with(DYE)), policy=(rule,))
    floor.turn(failed(6.0, "dye/run-1/step-1/try-1", "during", "driver"))
    assert in_wells(floor) == [("plate-1/A1", "dye", 0.0, 50.0)]
    floor.turn(
        ev.StepResolved(at=9.0, step="dye/run-1/step-1", verdict=verdict, by="ada", attempt=1)
    )
    assert in_wells(floor) == expected


def test_a_transfer_that_failed_on_the_way_leaves_both_wells_in_doubt_by_what_it_would_move() -> (
    None
):
    a1, b1 = Well("plate-1", "A1"), Well("plate-1", "B1")
    inventory = Inventory.of(replace(lab(), stocks=STOCKS))
    assert inventory is not None
    inventory.move(Transfer("dye", a1, 30.0), "handler", "first")
    inventory.move(Transfer("buffer", a1, 10.0), "handler", "second")
    inventory.doubt_wells((Transfer(a1, b1, 20.0),), "try-1")
    inventory.doubt_wells((Transfer(a1, b1, 20.0),), "try-1")  # said twice
    found = {(one.place, one.component): one.doubt_ul for one in inventory.described()}
    for well in ("plate-1/A1", "plate-1/B1"):
        assert (found[well, "dye"], found[well, "buffer"]) == (15.0, 5.0)
    inventory.lift_wells("try-1")
    assert not any(one.doubt_ul for one in inventory.described())


def test_an_unknown_outcome_keeps_its_reservation_until_a_person_has_spoken() -> None:
    floor = played(handler_with(DYE), simulated=False)
    floor.turn(ev.CommandUnknown(at=5.0, cid="dye/run-1/step-1/try-1", reason="cut off"))
    level = floor.engine.view().stocks[0]
    assert (level.reserved_ul, level.doubt_ul) == (50.0, 0.0)
    floor.turn(
        ev.StepResolved(at=9.0, step="dye/run-1/step-1", verdict="happened", by="ada", attempt=1)
    )
    level = floor.engine.view().stocks[0]
    assert (level.volume_ul, level.reserved_ul, level.doubt_ul) == (90.0, 0.0, 0.0)


def test_a_refill_that_makes_no_sense_is_objected_to_and_changes_nothing() -> None:
    floor = played(handler_with(DYE))
    wrong = replace(refilled(at=5.0, volume_ul=1.0), source="handler/oil")
    assert "no source 'handler/oil'" in floor.engine.objection(wrong)
    before = floor.engine.view().stocks
    assert floor.turn(wrong) == []
    assert floor.engine.view().stocks == before
    bare = played(())
    assert "declares no stocks" in bare.engine.objection(refilled(at=5.0, volume_ul=1.0))
    assert bare.engine.view().stocks == ()
    assert books(bare) == []


def _squirted(target: Well, shots: int) -> tuple[Transfer, ...]:
    return tuple(Transfer("acid", target, 2.5) for _ in range(shots))


def _odd(target: Well) -> tuple[Transfer, ...]:
    raise KeyError("no such table")


class Squirter(Capability):
    """A contract of somebody else's."""

    @action("once", moves=_squirted)
    async def squirt(self, target: Well, shots: int) -> None:
        """Two and a half microlitres a shot."""

    @action("once", moves=_odd)
    async def splash(self, target: Well) -> None:
        """Nobody knows what this does."""


def test_a_contract_of_somebody_else_says_itself_what_its_actions_move() -> None:
    operations = operations_of(Squirter)
    well = {"labware": "plate-1", "name": "A1"}
    found = operations["squirt"].transfers({"target": well, "shots": 3})  # type: ignore[dict-item]
    assert found == (Transfer("acid", Well("plate-1", "A1"), 2.5),) * 3
    assert operations_of(PlateReader)["absorbance"].moves is None

    @protocol
    async def squirting(
        handler: Squirter, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.squirt(well, 4)
        await handler.splash(well)
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))

    acid = Stocks(instrument="handler", sources={"acid": Source(volume_ul=100.0)})
    floor = Floor(Engine(script(squirting)), seed=1, stocks=(acid,))
    floor.play(campaign(stop=StopRule(runs=2)))
    assert floor.engine.view().stocks[0].volume_ul == 80.0
    assert microlitres(ledger(floor.engine).contents("plate-1/B1").volume_pl) == 10.0
    flags = [line.reason for line in floor.journal if isinstance(line, do.Flag)]
    assert len(flags) == 2
    assert flags[0].startswith("what splash moves is not known: KeyError")


def test_the_handler_of_these_tests_is_the_one_of_the_contract() -> None:
    assert ROLES[0].capability == "LiquidHandler"
    assert SCRIPT.operations["handler"]["dispense"].moves is not None
