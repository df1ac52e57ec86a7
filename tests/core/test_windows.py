"""The engine: a step that misses its maximum lag, what is done about it, and who is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.authoring import protocol, settle, together, within
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.script import Script
from sdl.errors import WindowMissed
from sdl.model.campaign import PlannerChoice, RangeParameter, StopRule
from sdl.model.labware import Well
from sdl.model.policy import Remedy, Rule
from tests.core.dye import SCRIPT, Reading, arrive, dye, kinds
from tests.core.floor import Floor, campaign, failed, online, script, started

DUE = 92.0
"""The dispense ends at 2 s, it settles for 30 s, and is to be read within 60 s."""
FLAG = Rule(then="flag", on=("window",))
DIVERT = Rule(then="divert", on=("window",), protocol="./park.py:park")
REQUEUE = Rule(then="requeue", on=("window",))


@protocol
async def park(handler: LiquidHandler, well: Well) -> None:
    await handler.mix(well, 50.0, 1)


PARKED = Script.of(dye, SCRIPT.signature, {"./park.py:park": park})


def begun(*rules: Rule, of: Script = PARKED, **changes: object) -> Floor:
    """A campaign with its first run begun: the dispense is sent."""
    floor = Floor(Engine(of), seed=0)
    spec = campaign(policy=rules, **changes)
    floor.turn(started(spec, of))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    if spec.planner.kind != "none":
        floor.turn(arrive(*[0.5] * (spec.parallel + (spec.parallel > 1))))
    return floor


def missing(*rules: Rule, of: Script = PARKED, **changes: object) -> tuple[Floor, list[do.Command]]:
    """The same, and the reader stays away until after the window of the reading."""
    floor = begun(*rules, of=of, **changes)
    return floor, miss(floor)


def miss(floor: Floor, run: int = 1) -> list[do.Command]:
    """Let the reading of a run, whose dispense is sent, miss its window."""
    name, at = f"dye/run-{run}", floor.at
    floor.turn(ev.CommandDone(at=at + 1.0, cid=f"{name}/step-1/try-1", result=None, duration_s=1.0))
    floor.turn(ev.InstrumentLost(at=at + 1.0, instrument="reader", reason="cable"))
    floor.turn(ev.TimerFired(at=at + 31.0, timer=f"{name}/step-2/settle"))
    return floor.turn(ev.TimerFired(at=at + 91.0, timer=f"{name}/step-3/window"))


def broken(remedy: Remedy, late_s: float | None = None) -> do.BreakWindow:
    return do.BreakWindow(
        run="dye/run-1",
        step="dye/run-1/step-3",
        instrument="reader",
        due=DUE,
        remedy=remedy,
        late_s=late_s,
    )


def performs(commands: list[do.Command]) -> list[do.Perform]:
    return [one for one in commands if isinstance(one, do.Perform)]


def read_late(floor: Floor) -> list[do.Command]:
    """The reader is back, begins 8 s after the window closed, and reads."""
    (perform,) = performs(floor.turn(online("reader", 99.0)))
    begins = ev.CommandStarted(at=100.0, cid=perform.cid)
    done = ev.CommandDone(at=110.0, cid=perform.cid, result=0.8, duration_s=10.0)
    return [perform, *floor.turn(begins), *floor.turn(done)]


# Flag.


def test_a_late_step_is_flagged_and_done() -> None:
    floor, out = missing(FLAG)
    assert out == [broken("flag")]
    perform, told, *end = read_late(floor)
    assert isinstance(perform, do.Perform)
    assert perform.not_after is None
    assert told == broken("flag", late_s=8.0)
    assert kinds(end) == ["EndRun", "Dispose", "AskPlanner"]
    (trial,) = floor.engine.question("dye/ask-2").trials
    assert (trial.status, trial.broke_window) == ("measured", True)
    assert fold(PARKED, floor.journal).state_sha256() == floor.engine.state_sha256()


def test_how_late_it_began_follows_from_its_end_where_the_word_of_its_start_was_lost() -> None:
    floor, _ = missing(FLAG)
    (perform,) = performs(floor.turn(online("reader", 99.0)))
    out = floor.turn(ev.CommandDone(at=110.0, cid=perform.cid, result=0.8, duration_s=10.0))
    assert out[0] == broken("flag", late_s=8.0)


def test_a_step_that_its_node_refused_as_too_late_is_sent_again_without_a_window() -> None:
    floor = begun(FLAG)
    floor.turn(ev.CommandDone(at=2.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=1.0))
    (sent,) = performs(floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle")))
    assert sent.not_after == DUE
    told, again = floor.turn(failed(95.0, sent.cid, "before_start", "refused"))
    assert told == broken("flag")
    assert again == replace(sent, cid="dye/run-1/step-3/try-2", attempt=2, not_after=None)
    out = floor.turn(failed(96.0, again.cid, "before_start", "refused"))
    assert out[0].reason.startswith("ActionRefused")  # type: ignore[union-attr]


def test_a_late_step_goes_before_those_whose_window_is_open() -> None:
    floor, _ = missing(FLAG, parallel=2)
    floor.turn(ev.CommandDone(at=93.0, cid="dye/run-2/step-1/try-1", result=None, duration_s=1.0))
    floor.turn(ev.TimerFired(at=123.0, timer="dye/run-2/step-2/settle"))
    (perform,) = performs(floor.turn(online("reader", 124.0)))
    assert perform.step == "dye/run-1/step-3"


def test_a_late_step_is_not_held_up_by_a_pause_that_lets_windows_be() -> None:
    floor, _ = missing(FLAG)
    floor.turn(ev.PauseRequested(at=95.0, what="", by="ada"))
    assert performs(floor.turn(online("reader", 99.0)))


def test_a_late_step_is_known_as_such_after_a_restart() -> None:
    floor, _ = missing(FLAG)
    floor.engine = Engine.restored(PARKED, "".join(floor.engine.snapshot().pieces()))
    out = floor.turn(ev.OrchestratorStarted(at=95.0, epoch=1))
    assert not [one for one in out if isinstance(one, do.Wait) and one.timer.endswith("window")]
    assert read_late(floor)[1] == broken("flag", late_s=8.0)


def test_what_is_waited_for_says_that_it_is_late() -> None:
    floor, _ = missing(FLAG)
    (wait,) = [one for one in floor.engine.view().waits if one.who.endswith("step-3")]
    assert wait.why.startswith("absorbance on reader waits: reader is offline (cable)")
    assert wait.why.endswith("its window closed 0 s ago, and it is done late")


# Divert.


def test_a_sample_is_brought_to_safety_and_then_its_run_has_failed_by_the_window() -> None:
    floor, (told, perform) = missing(DIVERT)
    assert told == broken("divert")
    assert isinstance(perform, do.Perform)
    assert (perform.cid, perform.operation) == ("dye/run-1/step-3.r1.1/try-1", "mix")
    out = floor.turn(ev.CommandDone(at=95.0, cid=perform.cid, result=None, duration_s=1.0))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert (out[0].outcome, out[0].reason[:12]) == ("failed", "WindowMissed")  # type: ignore[union-attr]
    (trial,) = floor.engine.question("dye/ask-2").trials
    assert (trial.status, trial.broke_window) == ("failed", True)


def test_a_sample_that_could_not_be_brought_to_safety_is_told_so() -> None:
    floor, (_, perform) = missing(DIVERT)
    assert isinstance(perform, do.Perform)
    out = floor.turn(failed(95.0, perform.cid, "during", "lab"))
    assert out[0].reason.endswith("(the recovery failed too: LabFault)")  # type: ignore[union-attr]


def test_while_a_sample_is_diverted_the_instrument_it_waited_for_serves_others() -> None:
    floor, _ = missing(DIVERT, parallel=2)
    floor.turn(online("reader", 93.0))
    assert not floor.engine.lab.instruments["reader"].mending


def test_no_protocol_goes_on_with_a_sample_that_was_brought_away() -> None:
    @protocol
    async def stubborn(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, {"dye": x_fraction})
        await settle(30.0)
        try:
            async with within(60):
                await reader.absorbance(well, wavelength_nm=450.0)
        except WindowMissed:
            await handler.mix(well, 10.0, 3)
        return Reading(x_fraction)

    of = Script.of(stubborn, SCRIPT.signature, {"./park.py:park": park})
    floor, (_, perform) = missing(DIVERT, of=of)
    out = floor.turn(ev.CommandDone(at=95.0, cid=perform.cid, result=None, duration_s=1.0))  # type: ignore[union-attr]
    assert kinds(out)[0] == "EndRun"


# Requeue.


def test_a_suggestion_whose_run_missed_a_window_is_tried_again_in_a_fresh_well() -> None:
    floor, out = missing(REQUEUE)
    assert kinds(out) == ["BreakWindow", "EndRun"]
    assert out[0] == broken("requeue")
    assert out[1].outcome == "abandoned"  # type: ignore[union-attr]
    (first, second) = [*floor.commands(do.BeginRun), *floor.turn(online("reader", 93.0))[-2:-1]]
    assert isinstance(first, do.BeginRun)
    assert isinstance(second, do.BeginRun)
    assert (first.suggestion, second.suggestion) == ("dye/suggestion-1",) * 2
    assert (second.run, second.inputs) == ("dye/run-2", first.inputs)
    assert (first.roles["well"], second.roles["well"]) == ("plate-1/A1", "plate-1/B1")


def again(floor: Floor) -> None:
    """The reader is back; the next run begins."""
    floor.turn(online("reader", floor.at + 1.0))


def measured(floor: Floor, run: int) -> list[do.Command]:
    name, at = f"dye/run-{run}", floor.at
    floor.turn(ev.CommandDone(at=at + 1.0, cid=f"{name}/step-1/try-1", result=None, duration_s=1.0))
    floor.turn(ev.TimerFired(at=at + 31.0, timer=f"{name}/step-2/settle"))
    cid = f"{name}/step-3/try-1"
    return floor.turn(ev.CommandDone(at=at + 33.0, cid=cid, result=0.8, duration_s=1.0))


def test_a_requeued_suggestion_that_is_measured_has_one_end_and_an_unmarked_trial() -> None:
    floor, _ = missing(REQUEUE)
    again(floor)
    assert kinds(measured(floor, 2)) == ["EndRun", "Dispose", "AskPlanner"]
    (trial,) = floor.engine.question("dye/ask-2").trials
    assert (trial.status, trial.broke_window) == ("measured", False)
    view = floor.engine.view()
    assert (view.runs_begun, view.runs_measured, view.abandoned, view.failures) == (2, 1, 1, 0)
    assert fold(PARKED, floor.journal).state_sha256() == floor.engine.state_sha256()


@pytest.mark.parametrize("times", [1, 2])
def test_a_suggestion_is_requeued_so_often_and_then_the_next_rule_holds(times: int) -> None:
    floor, out = missing(replace(REQUEUE, times=times), DIVERT)
    for run in range(2, times + 2):
        assert out[0].remedy == "requeue"  # type: ignore[union-attr]
        again(floor)
        out = miss(floor, run)
    assert out[0].remedy == "divert"  # type: ignore[union-attr]


def test_without_a_next_rule_a_suggestion_that_was_requeued_enough_has_failed() -> None:
    floor, _ = missing(REQUEUE)
    again(floor)
    out = miss(floor, 2)
    assert kinds(out) == ["BreakWindow", "EndRun", "Dispose", "AskPlanner"]
    (trial,) = floor.engine.question("dye/ask-2").trials
    assert (trial.status, trial.broke_window) == ("failed", True)


def test_each_suggestion_is_requeued_for_itself() -> None:
    floor, _ = missing(REQUEUE)
    again(floor)
    measured(floor, 2)
    floor.turn(arrive(0.7, ask="dye/ask-2"))
    assert kinds(miss(floor, 3)) == ["BreakWindow", "EndRun"]


def test_a_requeued_run_counts_as_begun_and_the_last_one_of_a_budget_is_not_requeued() -> None:
    floor, out = missing(REQUEUE, stop=StopRule(runs=2, failures=9))
    assert out[0] == broken("requeue")
    again(floor)
    assert floor.engine.view().runs_begun == 2
    out = miss(floor, 2)
    assert out[0].remedy == "skip"  # type: ignore[union-attr]
    assert kinds(out) == ["BreakWindow", "EndRun", "Dispose", "Conclude"]


def test_the_last_point_of_a_space_that_can_be_listed_is_requeued_too() -> None:
    space = (RangeParameter(name="x_fraction", low=0.0, high=1.0, integer=True),)
    floor = Floor(Engine(SCRIPT), seed=0)
    spec = campaign(policy=(REQUEUE,), space=space, planner=PlannerChoice(kind="grid"), parallel=2)
    floor.turn(started(spec, SCRIPT))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    floor.turn(arrive(0, 1))
    assert floor.engine.state.closing is not None
    assert kinds(miss(floor, 1)) == ["BreakWindow", "EndRun"]
    again(floor)
    runs = [one.suggestion for one in floor.commands(do.BeginRun)]  # type: ignore[union-attr]
    assert runs.count("dye/suggestion-1") == 2
    assert floor.engine.state.closing is not None
    assert floor.engine.state.closing[0] == "exhausted"


def test_a_requeued_suggestion_that_gets_no_run_any_more_is_abandoned_not_unused() -> None:
    floor, _ = missing(REQUEUE)
    out = floor.turn(ev.StopRequested(at=95.0, by="ada", reason="it is late"))
    (end,) = [one for one in out if isinstance(one, do.Dispose)]
    assert (end.suggestion, end.disposition) == ("dye/suggestion-1", "abandoned")
    assert kinds(out)[-1] == "Conclude"


def test_a_requeued_suggestion_survives_a_snapshot() -> None:
    floor, _ = missing(REQUEUE)
    floor.engine = Engine.restored(PARKED, "".join(floor.engine.snapshot().pieces()))
    again(floor)
    assert miss(floor, 2)[0].remedy == "skip"  # type: ignore[union-attr]


def test_steps_beside_the_one_that_was_late_end_before_their_run_does() -> None:
    @protocol
    async def forked(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        async with within(60):
            await together(
                handler.dispense(well, {"dye": x_fraction}),
                reader.absorbance(well, wavelength_nm=450.0),
            )
        return Reading(x_fraction)

    of = script(forked)
    floor = begun(REQUEUE, of=of)
    dispense, read = (one.cid for one in performs(floor.commands(do.Perform)))
    assert kinds(floor.turn(failed(62.0, read, "before_start", "refused"))) == ["BreakWindow"]
    out = floor.turn(ev.CommandDone(at=70.0, cid=dispense, result=None, duration_s=69.0))
    assert kinds(out)[:2] == ["EndRun", "BeginRun"]
    assert fold(of, floor.journal).state_sha256() == floor.engine.state_sha256()


# All of them.


@pytest.mark.parametrize("rules", [(), (Rule(then="skip"),), (Rule(then="retry", times=5),)])
def test_whatever_is_done_about_it_a_missed_window_is_on_record(rules: tuple[Rule, ...]) -> None:
    floor, out = missing(*rules)
    assert out[0] == broken("skip")
    assert kinds(out[1:]) == ["EndRun", "Dispose", "AskPlanner"]
    assert floor.engine.view().broken_windows == 1


def test_a_rule_about_another_action_says_nothing_about_this_one() -> None:
    _, out = missing(replace(FLAG, action="handler.*"), replace(REQUEUE, action="absorbance"))
    assert out[0] == broken("requeue")


def test_the_digest_of_trials_that_broke_no_window_is_what_it_always_was() -> None:
    floor = begun()
    measured(floor, 1)
    (trial,) = floor.engine.state.trial_texts.values()
    assert trial == '{"inputs":{"x_fraction":0.5},"measures":{"y_au":0.8},"status":"measured"}'
