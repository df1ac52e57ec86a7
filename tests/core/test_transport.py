"""Plates come to the instruments that need them, and back; whatever happens on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.replay import fold
from sdl.core.whereabouts import Whereabouts
from sdl.errors import Bug
from sdl.model.campaign import StopRule
from sdl.model.lab import Lab, place_of
from tests.core.cell import (
    ONE_WELL,
    Cell,
    cell,
    cell_campaign,
    cell_script,
    long_stay,
    quick_read,
    wash_assay,
)
from tests.core.floor import Chances, Start
from tests.core.test_snapshot import again, turns

ROUGH = Chances(
    fail=0.03, refuse=0.03, unknown=0.05, lose=0.05, repeat=0.05, absent=0.2, incidents=6
)
QUIET = Chances()
REACHES: dict[str, dict[str, tuple[str, ...]] | None] = {
    "one arm": None,
    "two arms": {
        "arm": ("handler", "reader", "hotel"),
        "arm-2": ("washer", "hotel", "reader"),
    },
    "an arm and a person": {"arm": ("handler", "reader", "hotel")},
    "a person": {},
}


def at_cell(seed: int, there: Lab, odds: Chances = QUIET, function: object = wash_assay) -> Cell:
    return Cell(
        Engine(cell_script(function)),
        seed=seed,
        chances=odds,
        simulated=False,
        clock="wall",
        there=there,
    )


def played(seed: int, there: Lab, odds: Chances = QUIET, **changes: object) -> Cell:
    floor = at_cell(seed, there, odds)
    floor.play(cell_campaign(range(1, len(there.labware) + 1), **changes))
    return floor


def carries(floor: Cell) -> list[do.BeginCarry]:
    return [each for each in floor.journal if isinstance(each, do.BeginCarry)]


def ends(floor: Cell) -> list[do.EndRun]:
    return [each for each in floor.journal if isinstance(each, do.EndRun)]


def until(floor: Cell, holds: Callable[[], object], limit: int = 2000) -> None:
    """Go on until something holds."""
    for _ in range(limit):
        if holds():
            return
        floor.step()
    raise AssertionError(f"seed {floor.seed}: it never came to that")


def begun(floor: Cell, **changes: object) -> Cell:
    """With its campaign begun and nodes on their way, but nothing done yet."""
    floor.play(cell_campaign(range(1, len(floor.there.labware) + 1), **changes), limit=0)  # type: ignore[union-attr]
    return floor


def start(floor: Cell, **changes: object) -> Cell:
    """Begin to play, and stop before the first event."""
    with pytest.raises(AssertionError, match="no end"):
        begun(floor, **changes)
    return floor


def check_restored(floor: Cell, every: int) -> None:
    """Told again, its journal gives the same, and so it does if the engine is restored at times."""
    seed = floor.seed
    whole, often = Engine(floor.engine.scripts), Engine(floor.engine.scripts)
    for number, (event, commands) in enumerate(turns(floor.journal)):
        assert whole.handle(event) == commands, f"seed {seed}, turn {number}"
        assert often.handle(event) == commands, f"seed {seed}, turn {number}, restored each {every}"
        if number % every == 0:
            often = again(often)
            assert often.state_sha256() == whole.state_sha256(), f"seed {seed}, turn {number}"


def test_a_plate_is_brought_to_each_instrument_and_put_away_at_the_end() -> None:
    floor = played(1, cell(1))
    moves = [(each.source, each.target) for each in carries(floor)]
    assert moves[:4] == [
        ("hotel/1", "handler/1"),
        ("handler/1", "washer/1"),
        ("washer/1", "handler/1"),
        ("handler/1", "reader/1"),
    ]
    assert moves[-1] == ("reader/1", "hotel/1")
    assert floor.truth == {"plate-1": "hotel/1"}
    assert not floor.wrong
    assert [each.outcome for each in ends(floor)] == ["measured"] * 6


def test_each_carry_names_the_step_for_whose_sake_it_is() -> None:
    floor = played(2, cell(1), stop=StopRule(runs=1))
    assert [each.step for each in carries(floor)] == [
        "dye/run-1/step-1",
        "dye/run-1/step-3",
        "dye/run-1/step-4",
        "dye/run-1/step-5",
        "",
    ]


@pytest.mark.parametrize("who", REACHES)
@pytest.mark.parametrize("seed", range(6))
def test_many_plates_in_a_quiet_cell_are_all_measured(who: str, seed: int) -> None:
    there = cell(12, reaches=REACHES[who], kind=ONE_WELL)
    floor = played(seed, there, parallel=4, stop=StopRule(runs=12))
    assert len({each.labware for each in carries(floor)}) == 12, f"seed {seed}, {who}"
    assert [each.outcome for each in ends(floor)] == ["measured"] * 12, f"seed {seed}, {who}"
    assert not floor.wrong, f"seed {seed}, {who}: {floor.wrong}"


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**20),
    plates=st.integers(1, 8),
    who=st.sampled_from(sorted(REACHES)),
    rough=st.booleans(),
    function=st.sampled_from([wash_assay, quick_read]),
    every=st.integers(5, 60),
)
def test_whatever_happens_nothing_collides_and_every_campaign_ends(
    seed: int, plates: int, who: str, rough: bool, function: object, every: int
) -> None:
    note(f"seed {seed}")
    there = cell(plates, reaches=REACHES[who], kind=ONE_WELL)
    floor = at_cell(seed, there, ROUGH if rough else QUIET, function)
    stop = StopRule(runs=plates, failures=100)
    floor.play(cell_campaign(range(1, plates + 1), parallel=min(4, plates), stop=stop))
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"
    assert not floor.doubles(), f"seed {seed}"
    assert floor.engine.is_over, f"seed {seed}"
    check_restored(floor, every)


@pytest.mark.parametrize("seed", range(8))
def test_three_campaigns_share_a_cell_of_one_site_each(seed: int) -> None:
    floor = at_cell(seed, cell(12, kind=ONE_WELL), ROUGH if seed % 2 else QUIET)
    stop = StopRule(runs=4, failures=100)
    floor.play_lab(
        *(
            Start(
                spec=cell_campaign(
                    range(4 * number + 1, 4 * number + 5), name=name, parallel=2, stop=stop
                ),
                at=20.0 * number,
            )
            for number, name in enumerate(("a", "b", "c"))
        )
    )
    concluded = [each for each in floor.journal if isinstance(each, do.Conclude)]
    assert len(concluded) == 3, f"seed {seed}"
    assert not floor.wrong, f"seed {seed}: {floor.wrong}"
    fold(floor.engine.scripts, floor.journal)


def test_a_plate_that_settles_stays_where_it_is() -> None:
    floor = played(3, cell(9, kind=ONE_WELL), parallel=3, stop=StopRule(runs=9))
    settled: dict[str, float] = {}
    at = 0.0
    for line in floor.journal:
        if isinstance(line, ev.EVENTS):
            at = line.at  # type: ignore[union-attr]
        if isinstance(line, ev.CommandDone) and "/run-" in line.cid and "/step-1/" in line.cid:
            well = floor.performed[line.cid].args["well"]
            assert isinstance(well, dict)
            settled[str(well["labware"])] = at + 5.0
        if isinstance(line, do.BeginCarry):
            assert at >= settled.get(line.labware, 0.0), f"seed 3: {line}"


def test_where_no_transporter_leads_a_person_is_asked_and_says_when_it_is_done() -> None:
    floor = start(at_cell(4, cell(1, reaches={})))
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    (carry,) = floor.engine.lab_view().carries
    assert (carry.carrier, carry.labware, carry.target) == ("", "plate-1", "handler/1")
    view = floor.engine.view()
    assert [one.why for one in view.waits][:1] == [
        "dispense on handler waits: carry plate-1 from hotel/1 to handler/1, then: sdl done carry-1"
    ]
    floor.turn(ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada"))
    assert floor.engine.lab.pieces["plate-1"].site == "handler/1"
    again_said = ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada")
    assert "nobody is asked for dye/carry-1" in floor.engine.objection(again_said)


def test_what_a_person_will_not_carry_fails_its_run_until_they_say_where_it_is() -> None:
    floor = start(at_cell(5, cell(1, reaches={})))
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    floor.turn(ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada", done=False, note="broken"))
    (end,) = ends(floor)
    assert end.outcome == "failed"
    assert "plate-1 is not to be had: ada did not carry it: broken" in end.reason
    (part,) = floor.engine.campaigns.values()
    assert not part.casting.plates.may_use("plate-1")
    lack = part.casting.plates.lack("well", 1)
    assert lack.endswith("plate-1 is not to be had: ada did not carry it: broken")
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="hotel/1", by="ada"))
    assert part.casting.plates.may_use("plate-1")


def unknown_carry(seed: int) -> tuple[Cell, str]:
    """A real arm of whose carry nobody knows the outcome."""
    floor = start(at_cell(seed, cell(2, hotel=1)))
    until(floor, lambda: any("/carry-" in cid for cid in floor.performed))
    (cid,) = [cid for cid in floor.performed if "/carry-" in cid]
    floor.turn(ev.CommandStarted(at=floor.at, cid=cid, seq=1))
    floor.turn(ev.CommandUnknown(at=floor.at, cid=cid, seq=2, reason="its node died"))
    return floor, cid.rpartition("/try-")[0]


@pytest.mark.parametrize(
    "verdict, site",
    [("happened", "handler/1"), ("did_not_happen", "hotel/1"), ("discard", "")],
)
def test_of_an_unknown_carry_a_person_says_where_the_plate_is(
    verdict: ev.Verdict, site: str
) -> None:
    floor, step = unknown_carry(6)
    asked = [one.step for one in floor.engine.view().questions]
    assert asked == [step]
    floor.turn(ev.StepResolved(at=floor.at, step=step, verdict=verdict, by="ada", attempt=1))
    piece = floor.engine.lab.pieces["plate-1"]
    if verdict == "did_not_happen":  # it is tried again
        assert (piece.leaves, piece.site) == ("hotel/1", "handler/1")
        assert floor.performed[f"{step}/try-2"].args["source"] == site
    elif verdict == "happened":
        assert (piece.leaves, piece.site) == ("", site)
    else:
        assert "nobody knows how far it was carried" in piece.lost
        taken = ev.LabwarePlaced(at=floor.at, labware="plate-2", site="handler/1", by="ada")
        assert floor.engine.objection(taken) == (
            f"plate-1 may stand on handler/1, nobody is sure ({piece.lost}); look, and say first "
            "where that is: sdl place plate-1 SITE"
        )
        floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="hotel/3", by="ada"))
        assert (piece.site, piece.lost, piece.leaves) == ("hotel/3", "", "")


def test_nothing_is_carried_in_a_pause() -> None:
    floor = start(at_cell(7, cell(1)))
    floor.turn(ev.PauseRequested(at=floor.at, what="", by="ada"))
    for _ in range(40):
        if not floor.queue:
            break
        floor.step()
        if floor.engine.lab.paused:
            assert not floor.engine.lab.carries, "seed 7"


def test_a_carry_in_a_window_does_not_begin_after_it() -> None:
    floor = at_cell(8, cell(1), function=quick_read)
    floor.play(cell_campaign(range(1, 2), stop=StopRule(runs=2)))
    window = [
        each.not_after
        for each in floor.performed.values()
        if each.operation == "move" and place_of(str(each.args["target"])) == "reader"
    ]
    assert window
    assert None not in window


def test_a_plate_that_has_no_site_at_its_instrument_fails_its_run_with_the_reason() -> None:
    there = cell(1)
    instruments = tuple(
        replace(one, sites=0) if one.name == "reader" else one for one in there.instruments
    )
    arms = tuple(
        replace(one, reaches=("handler", "washer", "hotel")) if one.reaches else one
        for one in instruments
    )
    floor = at_cell(9, replace(there, instruments=arms))
    floor.play(cell_campaign(range(1, 2), stop=StopRule(runs=1)))
    (end,) = ends(floor)
    assert "plate-1 cannot stand at reader, which has no sites" in end.reason


def test_a_person_may_take_a_plate_off_the_bench() -> None:
    floor = start(at_cell(10, cell(2)))
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-2", site="", by="ada", note="spilt"))
    (one,) = [one for one in floor.engine.lab_view().labware if one.labware == "plate-2"]
    assert (one.site, one.note) == ("", "ada took it off the bench: spilt")
    nowhere = ev.LabwarePlaced(at=floor.at, labware="plate-2", site="attic/1", by="ada")
    assert "there is no site 'attic/1'; places are: " in floor.engine.objection(nowhere)
    beyond = replace(nowhere, site="hotel/99")
    assert "'hotel/99'; sites of hotel are: hotel/1, " in floor.engine.objection(beyond)
    nothing = ev.LabwarePlaced(at=floor.at, labware="plate-9", site="hotel/1", by="ada")
    assert "'plate-9' stands on no site" in floor.engine.objection(nothing)


def test_a_window_that_a_plate_was_late_for_says_so() -> None:
    floor = start(at_cell(14, cell(1, reaches={}), function=quick_read))
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    floor.turn(ev.CarryDone(at=floor.at, carry="dye/carry-1", by="ada"))
    until(floor, lambda: ends(floor))
    assert "plate-1 was not there in time" in ends(floor)[0].reason


def test_a_plate_that_is_taken_off_while_a_person_carries_it_blocks_no_site() -> None:
    floor = start(at_cell(11, cell(1, reaches={})))
    floor.patience = False
    until(floor, lambda: floor.engine.lab.carries)
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    piece = floor.engine.lab.pieces["plate-1"]
    assert (piece.site, piece.leaves, piece.lost) == ("", "", "ada took it off the bench")
    assert not floor.engine.lab.carries
    (one,) = floor.engine.lab_view().labware
    assert not one.astray, "nobody has to look for it"


def test_a_plate_of_which_nobody_knows_how_far_it_came_is_astray_until_a_person_says() -> None:
    floor, step = unknown_carry(12)
    floor.turn(ev.StepResolved(at=floor.at, step=step, verdict="discard", by="ada", attempt=1))
    assert [one.astray for one in floor.engine.lab_view().labware] == [True, False]
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    piece = floor.engine.lab.pieces["plate-1"]
    assert (piece.site, piece.leaves) == ("", ""), "both sites are free again"


def test_benches_are_told_of_what_a_person_set_down_and_then_of_what_a_real_arm_did() -> None:
    floor = start(at_cell(13, cell(1, hotel=1)))
    piece = floor.engine.lab.pieces["plate-1"]
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="", by="ada"))
    floor.turn(ev.LabwarePlaced(at=floor.at, labware="plate-1", site="hotel/2", by="ada"))
    floor.truth["plate-1"] = "hotel/2"
    assert (piece.placed, piece.stands) == (2, "hotel/2")
    until(floor, lambda: carries(floor))
    assert (piece.placed, piece.stands) == (2, "hotel/2")
    until(floor, lambda: not piece.leaves)
    assert (piece.placed, piece.stands) == (3, "handler/1")


def test_the_book_finds_a_plate_that_is_acted_on_elsewhere() -> None:
    book = Whereabouts()
    book.begin(cell(2))
    perform = do.Perform(
        cid="dye/run-1/step-1/try-1",
        step="dye/run-1/step-1",
        attempt=1,
        instrument="handler",
        operation="dispense",
        effect="once",
        args={"well": {"labware": "plate-1", "name": "A1"}},
        memory="m",
        not_after=None,
    )
    with pytest.raises(Bug, match="acts on plate-1, which is at hotel"):
        book.note(perform)
    carry = do.BeginCarry(
        carry="dye/carry-1",
        labware="plate-1",
        source="hotel/1",
        target="hotel/2",
        carrier="arm",
        step="",
    )
    with pytest.raises(Bug, match="goes to hotel/2"):
        book.note(carry)


def test_no_more_runs_begin_than_have_a_site_to_stay_at() -> None:
    there = cell(6, kind=ONE_WELL)
    floor = at_cell(11, there, function=long_stay)
    most = 0
    look = floor.look

    def count(at: float) -> None:
        nonlocal most
        most = max(most, len(floor.engine.state.runs) if floor.engine.campaigns else 0)
        look(at)

    floor.look = count  # type: ignore[method-assign]
    floor.play(cell_campaign(range(1, 7), parallel=6, stop=StopRule(runs=6)))
    assert [each.outcome for each in ends(floor)] == ["measured"] * 6
    assert most == 1, "the washer has one site, on which each plate stays for a quarter of an hour"


def test_what_a_person_has_carried_is_told_though_an_arm_takes_it_up_at_once() -> None:
    there = cell(1, reaches=REACHES["an arm and a person"])
    simulated = tuple(replace(one, simulated=True) for one in there.instruments)
    floor = at_cell(12, replace(there, instruments=simulated))
    floor.simulated = True
    start(floor)
    piece = floor.engine.lab.pieces["plate-1"]
    until(floor, lambda: floor.engine.lab.placed)
    until(floor, lambda: any(one.carrier == "arm" for one in floor.engine.lab.carries.values()))
    assert piece.placed > 0
    until(floor, lambda: not piece.leaves)
    assert piece.placed == 0


def test_who_waits_for_a_plate_is_told_which_run_keeps_it_and_why() -> None:
    floor = start(at_cell(1, cell(1)), parallel=3)
    told: list[str] = []

    def whys() -> list[str]:
        told.extend(one.why for one in floor.engine.view().waits if "which stands" in one.why)
        return told

    until(floor, lambda: any("lets it settle" in why for why in whys()))
    kept = "wash on washer waits: for plate-1, which stands on handler/1; run-2"
    assert told[0] == f"{kept} holds it (dispense)"
    assert told[-1] == f"{kept} lets it settle there for 5 s"
