"""The engine: what it commands, when, and what it makes of the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.authoring import protocol, together
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.errors import DriverFault, RecordMismatch
from sdl.model.campaign import PlannerChoice, StopRule
from sdl.model.hypothesis import Hypothesis, Prediction
from sdl.model.labware import Well
from tests.core.dye import SCRIPT, Reading, arrive, at_work, kinds
from tests.core.floor import Chances, Floor, campaign, failed, online, script, started


def test_a_run_goes_from_suggestion_to_measurement() -> None:
    floor, out = at_work()
    assert kinds(out) == ["AskPlanner", "AcceptSuggestion", "BeginRun", "Perform"]
    perform = out[-1]
    assert isinstance(perform, do.Perform)
    assert perform.cid == "dye/run-1/step-1/try-1"
    assert perform.args == {
        "well": {"labware": "plate-1", "name": "A1"},
        "volumes_ul": {"dye": 50.0},
    }
    done = ev.CommandDone(at=10.0, cid=perform.cid, result=None, duration_s=9.0)
    assert floor.turn(done) == [do.Wait(timer="dye/run-1/step-2/settle", until=40.0)]
    (read,) = floor.turn(ev.TimerFired(at=40.0, timer="dye/run-1/step-2/settle"))
    assert isinstance(read, do.Perform)
    assert read.not_after == 100.0
    out = floor.turn(ev.CommandDone(at=50.0, cid=read.cid, result=0.8, duration_s=1.0))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert out[0] == do.EndRun(
        run="dye/run-1", outcome="measured", measures={"y_au": 0.8}, loss=-0.8
    )


def test_a_campaign_ends_with_its_budget_and_every_suggestion_disposed_of() -> None:
    floor = Floor(Engine(SCRIPT), seed=3).play(campaign(parallel=3))
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    assert end.ending == "budget"
    assert len(floor.commands(do.EndRun)) == 6


def test_suggestions_are_asked_for_ahead_only_when_runs_are_parallel() -> None:
    def first_count(parallel: int) -> int:
        engine = Engine(SCRIPT)
        engine.handle(started(campaign(parallel=parallel), SCRIPT))
        greeted, asked = engine.handle(online("handler"))
        assert isinstance(greeted, do.Greet)
        assert isinstance(asked, do.AskPlanner)
        return asked.count

    assert (first_count(1), first_count(4)) == (1, 5)


def test_a_late_or_repeated_word_changes_nothing_and_a_contradiction_is_flagged_once() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    done = ev.CommandDone(at=5.0, cid=cid, result=None, duration_s=1.0)
    floor.turn(done)
    assert floor.turn(replace(done, at=6.0)) == []
    assert floor.turn(ev.CommandUnknown(at=6.5, cid=cid, reason="late")) == []
    (flag,) = floor.turn(failed(7.0, cid, "during", "driver"))
    assert isinstance(flag, do.Flag)
    assert (flag.step, "now reported as failed" in flag.reason) == ("dye/run-1/step-1", True)
    assert floor.turn(failed(8.0, cid, "during", "driver")) == []


def test_a_step_that_cannot_start_in_its_window_is_missed() -> None:
    floor, _ = at_work(parallel=1)
    floor.turn(ev.CommandDone(at=2.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=1.0))
    floor.turn(ev.InstrumentLost(at=3.0, instrument="reader", reason="cable"))
    out = floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle"))
    assert out == [do.Wait(timer="dye/run-1/step-3/window", until=92.0)]
    out = floor.turn(ev.TimerFired(at=92.0, timer="dye/run-1/step-3/window"))
    assert kinds(out)[0] == "BreakWindow"
    assert isinstance(out[1], do.EndRun)
    assert out[1].outcome == "failed"
    assert out[1].reason.startswith("WindowMissed: absorbance on reader could not start")


def test_an_unknown_once_action_ends_its_run_as_unknown_and_is_not_repeated() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    out = floor.turn(ev.CommandUnknown(at=5.0, cid=cid, reason="power cut"))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert out[0].outcome == "unknown"  # type: ignore[union-attr]


def test_an_unknown_pure_action_is_tried_again() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandDone(at=2.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=1.0))
    floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle"))
    (again,) = floor.turn(
        ev.CommandUnknown(at=40.0, cid="dye/run-1/step-3/try-1", reason="power cut")
    )
    assert isinstance(again, do.Perform)
    assert again.cid == "dye/run-1/step-3/try-2"


def test_an_unheard_command_is_sent_again_under_the_same_id_then_asked_about() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    assert floor.turn(ev.CommandUnheard(at=3.0, cid=cid)) == [do.Resend(cid=cid)]
    floor.turn(ev.CommandAccepted(at=4.0, cid=cid))
    greet = do.Greet(instrument="handler", boot="boot-1", after=None, memory="boot-1")
    assert floor.turn(ev.CommandUnheard(at=5.0, cid=cid)) == [greet, do.Query(cid=cid)]
    floor.turn(ev.CommandStarted(at=6.0, cid=cid))
    assert floor.turn(ev.CommandUnheard(at=7.0, cid=cid)) == [do.Query(cid=cid)]


def test_after_a_restart_the_same_node_is_sent_what_it_has_not_seen() -> None:
    floor, out = at_work()
    cid = out[-1].cid  # type: ignore[union-attr]
    wait = do.Wait(timer="dye/lost/handler", until=120.0)
    assert floor.turn(ev.OrchestratorStarted(at=60.0, epoch=2)) == [wait]
    greet = do.Greet(instrument="handler", boot="boot-1", after=None, memory="boot-1")
    assert floor.turn(online("handler", 61.0)) == [greet, do.Query(cid=cid)]
    out = floor.turn(ev.CommandNotSeen(at=62.0, cid=cid, memory="boot-1"))
    assert out == [do.Resend(cid=cid)]


def test_a_node_with_another_memory_makes_what_it_was_sent_unknown() -> None:
    floor, _ = at_work()
    floor.turn(ev.OrchestratorStarted(at=60.0, epoch=2))
    out = floor.turn(online("handler", 61.0, "boot-2"))
    assert kinds(out) == ["Greet", "EndRun", "Dispose", "AskPlanner"]


def test_open_questions_and_timers_are_set_again_after_a_restart() -> None:
    floor, _ = at_work(parallel=2)
    floor.turn(ev.CommandDone(at=2.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=1.0))
    out = floor.turn(ev.OrchestratorStarted(at=60.0, epoch=2))
    assert do.Wait(timer="dye/run-1/step-2/settle", until=32.0) in out


def test_a_question_that_is_asked_again_after_a_restart_is_a_new_attempt() -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    floor.turn(started(campaign(), SCRIPT))
    first = floor.turn(ev.OrchestratorStarted(at=1.0, epoch=1))
    (asked,) = [each for each in first if isinstance(each, do.AskPlanner)]
    out = floor.turn(ev.OrchestratorStarted(at=60.0, epoch=2))
    assert replace(asked, attempt=2) in out  # each attempt is one row of the record


@pytest.mark.parametrize(
    "points", [(2.0,), (float("nan"),), (float("inf"),), (), (0.1, 0.2), (-0.1,)]
)
def test_nonsense_from_a_planner_is_asked_again_and_then_ends_the_campaign(
    points: tuple[float, ...],
) -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    for event in (started(campaign(), SCRIPT), online("handler"), online("reader")):
        floor.turn(event)
    for attempt in (1, 2):
        (again,) = floor.turn(arrive(*points, attempt=attempt))
        assert isinstance(again, do.AskPlanner)
        assert again.attempt == attempt + 1
    (end,) = floor.turn(arrive(*points, attempt=3))
    assert isinstance(end, do.Conclude)
    assert end.ending == "planner"
    assert "nonsense" in end.reason


def test_a_fall_back_is_written_into_every_suggestion_it_made() -> None:
    spec = campaign(planner=PlannerChoice(kind="ax", fall_back="sobol"))
    floor = Floor(Engine(SCRIPT), seed=0)
    for event in (started(spec, SCRIPT), online("handler"), online("reader")):
        floor.turn(event)
    out: list[do.Command] = []
    for attempt in (1, 2, 3):
        out = floor.turn(ev.PlannerFailed(at=1.0, ask="dye/ask-1", attempt=attempt, reason="died"))
    assert [c.planner for c in out if isinstance(c, do.AskPlanner)] == ["sobol"]
    out = floor.turn(arrive(0.5, attempt=4))
    (accepted,) = [c for c in out if isinstance(c, do.AcceptSuggestion)]
    assert accepted.value.fall_back == "ax failed 3 times: died"


def test_failures_in_a_row_end_the_campaign() -> None:
    spec = campaign(stop=StopRule(runs=50, failures=3))
    floor = Floor(Engine(SCRIPT), seed=1, chances=Chances(fail=1.0)).play(spec)
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    assert (end.ending, end.best_run) == ("failures", None)


def test_a_nan_result_fails_its_run_with_the_measure_named() -> None:
    floor = Floor(Engine(SCRIPT), seed=1, answer=lambda _: float("nan")).play(campaign())
    ends = floor.commands(do.EndRun)
    assert {e.outcome for e in ends if isinstance(e, do.EndRun)} == {"failed"}


def test_a_person_can_stop_a_campaign_in_good_order() -> None:
    floor, out = at_work(
        hypothesis=Hypothesis(
            claim="high",
            predicts=Prediction(quantity="y_au", at="typical", direction="exceeds", threshold=0.1),
        )
    )
    cid = out[-1].cid  # type: ignore[union-attr]
    assert floor.turn(ev.StopRequested(at=2.0, by="a person", reason="Ctrl-C")) == []
    out = floor.turn(failed(3.0, cid, "during", "driver"))
    assert kinds(out) == ["EndRun", "Dispose", "Conclude"]
    assert out[-1].verdict == "undecided" or out[-1].verdict == "abandoned"  # type: ignore[union-attr]


def test_plates_that_run_out_end_the_campaign_and_no_well_is_used_twice() -> None:
    spec = campaign(stop=StopRule(runs=200, failures=200), parallel=4)
    floor = Floor(Engine(SCRIPT), seed=5).play(spec)
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    assert end.ending == "material"
    assert len(floor.commands(do.BeginRun)) == 96


def test_an_edited_protocol_is_noticed_at_its_first_differing_command() -> None:
    @protocol
    async def edited(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, {"dye": 100.0 * x_fraction})
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))

    floor = Floor(Engine(SCRIPT), seed=1).play(campaign())
    with pytest.raises(RecordMismatch, match=r"Perform"):
        fold(script(edited), floor.journal)


def test_a_branch_failure_in_together_fails_the_run_with_every_cause() -> None:
    @protocol
    async def forked(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await together(
            handler.dispense(well, {"dye": x_fraction}),
            reader.absorbance(well, wavelength_nm=450.0),
        )
        raise DriverFault("not reached when a branch fails")

    floor = Floor(Engine(script(forked)), seed=2, chances=Chances(fail=1.0)).play(campaign())
    reasons = [e.reason for e in floor.commands(do.EndRun) if isinstance(e, do.EndRun)]
    assert all("so it was drawn" in reason for reason in reasons)


def test_waits_are_explained_in_one_sentence_each() -> None:
    floor, _ = at_work()
    (wait,) = floor.engine.view().waits
    assert (wait.who, wait.why) == (
        "dye/run-1/step-1",
        "dispense on handler was sent, no word yet",
    )


def test_a_stopped_campaign_that_is_resumed_goes_on() -> None:
    floor, out = at_work()
    floor.turn(ev.StopRequested(at=2.0, by="a person", reason="Ctrl-C"))
    floor.turn(ev.OrchestratorStarted(at=60.0, epoch=2))
    cid = out[-1].cid  # type: ignore[union-attr]
    floor.turn(online("handler", 61.0))
    assert kinds(floor.turn(failed(62.0, cid, "during", "driver")))[-1] == "AskPlanner"


def test_a_planner_that_has_no_point_left_ends_the_campaign_as_exhausted() -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    for event in (started(campaign(), SCRIPT), online("handler"), online("reader")):
        floor.turn(event)
    (end,) = floor.turn(
        ev.PlannerFailed(
            at=1.0, ask="dye/ask-1", attempt=1, reason="the grid is used up", exhausted=True
        )
    )
    assert isinstance(end, do.Conclude)
    assert (end.ending, end.reason) == ("exhausted", "the grid is used up")


def test_a_restart_of_ours_is_no_failure_of_the_planner() -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    for event in (started(campaign(), SCRIPT), online("handler"), online("reader")):
        floor.turn(event)
    floor.turn(ev.OrchestratorStarted(at=1.0, epoch=1))
    for epoch in range(2, 8):
        out = floor.turn(ev.OrchestratorStarted(at=float(epoch), epoch=epoch))
        assert kinds(out) == ["AskPlanner"]
    floor.turn(arrive(0.5, attempt=7))
    assert floor.engine.state.ready


COMINGS: list[tuple[str, ...]] = [
    ("handler", "reader"),
    ("reader", "handler"),
    ("reader", "spare"),
    ("handler", "-handler", "reader", "handler"),
    ("handler", "-handler", "reader", "spare"),
    ("reader", "-reader", "handler", "spare", "-handler", "reader"),
    ("handler", "spare", "-handler", "-spare", "reader", "-reader", "spare", "reader"),
]


@pytest.mark.parametrize("coming", COMINGS, ids=" ".join)
def test_a_run_begins_as_soon_as_every_role_has_somebody_and_not_before(
    coming: tuple[str, ...],
) -> None:
    roles = {"handler": ("handler", "spare"), "reader": ("reader",), "well": ("plate-1",)}
    spec = campaign(roles=roles)
    floor = Floor(Engine(SCRIPT), seed=0)
    for event in (started(spec, SCRIPT), ev.OrchestratorStarted(at=0.0, epoch=1), arrive(0.5)):
        floor.turn(event)
    here: set[str] = set()
    for at, name in enumerate(coming, start=2):
        if name.startswith("-"):
            here.discard(name[1:])
            lost = ev.InstrumentLost(at=float(at), instrument=name[1:], reason="cable")
            out = floor.turn(lost)
        else:
            here.add(name)
            out = floor.turn(online(name, float(at)))
        assert ("BeginRun" in kinds(out)) == ("reader" in here and len(here) > 1), (name, here)
    assert floor.engine.state.begun == 1
