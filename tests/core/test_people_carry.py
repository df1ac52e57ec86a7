"""What waits for a person's hands: said, waited for, and withdrawn once nobody needs it."""

from __future__ import annotations

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.errands import GRACE_S
from sdl.core.replay import fold
from sdl.model.campaign import StopRule
from tests.core.cell import ONE_WELL, Cell, cell, cell_campaign
from tests.core.floor import Start
from tests.core.test_transport import at_cell, ends, start, until


def asked(seed: int, plates: int = 1, **changes: object) -> Cell:
    """A person was asked to carry the first plate, and does nothing of the kind."""
    floor = start(at_cell(seed, cell(plates, reaches={})), **changes)
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    return floor


def why(floor: Cell, who: str) -> str:
    return {one.who: one.why for one in floor.engine.view().waits}[who]


def test_a_campaign_whose_only_plate_is_astray_waits_until_a_person_says_where_it_is() -> None:
    floor = asked(1, stop=StopRule(runs=2, failures=9))
    floor.turn(ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada", done=False, note="gone"))
    assert [each.outcome for each in ends(floor)] == ["failed"]
    until(floor, lambda: floor.engine.state.ready)
    assert floor.engine.state.closing is None
    assert why(floor, "dye/run-2") == (
        "waits for plate-1: ada did not carry it: gone; say where it is: sdl place plate-1 SITE"
    )
    assert [one.astray for one in floor.engine.lab_view().labware] == [True]
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="handler/1", by="ada"))
    assert "dye/run-2" in floor.engine.state.runs


def test_a_step_whose_site_is_taken_says_by_what_and_which_carry_frees_it() -> None:
    there = cell(2, reaches={}, kind=ONE_WELL)
    floor = start(at_cell(5, there), parallel=2, stop=StopRule(runs=2))
    floor.patience = False
    until(floor, lambda: len(floor.engine.state.runs) == 2 and floor.engine.lab.carries)
    assert why(floor, "dye/run-2/step-1") == (
        "dispense on handler waits: for plate-2, which stands on hotel/2; no site of handler is "
        "free: plate-1 on handler/1 (carry plate-1 from hotel/1 to handler/1, then: sdl done "
        "carry-1)"
    )


def test_a_campaign_whose_only_plate_was_taken_off_the_bench_ends() -> None:
    floor = asked(2)
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    until(floor, lambda: floor.engine.state.concluded)
    (end,) = [each for each in floor.journal if isinstance(each, do.Conclude)]
    assert end.ending == "material"
    assert end.reason.endswith("plate-1 is not to be had: ada took it off the bench")


def withdrawn(seed: int) -> Cell:
    """The only run was broken off while a person was asked to carry its plate."""
    floor = asked(seed, stop=StopRule(runs=1))
    floor.turn(ev.AbortRequested(at=floor.at, what="dye/run-1", by="ada", note="no"))
    return floor


def carried_to(floor: Cell) -> list[str]:
    return [each.site for each in floor.journal if isinstance(each, do.EndCarry)]


def test_a_person_is_told_to_leave_what_nobody_needs_any_more() -> None:
    floor = asked(3, stop=StopRule(runs=1))
    (task,) = floor.engine.lab_view().carries
    assert task.asks == "carry plate-1 from hotel/1 to handler/1, then: sdl done carry-1"
    floor.turn(ev.AbortRequested(at=floor.at, what="dye/run-1", by="ada", note="no"))
    (task,) = floor.engine.lab_view().carries
    assert task.asks == (
        "do not carry plate-1 from hotel/1 to handler/1 any more, nobody needs it there; "
        "if you have already: sdl done carry-1"
    )
    assert task.withdrawn == floor.at + GRACE_S
    assert why(floor, "dye").endswith(f"once nothing is carried any more: {task.asks}")


def test_what_was_withdrawn_is_taken_to_have_stayed_after_a_while_and_then_all_ends() -> None:
    floor = withdrawn(4)
    aborted_at = floor.at
    until(floor, lambda: floor.engine.is_over)
    assert floor.at == aborted_at + GRACE_S
    assert carried_to(floor) == ["hotel/1"]
    assert floor.engine.lab.pieces["plate-1"].shown == "hotel/1"
    late = ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada")
    assert floor.engine.objection(late).startswith("dye has ended")


def test_who_had_taken_it_up_before_it_was_withdrawn_is_believed() -> None:
    floor = withdrawn(5)
    floor.turn(ev.CarryDone(at=floor.at + 60.0, carry="dye/carry-1", by="ada"))
    assert carried_to(floor) == ["handler/1"]
    assert floor.engine.is_over


def test_who_has_not_carried_what_was_withdrawn_has_lost_nothing() -> None:
    floor = withdrawn(6)
    floor.turn(ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada", done=False))
    assert carried_to(floor) == ["hotel/1"]
    assert floor.engine.lab.pieces["plate-1"].shown == "hotel/1"


def test_what_another_run_needs_in_the_same_place_is_wanted_again() -> None:
    floor = asked(7, stop=StopRule(runs=2))
    floor.turn(ev.AbortRequested(at=floor.at, what="dye/run-1", by="ada", note="no"))
    assert floor.engine.lab_view().carries[0].withdrawn is not None
    until(floor, lambda: "dye/run-2" in floor.engine.state.runs)
    assert floor.engine.lab_view().carries[0].withdrawn is None


def test_the_end_of_what_was_withdrawn_is_waited_for_by_the_next_process_too() -> None:
    floor = withdrawn(8)
    (state,) = floor.engine.lab.carries.values()
    commands = floor.turn(ev.OrchestratorStarted(at=floor.at, epoch=2))
    assert do.Wait(timer="dye/carry-1/withdrawn", until=state.withdrawn or 0.0) in commands


def test_a_session_closes_once_nobody_carries_anything_any_more() -> None:
    floor = at_cell(9, cell(1, reaches={}))
    floor.patience = False
    with pytest.raises(AssertionError, match="no end"):
        floor.play_lab(Start(spec=cell_campaign(range(1, 2), stop=StopRule(runs=1))), limit=0)
    until(floor, lambda: floor.engine.lab.carries)
    floor.turn(ev.LabDownRequested(at=floor.at, by="ada"))
    floor.turn(ev.AbortRequested(at=floor.at, what="dye/run-1", by="ada", note="no"))
    assert not floor.engine.is_over
    until(floor, lambda: floor.engine.is_over)
    assert carried_to(floor) == ["hotel/1"]


def test_a_plate_that_was_left_elsewhere_is_doubted_and_nothing_comes_to_either_site() -> None:
    floor = start(at_cell(10, cell(2, hotel=1)))
    floor.patience = False
    doubt = ev.LabwareDoubted(at=0.0, labware="plate-1", site="hotel/3", reason="it stood there")
    floor.turn(doubt)
    (one,) = floor.engine.lab_view().astray
    assert (one.labware, one.note, one.site) == ("plate-1", "it stood there", "")
    for site in ("hotel/1", "hotel/3"):
        taken = ev.LabwarePlaced(at=floor.at, labware="plate-2", site=site, by="ada")
        assert "may stand on" in floor.engine.objection(taken)
    until(floor, lambda: floor.engine.lab.carries)
    (carry,) = floor.engine.lab.carries.values()
    assert carry.piece == "plate-2", "all else goes on"
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="hotel/3", by="ada"))
    assert floor.engine.lab.pieces["plate-1"].shown == "hotel/3"
    fold(floor.engine.scripts, floor.journal)


def test_where_it_was_left_may_be_no_site_of_the_lab_any_more() -> None:
    floor = start(at_cell(11, cell(1)))
    floor.turn(
        ev.LabwareDoubted(at=0.0, labware="plate-1", site="attic/1", reason="it stood there")
    )
    piece = floor.engine.lab.pieces["plate-1"]
    assert (piece.stands, piece.leaves, piece.lost) == ("hotel/1", "", "it stood there")
    floor.turn(ev.LabwareDoubted(at=0.0, labware="plate-9", site="", reason="it was sold"))
