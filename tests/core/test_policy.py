"""The engine: what is done about actions that go wrong, by rule and without one."""

from __future__ import annotations

import pytest

from sdl.authoring import protocol, settle, together
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.script import Script
from sdl.errors import UserMistake
from sdl.model.campaign import StopRule
from sdl.model.labware import Well
from sdl.model.policy import Rule
from tests.core.dye import SCRIPT, Reading, arrive, dye, kinds
from tests.core.floor import Chances, Floor, campaign, failed, online, script, started

DISPENSE = "dye/run-1/step-1"
READ = "dye/run-1/step-3"
SPARE = {"handler": ("handler", "spare"), "reader": ("reader",), "well": ("plate-1",)}


def begun(*rules: Rule, of: Script = SCRIPT, **changes: object) -> Floor:
    """A campaign with its first run begun: the dispense is sent."""
    floor = Floor(Engine(of), seed=0)
    spec = campaign(policy=rules, **changes)
    floor.turn(started(spec, of))
    for name in floor.engine.lab.instruments:
        floor.turn(online(name))
    out = floor.turn(arrive(*[0.5] * (spec.parallel + (spec.parallel > 1))))
    assert "Perform" in kinds(out)
    return floor


def reading(*rules: Rule) -> Floor:
    """The same, and the reading of the first run is sent."""
    floor = begun(*rules)
    floor.turn(ev.CommandDone(at=2.0, cid=f"{DISPENSE}/try-1", result=None, duration_s=1.0))
    assert "Perform" in kinds(floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle")))
    return floor


def fail(floor: Floor, cid: str, at: float, phase: ev.Phase = "during") -> list[do.Command]:
    return floor.turn(failed(at, cid, phase, "driver"))


def sent(commands: list[do.Command]) -> list[str]:
    return [c.cid for c in commands if isinstance(c, do.Perform)]


def ends(floor: Floor) -> list[do.EndRun]:
    return [c for c in floor.commands(do.EndRun) if isinstance(c, do.EndRun)]


def test_without_a_rule_what_may_be_repeated_is_tried_three_times() -> None:
    floor = reading()
    assert sent(fail(floor, f"{READ}/try-1", 33.0)) == [f"{READ}/try-2"]
    unknown = ev.CommandUnknown(at=34.0, cid=f"{READ}/try-2", reason="power cut")
    assert sent(floor.turn(unknown)) == [f"{READ}/try-3"]
    assert kinds(fail(floor, f"{READ}/try-3", 35.0)) == ["EndRun", "Dispose", "AskPlanner"]


def test_without_a_rule_a_once_action_is_repeated_only_if_it_never_started() -> None:
    assert "EndRun" in kinds(fail(begun(), f"{DISPENSE}/try-1", 3.0))
    again = fail(begun(), f"{DISPENSE}/try-1", 3.0, "before_start")
    assert sent(again) == [f"{DISPENSE}/try-2"]
    kept = failed(3.0, f"{DISPENSE}/try-1", "before_start", "lab")
    assert sent(begun().turn(kept)) == [f"{DISPENSE}/try-2"]
    refused = failed(3.0, f"{DISPENSE}/try-1", "before_start", "refused")
    assert "EndRun" in kinds(begun().turn(refused))  # it would be refused again


def test_a_retry_waits_as_long_as_it_should_and_ends_after_so_many_times() -> None:
    floor = reading(Rule(then="retry", action="absorbance", times=1, wait_s=5.0))
    assert fail(floor, f"{READ}/try-1", 33.0) == [do.Wait(timer=f"{READ}/again-1", until=38.0)]
    assert floor.engine.view().waits[0].why == "absorbance on reader is tried again in 5 s"
    out = floor.turn(ev.TimerFired(at=38.0, timer=f"{READ}/again-1"))
    assert sent(out) == [f"{READ}/try-2"]
    assert "EndRun" in kinds(fail(floor, f"{READ}/try-2", 39.0))


def test_a_rest_is_kept_over_a_restart_of_ours() -> None:
    floor = reading(Rule(then="retry", wait_s=5.0))
    fail(floor, f"{READ}/try-1", 33.0)
    floor.turn(ev.OrchestratorStarted(at=34.0, epoch=1))
    out = floor.turn(ev.OrchestratorStarted(at=35.0, epoch=5))
    assert do.Wait(timer=f"{READ}/again-1", until=38.0) in out


def test_a_retry_rule_does_not_repeat_what_may_have_happened() -> None:
    floor = begun(Rule(then="retry", times=9))
    assert "EndRun" in kinds(fail(floor, f"{DISPENSE}/try-1", 3.0))


def test_another_instrument_takes_the_role_over_for_the_rest_of_the_run() -> None:
    floor = begun(Rule(then="other", action="handler.dispense"), roles=SPARE)
    out = fail(floor, f"{DISPENSE}/try-1", 3.0, "before_start")
    (perform,) = [c for c in out if isinstance(c, do.Perform)]
    assert (perform.cid, perform.instrument) == (f"{DISPENSE}/try-2", "spare")
    assert floor.engine.state.runs["dye/run-1"].instruments["handler"] == "spare"


def test_there_is_no_other_instrument_where_the_other_is_not_ready() -> None:
    floor = begun(Rule(then="other"), Rule(then="ask"), roles=SPARE)
    floor.turn(ev.InstrumentLost(at=2.0, instrument="spare", reason="cable"))
    fail(floor, f"{DISPENSE}/try-1", 3.0, "before_start")
    assert floor.engine.view().questions


def test_a_role_with_several_instruments_is_played_by_one_that_is_ready() -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    floor.turn(started(campaign(roles=SPARE, parallel=2), SCRIPT))
    for name in ("spare", "reader"):
        floor.turn(online(name))
    out = floor.turn(arrive(0.1, 0.2, 0.3))
    assert {c.roles["handler"] for c in out if isinstance(c, do.BeginRun)} == {"spare"}
    both = begun(roles=SPARE, parallel=2).commands(do.BeginRun)
    assert [c.roles["handler"] for c in both if isinstance(c, do.BeginRun)] == ["handler", "spare"]


@protocol
async def mend(reader: PlateReader, handler: LiquidHandler, well: Well) -> None:
    await reader.absorbance(well, wavelength_nm=600.0)
    await settle(3.0)
    await handler.mix(well, 50.0, 1)


MENDED = Script.of(dye, SCRIPT.signature, {"./mend.py:mend": mend})
RECOVER = Rule(then="recover", protocol="./mend.py:mend")


def recovering(*rules: Rule) -> Floor:
    """A dispense failed before it started; the first step of its recovery is sent."""
    floor = begun(RECOVER, *rules, of=MENDED)
    out = fail(floor, f"{DISPENSE}/try-1", 3.0, "before_start")
    assert sent(out) == [f"{DISPENSE}.r1.1/try-1"]
    return floor


def test_a_recovery_runs_below_the_step_that_it_is_for_and_then_that_is_tried_again() -> None:
    floor = recovering()
    floor.turn(ev.CommandDone(at=4.0, cid=f"{DISPENSE}.r1.1/try-1", result=0.1, duration_s=1.0))
    out = floor.turn(ev.TimerFired(at=7.0, timer=f"{DISPENSE}.r1.2/settle"))
    assert sent(out) == [f"{DISPENSE}.r1.3/try-1"]
    out = floor.turn(
        ev.CommandDone(at=8.0, cid=f"{DISPENSE}.r1.3/try-1", result=None, duration_s=1.0)
    )
    assert sent(out) == [f"{DISPENSE}/try-2"]
    assert fold(MENDED, floor.journal).view() == floor.engine.view()


def test_a_recovery_that_fails_leaves_the_error_to_the_protocol() -> None:
    floor = recovering()
    floor.turn(failed(4.0, f"{DISPENSE}.r1.1/try-1", "during", "lab"))
    (end,) = ends(floor)
    assert end.reason == "DriverFault: so it was drawn (the recovery failed too: LabFault)"


def test_nothing_else_is_done_on_an_instrument_that_is_mended() -> None:
    floor = begun(RECOVER, of=MENDED, parallel=2)
    fail(floor, f"{DISPENSE}/try-1", 3.0, "before_start")
    assert not [c for c in floor.commands(do.Perform) if "run-2" in c.cid]  # type: ignore[union-attr]
    why = {wait.who: wait.why for wait in floor.engine.view().waits}
    assert why["dye/run-2/step-1"].endswith(f"handler is being mended for {DISPENSE}")


def test_a_recovery_does_not_recover_itself() -> None:
    floor = recovering()
    fail(floor, f"{DISPENSE}.r1.1/try-1", 4.0)
    assert not [p for p in floor.commands(do.Perform) if ".r1.1.r" in p.cid]  # type: ignore[union-attr]


def test_a_mended_bench_does_not_make_it_safe_to_repeat_what_may_have_happened() -> None:
    floor = begun(Rule(then="recover", protocol="./mend.py:mend", on=("unknown",)), of=MENDED)
    floor.turn(ev.CommandUnknown(at=3.0, cid=f"{DISPENSE}/try-1", reason="power cut"))
    step = f"{DISPENSE}.r1"
    floor.turn(ev.CommandDone(at=4.0, cid=f"{step}.1/try-1", result=0.1, duration_s=1.0))
    floor.turn(ev.TimerFired(at=7.0, timer=f"{step}.2/settle"))
    floor.turn(ev.CommandDone(at=8.0, cid=f"{step}.3/try-1", result=None, duration_s=1.0))
    assert [end.outcome for end in ends(floor)] == ["unknown"]


def test_a_recovery_that_is_not_loaded_is_named() -> None:
    floor = begun(RECOVER)
    with pytest.raises(UserMistake, match="mend', which is not loaded"):
        fail(floor, f"{DISPENSE}/try-1", 3.0, "before_start")


def test_a_quarantined_instrument_is_used_again_once_a_person_lets_it() -> None:
    floor = begun(Rule(then="quarantine"))
    assert "EndRun" in kinds(fail(floor, f"{DISPENSE}/try-1", 3.0))
    floor.turn(arrive(0.5, ask="dye/ask-2"))
    (wait,) = floor.engine.view().waits
    assert f"quarantined after {DISPENSE}: so it was drawn" in wait.why
    resume = ev.ResumeRequested(at=9.0, what="handler", by="ada")
    assert floor.engine.objection(resume) == ""
    assert kinds(floor.turn(resume)) == ["BeginRun", "Perform"]


def test_a_rule_can_ask_a_person_and_the_action_is_then_tried_again() -> None:
    floor = begun(Rule(then="ask", on=("driver",)))
    assert fail(floor, f"{DISPENSE}/try-1", 3.0) == []
    assert floor.engine.view().in_flight[0].state == "asks"
    said = ev.StepResolved(at=9.0, step=DISPENSE, verdict="did_not_happen", by="ada")
    assert sent(floor.turn(said)) == [f"{DISPENSE}/try-2"]


def test_a_rule_can_stop_the_campaign() -> None:
    floor = begun(Rule(then="stop", on=("driver",)))
    out = fail(floor, f"{DISPENSE}/try-1", 3.0)
    assert kinds(out) == ["EndRun", "Dispose", "Conclude"]
    assert out[-1].reason == f"{DISPENSE}: so it was drawn"  # type: ignore[union-attr]


def test_the_rules_of_the_campaign_come_before_those_of_the_protocol() -> None:
    @protocol(policy=[Rule(then="ask")])
    async def careful(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await handler.dispense(well, {"dye": x_fraction})
        return Reading(await reader.absorbance(well, wavelength_nm=450.0))

    floor = begun(of=script(careful, policy=(Rule(then="ask"),)))
    fail(floor, f"{DISPENSE}/try-1", 3.0)
    assert floor.engine.view().questions
    floor = begun(Rule(then="skip"), of=script(careful, policy=(Rule(then="ask"),)))
    assert "EndRun" in kinds(fail(floor, f"{DISPENSE}/try-1", 3.0))


def test_a_missed_window_is_a_trouble_of_its_own() -> None:
    floor = begun(Rule(then="retry", times=9), Rule(then="stop", on=("window",)))
    floor.turn(ev.CommandDone(at=2.0, cid=f"{DISPENSE}/try-1", result=None, duration_s=1.0))
    floor.turn(ev.InstrumentLost(at=3.0, instrument="reader", reason="cable"))
    floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle"))
    out = floor.turn(ev.TimerFired(at=92.0, timer=f"{READ}/window"))
    assert kinds(out) == ["BreakWindow", "EndRun", "Dispose", "Conclude"]


def test_one_failed_run_never_ends_a_campaign_and_the_planner_sees_it_as_failed() -> None:
    floor = begun()
    out = fail(floor, f"{DISPENSE}/try-1", 3.0)
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    (trial,) = floor.engine.question("dye/ask-2").trials
    assert trial.status == "failed"


def test_too_large_a_share_of_failed_runs_ends_the_campaign() -> None:
    stop = StopRule(runs=80, failures=80, failed_share=0.4)
    floor = Floor(Engine(SCRIPT), seed=3, chances=Chances(fail=0.4)).play(campaign(stop=stop))
    (end,) = floor.commands(do.Conclude)
    assert isinstance(end, do.Conclude)
    assert end.ending == "failures", "seed 3"
    assert "more than 0.4 of them" in end.reason
    assert len(ends(floor)) >= 10


def test_a_retry_that_waits_is_dropped_when_its_branch_is_stopped() -> None:
    @protocol
    async def forked(
        handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
    ) -> Reading:
        await together(
            handler.dispense(well, {"dye": x_fraction}),
            reader.absorbance(well, wavelength_nm=450.0),
        )
        return Reading(x_fraction)

    floor = begun(Rule(then="retry", action="absorbance", wait_s=9.0), of=script(forked))
    fail(floor, "dye/run-1/step-1.2.1/try-1", 2.0)
    assert fail(floor, "dye/run-1/step-1.1.1/try-1", 3.0) == []
    out = floor.turn(ev.TimerFired(at=11.0, timer="dye/run-1/step-1.2.1/again-1"))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
