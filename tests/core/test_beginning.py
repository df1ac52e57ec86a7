"""Many runs begin a few at a time: nobody else waits until the last of them has begun."""

from __future__ import annotations

import json

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.beginning import IN_A_TURN
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.model.campaign import StopRule
from sdl.wire.journal import dump, load
from tests.core.cell import cell
from tests.core.dye import SCRIPT, kinds
from tests.core.floor import Floor, campaign, online
from tests.core.test_snapshot import turns
from tests.core.test_transport import at_cell, start, until

RUNS = 3 * IN_A_TURN + 1
SPEC = campaign(stop=StopRule(runs=RUNS), parallel=RUNS)


def as_before(event: ev.Event) -> ev.Event:
    """As it was written before a head said how many runs begin within one turn."""
    if not isinstance(event, ev.CampaignStarted):
        return event
    body = json.loads(dump(event))
    del body["origin"]["runs_in_a_turn"]
    head = load("CampaignStarted", json.dumps(body))
    assert isinstance(head, ev.CampaignStarted)
    return head


def begun_by_turn(floor: Floor) -> list[int]:
    """How many runs began in each turn in which some did."""
    counts = (
        sum(isinstance(line, do.BeginRun) for line in commands)
        for _, commands in turns(floor.journal)
    )
    return [count for count in counts if count]


def test_a_turn_begins_a_few_runs_and_the_rest_begin_at_the_same_moment() -> None:
    floor = Floor(Engine(SCRIPT), seed=1).play(SPEC)
    assert begun_by_turn(floor) == [IN_A_TURN] * 3 + [1]
    began = {line.at for line in floor.journal if isinstance(line, ev.SuggestionsArrived)}
    more = [line for line in floor.journal if isinstance(line, ev.TimerFired)]
    assert {line.at for line in more if line.timer == "dye/more"} == began
    assert floor.engine.state.ended == RUNS


def test_in_a_journal_of_before_all_begin_in_one_turn() -> None:
    whole = Floor(Engine(SCRIPT), seed=1).play(SPEC)
    engine = Engine(SCRIPT)
    out: list[do.Command] = []
    for event, _ in turns(whole.journal):
        out = list(engine.handle(as_before(event)))
        if engine.state.runs:
            break
    assert sum(isinstance(line, do.BeginRun) for line in out) == RUNS
    assert not any(isinstance(line, do.Wait) and "more" in line.timer for line in out)


def test_nothing_is_carried_before_the_last_of_them_has_begun() -> None:
    runs = IN_A_TURN + 2
    whole = at_cell(1, cell(runs))
    start(whole, stop=StopRule(runs=runs), parallel=runs)
    until(whole, lambda: whole.engine.lab.carries)
    begun, carries = zip(
        *(
            (kinds(out).count("BeginRun"), kinds(out).count("BeginCarry"))
            for _, out in turns(whole.journal)
            if "BeginRun" in kinds(out)
        ),
        strict=True,
    )
    assert (begun, carries) == ((IN_A_TURN, 2), (0, 1))

    before = Engine(whole.engine.scripts)
    out: list[do.Command] = []
    for event, _ in turns(whole.journal):
        out = list(before.handle(as_before(event)))
        if before.state.runs:
            break
    assert (kinds(out).count("BeginRun"), kinds(out).count("BeginCarry")) == (runs, 1)


def test_runs_that_are_few_begin_without_a_timer() -> None:
    few = campaign(stop=StopRule(runs=IN_A_TURN), parallel=IN_A_TURN)
    floor = Floor(Engine(SCRIPT), seed=2).play(few)
    assert begun_by_turn(floor) == [IN_A_TURN]
    assert not any(isinstance(line, do.Wait) and "more" in line.timer for line in floor.journal)


def test_the_rest_begins_after_a_restart_too() -> None:
    whole = Floor(Engine(SCRIPT), seed=3).play(SPEC)
    engine = Engine(SCRIPT)
    for event, _ in turns(whole.journal):
        engine.handle(event)
        if engine.state.runs:
            break
    assert len(engine.state.runs) == IN_A_TURN
    engine.handle(ev.OrchestratorStarted(at=engine.at, epoch=2))
    engine.handle(online("handler", engine.at))
    out = engine.handle(online("reader", engine.at))
    assert sum(isinstance(line, do.BeginRun) for line in out) == IN_A_TURN
    assert do.Wait(timer="dye/more", until=engine.at) in out


def test_a_journal_of_many_beginnings_is_folded_exactly() -> None:
    floor = Floor(Engine(SCRIPT), seed=5).play(SPEC)
    assert fold(SCRIPT, floor.journal).state_sha256() == floor.engine.state_sha256()
