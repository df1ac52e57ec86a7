"""What a step would draw is held against what there is before it is sent, not after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, within
from sdl.capabilities import LiquidHandler, PlateReader, Washer
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core import let, shortfall
from sdl.core.amounts import Task
from sdl.core.draws import objection
from sdl.core.engine import Engine
from sdl.core.inventory import Inventory
from sdl.core.materials import Materials
from sdl.core.replay import fold
from sdl.core.script import Script
from sdl.errors import Bug, OutOfMaterial
from sdl.model.campaign import StopRule
from sdl.model.data import JsonValue
from sdl.model.labware import Well
from sdl.model.policy import Rule
from sdl.model.provenance import Clock
from sdl.model.stock import Source, Stocks, Transfer
from tests.core.cell import ONE_WELL, Cell, cell, cell_campaign, cell_script
from tests.core.dye import arrive
from tests.core.floor import Chances, Floor, Start, campaign, lab, online, script, started
from tests.core.test_many import ODDS, endings
from tests.core.test_materials import Reading, check_against_truth, ledger
from tests.core.test_replay import chances
from tests.core.test_shared_materials import spec
from tests.core.test_snapshot import again, turns

A1, B1 = Well("plate-1", "A1"), Well("plate-1", "B1")


@protocol
async def thirsty(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """60 µL of dye by its forecast, in which what is read is 1; else as much as is read."""
    del x_fraction
    await handler.dispense(well, {"dye": 10.0})
    read = await reader.absorbance(well, wavelength_nm=450.0)
    await handler.dispense(well, {"dye": 50.0 * read})
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@protocol
async def hurried(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """The same, without time to wait for a refill."""
    del x_fraction
    await handler.dispense(well, {"dye": 10.0})
    read = await reader.absorbance(well, wavelength_nm=450.0)
    async with within(60.0):
        await handler.dispense(well, {"dye": 50.0 * read})
    return Reading(read)


@protocol
async def thirsty_and_washed(
    handler: LiquidHandler, reader: PlateReader, washer: Washer, well: Well, *, x_fraction: float
) -> Reading:
    del washer
    return await thirsty(handler, reader, well, x_fraction=x_fraction)


THIRSTY = script(thirsty)
SHORT = (
    "50 µL of dye short on handler (150 µL needed, 100 µL free); refill it: "
    "sdl refill handler/dye VOLUME"
)


def stocked(dye_ul: float) -> tuple[Stocks, ...]:
    dye = Source(volume_ul=dye_ul, dead_volume_ul=30.0, lot="D1")
    return (Stocks(instrument="handler", sources={"dye": dye}, error_ul=0.5),)


def begun(
    dye_ul: float,
    runs: int = 2,
    *,
    of: Script = THIRSTY,
    clock: Clock = "wall",
    checks: bool = True,
    policy: tuple[Rule, ...] = (),
) -> Floor:
    """A campaign with some runs begun at once, the first of them at the handler."""
    floor = Floor(Engine(of), seed=0)
    head = started(campaign(parallel=runs, policy=policy), of)
    origin = replace(head.origin, clock=clock, checks_draws=checks)
    floor.turn(replace(head, origin=origin, lab=replace(head.lab, stocks=stocked(dye_ul))))
    floor.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    floor.turn(arrive(*[0.5] * (runs + (runs > 1))))
    return floor


def done(floor: Floor, step: str, result: JsonValue = None) -> list[do.Command]:
    cid = f"dye/{step}/try-1"
    return floor.turn(ev.CommandDone(at=floor.at + 1.0, cid=cid, result=result, duration_s=1.0))


def refilled(floor: Floor, volume_ul: float) -> list[do.Command]:
    return floor.turn(
        ev.StockRefilled(
            at=floor.at + 1.0,
            source="handler/dye",
            volume_ul=volume_ul,
            replaces=False,
            by="ada",
            lot="D2",
        )
    )


def sent(commands: list[do.Command]) -> list[str]:
    return [one.step.partition("/")[2] for one in commands if isinstance(one, do.Perform)]


def asked(floor: Floor) -> list[str]:
    return [line.task for line in floor.journal if isinstance(line, do.AskRefill)]


def why(floor: Floor) -> dict[str, str]:
    return {one.who.partition("/")[2]: one.why for one in floor.engine.view().waits}


def held(dye_ul: float = 200.0, read: float = 3.0) -> Floor:
    """The first of two runs wants more than it said: 30 µL cannot be drawn, 60 are the other's."""
    floor = begun(dye_ul)
    done(floor, "run-1/step-1")
    done(floor, "run-1/step-2", read)
    done(floor, "run-2/step-1")
    return floor


def test_what_is_kept_for_another_run_is_not_drawn_and_the_step_waits_with_a_reason() -> None:
    floor = held()
    assert "run-1/step-3" not in sent(floor.journal)  # type: ignore[arg-type]
    assert why(floor)["run-1/step-3"] == f"dispense on handler waits: {SHORT}"
    (task,) = floor.engine.view().refills
    assert (task.reason, task.missing_ul) == (SHORT, 50.0)
    assert ledger(floor.engine).reserved["dye/run-2"] == {"handler/dye": 50_000_000}


def test_others_go_on_meanwhile() -> None:
    floor = held()
    assert sent(done(floor, "run-2/step-2", 1.0)) == ["run-2/step-3"]
    done(floor, "run-2/step-3")
    assert asked(floor) == ["dye/refill-1"]


def test_after_a_refill_it_goes_on_by_itself_and_a_smaller_one_asks_again() -> None:
    floor = held()
    assert sent(refilled(floor, 10.0)) == []
    assert [one.missing_ul for one in floor.engine.view().refills] == [40.0]
    assert sent(refilled(floor, 40.0)) == ["run-1/step-3"]
    assert floor.engine.view().refills == ()
    kept = ledger(floor.engine).reserved["dye/run-1"]
    assert kept == {"handler/dye": 150_000_000}, "nobody else is given what it draws now"
    done(floor, "run-1/step-3")
    done(floor, "run-1/step-4", 1.0)
    done(floor, "run-2/step-2", 1.0)
    assert sent(floor.journal)[-1] == "run-2/step-3"  # type: ignore[arg-type]


def test_what_another_run_leaves_over_is_enough_too() -> None:
    floor = held()
    out = floor.turn(ev.AbortRequested(at=9.0, what="dye/run-2", by="ada"))
    (halt,) = [one for one in out if isinstance(one, do.Halt)]
    cid = "dye/run-2/step-2/try-1"
    floor.turn(ev.CommandUnknown(at=9.5, cid=cid, reason="it was stopped"))
    out = floor.turn(
        ev.InstrumentMadeSafe(at=10.0, instrument="reader", boot="boot-1", halt=halt.id, safe=True)
    )
    assert sent(out) == ["run-1/step-3"]


def test_two_runs_that_both_need_more_wait_and_one_refill_of_what_is_asked_for_frees_them() -> None:
    floor = held()
    done(floor, "run-2/step-2", 4.0)
    both = {"run-1/step-3", "run-2/step-3"}
    assert {who for who, said in why(floor).items() if "short" in said} >= both
    assert asked(floor) == ["dye/refill-1"], "one task for each source"
    refilled(floor, 50.0)
    assert sent(floor.journal)[-1] == "run-1/step-3"  # type: ignore[arg-type]
    (task,) = floor.engine.view().refills
    done(floor, "run-1/step-3")
    assert sent(refilled(floor, task.missing_ul)) == ["run-2/step-3"]


def test_a_person_is_asked_for_all_that_those_lack_who_wait_when_they_are_asked() -> None:
    floor = held()
    done(floor, "run-2/step-2", 4.0)
    refilled(floor, 1.0)
    (task,) = floor.engine.view().refills
    assert task.missing_ul == 99.0 + 100.0
    refilled(floor, 199.0)
    assert "run-2/step-3" in sent(done(floor, "run-1/step-3"))
    assert asked(floor) == ["dye/refill-1", "dye/refill-2"]


def test_no_run_begins_with_what_a_step_waits_for() -> None:
    floor = begun(140.0)  # 110 µL can be drawn: enough for one run, and 10 too little for another
    assert list(floor.engine.state.runs) == ["dye/run-1"]
    done(floor, "run-1/step-1")
    done(floor, "run-1/step-2", 3.0)
    refilled(floor, 20.0)
    assert list(floor.engine.state.runs) == ["dye/run-1"], "70 µL are free, and 100 are wanted"
    assert [one.missing_ul for one in floor.engine.view().refills] == [30.0]
    assert sent(refilled(floor, 30.0)) == ["run-1/step-3"]
    assert [one.missing_ul for one in floor.engine.view().refills] == [60.0]
    refilled(floor, 60.0)
    assert list(floor.engine.state.runs) == ["dye/run-1", "dye/run-2"]


def test_where_nobody_comes_by_the_step_fails_as_if_its_driver_had_refused_it() -> None:
    floor = begun(200.0, clock="virtual")
    done(floor, "run-1/step-1")
    done(floor, "run-1/step-2", 3.0)
    done(floor, "run-2/step-1")
    (end,) = [line for line in floor.journal if isinstance(line, do.EndRun)]
    assert end.run == "dye/run-1"
    assert end.reason.startswith("OutOfMaterial: 50 µL of dye short on handler")
    assert asked(floor) == []


def test_a_rule_about_material_is_followed_in_place_of_a_wait() -> None:
    floor = begun(200.0, policy=(Rule(then="skip", on=("material",)),))
    done(floor, "run-1/step-1")
    done(floor, "run-1/step-2", 3.0)
    done(floor, "run-2/step-1")
    assert [line.run for line in floor.journal if isinstance(line, do.EndRun)] == ["dye/run-1"]
    assert asked(floor) == []


def test_a_journal_of_before_draws_what_it_did_and_replays() -> None:
    floor = begun(200.0, checks=False)
    done(floor, "run-1/step-1")
    done(floor, "run-1/step-2", 3.0)
    done(floor, "run-2/step-1")
    assert "run-1/step-3" in sent(floor.journal)  # type: ignore[arg-type]
    assert fold(THIRSTY, floor.journal).state_sha256() == floor.engine.state_sha256()


def test_a_draw_of_what_is_kept_for_others_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(let, "is_short", lambda *_: False)
    monkeypatch.setattr(shortfall, "short_among", lambda *_: [])
    monkeypatch.setattr(Materials, "secure", lambda *_: None)
    floor = held()
    with pytest.raises(Bug, match="50000000 pL of handler/dye were drawn that are kept for others"):
        done(floor, "run-1/step-3")


def test_a_window_that_closes_while_a_step_is_short_says_so() -> None:
    floor = begun(200.0, of=script(hurried))
    done(floor, "run-1/step-1")
    done(floor, "run-1/step-2", 3.0)
    done(floor, "run-2/step-1")
    (wait,) = [one for one in floor.commands(do.Wait) if isinstance(one, do.Wait)][-1:]
    assert wait.timer == "dye/run-1/step-3/window"
    floor.turn(ev.TimerFired(at=wait.until, timer=wait.timer))
    (end,) = [line for line in floor.journal if isinstance(line, do.EndRun)]
    assert end.reason.startswith("WindowMissed: dispense on handler could not start within its")
    assert SHORT in end.reason


class Dry(Cell):
    """Nobody ever fills anything up."""

    def refill(self, task: Task) -> ev.StockRefilled:
        return replace(super().refill(task), volume_ul=0.0)


def test_the_plate_of_a_step_that_is_short_is_in_nobodys_way() -> None:
    floor = Dry(
        Engine(cell_script(thirsty_and_washed)),
        seed=1,
        simulated=False,
        clock="wall",
        there=cell(4, kind=ONE_WELL),
        stocks=stocked(360.0),
        answer=lambda command: (
            (6.0 if "run-1/" in command.step else 1.0)
            if command.operation == "absorbance"
            else None
        ),
    )
    floor.play(cell_campaign(range(1, 5), parallel=4, stop=StopRule(runs=4, failures=9)))
    assert not floor.wrong
    ended = {line.run for line in floor.journal if isinstance(line, do.EndRun)}
    assert ended == {"dye/run-2", "dye/run-3", "dye/run-4"}
    assert list(floor.engine.state.runs) == ["dye/run-1"]
    assert why(floor)["run-1/step-3"].startswith("dispense on handler waits: 160 µL of dye short")


# Wells.


async def overfull(handler: LiquidHandler, well: Well) -> None:
    """Over the 360 µL or so of a well, with the second dispense."""
    await handler.dispense(well, {"dye": 60.0})
    await handler.dispense(well, {"dye": 50.0, "water": 900.0})


async def underfull(handler: LiquidHandler, well: Well) -> None:
    await handler.dispense(well, {"dye": 60.0})
    await handler.transfer(well, B1, 61.0 + 2.0)


Part = Callable[[LiquidHandler, Well], object]


def script_of(part: Part, *, catches: bool = False) -> Script:
    async def wells(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        del x_fraction
        try:
            await part(handler, well)  # type: ignore[misc]
        except OutOfMaterial:
            if not catches:
                raise
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))

    return script(protocol(wells))


@pytest.mark.parametrize(
    "part, told",
    [
        (overfull, "dispense on handler was not sent: plate-1/A1 holds 60 µL of "),
        (
            underfull,
            "transfer on handler was not sent: plate-1/A1 holds 60 µL, 63 µL were asked for; "
            "fill it first, or draw less",
        ),
    ],
)
def test_what_a_well_cannot_do_is_refused_before_anything_moves(part: Part, told: str) -> None:
    floor = begun(500.0, 1, of=script_of(part))
    out = done(floor, "run-1/step-1")
    (refused,) = [one for one in out if isinstance(one, do.Refuse)]
    assert refused.reason.startswith(told)
    assert (refused.cid, refused.step) == ("dye/run-1/step-2/try-1", "dye/run-1/step-2")
    assert "run-1/step-2" not in sent(floor.journal)  # type: ignore[arg-type]
    (end,) = [one for one in out if isinstance(one, do.EndRun)]
    assert end.outcome == "failed"
    assert end.reason.startswith(f"OutOfMaterial: {told}")
    assert not [line for line in floor.journal if isinstance(line, do.Flag)]


def test_a_protocol_may_catch_that_and_go_on() -> None:
    floor = begun(500.0, 1, of=script_of(overfull, catches=True))
    out = done(floor, "run-1/step-1")
    assert [type(one).__name__ for one in out] == ["Book", "Refuse", "Perform"]
    assert sent(out) == ["run-1/step-3"]


def filled(volume_ul: float, error_ul: float = 0.5) -> Inventory:
    stocks = (replace(stocked(10_000.0)[0], error_ul=error_ul),)
    inventory = Inventory.of(replace(lab(), stocks=stocks))
    assert inventory is not None
    inventory.move(Transfer("dye", A1, volume_ul), "handler", "first")
    return inventory


def test_what_lies_within_the_uncertainty_of_a_well_is_not_refused() -> None:
    most_ul = filled(1.0).capacities_pl["plate-1"] / 1e6
    assert objection(filled(100.0), (Transfer(A1, B1, 101.4),)) == ""
    assert objection(filled(100.0), (Transfer(A1, B1, 101.6),)) != ""
    assert objection(filled(most_ul - 1.0), (Transfer("dye", A1, 2.4),)) == ""
    assert objection(filled(most_ul - 1.0), (Transfer("dye", A1, 2.6),)) != ""
    doubtful = filled(100.0, error_ul=0.0)
    doubtful.doubt_wells((Transfer("dye", A1, 30.0),), "try-1")
    assert objection(doubtful, (Transfer(A1, B1, 130.0),)) == ""
    assert objection(doubtful, (Transfer(A1, B1, 130.1),)) != ""


async def nearly(handler: LiquidHandler, well: Well) -> None:
    await handler.dispense(well, {"dye": 60.0})
    await handler.transfer(well, B1, 61.0)


async def by_hand(handler: LiquidHandler, well: Well) -> None:
    await handler.dispense(well, {"dye": 60.0})
    await handler.transfer(B1, well, 10.0)


@pytest.mark.parametrize("part, flags", [(nearly, 0), (by_hand, 1)])
def test_only_a_transfer_that_the_ledger_is_sure_could_not_be_is_flagged(
    part: Part, flags: int
) -> None:
    floor = begun(500.0, 1, of=script_of(part))
    done(floor, "run-1/step-1")
    assert sent(done(floor, "run-1/step-2")) == ["run-1/step-3"]
    assert len(floor.commands(do.Flag)) == flags


def test_a_well_that_nobody_filled_by_the_ledger_may_be_drawn_from() -> None:
    assert objection(filled(100.0), (Transfer(B1, A1, 10.0),)) == ""


def test_several_transfers_of_one_action_count_together() -> None:
    most_ul = filled(1.0).capacities_pl["plate-1"] / 1e6
    half = Transfer("dye", A1, most_ul / 2)
    assert objection(filled(10.0, error_ul=0.0), (half,)) == ""
    assert objection(filled(10.0, error_ul=0.0), (half, half)).startswith("plate-1/A1 holds 10 µL")


# Whatever happens.


def as_read(command: do.Perform) -> JsonValue:
    """From half of what was foreseen to nearly five times as much, by the name of the step."""
    return 0.5 + sum(map(ord, command.step)) % 5 if command.operation == "absorbance" else None


@settings(max_examples=30, deadline=None)
@given(odds=chances, seed=st.integers(0, 2**20), parallel=st.integers(1, 4), of=st.booleans())
def test_whatever_runs_want_nobody_draws_what_is_kept_for_others_and_all_end(
    odds: Chances, seed: int, parallel: int, of: bool
) -> None:
    note(f"seed {seed}")
    floor = Floor(
        Engine(THIRSTY),
        seed=seed,
        chances=replace(odds, lie=0.0),
        stocks=stocked(250.0),
        clock="wall" if of else "virtual",
        answer=as_read,
    )
    floor.play(campaign(parallel=parallel, stop=StopRule(runs=6, failures=20), seed=seed))
    assert floor.engine.state.concluded is not None, f"seed {seed}: the campaign never ended"
    assert ledger(floor.engine).reserved == {}
    check_against_truth(floor, floor.stocks)
    whole, often = Engine(floor.engine.scripts), Engine(floor.engine.scripts)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        where = f"seed {seed}, turn {number}"
        assert whole.handle(event) == often.handle(event) == commands, where
        if number % 7 == 0:
            often = again(often)
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


@settings(max_examples=15, deadline=None)
@given(odds=ODDS, seed=st.integers(0, 2**20), campaigns=st.integers(2, 3))
def test_several_campaigns_want_more_than_they_said_and_all_end(
    odds: Chances, seed: int, campaigns: int
) -> None:
    note(f"seed {seed}")
    floor = Floor(
        Engine(THIRSTY),
        seed=seed,
        chances=odds,
        stocks=stocked(250.0),
        clock="wall",
        simulated=not odds.unknown,
        answer=as_read,
    )
    specs = [spec(f"c{number}", 3, parallel=2) for number in range(campaigns)]
    floor.play_lab(*(Start(spec=one, at=50.0 * place) for place, one in enumerate(specs)))
    assert len(endings(floor)) == campaigns, f"seed {seed}: {endings(floor)}"
    assert ledger(floor.engine).reserved == {}
    check_against_truth(floor, floor.stocks)
    assert fold(THIRSTY, floor.journal).state_sha256() == floor.engine.state_sha256()
