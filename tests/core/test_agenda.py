"""A plan orders and admits; it can make nobody wait for ever, whatever stands in it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.agenda import (
    CHAIN_MAX_S,
    EARLY_S,
    ENTRY_MAX_S,
    MARGIN_S,
    SPARED_S,
    STALE_S,
    UNPLANNED_MAX_S,
    Agenda,
)
from sdl.core.engine import Engine
from sdl.core.ids import run_of
from sdl.core.lab_state import LabState
from sdl.core.plan import PlanArrived, Planned
from sdl.core.replay import fold
from sdl.model.campaign import Terms
from sdl.wire.journal import dump, load
from tests.core.dye import SCRIPT, arrive, at_work
from tests.core.floor import Chances, Floor, Start, campaign, online, started
from tests.core.test_many import ODDS, STARTS, endings, spec
from tests.core.test_snapshot import text_of, turns

READ_S = 10.0


def planned(step: str, instrument: str, start: float, duration_s: float = READ_S) -> Planned:
    return Planned(step=step, instrument=instrument, start=start, duration_s=duration_s)


def plan(at: float, *steps: Planned) -> PlanArrived:
    return PlanArrived(at=at, basis=1, asked_at=at, status="feasible", cause="a test", steps=steps)


def waiting(parallel: int = 3) -> Floor:
    """A campaign whose first steps all wait for a handler that is busy with run 1."""
    floor, _ = at_work(parallel=parallel)
    assert floor.engine.lab.instruments["handler"].busy_with == "dye/run-1/step-1/try-1"
    return floor


def done(cid: str, at: float) -> ev.CommandDone:
    return ev.CommandDone(at=at, cid=cid, result=None, duration_s=READ_S)


def sent(commands: list[do.Command]) -> list[str]:
    return [each.cid for each in commands if isinstance(each, do.Perform)]


def test_steps_leave_in_the_order_of_the_plan() -> None:
    floor = waiting()
    floor.turn(
        plan(
            2.0,
            planned("dye/run-3/step-1", "handler", 20.0),
            planned("dye/run-2/step-1", "handler", 40.0),
        )
    )
    assert sent(floor.turn(done("dye/run-1/step-1/try-1", 21.0))) == ["dye/run-3/step-1/try-1"]


def test_an_entry_waits_for_its_time_and_is_told_when() -> None:
    floor = waiting()
    floor.turn(plan(2.0, planned("dye/run-3/step-1", "handler", 500.0)))
    out = floor.turn(done("dye/run-1/step-1/try-1", 21.0))
    # The unplanned one of the same campaign goes behind it, and the first in the plan may go early.
    assert sent(out) == ["dye/run-3/step-1/try-1"]
    again = floor.turn(done("dye/run-3/step-1/try-1", 40.0))
    timer = next(each for each in again if isinstance(each, do.Wait) and each.timer == "dye/plan")
    assert sent(again) == []
    (why,) = [one.why for one in floor.engine.view().waits if one.who == "dye/run-2/step-1"]
    assert "the plan lets others go first" in why
    assert timer.until == 21.0 + UNPLANNED_MAX_S
    assert sent(floor.turn(ev.TimerFired(at=timer.until, timer=timer.timer))) == [
        "dye/run-2/step-1/try-1"
    ]


def test_a_run_with_windows_enters_a_minute_before_its_time_at_most() -> None:
    for steps, until in ((chained(), 500.0 - EARLY_S), (chained()[:1], 0.0)):
        floor = waiting()
        later = [replace(one, start=one.start + 480.0) for one in steps]
        floor.turn(plan(2.0, *later))
        agenda, run = floor.engine.commons.agenda, floor.engine.state.runs["dye/run-2"]
        (step,) = run.steps.values()
        assert agenda.keeps_out(run, step, "dye", 20.0) == until, f"{len(steps)} steps"


def test_a_run_does_not_begin_before_the_plan_lets_it_in() -> None:
    floor, _ = at_work(parallel=2)
    before = planned("dye/run-2/step-4", "handler", 250.0)
    floor.turn(plan(2.0, before, planned("dye/run-3/step-1", "handler", 300.0)))
    floor.turn(done("dye/run-1/step-1/try-1", 21.0))
    floor.turn(ev.TimerFired(at=51.0, timer="dye/run-1/step-2/settle"))
    out = floor.turn(replace(done("dye/run-1/step-3/try-1", 60.0), result=0.5))
    assert not [each for each in out if isinstance(each, do.BeginRun)]
    (timer,) = [each for each in out if isinstance(each, do.Wait)]
    assert timer == do.Wait(timer="dye/plan", until=300.0)
    (why,) = [one.why for one in floor.engine.view().waits if one.who == "dye/run-3"]
    assert why == "the plan lets it begin in 240 s at the latest"
    out = floor.turn(ev.TimerFired(at=300.0, timer="dye/plan"))
    assert [each.run for each in out if isinstance(each, do.BeginRun)] == ["dye/run-3"]


def test_a_chain_waits_for_what_is_planned_before_it_where_it_leads() -> None:
    floor = waiting()
    first = replace(planned("dye/run-3/step-1", "reader", 15.0, 60.0))
    floor.turn(plan(2.0, first, *chained()))
    out = floor.turn(done("dye/run-1/step-1/try-1", 21.0))
    assert "dye/run-2/step-1/try-1" not in sent(out), "the reader has something to do before"
    agenda = floor.engine.commons.agenda
    assert agenda.kept["dye/run-2/step-1"] == "handler"
    assert any(isinstance(one, do.Wait) and one.until <= 51.0 for one in out)


def test_where_nothing_moves_nobody_is_kept() -> None:
    floor = waiting(parallel=2)
    handler = "dye/run-2/step-1"
    floor.turn(plan(2.0, planned("ghost/run-1/step-1", "handler", 3.0), planned(handler, "x", 1e6)))
    failed = ev.CommandFailed(
        at=21.0, cid="dye/run-1/step-1/try-1", phase="during", kind="driver", reason="broke"
    )
    assert "dye/run-2/step-1/try-1" in sent(floor.turn(failed))


def test_a_plan_that_is_old_keeps_nobody() -> None:
    floor = waiting(parallel=2)
    floor.turn(
        plan(2.0, planned("ghost/run-1/step-1", "handler", 1e6)),
    )
    late = floor.turn(done("dye/run-1/step-1/try-1", 3.0 + STALE_S))
    assert sent(late) == ["dye/run-2/step-1/try-1"]


def test_who_is_kept_is_looked_at_again_when_the_plan_is_too_old() -> None:
    floor = waiting(parallel=2)
    floor.turn(plan(2.0, planned("dye/run-2/step-1", "handler", 1e6), before_all()))
    out = floor.turn(done("dye/run-1/step-1/try-1", 21.0))
    assert sent(out) == [], "something is planned before it"
    (timer,) = [one for one in out if isinstance(one, do.Wait) and one.timer == "dye/plan"]
    assert timer.until == 2.0 + STALE_S
    assert sent(floor.turn(ev.TimerFired(at=timer.until, timer=timer.timer))) == [
        "dye/run-2/step-1/try-1"
    ]


def before_all() -> Planned:
    """A step that will never come, before all others at the handler."""
    return planned("dye/run-1/step-9", "handler", 5.0)


def chained(read_s: float = READ_S) -> tuple[Planned, ...]:
    """The plan of run 2: its reading has to begin 30 to 90 s after its dispensing."""
    return (
        planned("dye/run-2/step-1", "handler", 20.0, 20.0),
        Planned(
            step="dye/run-2/step-3",
            instrument="reader",
            start=70.0,
            duration_s=read_s,
            opened_by="dye/run-2/step-1",
            least_s=30.0,
            most_s=90.0,
        ),
    )


def test_a_chain_is_begun_only_where_its_end_finds_its_instrument_free() -> None:
    floor = waiting(parallel=2)
    floor.turn(done("dye/run-1/step-1/try-1", 19.0))
    assert floor.engine.lab.instruments["handler"].busy_with == "dye/run-2/step-1/try-1"
    due = floor.engine.commons.agenda.due
    assert not due, "it began without a plan"
    floor = waiting(parallel=2)
    floor.turn(plan(2.0, *chained()))
    floor.turn(done("dye/run-1/step-1/try-1", 19.0))
    (due_now,) = floor.engine.commons.agenda.due.values()
    assert (due_now.early, due_now.late) == (19.0 + 20.0 + 30.0, 19.0 + 20.0 + 90.0)


def test_a_chain_whose_carries_take_longer_than_its_window_is_begun_where_all_is_free() -> None:
    floor = waiting(parallel=2)
    opener, reading = chained()
    floor.turn(plan(2.0, opener, replace(reading, carry_s=45.0)))
    assert sent(floor.turn(done("dye/run-1/step-1/try-1", 19.0))) == ["dye/run-2/step-1/try-1"]
    (due,) = floor.engine.commons.agenda.due.values()
    assert due.late == due.early == 19.0 + 20.0 + 30.0


def test_a_place_is_kept_from_when_what_comes_before_may_be_over() -> None:
    floor = waiting(parallel=2)
    opener, reading = chained()
    floor.turn(plan(2.0, replace(opener, quick_s=15.0), reading))
    floor.turn(done("dye/run-1/step-1/try-1", 19.0))
    (due,) = floor.engine.commons.agenda.due.values()
    assert (due.early, due.late) == (19.0 + 15.0 + 30.0, 19.0 + 15.0 + 90.0)


def test_what_follows_a_step_whose_window_is_open_is_kept_a_place_as_well() -> None:
    floor = waiting(parallel=2)
    opener, reading = chained()
    floor.turn(plan(2.0, replace(opener, opens=1.0, closes=60.0), reading))
    dues = floor.engine.commons.agenda.due
    assert dues[reading.step].early == opener.start + opener.duration_s + 30.0


def test_a_step_in_a_window_waits_for_its_chain_until_that_is_about_to_close() -> None:
    floor = waiting(parallel=3)
    long = planned("dye/run-1/step-9", "reader", 300.0, 400.0)
    floor.turn(plan(2.0, *chained(), long))
    agenda, lab = floor.engine.commons.agenda, floor.engine.lab
    reader = lab.instruments["reader"]
    reader.busy_with, reader.busy_since = "dye/run-1/step-9/try-1", 2.0
    run = floor.engine.state.runs["dye/run-2"]
    (step,) = run.steps.values()
    step.not_after = 100.0
    assert agenda.keeps(run, step, "dye", lab, 20.0) == 100.0 - MARGIN_S, "then at the latest"
    assert agenda.keeps(run, step, "dye", lab, 96.0) == 0.0
    assert agenda.keeps(run, step, "dye", lab, 20.0, 10.0) == 100.0 - MARGIN_S - 30.0, (
        "time for a carry under way, for what stands there, and for its own"
    )
    step.not_after = None
    assert agenda.keeps(run, step, "dye", lab, 20.0) == 402.0 - 110.0, "when the reader is free"


def test_what_is_planned_before_a_chain_that_has_not_begun_does_not_wait_for_it() -> None:
    floor = waiting(parallel=3)
    long = planned("dye/run-1/step-3", "reader", 30.0, 60.0)
    opener, reading = chained()
    floor.turn(plan(2.0, replace(opener, opens=1.0, closes=60.0), reading, long))
    agenda, lab = floor.engine.commons.agenda, floor.engine.lab
    run = floor.engine.state.runs["dye/run-1"]
    (step,) = run.steps.values()
    stands_in = replace(step, id=long.step, instrument="reader", since=20.0, attempt=0)
    assert agenda.due[reading.step].late < 75.0 + 60.0, "it would be in its way"
    assert agenda.keeps(run, stands_in, "dye", lab, 75.0) == 0.0
    agenda.begun[opener.step] = None
    assert agenda.keeps(run, stands_in, "dye", lab, 75.0) > 75.0, "now it is under way"


def test_a_chain_goes_ahead_of_its_time_where_it_is_in_nobodys_way() -> None:
    for other_at, carry_s, until in ((70.0, 0.0, 40.0), (85.0, 0.0, 0.0), (85.0, 10.0, 40.0)):
        floor = waiting(parallel=2)
        opener, reading = chained()
        other = replace(planned("dye/run-1/step-9", "reader", other_at), carry_s=carry_s)
        later = (replace(opener, start=40.0), replace(reading, start=90.0))
        floor.turn(plan(2.0, *later, other))
        run = floor.engine.state.runs["dye/run-2"]
        (step,) = run.steps.values()
        found = floor.engine.commons.agenda.keeps(run, step, "dye", floor.engine.lab, 20.0)
        assert found == until, f"the reader is wanted at {other_at:g} s, {carry_s:g} s for a carry"


def test_the_reader_is_kept_free_for_a_chain_under_way() -> None:
    floor = waiting(parallel=3)
    long = planned("dye/run-1/step-3", "reader", 300.0, 400.0)
    floor.turn(plan(2.0, *chained(), long))
    floor.turn(done("dye/run-1/step-1/try-1", 19.0))
    agenda, lab = floor.engine.commons.agenda, floor.engine.lab
    (other,) = [
        (run, step)
        for run in floor.engine.state.runs.values()
        for step in run.steps.values()
        if run.id == "dye/run-1"
    ]
    stands_in = replace(other[1], id=long.step, instrument="reader", since=20.0, not_after=None)
    assert agenda.keeps(other[0], stands_in, "dye", lab, 20.0) == 79.0, "until the read is over"


def test_what_is_due_is_taken_to_be_done_when_it_is_due() -> None:
    """Not from when one that comes later would be there."""
    due = planned("dye/run-3/step-3", "reader", 40.0, 30.0)
    due = replace(due, opens=40.0, closes=80.0)
    opener, reading = chained(read_s=50.0)
    floor = waiting(parallel=2)
    floor.turn(plan(2.0, due, opener, replace(reading, most_s=50.0)))
    agenda, lab = floor.engine.commons.agenda, floor.engine.lab
    run = floor.engine.state.runs["dye/run-2"]
    (step,) = run.steps.values()
    assert agenda.keeps(run, step, "dye", lab, 20.0) == 0.0, "from 40 to 70 s, and it reads at 70"


def test_no_room_is_kept_for_a_window_that_the_plan_gives_up() -> None:
    """One that is planned a little late may be in time after all."""
    for late_s, dues in ((SPARED_S, 1), (SPARED_S + 1.0, 0)):
        floor = waiting(parallel=2)
        opener, reading = chained()
        floor.turn(plan(2.0, opener, replace(reading, start=20.0 + 20.0 + 90.0 + late_s)))
        floor.turn(done("dye/run-1/step-1/try-1", 19.0))
        assert len(floor.engine.commons.agenda.due) == dues, f"{late_s} s late"


def test_a_chain_waits_for_its_turn_though_that_comes_a_little_late_for_its_own_window() -> None:
    for late_s, until in ((SPARED_S, 60.0 - MARGIN_S), (SPARED_S + 1.0, 0.0)):
        floor = waiting(parallel=2)
        opener, reading = chained()
        other = planned("dye/run-1/step-9", "reader", 35.0, 90.0)
        later = 60.0 + late_s
        floor.turn(plan(2.0, replace(opener, start=later), replace(reading, start=150.0), other))
        run = floor.engine.state.runs["dye/run-2"]
        (step,) = run.steps.values()
        step.not_after = 60.0
        agenda, lab = floor.engine.commons.agenda, floor.engine.lab
        assert agenda.keeps(run, step, "dye", lab, 20.0) == until, f"{late_s} s late"


def test_a_plan_without_steps_leaves_the_one_before_and_says_why() -> None:
    floor = waiting()
    floor.turn(plan(2.0, planned("dye/run-3/step-1", "handler", 20.0)))
    floor.turn(replace(plan(5.0), status="unknown", cause="the scheduler died"))
    shown = floor.engine.lab_view().plan
    assert shown is not None
    assert (shown.plans, shown.trouble, shown.status) == (1, "the scheduler died", "feasible")
    assert sent(floor.turn(done("dye/run-1/step-1/try-1", 21.0))) == ["dye/run-3/step-1/try-1"]


def test_a_restart_asks_for_the_timer_again() -> None:
    floor = waiting()
    floor.turn(plan(2.0, planned("dye/run-3/step-1", "handler", 500.0)))
    floor.turn(done("dye/run-1/step-1/try-1", 21.0))
    floor.turn(done("dye/run-3/step-1/try-1", 40.0))
    floor.turn(ev.OrchestratorStarted(at=41.0, epoch=2))
    out = floor.turn(online("handler", 42.0))
    assert any(isinstance(each, do.Wait) and each.timer == "dye/plan" for each in out)


def random_plan(floor: Floor, at: float, names: list[str]) -> PlanArrived:
    """Nonsense in the right form: steps that are not there, circles of windows, wild times."""
    odd = floor.random
    ids = [
        f"{odd.choice(names)}/run-{odd.randint(1, 5)}/step-{odd.choice(['1', '2', '3', '2.1.1'])}"
        for _ in range(odd.randint(1, 12))
    ]
    steps = tuple(
        Planned(
            step=one,
            instrument=odd.choice(["handler", "reader", "ghost"]),
            start=at + odd.choice([-1e6, -5.0, 0.0, 20.0, 400.0, 5e4, 1e9]) * odd.random(),
            duration_s=odd.choice([0.0, 10.0, 1e9]),
            opened_by=odd.choice(["", odd.choice(ids)]),
            least_s=odd.choice([-50.0, 0.0, 30.0]),
            most_s=odd.choice([-1.0, 30.0, 1e9]),
        )
        for one in ids
    )
    return plan(at, *steps)


def scheming(floor: Floor, names: list[str], every_s: float) -> None:
    """Let a new random plan arrive again and again."""

    def again(at: float) -> None:
        if not floor.engine.is_over and len(floor.engine.ended) < len(names):
            floor.turn(random_plan(floor, at, names))
            floor.call(at + every_s * (0.5 + floor.random.random()), again)

    floor.call(1.0, again)


@settings(max_examples=25)
@given(
    odds=ODDS,
    drawn=STARTS,
    seed=st.integers(0, 2**20),
    every=st.integers(1, 9),
    every_s=st.sampled_from([3.0, 40.0, 500.0]),
)
def test_no_plan_makes_the_lab_stand_still_and_replay_and_snapshots_give_the_same(
    odds: Chances,
    drawn: list[tuple[Terms, float, int, int]],
    seed: int,
    every: int,
    every_s: float,
) -> None:
    note(f"seed {seed}")
    starts = [
        Start(spec=spec(f"c{n}", runs=runs, parallel=parallel, seed=n), at=at, terms=terms)
        for n, (terms, at, runs, parallel) in enumerate(drawn)
    ]
    floor = Floor(Engine(SCRIPT), seed=seed, chances=odds, simulated=not odds.unknown)
    scheming(floor, [start.spec.name for start in starts], every_s)
    floor.play_lab(*starts)
    assert len(endings(floor)) == len(starts), f"seed {seed}: {endings(floor)}"
    runs = sum(start.spec.stop.runs for start in starts)
    bound_s = 20_000.0 + runs * (ENTRY_MAX_S + 3 * CHAIN_MAX_S)
    assert floor.at < bound_s, f"seed {seed}: it took {floor.at} s"
    folded = fold(SCRIPT, floor.journal)
    assert folded.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"
    often = Engine(SCRIPT)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % every == 0 and often.is_begun:
            often = Engine.restored(SCRIPT, text_of(often))
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


@pytest.mark.parametrize("seed", range(3))
def test_a_campaign_alone_comes_to_its_end_under_any_plan(seed: int) -> None:
    floor = Floor(Engine(SCRIPT), seed=seed)
    scheming(floor, ["dye"], 5.0)
    floor.play(campaign(parallel=3))
    assert floor.engine.state.concluded is not None, f"seed {seed}"
    assert floor.engine.state.ended == 6, f"seed {seed}"


def test_a_plan_survives_its_way_through_text() -> None:
    floor = Floor(Engine(SCRIPT), seed=7)
    floor.random = random.Random(7)
    event = random_plan(floor, 5.0, ["dye"])
    assert load("PlanArrived", dump(event)) == event


def test_a_journal_without_a_plan_is_as_it_was() -> None:
    floor = Floor(Engine(SCRIPT), seed=3).play(campaign(parallel=3))
    assert not floor.commands(do.Flag)
    timers = {each.timer for each in floor.commands(do.Wait) if isinstance(each, do.Wait)}
    assert not any(timer.endswith("/plan") for timer in timers)
    assert run_of("dye/run-7/step-2.r1.1") == "dye/run-7"
    assert started(campaign(), SCRIPT).at == arrive(0.5).at - 1.0


@pytest.mark.parametrize("before", [(), ("a",)])
def test_a_campaign_that_comes_late_is_kept_out_from_then_on(before: tuple[str, ...]) -> None:
    """Not let in at once because nobody of it has entered for so long."""
    late = 2.0 * ENTRY_MAX_S
    agenda = Agenda(entered=dict.fromkeys(before, 10.0))
    others = planned("b/run-1/step-1", "handler", late + 60.0)
    mine = planned("a/run-2/step-1", "handler", late + 100_000.0)
    event = replace(plan(late, others, mine), asked_at=late + ENTRY_MAX_S)
    agenda = agenda.renewed(event, LabState({}))
    run = waiting().engine.state.runs["dye/run-2"]
    step = replace(run.steps["1"], id="a/run-2/step-1", since=late)
    run = replace(run, id="a/run-2")
    assert agenda.keeps_out(run, step, "a", late) == late + ENTRY_MAX_S
    assert agenda.keeps_out(run, step, "a", late + ENTRY_MAX_S - 1.0) == late + ENTRY_MAX_S
    assert agenda.keeps_out(run, step, "a", late + ENTRY_MAX_S) == 0.0, "nor for longer than that"
