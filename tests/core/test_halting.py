"""The engine: pause, resume, abort and stop, of a campaign, an instrument and the lab."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from tests.core.dye import SCRIPT, arrive, at_work, kinds
from tests.core.floor import Floor, campaign, failed, online, started

CID = "dye/run-1/step-1/try-1"
READ = "dye/run-1/step-3/try-1"


def pause(what: str = "", at: float = 5.0, *, at_once: bool = False) -> ev.PauseRequested:
    return ev.PauseRequested(at=at, what=what, by="ada", note="lunch", at_once=at_once)


def resume(what: str = "", at: float = 90.0) -> ev.ResumeRequested:
    return ev.ResumeRequested(at=at, what=what, by="ada")


def abort(what: str = "", at: float = 5.0) -> ev.AbortRequested:
    return ev.AbortRequested(at=at, what=what, by="ada", note="it smells")


def safe(
    instrument: str, at: float = 6.0, reason: str = "", *, halt: str = "dye/halt-1"
) -> ev.InstrumentMadeSafe:
    return ev.InstrumentMadeSafe(
        at=at, instrument=instrument, boot="boot-1", safe=not reason, reason=reason, halt=halt
    )


def done(cid: str, at: float, result: float | None = None) -> ev.CommandDone:
    return ev.CommandDone(at=at, cid=cid, result=result, duration_s=1.0)


def state_of(floor: Floor, name: str) -> str:
    return {one.name: one.state for one in floor.engine.view().instruments}[name]


def reading() -> Floor:
    """A run whose next step, a reading, stands in a window; it has just settled."""
    floor, _ = at_work()
    floor.turn(done(CID, 2.0))
    return floor


SETTLED = ev.TimerFired(at=32.0, timer="dye/run-1/step-2/settle")


def test_a_pause_lets_no_run_begin_and_says_what_to_type() -> None:
    floor = Floor(Engine(SCRIPT), seed=0)
    for event in (started(campaign(), SCRIPT), online("handler"), online("reader")):
        floor.turn(event)
    floor.turn(pause(at=0.5))
    assert kinds(floor.turn(arrive(0.5))) == ["AcceptSuggestion"]
    assert floor.engine.view().paused == "paused by ada: lunch"
    (wait,) = floor.engine.view().waits
    assert wait.why.endswith("go on with: sdl resume")
    assert kinds(floor.turn(resume())) == ["BeginRun", "Perform"]
    assert floor.engine.view().paused == ""


def test_a_pause_waits_for_a_safe_point_so_that_an_open_window_is_kept() -> None:
    floor = reading()
    floor.turn(pause())
    (read,) = floor.turn(SETTLED)
    assert isinstance(read, do.Perform)
    floor = reading()
    floor.turn(pause(at_once=True))
    assert kinds(floor.turn(SETTLED)) == ["Wait"]  # for the end of the window, and not started
    assert kinds(floor.turn(resume(at=50.0))) == ["Perform"]


def test_a_pause_of_an_instrument_holds_back_what_it_would_do_and_nothing_else() -> None:
    floor = reading()
    floor.turn(pause("handler"))
    assert state_of(floor, "handler") == "paused"
    (read,) = floor.turn(SETTLED)
    assert isinstance(read, do.Perform)
    floor.turn(done(read.cid, 40.0, 0.5))
    assert kinds(floor.turn(arrive(0.5, ask="dye/ask-2"))) == ["AcceptSuggestion"]
    assert kinds(floor.turn(resume("handler"))) == ["BeginRun", "Perform"]


def test_objections_to_pause_and_resume_say_why() -> None:
    floor, _ = at_work()
    objection = floor.engine.objection
    assert objection(resume()) == "the campaign is not paused"
    assert objection(resume("reader")) == "reader is neither paused nor held"
    assert objection(pause("rader")) == (
        "there is no instrument or run in flight 'rader'; there are: handler, reader, dye/run-1"
    )
    assert "cannot be paused by itself" in objection(pause("dye/run-1"))
    assert objection(pause()) == ""
    floor.turn(pause())
    assert objection(pause()) == "it is already paused by ada: lunch"
    assert objection(pause(at_once=True)) == ""
    assert objection(abort("reader")) == (
        "reader does nothing for this campaign that could be broken off"
    )


def test_an_abort_ends_a_step_only_once_its_word_and_its_safety_are_in() -> None:
    for first, second in ((safe("handler"), failed(7.0, CID, "during", "driver")),):
        for one, other in ((first, second), (replace(second, at=6.0), replace(first, at=7.0))):
            floor, _ = at_work()
            assert kinds(floor.turn(abort("dye/run-1"))) == ["Halt"]
            assert floor.turn(one) == []
            assert floor.engine.view().runs_ended == 0
            out = floor.turn(other)
            assert sorted(kinds(out)) == ["AskPlanner", "Dispose", "EndRun", "Release"]
            (end,) = [c for c in out if isinstance(c, do.EndRun)]
            assert (end.outcome, end.reason) == ("abandoned", "aborted by ada: it smells")
            assert floor.engine.view().failures == 0
            assert floor.engine.view().abandoned == 1
            assert state_of(floor, "handler") == "idle"


def test_an_abandoned_point_is_as_good_as_not_tried_for_the_planner() -> None:
    floor, _ = at_work()
    floor.turn(abort("dye/run-1"))
    floor.turn(safe("handler"))
    floor.turn(failed(7.0, CID, "during", "driver"))
    (trial,) = floor.engine.question("dye/ask-2").trials
    assert trial.status == "abandoned"


def test_an_instrument_that_cannot_be_made_safe_is_held_until_a_person_lets_it() -> None:
    floor, _ = at_work()
    floor.turn(abort("handler"))
    floor.turn(failed(5.5, CID, "during", "driver"))
    out = floor.turn(safe("handler", reason="the valve is stuck"))
    assert "Release" not in kinds(out)
    assert state_of(floor, "handler") == "held"
    floor.turn(arrive(0.5, ask="dye/ask-2"))
    (wait,) = floor.engine.view().waits
    assert "the valve is stuck" in wait.why
    assert "sdl resume handler" in wait.why
    out = floor.turn(resume("handler"))
    assert kinds(out) == ["Release", "BeginRun", "Perform"]


def test_an_abort_of_the_campaign_ends_it() -> None:
    floor, _ = at_work(parallel=2)
    floor.turn(done(CID, 2.0))
    out = floor.turn(abort(""))
    assert kinds(out) == ["Halt", "EndRun", "Dispose"]  # the run that settled had nothing to end
    floor.turn(safe("handler"))
    out = floor.turn(failed(7.0, "dye/run-2/step-1/try-1", "during", "driver"))
    (end,) = [c for c in out if isinstance(c, do.Conclude)]
    assert (end.ending, end.reason) == ("stopped", "aborted by ada: it smells")


def test_what_an_aborted_run_left_unknown_needs_no_answer_once_the_instrument_is_safe() -> None:
    floor, _ = at_work()
    floor.engine.lab.instruments["handler"].simulated = False
    floor.turn(ev.CommandUnknown(at=3.0, cid=CID, reason="power cut"))
    assert kinds(floor.turn(abort("dye/run-1"))) == ["Halt"]
    assert floor.engine.view().questions == ()
    out = floor.turn(safe("handler"))
    assert sorted(kinds(out)) == ["AskPlanner", "Dispose", "EndRun", "Release"]


def test_a_stop_of_the_lab_halts_everything_and_a_resume_releases_it() -> None:
    floor, _ = at_work()
    stop = ev.LabStopRequested(at=5.0, by="ada", note="smoke")
    assert kinds(floor.turn(stop)) == ["Halt", "Halt"]
    assert floor.engine.view().paused == "the lab was stopped by ada: smoke"
    assert floor.turn(failed(5.5, CID, "before_start", "refused")) == []  # it waits for the end
    floor.turn(safe("handler"))
    assert "resume the whole campaign first" in floor.engine.objection(resume("handler"))
    out = floor.turn(resume())
    assert kinds(out) == ["Release", "Perform"]
    assert out[1].cid == "dye/run-1/step-1/try-2"  # type: ignore[union-attr]
    assert state_of(floor, "reader") == "stopped"
    assert kinds(floor.turn(safe("reader", at=95.0, halt="dye/halt-2"))) == ["Release"]


def test_a_run_that_a_stop_of_the_lab_cut_off_is_abandoned_not_failed() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandStarted(at=3.0, cid=CID))
    floor.turn(ev.LabStopRequested(at=5.0, by="ada"))
    out = floor.turn(failed(5.5, CID, "during", "driver"))
    assert isinstance(out[0], do.EndRun)
    assert out[0].outcome == "abandoned"
    assert out[0].reason.startswith("the lab was stopped by ada; DriverFault")


def test_a_node_that_comes_back_is_halted_before_it_is_greeted() -> None:
    floor, _ = at_work()
    floor.turn(ev.LabStopRequested(at=5.0, by="ada"))
    back = replace(online("reader", 7.0, "boot-2"), memory="boot-1")
    assert kinds(floor.turn(back)) == ["Halt", "Greet"]
    again = safe("reader", at=8.0, halt="dye/halt-3")
    assert floor.turn(again) == []  # of the boot before: it does not count
    assert kinds(floor.turn(replace(again, at=9.0, boot="boot-2"))) == []
    assert kinds(floor.turn(replace(back, at=10.0))) == ["Greet"]  # it is safe, and remembers
    assert kinds(floor.turn(online("reader", 11.0, "boot-3"))) == ["Halt", "Greet"]


def test_an_answer_to_an_older_order_to_stop_is_no_answer_to_the_present_one() -> None:
    floor, _ = at_work()
    assert kinds(floor.turn(abort("handler"))) == ["Halt"]
    floor.turn(failed(5.5, CID, "during", "driver"))
    assert "Release" in kinds(floor.turn(safe("handler")))
    stop = ev.LabStopRequested(at=7.0, by="ada")
    halts = [c for c in floor.turn(stop) if isinstance(c, do.Halt)]
    assert [each.id for each in halts] == ["dye/halt-2", "dye/halt-3"]
    floor.turn(resume(at=8.0))
    for stale in (safe("handler", 9.0), safe("handler", 9.0, "the valve was stuck")):
        assert floor.turn(stale) == [], "the first order was told twice, and answered twice"
        assert state_of(floor, "handler") == "stopped"
    assert kinds(floor.turn(safe("handler", 10.0, halt="dye/halt-2")))[0] == "Release"
    assert floor.turn(safe("handler", 11.0, halt="dye/halt-2")) == []


def test_a_word_about_a_stop_that_went_past_us_counts_only_where_it_is_a_bad_one() -> None:
    floor, _ = at_work()
    floor.turn(ev.LabStopRequested(at=5.0, by="eve"))
    floor.turn(resume(at=6.0))
    assert floor.turn(safe("reader", 7.0, halt="alarm-1")) == []
    assert state_of(floor, "reader") == "stopped", "our own order to it is not answered yet"
    floor.turn(safe("reader", 8.0, "the lid is open", halt="alarm-1"))
    assert state_of(floor, "reader") == "held"
    assert "Release" not in kinds(floor.turn(safe("reader", 9.0, halt="dye/halt-2")))
    assert "Release" in kinds(floor.turn(resume("reader")))


def test_a_bad_word_about_a_stop_that_was_lifted_since_holds_nothing() -> None:
    """As where a broker brings it back (seed 30897)."""
    floor, _ = at_work()
    floor.turn(ev.LabStopRequested(at=5.0, by="eve", order="panel/1"))
    floor.turn(resume(at=6.0))
    assert "Release" in kinds(floor.turn(safe("reader", 7.0, halt="dye/halt-2")))
    assert floor.turn(safe("reader", 8.0, "the lid is open", halt="panel/1")) == []
    assert state_of(floor, "reader") == "idle"


def test_a_node_is_greeted_with_what_was_heard_of_the_journal_that_it_has_again() -> None:
    """As where a broker brings back a birth of before its journal got a new name (seed 2710)."""
    floor, _ = at_work()
    memory, heard = floor.engine.lab.instruments["handler"].memory, 3
    floor.turn(ev.CommandStarted(at=5.5, cid=CID, seq=heard))
    for name, after in (("another", None), (memory, heard), ("another", None)):
        decided = floor.turn(online("handler", 6.0, memory=name))
        (greet,) = [each for each in decided if isinstance(each, do.Greet)]
        assert (greet.memory, greet.after) == (name, after)


def test_a_pause_outlives_the_orchestrator() -> None:
    floor = reading()
    floor.turn(pause(at_once=True))
    floor.turn(ev.OrchestratorStarted(at=20.0, epoch=9))
    for name in ("handler", "reader"):
        floor.turn(online(name, 21.0))
    assert kinds(floor.turn(SETTLED)) == ["Wait"]
    assert floor.engine.view().paused == "paused by ada: lunch"


def test_a_stop_that_went_past_us_is_not_forgotten() -> None:
    stopped = replace(online("handler"), stopped="the lab was stopped by eve")
    for what in ("", "handler"):
        floor = Floor(Engine(SCRIPT), seed=0)
        for event in (started(campaign(), SCRIPT), stopped, online("reader")):
            floor.turn(event)
        assert kinds(floor.turn(arrive(0.5))) == ["AcceptSuggestion"]
        (wait,) = floor.engine.view().waits
        assert "it was stopped: the lab was stopped by eve" in wait.why
        assert floor.engine.objection(resume(what)) == ""
        assert kinds(floor.turn(resume(what))) == ["Release", "BeginRun", "Perform"]


def test_old_word_of_a_stop_that_we_have_ended_since_stops_nothing() -> None:
    floor, _ = at_work()
    floor.turn(abort("handler"))
    floor.turn(failed(5.5, CID, "during", "driver"))
    assert "Release" in kinds(floor.turn(safe("handler")))
    late = replace(online("handler", 7.0), stopped="you said so", stops=("dye/halt-1",))
    again = do.Release(instrument="handler", lifts=("dye/halt-1",))
    assert again in floor.turn(late)  # or it never heard that it was released
    assert state_of(floor, "handler") == "idle"
    floor.turn(ev.InstrumentLost(at=8.0, instrument="handler", reason="cable"))
    assert again in floor.turn(replace(late, at=9.0))
    assert state_of(floor, "handler") == "idle"


def test_what_a_node_said_while_it_was_stopped_holds_nothing_whenever_it_comes() -> None:
    """As where births of the time before a resume were held up on the way (seed 11470 of old)."""
    stops = ("panel/1", "dye/halt-1")
    born = replace(online("handler", 7.0), stopped="the lab was stopped", stops=stops)
    words: tuple[ev.Event, ...] = (
        born,
        resume(at=7.0),
        safe("handler", 7.0),
        safe("handler", 7.0, halt="panel/1"),
        failed(7.0, CID, "before_start", "lab"),
    )
    for order in permutations(words):
        floor, _ = at_work()
        floor.turn(ev.LabStopRequested(at=5.0, by="ada", order="panel/1"))
        floor.turn(safe("reader", 6.0, halt="dye/halt-2"))
        out = [command for word in order for command in floor.turn(word)]
        lifted = [c for c in out if isinstance(c, do.Release) and c.instrument == "handler"]
        assert lifted[-1:] == [do.Release(instrument="handler", lifts=stops)], order
        for late in (replace(born, at=8.0), safe("handler", 8.0, halt="panel/1")):
            floor.turn(late)
            assert state_of(floor, "handler") == "busy", order
        floor.turn(online("handler", 9.0))
        assert state_of(floor, "handler") == "busy", order
        assert floor.engine.objection(resume("handler")) == "handler is neither paused nor held"


def test_a_stop_that_we_have_not_lifted_holds_the_instrument_however_it_is_heard_of() -> None:
    past = replace(online("handler", 7.0), stopped="fire", stops=("dye/halt-1", "panel/1"))
    words: list[tuple[ev.Event, tuple[str, ...]]] = [
        (past, ("panel/1",)),
        (replace(past, stops=()), ()),
        (safe("handler", 7.0, halt="panel/1"), ("panel/1",)),
    ]
    for word, lifts in words:
        floor, _ = at_work()
        floor.turn(abort("handler"))
        floor.turn(failed(5.5, CID, "during", "driver"))
        released = do.Release(instrument="handler", lifts=("dye/halt-1",))
        assert released in floor.turn(safe("handler"))
        assert "Release" not in kinds(floor.turn(word))
        assert state_of(floor, "handler") == "held"
        assert floor.engine.objection(resume("handler")) == ""
        (lifted,) = [c for c in floor.turn(resume("handler")) if isinstance(c, do.Release)]
        assert lifted.lifts == lifts
        assert state_of(floor, "handler") == "idle"
        assert floor.engine.view().questions == ()


def test_a_node_that_is_told_to_stop_is_not_told_anew_at_each_word_of_it() -> None:
    floor, _ = at_work()
    floor.turn(abort("handler"))
    heard = replace(online("handler", 6.0), stopped="you said so", stops=("dye/halt-1",))
    for word in (online("handler", 5.5), heard):
        assert "Halt" not in kinds(floor.turn(word))
    floor.turn(ev.InstrumentLost(at=8.0, instrument="handler", reason="cable"))
    assert kinds(floor.turn(replace(heard, at=9.0)))[:2] == ["Halt", "Greet"]


def test_the_order_that_stopped_the_whole_lab_is_lifted_with_ours() -> None:
    floor, _ = at_work()
    floor.turn(ev.LabStopRequested(at=5.0, by="ada", order="panel/1"))
    floor.turn(failed(5.5, CID, "before_start", "lab"))
    for n, name in enumerate(("handler", "reader"), start=1):
        floor.turn(safe(name, 6.0, halt="panel/1"))
        floor.turn(safe(name, 6.5, halt=f"dye/halt-{n}"))
    released = [c for c in floor.turn(resume()) if isinstance(c, do.Release)]
    assert [r.lifts for r in released] == [("panel/1", "dye/halt-1"), ("panel/1", "dye/halt-2")]
    floor.turn(safe("reader", 91.0, halt="panel/1"))  # told once more
    assert state_of(floor, "reader") == "idle"


def test_a_release_that_got_lost_is_repeated_and_costs_no_run() -> None:
    floor, _ = at_work(parallel=1)
    floor.turn(ev.LabStopRequested(at=5.0, by="ada"))
    floor.turn(failed(5.5, CID, "before_start", "lab"))
    floor.turn(safe("handler", 6.0))
    floor.turn(safe("reader", 6.0, halt="dye/halt-2"))
    again = do.Release(instrument="handler", lifts=("dye/halt-1",))
    out = floor.turn(resume(at=9.0))
    assert again in out
    for attempt in range(2, 5):  # it is still stopped, and says so
        (perform,) = [c for c in out if isinstance(c, do.Perform)]
        assert perform.attempt == attempt
        at = 10.0 * attempt
        out = floor.turn(failed(at, perform.cid, "before_start", "lab"))
        timer = f"{perform.step}/again-{attempt}"
        assert out == [again, do.Wait(timer=timer, until=at + 5.0)]
        out = floor.turn(ev.TimerFired(at=at + 5.0, timer=timer))
    (perform,) = [c for c in out if isinstance(c, do.Perform)]
    floor.turn(ev.CommandStarted(at=60.0, cid=perform.cid))
    assert kinds(floor.turn(done(perform.cid, 61.0))) == ["Wait"]


def test_a_node_that_obeys_again_is_believed_when_it_refuses() -> None:
    floor, _ = at_work(parallel=1)
    floor.turn(ev.LabStopRequested(at=5.0, by="ada"))
    floor.turn(failed(5.5, CID, "before_start", "lab"))
    floor.turn(safe("handler", 6.0))
    floor.turn(safe("reader", 6.0, halt="dye/halt-2"))
    (perform,) = [c for c in floor.turn(resume(at=9.0)) if isinstance(c, do.Perform)]
    floor.turn(online("handler", 9.5))
    out = floor.turn(failed(10.0, perform.cid, "before_start", "lab"))
    assert "Release" not in kinds(out)
