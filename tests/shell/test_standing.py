"""Where labware physically stands, over restarts and edits of the lab file."""

from __future__ import annotations

import json

import pytest

from sdl.errors import DriverFault, UserMistake
from sdl.model.labware import Well
from sdl.sim import Bench

PLATES = {"plate-1": "plate-96-flat", "plate-2": "plate-96-flat"}


def bench_at(**at: str) -> Bench:
    """A bench whose lab file puts plates 1 and 2 on some sites, by plate number."""
    named = {name.replace("_", "-"): site for name, site in at.items()}
    return Bench.instant(plates=PLATES, at=named, sites={"hotel": 4, "reader": 1})


def restarted(old: Bench, new: Bench) -> Bench:
    """The new bench, after it has read what the old one kept."""
    new.restore(json.loads(json.dumps(old.snapshot())))
    return new


def test_after_a_restart_everything_stands_where_it_stood() -> None:
    old = bench_at(plate_1="hotel/1", plate_2="hotel/2")
    old.floor.put("plate-1", "reader/1")
    new = restarted(old, bench_at(plate_1="hotel/1", plate_2="hotel/2"))
    assert [new.floor.site(name) for name in PLATES] == ["reader/1", "hotel/2"]


def test_a_site_that_the_lab_file_changes_says_that_somebody_moved_the_plate() -> None:
    old = bench_at(plate_1="hotel/1", plate_2="hotel/2")
    old.floor.put("plate-1", "reader/1")
    new = restarted(old, bench_at(plate_1="hotel/4", plate_2="hotel/2"))
    assert [new.floor.site(name) for name in PLATES] == ["hotel/4", "hotel/2"]


def test_two_plates_on_one_site_after_an_edit_are_refused() -> None:
    old = bench_at(plate_1="hotel/1", plate_2="hotel/2")
    old.floor.put("plate-1", "reader/1")
    with pytest.raises(UserMistake, match="two pieces stand on 'reader/1'; delete it to begin"):
        restarted(old, bench_at(plate_1="hotel/1", plate_2="reader/1"))


def test_two_plates_are_never_on_one_site_whoever_sets_them_down() -> None:
    bench = bench_at(plate_1="hotel/1", plate_2="hotel/2")
    with pytest.raises(DriverFault, match="'plate-2' stands on 'hotel/2' already; 'plate-1' finds"):
        bench.floor.put("plate-1", "hotel/2")
    assert [bench.floor.site(name) for name in PLATES] == ["hotel/1", "hotel/2"]
    assert bench.floor.accidents == ()
    bench.floor.put("plate-2", "hotel/2")


def test_a_snapshot_from_before_there_were_sites_is_read() -> None:
    old, new = bench_at(), bench_at(plate_1="hotel/1")
    old.add(Well("plate-1", "A1"), {"dye": 10.0})
    kept = {key: value for key, value in old.snapshot().items() if key not in ("floor", "dials")}
    new.restore(kept)
    assert new.floor.site("plate-1") == "hotel/1"
    assert new.volume_ul(Well("plate-1", "A1")) == 10.0


def test_every_move_by_hand_is_something_to_save() -> None:
    bench = bench_at(plate_1="hotel/1")
    before = bench.version
    bench.floor.put("plate-1", "hotel/2")
    assert bench.version > before


def test_a_plate_that_a_person_carried_stands_there_and_an_old_word_changes_nothing() -> None:
    bench = bench_at(plate_1="hotel/1")
    word = (1, "plate-1", "reader/1", "")
    assert bench.set_down("journal", [word]) == ()
    assert bench.floor.site("plate-1") == "reader/1"
    bench.floor.put("plate-1", "hotel/3")  # an arm has moved it since
    version = bench.version
    bench.set_down("journal", [word])
    assert (bench.floor.site("plate-1"), bench.version) == ("hotel/3", version)
    assert restarted(bench, bench_at(plate_1="hotel/1")).set_down("journal", [word]) == ()
    bench.set_down("another journal", [word])
    assert bench.floor.site("plate-1") == "reader/1"


def test_plates_that_changed_places_while_a_node_was_away_find_room() -> None:
    bench = bench_at(plate_1="hotel/1", plate_2="hotel/2")
    assert bench.set_down("j", [(4, "plate-2", "hotel/1", ""), (5, "plate-1", "hotel/2", "")]) == ()
    assert [bench.floor.site(name) for name in PLATES] == ["hotel/2", "hotel/1"]


def test_what_finds_no_room_or_was_taken_off_is_out_of_reach() -> None:
    bench = bench_at(plate_1="hotel/1", plate_2="hotel/2")
    (wrong,) = bench.set_down("j", [(1, "plate-1", "hotel/2", "")])
    assert wrong == "'plate-2' stands on 'hotel/2' already; 'plate-1' finds no room"
    words = [("plate-1", "hotel/2"), ("plate-2", ""), ("plate-9", "hotel/4")]
    bench.set_down("j", [(number, *word, "") for number, word in enumerate(words, start=1)])
    for name in PLATES:
        with pytest.raises(DriverFault, match="off the bench, not here; bring it first"):
            bench.floor.check_at("reader", name)


def test_a_plate_that_was_brought_survives_a_restart_and_no_clearing_up() -> None:
    bench = bench_at(plate_1="hotel/1")
    assert bench.set_down("j", [(1, "plate-9", "hotel/2", "plate-96-flat")]) == ()
    bench.add(Well("plate-9", "A1"), {"dye": 10.0})
    again = restarted(bench, bench_at(plate_1="hotel/1"))
    assert again.floor.site("plate-9") == "hotel/2"
    assert again.volume_ul(Well("plate-9", "A1")) == 10.0
    again.clear_up()
    with pytest.raises(DriverFault, match="there is no plate 'plate-9' on the bench"):
        again.floor.site("plate-9")
