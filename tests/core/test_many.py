"""Several campaigns on one lab: each has its share, and none of them holds the others."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.authoring import protocol
from sdl.capabilities import LiquidHandler, PlateReader
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.errors import Bug
from sdl.model.campaign import NO_PLANNER, Campaign, PlannerChoice, StopRule, Terms
from sdl.model.labware import Well
from tests.core.dye import SCRIPT, Reading, arrive
from tests.core.floor import Chances, Floor, Start, campaign, online, opened, script, started
from tests.core.test_snapshot import text_of, turns

WELLS = 96


def spec(name: str, runs: int = 3, **changes: object) -> Campaign:
    return campaign(name=name, stop=StopRule(runs=runs, failures=100), **changes)


def played(seed: int, *starts: Start, odds: Chances = Chances()) -> Floor:  # noqa: B008 - frozen
    simulated = not odds.unknown
    floor = Floor(Engine(SCRIPT), seed=seed, chances=odds, simulated=simulated)
    return floor.play_lab(*starts)


def endings(floor: Floor) -> dict[str, str]:
    return {each.campaign: each.ending for each in floor.journal if isinstance(each, do.Conclude)}


def test_campaigns_come_and_end_while_the_lab_goes_on() -> None:
    starts = [Start(spec=spec(name), at=at) for name, at in (("a", 0.0), ("b", 5.0), ("c", 400.0))]
    floor = played(1, *starts)
    assert endings(floor) == {"a": "budget", "b": "budget", "c": "budget"}
    assert not floor.engine.campaigns
    assert [one.name for one in floor.engine.ended.values()] == ["a", "b", "c"]
    assert isinstance(floor.journal[-1], do.CloseLab)
    assert floor.engine.is_over


def test_steps_of_two_campaigns_are_at_work_at_the_same_time() -> None:
    floor = played(2, Start(spec=spec("a", parallel=2)), Start(spec=spec("b", parallel=2)))
    begun = [each.run for each in floor.journal if isinstance(each, do.BeginRun)]
    first_half = {run.partition("/")[0] for run in begun[:4]}
    assert first_half == {"a", "b"}


def test_no_well_is_given_to_two_campaigns() -> None:
    floor = played(3, *(Start(spec=spec(name, runs=40, parallel=2)) for name in ("a", "b", "c")))
    roles = [each.roles["well"] for each in floor.journal if isinstance(each, do.BeginRun)]
    assert len(roles) == len(set(roles)) == WELLS, "seed 3"
    assert "material" in endings(floor).values(), "seed 3"


def test_a_planner_that_fails_ends_its_own_campaign_alone() -> None:
    floor = Floor(Engine(SCRIPT), seed=4)
    plan = floor.plan

    def fails_for_a(command: do.AskPlanner, at: float) -> None:
        if command.ask.startswith("a/"):
            failed = ev.PlannerFailed(
                at=at + 1.0, ask=command.ask, attempt=command.attempt, reason="died"
            )
            floor.post(failed)
        else:
            plan(command, at)

    floor.plan = fails_for_a  # type: ignore[method-assign]
    floor.play_lab(Start(spec=spec("a")), Start(spec=spec("b")))
    assert endings(floor) == {"a": "planner", "b": "budget"}


def test_a_campaign_is_paused_by_itself_and_the_others_go_on() -> None:
    floor = Floor(Engine(SCRIPT), seed=5)
    floor.call(
        1.0, lambda at: _said(floor, ev.PauseRequested(at=at, what="", by="ada", campaign="a"))
    )
    resume = ev.ResumeRequested(at=3000.0, what="", by="ada", campaign="a")
    floor.call(3000.0, lambda _: _said(floor, resume))
    floor.play_lab(Start(spec=spec("a")), Start(spec=spec("b")))
    begun = [(each.run, at) for each, at in timed(floor) if isinstance(each, do.BeginRun)]
    assert all(at >= 3000.0 for run, at in begun if run.startswith("a/") and run != "a/run-1")
    assert endings(floor) == {"a": "budget", "b": "budget"}
    assert next(iter(endings(floor))) == "b"


def _said(floor: Floor, event: ev.Event) -> None:
    assert floor.engine.objection(event) == ""
    floor.turn(event)


def timed(floor: Floor) -> list[tuple[ev.Event | do.Command, float]]:
    """Every line with its lab time."""
    found, at = list[tuple[ev.Event | do.Command, float]](), 0.0
    for line in floor.journal:
        if isinstance(line, ev.EVENTS):
            at = line.at  # type: ignore[union-attr]
        found.append((line, at))
    return found


def test_a_quota_holds_and_may_be_changed() -> None:
    quota = Terms(runs_at_once=1)
    floor = played(6, Start(spec=spec("a", runs=6, parallel=4), terms=quota), Start(spec=spec("b")))
    flying, most = Counter[str](), Counter[str]()
    for line in floor.journal:
        if isinstance(line, do.BeginRun):
            name = line.run.partition("/")[0]
            flying[name] += 1
            most[name] = max(most[name], flying[name])
        elif isinstance(line, do.EndRun):
            flying[line.run.partition("/")[0]] -= 1
    assert most["a"] == 1


@protocol
async def stirred(
    handler: LiquidHandler, reader: PlateReader, well: Well, *, x_fraction: float
) -> Reading:
    """The handler has three times as much to do as the reader."""
    await handler.dispense(well, {"dye": 200.0 * x_fraction})
    await handler.mix(well, 50.0, 3)
    await handler.mix(well, 50.0, 3)
    return Reading(await reader.absorbance(well, wavelength_nm=450.0))


@pytest.mark.parametrize("weight", [1.0, 3.0, 8.0])
def test_at_a_contended_instrument_time_goes_by_weight(weight: float) -> None:
    """Both wait for the handler all the time, until the first of them has no run left."""
    floor = Floor(Engine(script(stirred)), seed=7)
    floor.play_lab(
        Start(spec=spec("a", runs=48, parallel=6), terms=Terms(weight=1.0)),
        Start(spec=spec("b", runs=48, parallel=6), terms=Terms(weight=weight)),
    )
    used, since = Counter[str](), dict[str, float]()
    for line, at in timed(floor):
        match line:
            case do.Perform(cid=cid, instrument="handler"):
                since[cid] = at
            case ev.CommandDone(cid=cid) if cid in since:
                used[cid[0]] += at - since[cid]  # type: ignore[assignment]
            case do.BeginRun(run="b/run-46"):
                break
            case _:
                pass
    assert used["b"] / used["a"] == pytest.approx(weight, rel=0.15), used


def test_a_name_is_taken_for_ever_and_a_closing_lab_lets_nobody_in() -> None:
    floor = Floor(Engine(SCRIPT), seed=8)
    floor.turn(opened())
    floor.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
    head = started(spec("a"), SCRIPT)
    assert floor.engine.objection(head) == ""
    floor.turn(head)
    assert "already" in floor.engine.objection(head)
    with pytest.raises(Bug, match="already"):
        floor.engine.handle(head)
    other = started(spec("b"), SCRIPT)
    floor.turn(ev.LabDownRequested(at=2.0, by="ada", note="night"))
    assert floor.engine.is_over
    assert "night" in floor.engine.objection(other)


def test_a_closed_session_is_opened_again_with_its_campaigns() -> None:
    floor = Floor(Engine(SCRIPT), seed=9)
    floor.turn(opened())
    floor.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
    floor.turn(started(spec("a"), SCRIPT))
    (closed,) = floor.turn(ev.LabDownRequested(at=1.0, by="ada"))
    assert isinstance(closed, do.CloseLab)
    assert closed.reason == "asked to (ada)"
    again = floor.turn(ev.OrchestratorStarted(at=10.0, epoch=2))
    (asked,) = [each for each in again if isinstance(each, do.AskPlanner)]
    assert (asked.ask, asked.attempt) == ("a/ask-1", 2)


def test_what_names_no_campaign_at_work_is_refused_with_those_that_are() -> None:
    floor = Floor(Engine(SCRIPT), seed=10)
    floor.turn(opened())
    floor.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
    for name in ("a", "b"):
        floor.turn(started(spec(name), SCRIPT))
    stop = ev.StopRequested(at=1.0, by="ada", reason="")
    assert floor.engine.objection(stop) == (
        "name the campaign that is meant; at work: a, b. Or: sdl lab down"
    )
    pause = ev.PauseRequested(at=1.0, what="", by="ada", campaign="c")
    assert floor.engine.objection(pause) == "there is no campaign 'c' at work; at work: a, b"
    assert floor.turn(pause) == []
    assert not floor.engine.lab.paused


def test_without_a_planner_nobody_is_asked_and_every_run_has_the_fixed_inputs() -> None:
    fixed = spec(
        "a", runs=3, space=(), fixed={"x_fraction": 0.5}, planner=PlannerChoice(kind=NO_PLANNER)
    )
    floor = played(11, Start(spec=fixed), Start(spec=spec("b")))
    assert endings(floor) == {"a": "budget", "b": "budget"}
    asked = {each.ask[0] for each in floor.journal if isinstance(each, do.AskPlanner)}
    assert asked == {"b"}
    begun = [each for each in floor.journal if isinstance(each, do.BeginRun) and each.run[0] == "a"]
    assert [dict(each.inputs) for each in begun] == [{"x_fraction": 0.5}] * 3


ODDS = st.builds(
    Chances,
    fail=st.sampled_from([0.0, 0.2]),
    unknown=st.sampled_from([0.0, 0.1]),
    planner_fails=st.sampled_from([0.0, 0.3]),
    lose=st.sampled_from([0.0, 0.05]),
    repeat=st.sampled_from([0.0, 0.1]),
    unsafe=st.sampled_from([0.0, 0.2]),
    absent=st.sampled_from([0.0, 0.3]),
    incidents=st.integers(0, 4),
)
TERMS = st.builds(
    Terms,
    priority=st.integers(-2, 2),
    weight=st.sampled_from([0.1, 1.0, 7.0]),
    deadline=st.sampled_from([None, 500.0, 5000.0]),
    runs_at_once=st.sampled_from([None, 1, 2]),
)
STARTS = st.lists(
    st.tuples(TERMS, st.floats(0.0, 300.0), st.integers(1, 3), st.integers(1, 3)),
    min_size=2,
    max_size=4,
)


@settings(max_examples=20)
@given(odds=ODDS, drawn=STARTS, seed=st.integers(0, 2**20), every=st.integers(1, 9))
def test_all_come_to_their_end_and_replay_and_snapshots_give_the_same(
    odds: Chances,
    drawn: list[tuple[Terms, float, int, int]],
    seed: int,
    every: int,
) -> None:
    note(f"seed {seed}")
    starts = [
        Start(spec=spec(f"c{n}", runs=runs, parallel=parallel, seed=n), at=at, terms=terms)
        for n, (terms, at, runs, parallel) in enumerate(drawn)
    ]
    floor = played(seed, *starts, odds=odds)
    assert len(endings(floor)) == len(starts), f"seed {seed}: {endings(floor)}"
    assert not floor.doubles(), f"seed {seed}"
    folded = fold(SCRIPT, floor.journal)
    assert folded.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"
    often = Engine(SCRIPT)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert often.handle(event) == commands, f"seed {seed}, turn {number}"
        if number % every == 0 and often.is_begun:
            often = Engine.restored(SCRIPT, text_of(often))
    assert often.state_sha256() == floor.engine.state_sha256(), f"seed {seed}"


def test_who_opens_a_lab_again_lets_a_stopped_campaign_end() -> None:
    floor = Floor(Engine(SCRIPT), seed=12)
    floor.turn(opened())
    floor.turn(ev.OrchestratorStarted(at=0.0, epoch=1))
    floor.turn(started(spec("a"), SCRIPT))
    for name in ("handler", "reader"):
        floor.turn(online(name))
    floor.turn(arrive(0.25, ask="a/ask-1"))
    stop = ev.StopRequested(at=2.0, by="ada", reason="enough", campaign="a")
    assert floor.turn(stop) == []
    floor.turn(ev.OrchestratorStarted(at=3.0, epoch=2))
    assert floor.engine.campaigns["a"].state.closing == ("stopped", "enough (ada)")
