"""What is said of labware that has not come: a place that is not known is not told as a fact."""

from __future__ import annotations

from sdl.core import events as ev
from sdl.core.bringing import not_come
from sdl.model.campaign import StopRule
from tests.core.cell import ONE_WELL, Cell, cell
from tests.core.test_people_carry import why
from tests.core.test_transport import at_cell, start, unknown_carry, until

LAST = "last known on hotel/1, on its way to handler/1; look for it, then say"


def test_what_an_arm_had_in_hand_may_be_anywhere_until_a_person_says_what_became_of_it() -> None:
    floor, step = unknown_carry(6)
    assert why(floor, "dye/run-1/step-1") == (
        "dispense on handler waits: for plate-1, and where that is, is not known for sure: nobody "
        f"knows how far arm has carried it; {LAST} what became of it: sdl resolve"
    )
    floor.turn(ev.StepResolved(at=floor.at, step=step, verdict="happened", by="ada", attempt=1))
    assert "known for sure" not in str(floor.engine.view().waits)


def in_the_way(seed: int) -> Cell:
    """The first plate was not carried; of the second, all that could be is said to be there."""
    floor = start(
        at_cell(seed, cell(2, reaches={}, kind=ONE_WELL)), parallel=2, stop=StopRule(runs=2)
    )
    floor.patience = False
    until(floor, lambda: len(floor.engine.state.runs) == 2 and floor.engine.lab.carries)
    return floor


def test_what_is_astray_may_be_where_it_was_last_and_is_not_said_to_stand_there() -> None:
    floor = in_the_way(5)
    floor.turn(ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada"))
    floor.turn(
        ev.LabwareDoubted(at=floor.at, labware="plate-1", site="hotel/1", reason="it may have left")
    )
    assert why(floor, "dye/run-2/step-1").endswith(
        "no site of handler is free: plate-1 may be on handler/1, which is not known for sure (it "
        "may have left; last known on hotel/1, on its way to handler/1; look for it, then say "
        "where it is: sdl place plate-1 SITE)"
    )


def test_who_waits_for_a_plate_that_is_astray_hears_what_to_do() -> None:
    floor = in_the_way(5)
    lab, piece = floor.engine.lab, floor.engine.lab.pieces["plate-2"]
    piece.lost = "somebody had it"
    assert not_come(piece, lab, floor.at, "") == (
        "for plate-2, and where that is, is not known for sure: somebody had it; last known on "
        "hotel/2; look for it, then say where it is: sdl place plate-2 SITE"
    )
    piece.site = ""
    assert not_come(piece, lab, floor.at, "") == (
        "plate-2 is not to be had (somebody had it); say where it is: sdl place plate-2 SITE"
    )
