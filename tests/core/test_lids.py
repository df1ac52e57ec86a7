"""Lids come off where an action needs a plate open, and are on whenever it is carried."""

from __future__ import annotations

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.replay import fold
from sdl.model.campaign import StopRule
from tests.core.cell import ONE_WELL, Cell, cell, cell_campaign, lidded, quick_read, wash_assay
from tests.core.floor import Start
from tests.core.test_transport import (
    QUIET,
    REACHES,
    ROUGH,
    at_cell,
    carries,
    check_restored,
    ends,
    played,
    start,
    until,
)


def moves(floor: Cell) -> list[tuple[str, str, str]]:
    return [(each.labware, each.source, each.target) for each in carries(floor)]


def test_a_lid_comes_off_for_an_action_and_goes_on_before_its_plate_is_carried() -> None:
    floor = played(1, lidded(cell(1)), stop=StopRule(runs=1))
    assert moves(floor) == [
        ("plate-1", "hotel/1", "handler/1"),
        ("lid-1", "plate-1", "lids/1"),
        ("lid-1", "lids/1", "plate-1"),
        ("plate-1", "handler/1", "washer/1"),
        ("lid-1", "plate-1", "lids/1"),
        ("lid-1", "lids/1", "plate-1"),
        ("plate-1", "washer/1", "handler/1"),
        ("lid-1", "plate-1", "lids/1"),
        ("lid-1", "lids/1", "plate-1"),
        ("plate-1", "handler/1", "reader/1"),
        ("lid-1", "plate-1", "lids/1"),
        ("lid-1", "lids/1", "plate-1"),
        ("plate-1", "reader/1", "hotel/1"),
    ]
    assert floor.truth == {"plate-1": "hotel/1", "lid-1": "plate-1"}
    assert not floor.wrong
    assert [each.outcome for each in ends(floor)] == ["measured"]


def test_an_arm_is_told_the_sites_between_which_it_moves_a_lid() -> None:
    floor = played(1, lidded(cell(1)), stop=StopRule(runs=1))
    first = next(
        each
        for each in floor.journal
        if isinstance(each, do.Perform) and each.args.get("labware") == "lid-1"
    )
    assert (first.operation, first.instrument) == ("move", "arm")
    assert first.args == {"labware": "lid-1", "source": "handler/1", "target": "lids/1"}


def test_what_needs_the_plate_open_at_the_same_instrument_finds_it_open() -> None:
    floor = played(2, lidded(cell(1)), stop=StopRule(runs=6), parallel=6)
    opened = [each for each in carries(floor) if each.target == "lids/1"]
    visits = [each for each in carries(floor) if each.labware == "plate-1"]
    assert len(opened) <= len(visits)
    assert [each.outcome for each in ends(floor)] == ["measured"] * 6
    assert not floor.wrong


@pytest.mark.parametrize("who", REACHES)
@pytest.mark.parametrize("seed", range(4))
def test_many_lidded_plates_in_a_quiet_cell_are_all_measured(who: str, seed: int) -> None:
    there = lidded(cell(8, reaches=REACHES[who], kind=ONE_WELL))
    floor = played(seed, there, parallel=4, stop=StopRule(runs=8))
    assert [each.outcome for each in ends(floor)] == ["measured"] * 8, f"seed {seed}, {who}"
    assert not floor.wrong, f"seed {seed}, {who}: {floor.wrong}"


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**20),
    plates=st.integers(1, 4),
    who=st.sampled_from(sorted(REACHES)),
    rough=st.booleans(),
    function=st.sampled_from([wash_assay, quick_read]),
    every=st.integers(20, 80),
)
def test_whatever_happens_no_plate_is_carried_open_and_none_is_worked_on_closed(
    seed: int, plates: int, who: str, rough: bool, function: object, every: int
) -> None:
    note(f"seed {seed}")
    there = lidded(cell(plates, reaches=REACHES[who], kind=ONE_WELL))
    floor = at_cell(seed, there, ROUGH if rough else QUIET, function)
    stop = StopRule(runs=plates, failures=100)
    floor.play(cell_campaign(range(1, plates + 1), parallel=min(4, plates), stop=stop))
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"
    assert not floor.doubles(), f"seed {seed}"
    assert floor.engine.is_over, f"seed {seed}"
    check_restored(floor, every)


@pytest.mark.parametrize("seed", range(4))
def test_campaigns_share_a_cell_of_lidded_plates(seed: int) -> None:
    there = lidded(cell(6, kind=ONE_WELL))
    floor = at_cell(seed, there, ROUGH if seed % 2 else QUIET)
    stop = StopRule(runs=3, failures=100)
    floor.play_lab(
        *(
            Start(
                spec=cell_campaign(
                    range(3 * number + 1, 3 * number + 4), name=name, parallel=2, stop=stop
                ),
                at=20.0 * number,
            )
            for number, name in enumerate(("a", "b"))
        )
    )
    concluded = [each for each in floor.journal if isinstance(each, do.Conclude)]
    assert len(concluded) == 2, f"seed {seed}"
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"


def at_the_lid(seed: int) -> Cell:
    """A person is asked to take a lid off, and does nothing of the kind."""
    floor = start(at_cell(seed, lidded(cell(1, reaches={}))), stop=StopRule(runs=1))
    until(floor, lambda: any(one.lid for one in floor.engine.lab.carries.values()))
    floor.patience = False
    return floor


def test_where_no_arm_reaches_a_person_is_asked_and_the_step_says_for_what_it_waits() -> None:
    floor = at_the_lid(3)
    (task,) = floor.engine.lab_view().carries
    assert task.asks == "carry lid-1 from plate-1 to lids/1, then: sdl done carry-2"
    (wait,) = floor.engine.view().waits
    assert wait.why == f"dispense on handler waits: {task.asks}"
    shown = [(one.labware, one.site, one.note) for one in floor.engine.lab_view().labware]
    assert shown == [
        ("plate-1", "handler/1", "its lid is being moved"),
        ("lid-1", "", "on its way from plate-1 to lids/1"),
    ]


def test_a_person_may_say_where_a_lid_lies_instead() -> None:
    floor = at_the_lid(4)
    wrong = ev.LabwarePlaced(at=floor.at, labware="lid-1", site="hotel/1", by="ada")
    assert floor.engine.objection(wrong) == "lid-1 lies on plate-1 or on lids/1, not on 'hotel/1'"
    floor.truth["lid-1"] = "lids/1"
    out = floor.turn(ev.LabwarePlaced(at=floor.at, labware="lid-1", site="lids/1", by="ada"))
    (perform,) = [each for each in out if isinstance(each, do.Perform)]
    assert perform.operation == "dispense"
    assert floor.engine.lab_view().labware[1].site == "lids/1"


def test_a_step_whose_lid_is_not_to_be_had_waits_and_says_so() -> None:
    floor = at_the_lid(5)
    (task,) = floor.engine.lab_view().carries
    floor.turn(ev.CarryDone(at=floor.at, carry=task.carry, by="ada", done=False, note="stuck"))
    (wait,) = floor.engine.view().waits
    assert wait.why == (
        "dispense on handler waits: lid-1 is not to be had (ada did not carry it: stuck); say "
        "where it is: sdl place lid-1 SITE"
    )
    assert [one.astray for one in floor.engine.lab_view().labware] == [False, True]
    floor.truth["lid-1"] = "lids/1"
    out = floor.turn(ev.LabwarePlaced(at=floor.at, labware="lid-1", site="lids/1", by="ada"))
    assert any(isinstance(each, do.Perform) for each in out)
    again_ = fold(floor.engine.scripts, floor.journal)
    assert again_.state_sha256() == floor.engine.state_sha256()
