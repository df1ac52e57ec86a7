"""The books of open steps: they fit the runs, and whoever waits in vain is asked about once."""

from __future__ import annotations

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.errors import Bug
from sdl.model.policy import Rule
from tests.core.cell import cell
from tests.core.dye import at_work
from tests.core.test_transport import at_cell, start, until


def test_books_that_do_not_fit_the_runs_are_found_out() -> None:
    floor, _ = at_work()
    floor.engine.commons.steps.at_work.clear()
    floor.engine.commons.steps.waiting["handler"].clear()
    with pytest.raises(Bug, match="of open steps does not fit the runs"):
        floor.watch.see(floor.engine, ev.CommandUnheard(at=floor.at, cid="x"), [])


def test_a_plate_that_is_not_where_it_is_booked_is_found_out() -> None:
    floor = start(at_cell(1, cell(2)))
    floor.engine.commons.steps.pieces_at["hotel"].clear()
    with pytest.raises(Bug, match="pieces_at of open steps"):
        floor.watch.see(floor.engine, ev.CommandUnheard(at=floor.at, cid="x"), [])


def test_a_person_is_asked_once_about_a_step_whose_plate_is_lost() -> None:
    ask = Rule(then="ask", on=("refused",))
    floor = start(at_cell(2, cell(1, reaches={})), policy=(ask,))
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    engine, at = floor.engine, floor.at
    (carry,) = engine.lab.carries
    engine.handle(ev.CarryDone(at=at, carry=carry, by="ada", done=False, note="broken"))
    (question,) = engine.lab_view().questions
    assert "it: broken" in question.reason
    engine.handle(ev.LabwarePlaced(at=at, labware="plate-1", site="hotel/1", by="ada"))
    assert not engine.lab.carries, "nobody brings it while a person is asked"
    verdict = ev.StepResolved(
        at=at, step=question.step, verdict="did_not_happen", by="ada", note=""
    )
    assert [one for one in engine.handle(verdict) if isinstance(one, do.BeginCarry)]


def test_a_step_that_rests_after_its_plate_was_lost_does_not_begin_before_its_time() -> None:
    retry = Rule(then="retry", on=("refused",), times=3, wait_s=100.0)
    floor = start(at_cell(3, cell(1, reaches={})), policy=(retry,))
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    (carry,) = floor.engine.lab.carries
    floor.turn(ev.CarryDone(at=floor.at, carry=carry, by="ada", done=False, note="broken"))
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="handler/1", by="ada"))
    begun = floor.at
    until(floor, lambda: floor.commands(do.Perform))
    assert floor.at == pytest.approx(begun + 100.0)
