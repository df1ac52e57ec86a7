"""Where labware was left is held against the lab's file when work begins again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.model.campaign import StopRule
from sdl.model.lab import Lab
from sdl.shell.left_standing import doubts
from sdl.shell.opening import new
from sdl.shell.record import Record
from sdl.shell.sessions import new_session
from sdl.wire.journal import Chain
from tests.core.cell import cell, cell_campaign, cell_script
from tests.core.floor import Floor
from tests.core.test_transport import at_cell, start, until

CELL = cell(2, hotel=1)


def kept(url: str, floor: Floor) -> Record:
    """The journal of a floor on record, as far as it got."""
    chain, at = Chain(floor.engine.name), 0.0
    lines = []
    for value in floor.journal:
        at = value.at if isinstance(value, ev.EVENTS) else at  # type: ignore[union-attr]
        lines.append(chain.add(value, at))
    record = Record.open(url)
    record.append(lines)
    return record


def left(url: str, *, ends: bool = True, there: Lab = CELL) -> Record:
    """The cell after one run, or in the middle of the first carry."""
    floor = at_cell(1, there)
    if ends:
        floor.play(cell_campaign(range(1, 3), stop=StopRule(runs=1)))
    else:
        until(start(floor), lambda: floor.engine.lab.carries)
    return kept(url, floor)


def moved(**sites: str) -> Lab:
    """The cell as its file has labware stand today."""
    ats = {name.replace("_", "-"): site for name, site in sites.items()}
    return replace(
        CELL, labware=tuple(replace(one, at=ats.get(one.name, one.at)) for one in CELL.labware)
    )


def told(record: Record, lab: Lab) -> list[tuple[str, str, str]]:
    try:
        return [(one.labware, one.site, one.reason) for one in doubts(record, lab, 5.0)]
    finally:
        record.close()


def test_what_stands_where_it_was_left_is_believed(url: str) -> None:
    assert told(left(url), CELL) == []


def test_what_the_file_has_stand_elsewhere_is_doubted(url: str) -> None:
    assert told(left(url), moved(plate_2="hotel/3")) == [
        ("plate-2", "hotel/2", "it stood on hotel/2 when dye ended, and lab.toml has it on hotel/3")
    ]


def test_what_was_on_its_way_when_the_last_session_was_left_is_doubted(url: str) -> None:
    way = "it was on its way from hotel/1 to handler/1 when dye ended"
    assert told(left(url, ends=False), CELL) == [
        ("plate-1", "hotel/1", f"{way}, and lab.toml has it on hotel/1")
    ]


def test_what_nobody_knew_the_place_of_is_doubted(url: str) -> None:
    floor = start(at_cell(2, CELL))
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    lost = "it was not to be had (ada took it off the bench) when dye ended"
    assert told(kept(url, floor), CELL) == [
        ("plate-1", "", f"{lost}, and lab.toml has it on hotel/1")
    ]


@pytest.mark.parametrize("change", ["another lab", "all simulated", "no record of it"])
def test_nothing_is_doubted_where_nothing_is_known(url: str, change: str) -> None:
    today = moved(plate_2="hotel/3")
    match change:
        case "another lab":
            assert told(left(url), replace(today, name="other")) == []
        case "all simulated":
            machines = tuple(replace(one, simulated=True) for one in today.instruments)
            assert told(left(url), replace(today, instruments=machines)) == []
        case _:
            assert told(Record.open(url), today) == []


def test_a_doubt_stands_in_the_first_lines_and_on_record(url: str) -> None:
    record = left(url)
    found = doubts(record, moved(plate_2="hotel/3"), 5.0)
    script, spec = cell_script(), cell_campaign(range(1, 3))
    opened = new(script, spec, CELL, at=5.0, clock="wall", speed=1.0, before=found)
    session = new_session(script, CELL, "cell-lab", at=5.0, clock="wall", speed=1.0, before=found)
    for opening in (opened, session):
        commands = [each for event in opening.first for each in opening.engine.handle(event)]
        assert [one.lost for one in commands if isinstance(one, do.EndCarry)] == [found[0].reason]
        assert opening.engine.lab_view().astray[0].labware == "plate-2"
    record.close()
