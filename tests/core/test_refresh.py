"""Suggestions are prepared ahead, and asked for anew when results come before their runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.refresh import replaceable
from sdl.core.replay import fold
from sdl.model.campaign import Campaign, PlannerChoice, StopRule
from sdl.wire.journal import dump, load
from tests.core import test_batch as batch
from tests.core.dye import SCRIPT, arrive, kinds
from tests.core.floor import Chances, Floor, Start, campaign, failed, online, started
from tests.core.test_asked import check, overheard
from tests.core.test_replay import chances
from tests.core.test_snapshot import again, turns

KEEN = PlannerChoice(kind="sobol", ahead=2, refresh=True)


def begun(choice: PlannerChoice = KEEN, **changes: object) -> Floor:
    """Two runs in flight, and as many suggestions ready as are prepared ahead."""
    plain: dict[str, object] = {"parallel": 2, "planner": choice, "stop": StopRule(runs=20)}
    spec = campaign(**{**plain, **changes})
    floor = Floor(Engine(SCRIPT), seed=0)
    floor.turn(started(spec, SCRIPT))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    floor.turn(arrive(*(place / 10 for place in range(1, asked(floor)[-1].count + 1))))
    return floor


def asked(floor: Floor) -> list[do.AskPlanner]:
    return [line for line in floor.journal if isinstance(line, do.AskPlanner)]


def fail(floor: Floor, run: int) -> list[do.Command]:
    """A result: the run's first action fails, which says something of its point."""
    cid = f"dye/run-{run}/step-1/try-1"
    return floor.turn(failed(floor.at + 1.0, cid, "during", "driver"))


def ready(floor: Floor) -> list[str]:
    return [one.removeprefix("dye/suggestion-") for one in floor.engine.state.ready]


def answer(floor: Floor, *points: float) -> list[do.Command]:
    one = asked(floor)[-1]
    return floor.turn(replace(arrive(*points, ask=one.ask, attempt=one.attempt), at=floor.at))


def disposed(floor: Floor) -> dict[str, str]:
    return {
        line.suggestion.removeprefix("dye/suggestion-"): line.disposition
        for line in floor.journal
        if isinstance(line, do.Dispose)
    }


def test_so_many_suggestions_are_prepared_beyond_those_in_flight() -> None:
    assert [one.count for one in asked(begun())] == [4]
    plainly = begun(PlannerChoice(kind="sobol"))
    assert [one.count for one in asked(plainly)] == [3], "one, where nothing is said"
    alone = begun(replace(KEEN, ahead=None), parallel=1)
    assert [one.count for one in asked(alone)] == [1], "none, with one run at a time"


def test_when_a_result_comes_what_is_left_is_asked_for_anew() -> None:
    floor = begun()
    assert ready(floor) == ["3", "4"]
    out = fail(floor, 1)
    assert "BeginRun" in kinds(out), "the next one is handed out at once"
    assert ready(floor) == ["4"]
    one = asked(floor)[-1]
    assert one.replaces == ("dye/suggestion-4",)
    assert (one.count, one.trials) == (2, 3), "one in its place and one more; it is no trial"
    shown = floor.engine.question(one.ask).trials
    assert [trial.status for trial in shown] == ["failed", "pending", "pending"]


def test_a_new_point_takes_the_place_of_one_that_waits() -> None:
    floor = begun()
    fail(floor, 1)
    out = answer(floor, 0.8, 0.9)
    gone, *accepted = out
    assert isinstance(gone, do.Dispose)
    assert (gone.suggestion, gone.disposition) == ("dye/suggestion-4", "withdrawn")
    assert gone.reason == "results came before its run; suggestion-5 takes its place"
    assert kinds(accepted) == ["AcceptSuggestion", "AcceptSuggestion"]
    assert ready(floor) == ["5", "6"]
    assert "dye/suggestion-4" not in floor.engine.state.trials


@pytest.mark.parametrize("refresh", [True, False])
def test_what_was_prepared_is_tried_before_a_space_that_is_used_up_ends_it(
    *, refresh: bool
) -> None:
    floor = begun(replace(KEEN, ahead=3, refresh=refresh))
    fail(floor, 1)
    assert ready(floor) == ["4", "5"]
    while floor.engine.state.open_ask is not None:
        one = asked(floor)[-1]
        said = ev.PlannerFailed(
            at=floor.at, ask=one.ask, attempt=one.attempt, reason="all was tried", exhausted=True
        )
        floor.turn(said)
    for run in (2, 3, 4, 5):
        assert floor.engine.state.concluded is None
        fail(floor, run)
    assert floor.engine.state.concluded is not None
    assert floor.engine.state.concluded.ending == "exhausted"
    assert set(disposed(floor).values()) == {"failed"}
    assert len(disposed(floor)) == 5


@pytest.mark.parametrize("ahead", [None, 1])
def test_what_waited_through_a_pause_is_tried_before_a_planner_without_points_ends_it(
    ahead: int | None,
) -> None:
    floor = begun(replace(KEEN, ahead=ahead, refresh=False))
    floor.turn(ev.PauseRequested(at=floor.at, what="", by="ada"))
    fail(floor, 1)
    one = asked(floor)[-1]
    floor.turn(
        ev.PlannerFailed(
            at=floor.at, ask=one.ask, attempt=one.attempt, reason="all was tried", exhausted=True
        )
    )
    assert ready(floor) == ["3"]
    floor.turn(ev.ResumeRequested(at=floor.at, what="", by="ada"))
    fail(floor, 2)
    fail(floor, 3)
    assert disposed(floor) == {"1": "failed", "2": "failed", "3": "failed"}
    assert floor.engine.state.concluded is not None
    assert floor.engine.state.concluded.ending == "exhausted"


def test_a_point_that_is_suggested_again_stands() -> None:
    floor = begun()
    fail(floor, 1)
    out = answer(floor, 0.9, 0.4)
    assert kinds(out) == ["AcceptSuggestion"]
    assert ready(floor) == ["4", "5"]
    assert disposed(floor) == {"1": "failed"}


def test_while_the_planner_thinks_what_is_ready_is_begun() -> None:
    floor = begun()
    fail(floor, 1)
    fail(floor, 2)
    assert ready(floor) == []
    assert len(asked(floor)) == 2, "one question at a time"
    answer(floor, 0.4, 0.9)
    assert disposed(floor) == {"1": "failed", "2": "failed"}
    inputs = [floor.engine.state.trials[f"dye/suggestion-{n}"].inputs for n in (4, 5)]
    assert inputs == [{"x_fraction": 0.4}, {"x_fraction": 0.9}], "no point comes twice"


def test_results_that_came_while_it_thought_make_it_think_again() -> None:
    floor = begun(replace(KEEN, ahead=3))
    fail(floor, 1)
    fail(floor, 2)
    first = asked(floor)[-1]
    assert first.replaces == ("dye/suggestion-4", "dye/suggestion-5")
    out = answer(floor, 0.7, 0.8, 0.9)
    assert disposed(floor) == {"1": "failed", "2": "failed", "5": "withdrawn"}
    second = asked(floor)[-1]
    assert kinds(out)[-1] == "AskPlanner"
    assert second.replaces == tuple(f"dye/suggestion-{number}" for number in (6, 7, 8))


def test_without_newer_results_nothing_is_asked_anew() -> None:
    floor = begun()
    fail(floor, 1)
    answer(floor, 0.8, 0.9)
    assert len(asked(floor)) == 2
    floor.turn(ev.PauseRequested(at=floor.at, what="", by="ada"))
    assert len(asked(floor)) == 2


@pytest.mark.parametrize("word", ["died", "exhausted", "nonsense"])
def test_a_planner_that_fails_leaves_what_is_ready(word: str) -> None:
    floor = begun()
    fail(floor, 1)
    one = asked(floor)[-1]
    if word == "nonsense":
        answer(floor, 7.0)
    else:
        floor.turn(
            ev.PlannerFailed(
                at=floor.at,
                ask=one.ask,
                attempt=one.attempt,
                reason=word,
                exhausted=word == "exhausted",
            )
        )
    assert ready(floor) == ["4"]
    plain = asked(floor)[-1]
    assert (plain.replaces, plain.count) == ((), 1), "what is missing is asked for as ever"
    answer(floor, 0.9)
    fail(floor, 2)
    assert asked(floor)[-1].replaces == ("dye/suggestion-5",), "newer results ask anew"


def test_what_had_a_run_already_is_not_withdrawn() -> None:
    state = begun().engine.state
    state.requeue("dye/suggestion-1")
    assert state.ready[0] == "dye/suggestion-1"
    assert replaceable(state) == ("dye/suggestion-3", "dye/suggestion-4")


@pytest.mark.parametrize("choice", [PlannerChoice(kind="sobol"), replace(KEEN, refresh=False)])
def test_a_journal_of_before_asks_for_nothing_anew(choice: PlannerChoice) -> None:
    floor = Floor(Engine(SCRIPT), seed=4, chances=Chances(fail=0.2))
    floor.play(campaign(parallel=3, planner=choice, stop=StopRule(runs=12)))
    assert {one.replaces for one in asked(floor)} == {()}
    assert "withdrawn" not in disposed(floor).values()


def as_before(line: ev.Event | do.Command) -> ev.Event | do.Command:
    """A line as it was written before there were reasons and refreshes, read again."""
    body = json.loads(dump(line))
    match line:
        case ev.CampaignStarted():
            del body["campaign"]["planner"]["ahead"], body["campaign"]["planner"]["refresh"]
        case do.AskPlanner():
            del body["replaces"]
        case do.AcceptSuggestion():
            del body["value"]["reason"]
        case ev.SuggestionsArrived():
            for each in body["suggestions"]:
                del each["reason"]
        case _:
            pass
    return load(type(line).__name__, json.dumps(body))


def test_a_journal_written_before_there_was_all_this_folds_as_it_did() -> None:
    floor = Floor(Engine(SCRIPT), seed=4, chances=Chances(fail=0.2, planner_fails=0.2))
    floor.play(campaign(parallel=3, stop=StopRule(runs=12)))
    older = [as_before(line) for line in floor.journal]
    assert older == floor.journal
    assert fold(SCRIPT, older).view() == floor.engine.view()


def test_where_nothing_is_prepared_ahead_the_journal_is_the_same() -> None:
    def journal(*, refresh: bool) -> list[object]:
        choice = PlannerChoice(kind="sobol", refresh=refresh)
        floor = Floor(Engine(SCRIPT), seed=4, chances=Chances(fail=0.2))
        return list(floor.play(campaign(planner=choice, stop=StopRule(runs=9))).journal[1:])

    assert journal(refresh=True) == journal(refresh=False)


def keen(ahead: int, **changes: object) -> Campaign:
    plain: dict[str, object] = {
        "parallel": 3,
        "planner": replace(KEEN, ahead=ahead),
        "stop": StopRule(runs=12, failures=100),
    }
    return campaign(**{**plain, **changes})


@settings(max_examples=30)
@given(seed=st.integers(0, 2**20), odds=chances, ahead=st.integers(1, 6))
def test_whatever_happens_the_journal_replays_and_each_suggestion_ends_once(
    seed: int, odds: Chances, ahead: int
) -> None:
    note(f"seed {seed}")
    floor = overheard(SCRIPT, seed, odds, simulated=False)
    floor.play(keen(ahead))
    assert fold(SCRIPT, floor.journal).view() == floor.engine.view(), f"seed {seed}"
    check(floor)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**20), odds=chances, every=st.integers(1, 9))
def test_out_of_a_snapshot_it_goes_on_in_the_same_way(seed: int, odds: Chances, every: int) -> None:
    note(f"seed {seed}")
    floor = Floor(Engine(SCRIPT), seed=seed, chances=odds, simulated=False)
    floor.play(keen(4))
    engine = Engine(SCRIPT)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        if number and number % every == 0:
            engine = again(engine)
        assert list(engine.handle(event)) == commands, f"seed {seed}, turn {number}"


class Slow(Floor):
    """Its planner thinks for most of the time that a run takes."""

    def plan(self, command: do.AskPlanner, at: float) -> None:
        super().plan(command, at + 25.0)


def test_a_planner_that_is_always_behind_keeps_no_bench_waiting() -> None:
    floor = Slow(Engine(SCRIPT), seed=2)
    floor.play(keen(2, parallel=2, stop=StopRule(runs=30, failures=100)))
    assert "withdrawn" in disposed(floor).values(), "seed 2"
    followed = [
        "BeginRun" in kinds(commands)
        for _, commands in turns(floor.journal)
        if "EndRun" in kinds(commands)
    ]
    assert followed == [True] * 28 + [False] * 2, "seed 2: the next one begins at once"


def test_the_next_batch_is_asked_for_anew_when_one_is_measured() -> None:
    floor = overheard(batch.SCRIPT, 3, Chances(), labware=batch.PLATES)
    choice = replace(KEEN, ahead=2)
    floor.play(batch.spec(size=4, runs=24, parallel=2, planner=choice))
    assert any(one.replaces for one in asked(floor)), "seed 3"
    assert "withdrawn" in disposed(floor).values(), "seed 3"
    check(floor)
    assert fold(batch.SCRIPT, floor.journal).view() == floor.engine.view()


def test_campaigns_of_one_lab_refresh_each_its_own() -> None:
    floor = overheard(SCRIPT, 3, Chances(fail=0.2))
    floor.play_lab(Start(spec=keen(4)), Start(spec=replace(keen(4), name="other"), at=20.0))
    assert check(floor, "dye") > 2, "seed 3"
    assert check(floor, "other") > 2, "seed 3"
    assert {one.ask.partition("/")[0] for one in asked(floor) if one.replaces} == {"dye", "other"}
