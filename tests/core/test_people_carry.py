"""What waits for a person's hands: said, waited for, and withdrawn once nobody needs it."""

from __future__ import annotations

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.model.campaign import StopRule
from tests.core.cell import Cell, cell
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


def test_a_campaign_whose_only_plate_was_taken_off_the_bench_ends() -> None:
    floor = asked(2)
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    until(floor, lambda: floor.engine.state.concluded)
    (end,) = [each for each in floor.journal if isinstance(each, do.Conclude)]
    assert end.ending == "material"
    assert end.reason.endswith("plate-1 is not to be had: ada took it off the bench")
