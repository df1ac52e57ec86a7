"""``sdl labware`` lists what a lab file may name."""

from __future__ import annotations

from tests.cli.conftest import Sdl


def test_kinds_are_listed_with_rows_columns_and_capacity(sdl: Sdl) -> None:
    lines = sdl("labware", "cor_96", "360").out.splitlines()
    assert lines[0].split() == ["kind", "what", "rows", "columns", "capacity", "footprint"]
    assert lines[1].split()[:6] == ["cor_96_wellplate_360uL_Fb", "plate", "8", "12", "360", "µL"]
    assert lines[1].endswith("127.8 x 85.5 mm  also plate-96-flat")


def test_a_list_as_json_holds_the_whole_geometry(sdl: Sdl) -> None:
    document = sdl("labware", "hamilton_96_tiprack_300uL", "--json").document
    assert document["schema"] == "sdl.labware/1"
    first = document["labware"][0]["kind"]
    assert (first["name"], first["category"]) == ("hamilton_96_tiprack_300uL", "tip_rack")
    assert first["rows"] * first["columns"] == 96


def test_words_that_fit_no_name_are_a_mistake(sdl: Sdl) -> None:
    said = sdl("labware", "bucket", "96")
    assert said.code == 3
    assert "no kind of labware has bucket and 96 in its name" in said.err
