"""The engine: an instrument that never comes back keeps neither its run nor the campaign."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.lab_state import LOST_S
from sdl.core.replay import fold
from tests.core.dye import SCRIPT, at_work, kinds
from tests.core.floor import Floor, failed, online
from tests.core.test_halting import abort, done
from tests.core.test_questions import CID, STEP, resolved

LOST = "dye/lost/handler"
AWAY = 9.0
GONE = AWAY + LOST_S


def away() -> Floor:
    """The handler's node went in the middle of a dispense."""
    floor, _ = at_work()
    floor.turn(ev.CommandStarted(at=2.0, cid=CID, seq=1))
    out = floor.turn(ev.InstrumentLost(at=AWAY, instrument="handler", reason="no heartbeat"))
    assert out == [do.Wait(timer=LOST, until=GONE)]
    return floor


def lost() -> Floor:
    floor = away()
    assert floor.turn(ev.TimerFired(at=GONE, timer=LOST)) == []
    return floor


def test_nobody_is_asked_about_a_node_that_may_be_back_in_a_moment() -> None:
    floor = away()
    floor.turn(ev.CommandUnheard(at=GONE - 1.0, cid=CID))
    assert floor.engine.view().questions == ()
    assert floor.engine.objection(resolved("discard", at=GONE - 1.0)) == (
        "handler is away (no heartbeat); if it is not back within 60 s, you may say what became "
        f"of {STEP}"
    )


def test_a_person_may_say_what_became_of_the_command_of_a_lost_node() -> None:
    floor = lost()
    (question,) = floor.engine.view().questions
    assert (question.step, question.attempt, question.since) == (STEP, 1, AWAY)
    assert question.verdicts == ("happened", "discard")
    assert "no heartbeat" in question.reason
    (wait,) = floor.engine.view().waits
    assert wait.why.endswith("then: sdl resolve run-1/step-1 --happened or --discard")
    assert floor.engine.objection(resolved("happened", at=GONE + 5.0)) == ""
    assert kinds(floor.turn(resolved("happened", at=GONE + 5.0))) == ["Wait"]  # it settles
    assert floor.engine.view().questions == ()
    assert fold(SCRIPT, floor.journal).view() == floor.engine.view()


def test_nobody_can_know_that_it_will_not_happen_as_long_as_its_node_may_do_it() -> None:
    floor = lost()
    never = resolved("did_not_happen", at=GONE + 5.0)
    assert "may still do it" in floor.engine.objection(never)
    out = floor.turn(never)  # it was on record all the same
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]


def test_the_node_comes_back_before_anybody_has_answered_and_its_word_counts() -> None:
    floor = lost()
    out = floor.turn(online("handler", GONE + 1.0))
    assert kinds(out) == ["Greet", "Query"]
    assert floor.engine.view().questions == ()
    assert "asks nothing" in floor.engine.objection(resolved("discard", at=GONE + 2.0))
    assert kinds(floor.turn(replace(done(CID, GONE + 3.0), seq=2))) == ["Wait"]


@pytest.mark.parametrize("phase, flags", [("before_start", ["Flag"]), ("after", ["Flag"])])
def test_a_word_that_comes_after_all_and_contradicts_the_person_flags_the_sample(
    phase: ev.Phase, flags: list[str]
) -> None:
    floor = lost()
    floor.turn(resolved("happened", at=GONE + 5.0))
    floor.turn(online("handler", GONE + 9.0))
    assert kinds(floor.turn(replace(failed(GONE + 10.0, CID, phase, "driver"), seq=2))) == flags
    assert floor.engine.view().in_flight[0].step == "dye/run-1/step-2"


def test_who_discards_it_ends_the_run_and_the_instrument_is_used_once_it_is_back() -> None:
    floor = lost()
    out = floor.turn(resolved("discard", at=GONE + 5.0))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert isinstance(out[0], do.EndRun)
    assert out[0].outcome == "unknown"
    assert kinds(floor.turn(online("handler", GONE + 9.0))) == ["Greet"]
    floor.turn(replace(done(CID, GONE + 9.5), seq=2))
    assert floor.engine.lab.instruments["handler"].ready


def test_the_next_run_is_given_to_a_node_that_was_lost_and_is_back() -> None:
    floor = lost()
    floor.turn(resolved("discard", at=GONE + 5.0))
    floor.turn(online("handler", GONE + 9.0))
    out = floor.turn(
        ev.SuggestionsArrived(
            at=GONE + 10.0,
            ask="dye/ask-2",
            attempt=1,
            suggestions=(next(iter(floor.commands(do.AcceptSuggestion))).value,),  # type: ignore[union-attr]
            versions=(),
        )
    )
    assert kinds(out) == ["AcceptSuggestion", "BeginRun", "Perform"]


def test_a_campaign_that_is_resumed_with_the_bench_checked_discards_what_is_lost_at_once() -> None:
    floor = lost()
    out = floor.turn(ev.OrchestratorStarted(at=GONE + 30.0, epoch=2, bench_checked=True))
    assert kinds(out)[:3] == ["Wait", "EndRun", "Dispose"]


def test_a_node_that_is_not_back_in_time_after_the_bench_was_checked_is_not_waited_for() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandStarted(at=2.0, cid=CID, seq=1))
    (wait,) = floor.turn(ev.OrchestratorStarted(at=500.0, epoch=2, bench_checked=True))
    assert wait == do.Wait(timer=LOST, until=500.0 + LOST_S)
    out = floor.turn(ev.TimerFired(at=500.0 + LOST_S, timer=LOST))
    assert kinds(out)[:2] == ["EndRun", "Dispose"]


@pytest.mark.parametrize("first", ["lost", "aborted"])
def test_an_abort_does_not_wait_for_ever_for_a_node_that_is_lost(first: str) -> None:
    floor = lost() if first == "lost" else away()
    at = GONE + 5.0 if first == "lost" else AWAY + 5.0
    out = floor.turn(abort(at=at))
    assert [c.until for c in out if isinstance(c, do.Wait)] == [GONE]
    assert floor.engine.state.concluded is None
    out = floor.turn(ev.TimerFired(at=max(at, GONE), timer=LOST))
    assert kinds(out) == ["EndRun", "Dispose", "Conclude"]
    assert not floor.engine.lab.instruments["handler"].able  # it never said that it is safe


def test_an_abort_of_a_run_leaves_a_lost_instrument_held_until_it_says_that_it_is_safe() -> None:
    floor = lost()
    floor.turn(abort("dye/run-1", at=GONE + 5.0))
    floor.turn(ev.TimerFired(at=GONE + 5.0, timer=LOST))
    assert not floor.engine.state.runs
    out = floor.turn(online("handler", GONE + 20.0))
    assert [type(c) for c in out[:2]] == [do.Halt, do.Greet]
    assert floor.engine.view().instruments[0].state == "stopped"
