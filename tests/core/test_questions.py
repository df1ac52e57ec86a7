"""The engine: what nobody knows waits at a person, and only what it touched waits with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.replay import fold
from sdl.model.data import JsonValue
from sdl.model.policy import Rule
from tests.core.dye import SCRIPT, arrive, at_work, kinds
from tests.core.floor import Floor, failed, online

STEP = "dye/run-1/step-1"
CID = f"{STEP}/try-1"
ASK = (Rule(then="ask", on=("unknown",)),)


def unknown(**changes: object) -> Floor:
    """A dispense of which nobody knows whether it happened; the campaign asks."""
    floor, _ = at_work(policy=ASK, **changes)
    floor.turn(ev.CommandStarted(at=2.0, cid=CID, seq=1))
    assert floor.turn(ev.CommandUnknown(at=5.0, cid=CID, seq=2, reason="power cut")) == []
    return floor


def resolved(
    verdict: ev.Verdict, step: str = STEP, at: float = 9.0, result: JsonValue = None
) -> ev.StepResolved:
    return ev.StepResolved(at=at, step=step, verdict=verdict, by="ada", result=result)


def test_an_unknown_outcome_is_a_question_with_all_that_is_known() -> None:
    floor = unknown()
    (question,) = floor.engine.view().questions
    assert (question.step, question.instrument, question.since) == (STEP, "handler", 5.0)
    assert question.operation == "dispense"
    assert question.args["volumes_ul"] == {"dye": 50.0}
    assert "power cut" in question.reason
    assert not question.gives_result
    (wait,) = floor.engine.view().waits
    assert "sdl resolve run-1/step-1 --happened, --did-not-happen or --discard" in wait.why
    states = {one.name: one.state for one in floor.engine.view().instruments}
    assert states == {"handler": "held", "reader": "idle"}


def test_it_asks_on_a_real_bench_without_any_rule_and_discards_on_a_simulated_one() -> None:
    floor, _ = at_work()
    out = floor.turn(ev.CommandUnknown(at=5.0, cid=CID, reason="power cut"))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert out[0].outcome == "unknown"  # type: ignore[union-attr]
    floor, _ = at_work()
    floor.engine.lab.instruments["handler"].simulated = False
    assert floor.turn(ev.CommandUnknown(at=5.0, cid=CID, reason="power cut")) == []
    assert floor.engine.view().questions


def test_it_blocks_its_instrument_and_its_run_and_nothing_else() -> None:
    floor, _ = at_work(policy=ASK, parallel=2)
    out = floor.turn(ev.CommandDone(at=2.0, cid=CID, result=None, duration_s=1.0))
    assert "dye/run-2/step-1/try-1" in [c.cid for c in out if isinstance(c, do.Perform)]
    floor.turn(ev.CommandUnknown(at=5.0, cid="dye/run-2/step-1/try-1", reason="power cut"))
    (read,) = floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle"))
    assert isinstance(read, do.Perform)
    out = floor.turn(ev.CommandDone(at=40.0, cid=read.cid, result=0.5, duration_s=1.0))
    assert "EndRun" in kinds(out)
    assert "BeginRun" not in kinds(out)  # it would need the handler
    assert [q.run for q in floor.engine.view().questions] == ["dye/run-2"]


def test_who_says_that_it_happened_lets_the_run_go_on() -> None:
    floor = unknown()
    assert floor.engine.objection(resolved("happened")) == ""
    assert floor.turn(resolved("happened")) == [
        do.Wait(timer="dye/run-1/step-2/settle", until=39.0)
    ]
    assert floor.engine.view().questions == ()


def test_who_says_that_it_did_not_lets_it_be_done_once_more() -> None:
    floor = unknown()
    (again,) = floor.turn(resolved("did_not_happen"))
    assert isinstance(again, do.Perform)
    assert (again.cid, again.attempt) == (f"{STEP}/try-2", 2)


def test_who_discards_ends_the_run_as_unknown_and_frees_the_instrument() -> None:
    floor = unknown()
    out = floor.turn(resolved("discard"))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert out[0].outcome == "unknown"  # type: ignore[union-attr]
    assert out[0].reason == f"{STEP} was discarded by ada"  # type: ignore[union-attr]
    out = floor.turn(arrive(0.5, ask="dye/ask-2"))
    (begun,) = [c for c in out if isinstance(c, do.BeginRun)]
    assert begun.roles["well"] != "plate-1/A1"


READ = "dye/run-1/step-3"


def unreadable() -> Floor:
    """A reading that went wrong, and about which a person is asked."""
    floor, _ = at_work(policy=(Rule(then="ask", action="absorbance"),))
    floor.turn(ev.CommandDone(at=2.0, cid=CID, result=None, duration_s=1.0))
    floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle"))
    assert floor.turn(failed(33.0, f"{READ}/try-1", "during", "lab")) == []
    (question,) = floor.engine.view().questions
    assert (question.step, question.gives_result) == (READ, True)
    return floor


def test_a_result_that_is_needed_has_to_be_given_or_the_protocol_gets_an_error() -> None:
    floor = unreadable()
    assert "absorbance gives a result" in floor.engine.objection(resolved("happened", READ))
    assert "a valid number" in floor.engine.objection(resolved("happened", READ, result="much"))
    assert floor.engine.objection(resolved("happened", READ, result=0.8)) == ""
    out = floor.turn(resolved("happened", READ, at=40.0))
    assert out[0].reason.startswith("OutcomeUnknown: ada says it happened")  # type: ignore[union-attr]
    floor = unreadable()
    out = floor.turn(resolved("happened", READ, at=40.0, result=0.8))
    assert out[0].measures == {"y_au": 0.8}  # type: ignore[union-attr]


@pytest.mark.parametrize("second", ["happened", "did_not_happen", "discard"])
def test_the_first_answer_holds_and_a_second_one_flags_the_sample(second: ev.Verdict) -> None:
    floor = unknown()
    floor.turn(resolved("happened"))
    assert "ada said before: it happened" in floor.engine.objection(resolved(second))
    late = replace(resolved(second), at=10.0, by="bob")
    (flag,) = floor.turn(late)
    assert isinstance(flag, do.Flag)
    assert (flag.run, flag.step) == ("dye/run-1", STEP)
    assert flag.reason.startswith("bob said too late")


def test_an_answer_that_comes_twice_does_not_answer_the_next_question() -> None:
    floor = unknown()
    first = replace(resolved("did_not_happen"), attempt=1)
    (again,) = floor.turn(first)
    assert isinstance(again, do.Perform)
    floor.turn(ev.CommandUnknown(at=12.0, cid=again.cid, reason="power cut"))
    (question,) = floor.engine.view().questions
    assert question.attempt == 2
    late = replace(first, at=13.0)
    assert floor.engine.objection(late) == f"{STEP} is at attempt 2 by now, not at 1"
    assert kinds(floor.turn(late)) == ["Flag"]
    assert floor.engine.view().questions == (question,)


@pytest.mark.parametrize(
    "said, word, contradicts",
    [
        ("happened", ev.CommandDone(at=20.0, cid=CID, result=None, duration_s=1.0), False),
        ("happened", failed(20.0, CID, "before_start", "refused"), True),
        ("did_not_happen", ev.CommandDone(at=20.0, cid=CID, result=None, duration_s=1.0), True),
        ("did_not_happen", failed(20.0, CID, "before_start", "refused"), False),
        ("did_not_happen", ev.CommandUnknown(at=20.0, cid=CID, reason="again"), False),
        ("discard", ev.CommandDone(at=20.0, cid=CID, result=None, duration_s=1.0), False),
    ],
)
def test_late_word_of_the_node_changes_nothing_and_flags_what_it_contradicts(
    said: ev.Verdict, word: ev.Event, contradicts: bool
) -> None:
    floor = unknown()
    floor.turn(resolved(said))
    assert kinds(floor.turn(word)) == (["Flag"] if contradicts else [])
    assert floor.turn(word) == []  # said once


def test_word_of_the_end_that_comes_before_an_answer_takes_the_question_away() -> None:
    floor = unknown()
    (wait,) = floor.turn(ev.CommandDone(at=8.0, cid=CID, result=None, duration_s=1.0))
    assert isinstance(wait, do.Wait)
    assert floor.engine.view().questions == ()
    assert floor.engine.objection(resolved("discard")) == (
        f"{STEP} waits for nobody: its node said: done"
    )
    assert kinds(floor.turn(resolved("did_not_happen"))) == ["Flag"]


def test_an_answer_to_what_nobody_asked_is_refused_and_changes_nothing() -> None:
    floor, _ = at_work()
    assert floor.engine.objection(resolved("happened")) == (
        f"{STEP} asks nothing; there is no open question"
    )
    assert floor.turn(resolved("happened")) == []
    floor = unknown()
    assert floor.engine.objection(resolved("happened", "dye/run-9/step-1")) == (
        f"dye/run-9/step-1 asks nothing; open questions: {STEP}"
    )


def test_a_stopped_campaign_stays_open_as_long_as_something_waits_at_a_person() -> None:
    floor = unknown()
    assert floor.turn(ev.StopRequested(at=6.0, by="ada", reason="Ctrl-C")) == []
    assert "ends already" in floor.engine.objection(
        ev.StopRequested(at=6.0, by="ada", reason="again")
    )
    out = floor.turn(resolved("discard"))
    assert kinds(out) == ["EndRun", "Dispose", "Conclude"]
    assert "has ended" in floor.engine.objection(resolved("discard"))


def test_a_resumed_campaign_keeps_its_questions_until_somebody_has_looked_at_the_bench() -> None:
    floor = unknown()
    floor.turn(ev.OrchestratorStarted(at=60.0, epoch=70))
    floor.turn(online("handler", 61.0))
    assert floor.engine.view().questions
    out = floor.turn(ev.OrchestratorStarted(at=90.0, epoch=71, bench_checked=True))
    assert kinds(out) == ["EndRun", "Dispose", "AskPlanner"]
    assert floor.engine.view().questions == ()
    assert fold(SCRIPT, floor.journal).view() == floor.engine.view()


def test_a_node_that_lost_its_journal_makes_what_it_was_sent_unknown_and_the_old_words_count() -> (
    None
):
    floor, _ = at_work(policy=ASK)
    floor.turn(ev.CommandStarted(at=2.0, cid=CID, seq=41))
    out = floor.turn(online("handler", 3.0, "boot-2"))
    assert out == [do.Greet(instrument="handler", boot="boot-2", after=None, memory="boot-2")]
    (question,) = floor.engine.view().questions
    assert "another journal" in question.reason
    floor.turn(ev.CommandDone(at=8.0, cid=CID, seq=42, result=None, duration_s=1.0))
    assert floor.engine.view().questions == ()
    # The number was one of the old journal: the new one is still greeted from its beginning.
    greet = do.Greet(instrument="handler", boot="boot-3", after=None, memory="boot-2")
    assert floor.turn(replace(online("handler", 9.0, "boot-3"), memory="boot-2")) == [greet]


def test_an_old_number_is_dropped_and_the_next_greeting_asks_for_what_follows_the_highest() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandStarted(at=2.0, cid=CID, seq=6))
    floor.turn(ev.CommandAccepted(at=3.0, cid=CID, seq=5))
    assert floor.engine.view().in_flight[0].state == "started"
    out = floor.turn(online("handler", 4.0))
    assert out == [
        do.Greet(instrument="handler", boot="boot-1", after=6, memory="boot-1"),
        do.Query(cid=CID),
    ]


def test_the_more_careful_word_of_driver_and_capability_holds() -> None:
    floor, _ = at_work()
    floor.turn(
        replace(online("reader", 1.0), effects=(("absorbance", "once"), ("dispense", "pure")))
    )
    floor.turn(ev.CommandDone(at=2.0, cid=CID, result=None, duration_s=1.0))
    (read,) = floor.turn(ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle"))
    assert isinstance(read, do.Perform)
    assert read.effect == "once"
    out = floor.turn(ev.CommandUnknown(at=33.0, cid=read.cid, reason="power cut"))
    assert out[0].outcome == "unknown"  # type: ignore[union-attr]


def test_a_command_that_two_nodes_have_started_flags_the_sample() -> None:
    floor, _ = at_work()
    first = ev.CommandStarted(at=2.0, cid=CID, seq=1, boot="boot-1")
    assert floor.turn(first) == []
    assert floor.turn(replace(first, at=2.1)) == []
    (flag,) = floor.turn(replace(first, at=2.2, boot="boot-2"))
    assert isinstance(flag, do.Flag)
    assert "two nodes, boots boot-1 and boot-2" in flag.reason
    assert floor.turn(replace(first, at=2.3, boot="boot-2")) == []
    assert kinds(floor.turn(ev.CommandDone(at=4.0, cid=CID, seq=2, result=None, duration_s=1.0)))


CONFLICT = ev.CommandConflict(at=3.0, cid=CID, reason="other arguments under the same id")


def test_a_conflict_flags_the_sample_and_asks_a_person_once() -> None:
    floor, _ = at_work(policy=ASK)
    assert kinds(floor.turn(CONFLICT)) == ["Flag"]
    (question,) = floor.engine.view().questions
    assert (question.step, question.attempt) == (STEP, 1)
    assert "other arguments" in question.reason
    for n in range(3):  # nothing is sent again, nobody is asked again
        assert floor.turn(ev.CommandUnheard(at=5.0 + n, cid=CID)) == []
        assert floor.turn(replace(CONFLICT, at=5.5 + n)) == []
    assert floor.engine.view().questions == (question,)
    assert sent_cids(floor.turn(resolved("did_not_happen"))) == [f"{STEP}/try-2"]


def test_a_conflict_after_the_end_flags_the_sample_and_changes_nothing() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandDone(at=2.0, cid=CID, result=None, duration_s=1.0))
    assert kinds(floor.turn(CONFLICT)) == ["Flag"]
    assert floor.turn(CONFLICT) == []


def sent_cids(commands: list[do.Command]) -> list[str]:
    return [c.cid for c in commands if isinstance(c, do.Perform)]
