"""Several campaigns draw on one ledger: what is kept for one is not there for another."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.model.campaign import Campaign, StopRule
from sdl.model.provenance import Clock
from sdl.model.stock import Source, Stocks
from tests.core.dye import SCRIPT, arrive
from tests.core.floor import Chances, Floor, Start, campaign, online, opened, script, started
from tests.core.test_many import ODDS, TERMS, endings
from tests.core.test_materials import STOCKS, books, check_against_truth, diluted, ledger, refilled
from tests.core.test_snapshot import text_of, turns

DILUTED = script(diluted)


def spec(name: str, runs: int = 3, parallel: int = 1) -> Campaign:
    return campaign(name=name, stop=StopRule(runs=runs, failures=100), parallel=parallel)


def at_work(volume_ul: float, clock: Clock = "wall") -> Floor:
    """Campaigns a and b with a point each, of 50 µL; 30 µL of dye cannot be drawn."""
    dye = Source(volume_ul=volume_ul, dead_volume_ul=30.0, lot="D1")
    floor = Floor(Engine(SCRIPT), seed=0)
    head = opened()
    floor.turn(
        replace(
            head,
            origin=replace(head.origin, clock=clock),
            lab=replace(head.lab, stocks=(Stocks(instrument="handler", sources={"dye": dye}),)),
        )
    )
    floor.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    for name in ("a", "b"):
        floor.turn(started(spec(name), SCRIPT))
    for name in ("a", "b"):
        floor.turn(arrive(0.25, ask=f"{name}/ask-1"))
    return floor


def in_flight(floor: Floor) -> list[str]:
    return [run for part in floor.engine.campaigns.values() for run in part.state.runs]


@settings(max_examples=20, deadline=None)
@given(
    odds=ODDS,
    drawn=st.lists(
        st.tuples(TERMS, st.floats(0.0, 300.0), st.integers(1, 4), st.integers(1, 3)),
        min_size=2,
        max_size=4,
    ),
    seed=st.integers(0, 2**20),
    every=st.integers(1, 9),
)
def test_whatever_happens_one_ledger_holds_for_all_campaigns(
    odds: Chances, drawn: list[tuple[object, float, int, int]], seed: int, every: int
) -> None:
    note(f"seed {seed}")
    floor = Floor(
        Engine(DILUTED),
        seed=seed,
        chances=odds,
        stocks=STOCKS,
        clock="wall",
        simulated=not odds.unknown,
    )
    starts = [
        Start(spec=spec(f"c{number}", runs, parallel), at=at, terms=terms)  # type: ignore[arg-type]
        for number, (terms, at, runs, parallel) in enumerate(drawn)
    ]
    floor.play_lab(*starts)
    assert len(endings(floor)) == len(starts), f"seed {seed}: {endings(floor)}"
    check_against_truth(floor)
    assert ledger(floor.engine).reserved == {}, f"seed {seed}"
    assert fold(DILUTED, floor.journal).state_sha256() == floor.engine.state_sha256()
    often = Engine(DILUTED)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % every == 0 and often.is_begun:
            often = Engine.restored(DILUTED, text_of(often))
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


def test_a_session_begins_with_what_is_there_and_a_campaign_does_not_change_it() -> None:
    floor = at_work(500.0)
    declared = [number for number, line in enumerate(floor.journal) if line in books(floor)[:1]]
    assert declared == [1]
    assert [book.why for book in books(floor)] == ["declared", "reserved", "reserved"]


def test_what_is_kept_for_one_campaign_is_not_there_for_the_other() -> None:
    floor = at_work(110.0)
    assert in_flight(floor) == ["a/run-1"]
    (task,) = floor.engine.lab_view().refills
    assert task.id == "bench-lab/refill-1"
    assert task.reason.startswith("20 µL of dye short on handler (50 µL needed, 30 µL free)")
    waits = {one.who: one.why for one in floor.engine.view("b").waits}
    assert waits == {"b/run-1": task.reason}
    assert task.reason not in [one.why for one in floor.engine.view("a").waits]
    floor.turn(refilled(at=20.0, volume_ul=100.0))
    assert in_flight(floor) == ["a/run-1", "b/run-1"]
    assert floor.engine.lab_view().refills == ()
    level = floor.engine.lab_view().stocks[0]
    assert (level.reserved_ul, level.lots) == (100.0, ("D1", "D2"))


def test_a_person_is_asked_once_for_what_two_campaigns_lack() -> None:
    floor = at_work(40.0)
    assert in_flight(floor) == []
    asked = [line.task for line in floor.journal if isinstance(line, do.AskRefill)]
    assert asked == ["bench-lab/refill-1"]
    floor.turn(refilled(at=20.0, volume_ul=200.0))
    assert in_flight(floor) == ["a/run-1", "b/run-1"]


def test_where_nobody_comes_by_one_waits_for_what_the_other_may_leave_over() -> None:
    floor = at_work(110.0, clock="virtual")
    assert in_flight(floor) == ["a/run-1"]
    assert endings(floor) == {}, "what is kept for a may yet be released"
    abort = ev.AbortRequested(at=5.0, what="", by="ada", campaign="a")
    floor.turn(abort)
    (halt,) = [line for line in floor.journal if isinstance(line, do.Halt)]
    floor.turn(
        ev.InstrumentMadeSafe(at=6.0, instrument="handler", boot="boot-1", halt=halt.id, safe=True)
    )
    floor.turn(
        ev.CommandFailed(
            at=7.0,
            cid="a/run-1/step-1/try-1",
            phase="before_start",
            kind="driver",
            reason="stopped",
        )
    )
    assert in_flight(floor) == ["b/run-1"]


def test_where_nobody_comes_by_and_nothing_is_left_each_campaign_ends() -> None:
    assert endings(at_work(40.0, clock="virtual")) == {"a": "material", "b": "material"}
