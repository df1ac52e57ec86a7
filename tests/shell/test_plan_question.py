"""What stands on the bench becomes a question, and its answer an event that the engine follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.outlook import outlook
from sdl.core.plan import PlanArrived
from sdl.core.replay import fold
from sdl.model.campaign import Terms
from sdl.model.data import JsonValue
from sdl.model.policy import Rule
from sdl.model.prediction import Prediction
from sdl.scheduling.counted import solve_counted
from sdl.scheduling.model import Lag, Problem, Question
from sdl.scheduling.repair import Repair, repaired
from sdl.shell.occasions import DEBOUNCE_S, EVERY_S, Occasions
from sdl.shell.plan_question import LATE_COST, NOW, RESERVE_COST, Draft, draft
from sdl.shell.replanning import PlanningAtOnce, mended_plan
from tests.core.dye import SCRIPT, at_work
from tests.core.floor import Chances, Floor, campaign

LENGTHS = {"dispense": 20.0, "absorbance": 10.0}


@dataclass(frozen=True)
class Known:
    """Predicts what the bench of these tests takes."""

    spread_s: float = 0.0

    def predict(
        self, instrument: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> Prediction | None:
        return Prediction(duration_s=LENGTHS[operation], spread_s=self.spread_s)


def drafted(floor: Floor, at: float, spread_s: float = 0.0) -> Draft:
    return draft(outlook(floor.engine, at), (Known(spread_s),))


def planned(question: Draft) -> PlanArrived:
    answer = solve_counted(Question(problem=question.problem, seconds=1.0))
    assert answer.plan is not None
    assert question.objections(answer.plan) == ()
    return question.event(answer, answer.plan, basis=7, cause="a test")


def windows_of(found: Draft) -> list[Lag]:
    """Without what they had better leave."""
    lags = [lag for lag in found.problem.lags if lag.cost_per_s != RESERVE_COST]
    return [lag for lag in lags if lag.maximum_s is not None]


def test_a_run_in_flight_and_the_next_ones_are_in_it() -> None:
    floor, _ = at_work(parallel=3)
    found = drafted(floor, 11.0)
    by_name = {one.name: one for one in found.problem.activities}
    assert set(by_name) == {NOW} | {
        f"dye/run-{run}/step-{step}" for run in range(1, 7) for step in (1, 3)
    }, "three runs are in flight, and as many may come behind them"
    under_way = by_name["dye/run-1/step-1"].fixed
    assert under_way is not None
    assert (under_way.start_s, under_way.end_s) == (-10, 10)
    windows = windows_of(found)
    most_s = {lag.after[: len("dye/run-1")]: lag.maximum_s for lag in windows}
    assert most_s.pop("dye/run-1") == 90, "from 30 s on, for 60"
    assert set(most_s.values()) == {84}, "a tenth of a minute is left unused by who comes later"
    assert [lag.after for lag in windows if lag.cost_per_s is not None] == ["dye/run-1/step-3"]
    (reserve,) = [lag for lag in found.problem.lags if lag.cost_per_s == RESERVE_COST]
    assert (reserve.after, reserve.maximum_s) == ("dye/run-1/step-3", 90 - round(0.3 * 60))


def test_an_open_window_counts_from_now_and_one_that_is_missed_costs() -> None:
    floor, _ = at_work(parallel=2)
    done = ev.CommandDone(at=21.0, cid="dye/run-1/step-1/try-1", result=None, duration_s=20.0)
    floor.turn(done)
    floor.turn(ev.PauseRequested(at=22.0, what="reader", by="eve", at_once=True))
    floor.turn(ev.TimerFired(at=51.0, timer="dye/run-1/step-2/settle"))
    found = drafted(floor, 60.0)
    (window,) = [lag for lag in windows_of(found) if lag.before == NOW]
    assert window == Lag(
        before=NOW, after="dye/run-1/step-3", minimum_s=None, maximum_s=45, cost_per_s=LATE_COST
    )
    (out,) = [one for one in found.problem.activities if one.name == "reader is out"]
    assert out.fixed is not None


def test_steps_are_planned_with_time_to_spare() -> None:
    floor, _ = at_work(parallel=2)
    lengths = {
        one.name: one.modes[0].duration_s for one in drafted(floor, 2.0, 5.0).problem.activities
    }
    assert lengths["dye/run-2/step-1"] == 27
    assert lengths["dye/run-2/step-3"] == 17


def test_a_window_is_planned_as_short_as_what_opens_it_may_make_it() -> None:
    floor, _ = at_work(parallel=2)
    found = drafted(floor, 2.0, 10.0)
    windows = {lag.after: lag.maximum_s for lag in windows_of(found)}
    length_s, quick_s = 20 + 13, 20 - 5
    assert windows["dye/run-2/step-3"] == 90 - (length_s - quick_s)
    event = planned(found)
    told = next(one for one in event.steps if one.step == "dye/run-2/step-1")
    assert (told.duration_s, told.quick_s) == (length_s, quick_s)
    assert event.breaks == ()


def test_the_engine_follows_the_plan_and_replays_it() -> None:
    floor, _ = at_work(parallel=3)
    event = planned(drafted(floor, 11.0))
    assert {one.step for one in event.steps} >= {"dye/run-2/step-1", "dye/run-6/step-3"}
    follower = next(one for one in event.steps if one.step == "dye/run-2/step-3")
    assert (follower.opened_by, follower.least_s, follower.most_s) == ("dye/run-2/step-1", 30, 90)
    floor.turn(event)
    shown = floor.engine.lab_view().plan
    assert shown is not None
    assert (shown.plans, shown.status, shown.breaks) == (1, event.status, ())
    first = min((one for one in event.steps if one.step[-1] == "1"), key=lambda one: one.start)
    assert first.step == "dye/run-1/step-1"
    folded = fold(SCRIPT, floor.journal)
    assert folded.state_sha256() == floor.engine.state_sha256()


def test_after_an_overrun_the_plan_is_shifted_and_breaks_are_foretold() -> None:
    floor, _ = at_work(parallel=2)
    floor.turn(planned(drafted(floor, 2.0)))
    late = drafted(floor, 40.0)
    mended = mended_plan(late, 9, "it is late")
    assert mended is not None
    assert mended.status == "repaired"
    starts = {one.step: one.start for one in mended.steps}
    assert starts["dye/run-2/step-1"] >= 41.0
    floor.engine.lab.instruments["reader"].paused = "eve looks at it"
    gone = mended_plan(drafted(floor, 40.0), 9, "the reader is out")
    assert gone is not None
    assert "dye/run-1/step-3" in gone.breaks


def test_a_shifted_plan_to_which_the_checker_objects_does_not_enter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor, _ = at_work(parallel=2)
    floor.turn(planned(drafted(floor, 2.0)))
    late = drafted(floor, 40.0)

    def at_one_moment(problem: Problem) -> Repair | None:
        """A planted defect: all that has not begun starts at once."""
        found = repaired(problem)
        assert found is not None
        fixed = {one.name for one in problem.activities if one.fixed}
        placed = tuple(
            one
            if one.activity in fixed
            else replace(one, start_s=500, end_s=500 + one.end_s - one.start_s)
            for one in found.plan.placed
        )
        return replace(found, plan=replace(found.plan, placed=placed))

    assert mended_plan(late, 9, "it is late") is not None
    monkeypatch.setattr("sdl.shell.replanning.repaired_at_least_cost", at_one_moment)
    assert mended_plan(late, 9, "it is late") is None


def test_what_gives_a_reason_to_plan() -> None:
    floor, _ = at_work(parallel=2)
    engine, occasions = floor.engine, Occasions()
    assert occasions.due(engine, 2.0) == "the first plan"
    occasions.asked(engine, 2.0)
    occasions.known(drafted(floor, 2.0, 10.0))
    assert occasions.due(engine, 2.0 + DEBOUNCE_S) == "", "all is as it was"
    assert occasions.due(engine, 38.0) == "dye/run-1/step-1 takes long"
    assert occasions.due(engine, 39.0) == "", "that is known now"
    engine.lab.instruments["reader"].paused = "eve looks at it"
    assert occasions.due(engine, 2.0 + DEBOUNCE_S) == "an instrument went or came back"
    engine.lab.instruments["reader"].paused = ""
    assert occasions.due(engine, 2.0 + EVERY_S) == "time has passed"
    engine.state.broken_windows += 1
    assert occasions.due(engine, 2.0 + DEBOUNCE_S) == "a window was missed"
    occasions.asked(engine, 40.0)
    assert occasions.due(engine, 40.0 + DEBOUNCE_S) == "", "it was planned for"


@pytest.mark.parametrize("what", ["priority", "weight", "pause", "stop"])
def test_a_campaign_that_counts_otherwise_is_planned_for_otherwise(what: str) -> None:
    floor, _ = at_work(parallel=2)
    engine, occasions = floor.engine, Occasions()
    occasions.asked(engine, 2.0)
    occasions.known(drafted(floor, 2.0, 10.0))
    terms = {"priority": Terms(priority=3), "weight": Terms(weight=2.0)}
    words: dict[str, ev.Event] = {
        name: ev.TermsChanged(at=3.0, campaign="dye", terms=one, by="eve")
        for name, one in terms.items()
    }
    words["pause"] = ev.PauseRequested(at=3.0, what="", by="eve", campaign="dye")
    words["stop"] = ev.StopRequested(at=3.0, by="eve", reason="enough")
    floor.turn(words[what])
    words_of = occasions.due(engine, 2.0 + DEBOUNCE_S)
    assert words_of == "a campaign was stopped, paused, or has another claim on the bench"
    occasions.asked(engine, 4.0)
    assert occasions.due(engine, 4.0 + DEBOUNCE_S) == "", "it was planned for"


def test_the_runs_of_a_campaign_count_by_its_priority_and_its_weight() -> None:
    floor, _ = at_work(parallel=2)

    def counts(terms: Terms) -> set[int]:
        floor.turn(ev.TermsChanged(at=3.0, campaign="dye", terms=terms, by="eve"))
        return {group.weight for group in drafted(floor, 3.0).problem.groups}

    assert counts(Terms()) == {10}
    assert counts(Terms(priority=2)) == {12}
    assert counts(Terms(weight=2.5)) == {25}
    assert counts(Terms(priority=-9, weight=0.01)) == {1}, "none counts for nothing"


def test_one_run_at_a_time_is_never_planned() -> None:
    floor, _ = at_work(parallel=1)
    assert Occasions().due(floor.engine, 500.0) == ""


def played_with_plans(seed: int) -> Floor:
    floor = Floor(Engine(SCRIPT), seed=seed, chances=Chances(fail=0.1))
    planning = PlanningAtOnce(solve_counted, (Known(1.0),), now=lambda: floor.at)

    def look(at: float) -> None:
        planning.look(floor.engine, len(floor.journal), floor.turn)
        if not floor.engine.is_over:
            floor.call(at + 5.0, look)

    floor.call(3.0, look)
    return floor.play(campaign(parallel=4))


def test_a_bench_that_is_planned_for_is_the_same_for_the_same_seed() -> None:
    journal, again = (played_with_plans(seed=5).journal for _ in range(2))
    assert journal == again
    plans = [one for one in journal if isinstance(one, PlanArrived)]
    assert len(plans) > 1
    assert len([one for one in journal if isinstance(one, do.EndRun)]) == 6
    assert replace(plans[0], steps=()).seconds == 0.0


def test_a_step_that_rests_before_it_is_tried_again_holds_no_instrument() -> None:
    again = (Rule(then="retry", on=("driver",), times=2, wait_s=60.0),)
    floor, _ = at_work(parallel=2, policy=again)
    floor.turn(
        ev.CommandFailed(
            at=21.0,
            cid="dye/run-1/step-1/try-1",
            phase="before_start",
            kind="driver",
            reason="the door was open",
        )
    )
    assert floor.engine.lab.instruments["handler"].busy_with == "dye/run-2/step-1/try-1"
    found = drafted(floor, 22.0)
    fixed = {one.name for one in found.problem.activities if one.fixed is not None}
    assert fixed == {NOW, "dye/run-2/step-1"}
    assert {one.step for one in planned(found).steps} >= {"dye/run-1/step-1", "dye/run-1/step-3"}
