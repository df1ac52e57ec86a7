"""The engine: odd results, unknown outcomes, held instruments and how a campaign ends."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sdl.authoring import protocol, settle, together
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.model.campaign import Goal, Objective, StopRule
from sdl.model.labware import Well
from tests.core.dye import SCRIPT, Reading, arrive, at_work, kinds
from tests.core.floor import Answer, Chances, Floor, campaign, failed, online, script, started


def test_results_that_are_no_numbers_fail_their_run_not_the_engine() -> None:
    for answer in ("0.75", True, None, [1.0]):
        floor = Floor(Engine(SCRIPT), seed=1, answer=lambda _, given=answer: given)  # type: ignore[misc]
        floor.play(campaign())
        ends = [e for e in floor.commands(do.EndRun) if isinstance(e, do.EndRun)]
        assert {e.outcome for e in ends} == {"failed"}, answer


@pytest.mark.parametrize("value", [None, "high", "0.75", True])
def test_a_protocol_that_returns_no_number_ends_the_campaign_with_a_word(value: object) -> None:
    @protocol
    async def odd(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        return Reading(value)  # type: ignore[arg-type]

    floor = Floor(Engine(script(odd)), seed=1).play(campaign())
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    assert "give a number" in end.reason


def test_a_number_that_is_not_finite_never_leaves_for_an_instrument() -> None:
    @protocol
    async def nan(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, {"dye": float("nan")})
        return Reading(0.0)

    floor = Floor(Engine(script(nan)), seed=1).play(campaign(stop=StopRule(failures=1)))
    assert floor.commands(do.Perform) == []
    (end,) = floor.commands(do.EndRun)
    assert "not finite" in end.reason  # type: ignore[union-attr]


def real_bench(**changes: object) -> tuple[Floor, str]:
    """A dispense under way on a handler that is no simulator; its command."""
    floor, out = at_work(**changes)
    floor.engine.lab.instruments["handler"].simulated = False
    return floor, out[-1].cid  # type: ignore[union-attr]


def test_who_looked_before_resuming_also_looked_at_what_turns_out_unknown_then() -> None:
    floor, cid = real_bench()
    floor.turn(ev.OrchestratorStarted(at=60.0, epoch=2, bench_checked=True))
    floor.turn(online("handler", 61.0, "boot-2", simulated=False))
    floor.turn(ev.CommandNotSeen(at=62.0, cid=cid, memory="boot-2"))
    floor.turn(ev.CommandUnknown(at=63.0, cid=cid, reason="power cut"))
    assert not floor.engine.view().questions
    assert floor.engine.view().unknown == 1


def test_a_command_for_a_node_that_was_away_is_asked_about_not_sent_again() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    assert out[-1].memory == "boot-1"  # type: ignore[union-attr]
    floor.turn(ev.CommandAccepted(at=2.0, cid=cid, seq=7))
    back = replace(online("handler", 3.0, "boot-2"), memory="boot-1")
    greet = do.Greet(instrument="handler", boot="boot-2", after=7, memory="boot-1")
    assert floor.turn(back) == [greet, do.Query(cid=cid)]
    assert floor.turn(ev.CommandUnheard(at=4.0, cid=cid)) == [greet, do.Query(cid=cid)]


def test_the_hours_are_over_even_if_nothing_else_happens() -> None:
    engine = Engine(SCRIPT)
    out = engine.handle(started(campaign(stop=StopRule(hours=1.0)), SCRIPT))
    assert do.Wait(timer="dye/hours", until=3600.0) in out
    out = engine.handle(ev.TimerFired(at=3600.0, timer="dye/hours"))
    assert isinstance(out[-1], do.Conclude)
    assert out[-1].reason == "1 hours are over"


def test_a_shortage_in_two_runs_in_a_row_ends_the_campaign_and_is_named() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    out = floor.turn(failed(3.0, cid, "during", "material"))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    out = floor.turn(arrive(0.5, ask="dye/ask-2"))
    out = floor.turn(failed(4.0, out[-1].cid, "during", "material"))  # type: ignore[union-attr]
    assert isinstance(out[-1], do.Conclude)
    assert (out[-1].ending, out[-1].reason) == ("material", "dye/run-2: so it was drawn")


def test_a_repeated_not_seen_of_the_same_node_breaks_nothing() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    not_seen = ev.CommandNotSeen(at=3.0, cid=cid, memory="boot-1")
    assert floor.turn(not_seen) == [do.Resend(cid=cid)]
    floor.turn(ev.CommandStarted(at=4.0, cid=cid))
    assert floor.turn(replace(not_seen, at=5.0)) == []
    assert not floor.engine.view().questions
    done = floor.turn(ev.CommandDone(at=9.0, cid=cid, result=None, duration_s=5.0))
    assert kinds(done) == ["Wait"]


def test_a_node_that_runs_something_else_than_the_lab_file_says_stays_offline() -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    floor.turn(started(campaign(), SCRIPT))
    floor.turn(online("handler", simulated=False))
    floor.turn(replace(online("reader"), driver="another-reader"))
    states = {one.name: one for one in floor.engine.view().instruments}
    assert states["handler"].state == states["reader"].state == "offline"
    assert "another-reader" in states["reader"].note


def test_the_last_run_of_the_budget_may_still_reach_the_target_or_fail() -> None:
    objective = Objective(measure="y_au", goal="target", target=0.5)
    spec = campaign(objective=objective, stop=StopRule(runs=1, tolerance=0.1))
    floor = Floor(Engine(SCRIPT), seed=1).play(spec)
    (end,) = floor.commands(do.Conclude)
    assert end.ending == "target"  # type: ignore[union-attr]
    spec = campaign(stop=StopRule(runs=2, failures=2))
    floor = Floor(Engine(SCRIPT), seed=1, chances=Chances(fail=1.0)).play(spec)
    (end,) = floor.commands(do.Conclude)
    assert end.ending == "failures"  # type: ignore[union-attr]


def by_chance(seed: int) -> Answer:
    """Readings between 0 and 1."""
    chance = random.Random(seed)
    return lambda perform: chance.random() if perform.operation == "absorbance" else None


@pytest.mark.parametrize("goal, reached", [("maximise", 0.9), ("minimise", 0.1)])
def test_a_campaign_ends_once_a_run_is_as_good_as_was_to_be_reached(
    goal: Goal, reached: float
) -> None:
    spec = campaign(
        objective=Objective(measure="y_au", goal=goal), stop=StopRule(runs=50, reached=reached)
    )
    floor = Floor(Engine(SCRIPT), seed=1, answer=by_chance(3)).play(spec)
    values = [end.measures["y_au"] for end in floor.commands(do.EndRun) if end.measures]  # type: ignore[union-attr]
    (end,) = floor.commands(do.Conclude)
    assert end.ending == "target"  # type: ignore[union-attr]
    assert len(values) > 1
    is_enough = [value >= reached if goal == "maximise" else value <= reached for value in values]
    assert is_enough == [False] * (len(values) - 1) + [True]


def test_a_search_for_hits_ends_once_so_many_were_measured() -> None:
    spec = campaign(
        objective=Objective(measure="y_au", goal="hits", at_least=0.5),
        stop=StopRule(runs=50, hits=3),
    )
    floor = Floor(Engine(SCRIPT), seed=1, answer=by_chance(3)).play(spec)
    values = [end.measures["y_au"] for end in floor.commands(do.EndRun) if end.measures]  # type: ignore[union-attr]
    (end,) = floor.commands(do.Conclude)
    assert (end.ending, end.reason) == ("target", "3 of 3 hits were found")  # type: ignore[union-attr]
    assert sum(value >= 0.5 for value in values) == 3
    assert values[-1] >= 0.5


def test_a_stopping_branch_does_not_try_its_step_again() -> None:
    @protocol
    async def forked(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await together(
            handler.dispense(well, {"dye": x_fraction}),
            reader.absorbance(well, wavelength_nm=450.0),
        )
        return Reading(x_fraction)

    floor = Floor(Engine(script(forked)), seed=2)
    for event in (started(campaign(), script(forked)), online("handler"), online("reader")):
        floor.turn(event)
    floor.turn(arrive(0.5))
    floor.turn(failed(2.0, "dye/run-1/step-1.1.1/try-1", "during", "driver"))
    cid = "dye/run-1/step-1.2.1/try-1"
    out = floor.turn(ev.CommandUnknown(at=3.0, cid=cid, reason="power cut"))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]


def test_words_that_differ_in_each_process_do_not_stop_a_replay() -> None:
    count = iter(range(10**6))

    @protocol
    async def talkative(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await settle(1.0)
        raise ValueError(f"{handler!r} at {next(count)}")

    floor = Floor(Engine(script(talkative)), seed=1).play(campaign(stop=StopRule(failures=2)))
    fold(script(talkative), floor.journal)
    ends = [e for e in floor.commands(do.EndRun) if isinstance(e, do.EndRun)]
    assert ends[0].reason.startswith("ValueError: <role handler> at ")


def test_a_slip_of_the_pen_in_two_runs_in_a_row_ends_the_campaign_with_its_line() -> None:
    @protocol
    async def slipped(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, 3, {"dye": x_fraction})  # type: ignore[call-arg, arg-type]
        return Reading(x_fraction)

    floor = Floor(Engine(script(slipped)), seed=1).play(campaign())
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    assert "dispense() takes 2 arguments, 3 were given" in end.reason
    assert "test_outcomes.py:" in end.reason
    assert len(floor.commands(do.BeginRun)) == 2
