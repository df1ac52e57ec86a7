"""What a planner is told of the bench, and the same again by replay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol, settle
from sdl.capabilities import LiquidHandler, PlateReader, Shaker
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.bench import Bench
from sdl.core.engine import Engine
from sdl.core.script import Script
from sdl.model.action import operations_of
from sdl.model.bench import BenchState, amount
from sdl.model.campaign import ChoiceParameter, PlannerChoice, StopRule
from sdl.model.costs import Costs
from sdl.model.labware import Well
from sdl.model.protocol import Role
from sdl.model.stock import Source, Stocks
from sdl.wire.journal import dump, load
from tests.core.dye import arrive
from tests.core.floor import ROLES, Chances, Floor, campaign, online, script, started
from tests.core.test_asked import Overheard, check
from tests.core.test_replay import chances
from tests.core.test_snapshot import again, turns

AWARE = PlannerChoice(kind="sobol", bench=True)
TIMED = Costs(per_run=1.0, per_hour=2.0)


@dataclass(frozen=True)
class Reading:
    y_au: float


@protocol
async def kept(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """More dye is kept longer, and a lot of it is mixed as well."""
    await handler.dispense(well, {"dye": 100.0 * x_fraction, "buffer": 50.0})
    await settle(60.0 + 600.0 * x_fraction)
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


SCRIPT = script(kept)
STOCKS = Stocks(
    instrument="handler",
    sources={
        "dye": Source(volume_ul=400.0, dead_volume_ul=50.0),
        "buffer": Source(volume_ul=5000.0),
    },
)


def begun(script: Script = SCRIPT, stocks: Stocks = STOCKS, **changes: object) -> Floor:
    """A campaign that has asked its first question."""
    floor = Floor(Engine(script), seed=0)
    head = started(campaign(**{"planner": AWARE, **changes}), script)
    floor.turn(replace(head, lab=replace(head.lab, stocks=(stocks,))))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    return floor


def told(floor: Floor) -> BenchState | None:
    asked = [line for line in floor.journal if isinstance(line, do.AskPlanner)]
    state = floor.engine.question(asked[-1].ask).problem.bench
    assert state == asked[-1].bench, "the journal holds what the planner is told"
    return state


def test_what_is_left_is_told_with_what_a_run_draws() -> None:
    state = told(begun())
    assert state is not None
    (dye,) = state.stocks
    assert (dye.source, dye.left_ul) == ("handler/dye", 350.0)
    assert amount(dye.draws_ul, {"x_fraction": 0.3}) == pytest.approx(30.0)
    assert state.duration_s == (), "time has no price"


def test_lab_time_is_told_where_it_has_a_price() -> None:
    state = told(begun(costs=TIMED))
    assert state is not None
    assert amount(state.duration_s, {"x_fraction": 0.5}) == pytest.approx(360.0)


def test_a_campaign_that_does_not_look_is_told_nothing() -> None:
    assert told(begun(planner=PlannerChoice(kind="sobol"), costs=TIMED)) is None


def test_a_bench_without_stocks_has_nothing_to_say() -> None:
    assert told(begun(stocks=Stocks(instrument="handler"))) is None


def test_a_lot_that_is_out_of_date_counts_as_none() -> None:
    old = Source(volume_ul=400.0, expires="1969-01-01")
    state = told(begun(stocks=replace(STOCKS, sources={**STOCKS.sources, "dye": old})))
    assert state is not None
    assert state.stocks[0].left_ul == 0.0


def test_a_protocol_that_cannot_be_followed_is_said_to_be_unclear() -> None:
    @protocol
    async def crashes(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, {"dye": 100.0 * x_fraction})
        first = await reader.absorbance(well, wavelength_nm=450.0)
        return Reading(1.0 / (first - first))

    state = told(begun(script(crashes)))
    assert state == BenchState(unclear=("protocol",))


def test_what_follows_in_no_simple_way_is_said_to_be_unclear() -> None:
    @protocol
    async def squared(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, {"dye": 100.0 * x_fraction**2})
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))

    state = told(begun(script(squared)))
    assert state == BenchState(unclear=("handler/dye",))


def test_an_instrument_that_some_points_need_has_a_queue_while_it_is_at_work() -> None:
    @protocol
    async def shaken(
        handler: LiquidHandler,
        reader: PlateReader,
        washer: Shaker,
        well: Well,
        *,
        x_fraction: float,
    ) -> Reading:
        await handler.dispense(well, {"dye": 10.0})
        if x_fraction > 0.5:
            await washer.shake(well.plate, speed_rpm=300.0, duration_s=900.0)
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))

    role = Role(name="washer", capability="Shaker", actions=tuple(operations_of(Shaker)))
    floor = begun(
        script(shaken, roles=(*ROLES[:2], role, *ROLES[2:])),
        costs=TIMED,
        space=(ChoiceParameter(name="x_fraction", options=(0.0, 1.0)),),
        roles={**campaign().roles, "washer": ("washer",)},
    )
    floor.turn(online("washer"))
    (part,) = floor.engine.campaigns.values()
    assert Bench(part.work).state() is not None
    assert Bench(part.work).state().queues == ()  # type: ignore[union-attr]
    floor.turn(arrive(1.0))
    for at, cid in ((5.0, "dye/run-1/step-1/try-1"), (105.0, "dye/run-0/step-1/try-1")):
        floor.turn(ev.CommandDone(at=at, cid=cid, result=None, duration_s=3.0))
    state = Bench(part.work).state()
    assert state is not None
    (queue,) = state.queues
    assert (queue.instrument, queue.wait_s) == ("washer", 800.0)
    assert [amount(queue.steps, {"x_fraction": x}) for x in (0.0, 1.0)] == [0.0, 1.0]


@settings(max_examples=15, deadline=None)
@given(odds=chances, seed=st.integers(0, 2**20), parallel=st.integers(1, 3))
def test_the_question_is_put_together_again_from_the_journal_alone(
    odds: Chances, seed: int, parallel: int
) -> None:
    floor = Overheard(Engine(SCRIPT), seed=seed, chances=odds, stocks=(STOCKS,))
    note(f"seed {seed}")
    stop = StopRule(runs=8, failures=100)
    floor.play(campaign(planner=AWARE, costs=TIMED, parallel=parallel, stop=stop))
    check(floor)
    asked = [line for line in floor.journal if isinstance(line, do.AskPlanner)]
    assert any(line.bench is not None for line in asked), f"seed {seed}"
    assert [load("AskPlanner", dump(line)) for line in asked] == asked
    engine = Engine(SCRIPT)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert engine.handle(event) == commands, f"seed {seed}, event {number}"
        engine = again(engine) if number % 3 == 0 else engine
