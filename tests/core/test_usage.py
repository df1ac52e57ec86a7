"""What instruments spend their time on is accounted for, to the second, whatever happens.

That every second is accounted for, and goes on what an instrument does, is an invariant: it is
checked after each event of every test of the engine, and in simulations with faults.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.usage import Account, Usage
from sdl.errors import RecordMismatch
from tests.core.dye import SCRIPT, Place, at_work
from tests.core.floor import Floor, Start, campaign, failed, online
from tests.core.test_many import played, spec

CID = "dye/run-1/step-1/try-1"


def used(floor: Floor, name: str = "handler") -> Usage:
    (found,) = [one for one in floor.engine.lab.usage(floor.engine.at) if one.instrument == name]
    return found


def test_an_instrument_is_offline_then_idle_then_busy() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandDone(at=11.0, cid=CID, result=None, duration_s=10.0))
    floor.turn(ev.TimerFired(at=41.0, timer="dye/run-1/step-2/settle"))
    handler, reader = used(floor), used(floor, "reader")
    assert (handler.busy_s, handler.idle_s, handler.offline_s) == (10.0, 30.0 + 1.0, 0.0)
    assert (reader.busy_s, reader.idle_s) == (0.0, 41.0)
    assert handler.share("busy") == pytest.approx(10.0 / 41.0)


def test_a_pause_with_nothing_under_way_is_no_idleness() -> None:
    floor, _ = at_work()
    floor.turn(ev.PauseRequested(at=5.0, what="reader", by="ada"))
    floor.turn(ev.ResumeRequested(at=25.0, what="reader", by="ada"))
    floor.turn(ev.PauseRequested(at=30.0, what="", by="ada"))
    floor.turn(ev.CommandDone(at=40.0, cid=CID, result=None, duration_s=39.0))
    floor.turn(ev.ResumeRequested(at=60.0, what="", by="ada"))
    assert (used(floor, "reader").paused_s, used(floor).paused_s) == (50.0, 20.0)
    assert used(floor).busy_s == 39.0


def test_an_answer_that_is_waited_for_is_time_at_a_person() -> None:
    floor, _ = at_work(Place(simulated=False))
    floor.turn(ev.CommandUnknown(at=10.0, cid=CID, reason="it was cut off"))
    floor.turn(ev.StepResolved(at=110.0, step="dye/run-1/step-1", verdict="discard", by="ada"))
    assert (used(floor).busy_s, used(floor).person_s) == (9.0, 100.0)


def test_a_stop_lasts_until_the_release() -> None:
    floor, _ = at_work()
    floor.turn(ev.LabStopRequested(at=10.0, by="ada"))
    floor.turn(failed(11.0, CID, "during", "driver"))
    for name, halt in (("handler", "dye/halt-1"), ("reader", "dye/halt-2")):
        floor.turn(
            ev.InstrumentMadeSafe(at=12.0, instrument=name, boot="boot-1", safe=True, halt=halt)
        )
    floor.turn(ev.ResumeRequested(at=50.0, what="", by="ada"))
    assert (used(floor).stopped_s, used(floor, "reader").stopped_s) == (39.0, 40.0)


def test_while_nobody_leads_the_lab_its_instruments_are_taken_for_offline() -> None:
    floor, _ = at_work()
    floor.turn(ev.CommandDone(at=11.0, cid=CID, result=None, duration_s=10.0))
    floor.turn(ev.OrchestratorStarted(at=1011.0, epoch=2))
    floor.turn(online("handler", at=1012.0, boot="boot-2"))
    assert (used(floor).offline_s, used(floor).busy_s, used(floor).idle_s) == (1001.0, 10.0, 1.0)


def test_the_end_of_a_campaign_tells_it_and_a_session_does_for_all_of_its_time() -> None:
    floor = played(11, Start(spec=spec("a"), at=0.0), Start(spec=spec("b"), at=300.0))
    ends = {one.campaign: one.usage for one in floor.journal if isinstance(one, do.Conclude)}
    (closed,) = [one for one in floor.journal if isinstance(one, do.CloseLab)]
    (b,) = [one for one in ends["b"] if one.instrument == "handler"]
    (whole,) = [one for one in closed.usage if one.instrument == "handler"]
    assert (b.begin, whole.begin) == (300.0, 0.0), "seed 11"
    for one in (b, whole):
        assert sum(one.by_activity.values()) == pytest.approx(one.end - one.begin), "seed 11"
    assert 0.0 < b.busy_s < whole.busy_s, "seed 11"


def test_a_journal_of_before_there_were_accounts_is_still_followed() -> None:
    journal = Floor(Engine(SCRIPT), seed=12).play(campaign()).journal
    older = [replace(one, usage=()) if isinstance(one, do.Conclude) else one for one in journal]
    assert older != journal
    assert fold(SCRIPT, older).state_sha256() == fold(SCRIPT, journal).state_sha256()
    end = journal[-1]
    assert isinstance(end, do.Conclude)
    other = replace(end, usage=(replace(end.usage[0], busy_s=1e6), *end.usage[1:]))
    with pytest.raises(RecordMismatch):
        fold(SCRIPT, [*journal[:-1], other])


def test_time_that_runs_backwards_takes_nothing_away() -> None:
    account = Account(begin=10.0, since=10.0, doing="busy")
    account.turn("idle", 20.0)
    account.turn("busy", 15.0)
    account.turn("idle", 21.0)
    usage = account.until("handler", 12.0)
    assert (usage.busy_s, usage.idle_s, usage.end) == (11.0, 0.0, 21.0)
