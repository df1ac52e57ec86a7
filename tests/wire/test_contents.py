"""What the wells of a plate hold at first: inline, or in a file beside ``lab.toml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.model.labware import Stored
from sdl.wire.toml import read_lab
from tests.wire.test_lab_sites import lab_of

HEAD = """\
[lab]
name = "bench"

[instruments.handler]
driver = "handler"

[labware.library]
kind = "plate-96-flat"
"""


def contents(tmp_path: Path, text: str) -> tuple[Stored, ...]:
    return read_lab(lab_of(tmp_path, HEAD + text)).labware[0].contents


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(UserMistake) as caught:
        contents(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_a_well_or_a_block_of_wells_holds_so_much_of_a_component(tmp_path: Path) -> None:
    found = contents(
        tmp_path,
        "[labware.library.contents]\n"
        'A1 = { component = "ligand", volume_ul = "0.2 mL", lot = "L-3", uncertainty_ul = 2 }\n'
        '"B1:C2" = { component = "base", volume_ul = 150 }\n',
    )
    assert found[0] == Stored(
        well="A1", component="ligand", volume_ul=200.0, uncertainty_ul=2.0, lot="L-3"
    )
    assert {(one.well, one.component, one.volume_ul) for one in found[1:]} == {
        (well, "base", 150.0) for well in ("B1", "C1", "B2", "C2")
    }


def test_a_file_has_a_line_for_each_well_and_component(tmp_path: Path) -> None:
    (tmp_path / "library.csv").write_text(
        "well;component;volume_ul;lot\nA1;ligand;200;L-3\nA1;dmso;10;\nH12;base;150;B-1\n"
    )
    found = contents(tmp_path, 'contents = "library.csv"\n')
    assert found == (
        Stored(well="A1", component="ligand", volume_ul=200.0, lot="L-3"),
        Stored(well="A1", component="dmso", volume_ul=10.0),
        Stored(well="H12", component="base", volume_ul=150.0, lot="B-1"),
    )


@pytest.mark.parametrize(
    "entry, told",
    [
        ('Z9 = { component = "x", volume_ul = 1 }', "'Z9' is no well of cor_96_wellplate_360uL_Fb"),
        ('A1 = { component = "x", volume_ul = 999 }', "999 µL do not fit: a well holds 360"),
        ('A1 = { component = "x", volume_ul = 0 }', "0 µL; give more than 0"),
        ("A1 = { volume_ul = 1 }", "component: is missing"),
        ('A1 = { component = "x", volume_ul = "3 kg" }', "volume_ul"),
        (
            'A1 = { component = "x", volume_ul = 1 }\n"A1:B1" = { component = "y", volume_ul = 1 }',
            "A1 is there already; say once what is in it",
        ),
    ],
)
def test_what_cannot_be_is_told_with_its_line(tmp_path: Path, entry: str, told: str) -> None:
    found = refused(tmp_path, f"[labware.library.contents]\n{entry}\n")
    assert told in found
    assert "lab.toml:1" in found


@pytest.mark.parametrize(
    "rows, told",
    [
        ("well,component\nA1,x\n", "library.csv:1: has no column 'volume_ul'"),
        ("well,component,volume_ul\nA1,x,1\nQ7,x,1\n", "library.csv:3: 'Q7' is no well"),
        ("well,component,volume_ul\nA1,x,much\n", "library.csv:2: volume_ul = 'much' is no number"),
        (
            "well,component,volume_ul\nA1,x,200\nA1,y,200\n",
            "library.csv:3: 400 µL do not fit: a well holds 360",
        ),
        ("well,component,volume_ul\nA1,x,1\nA1,x,1\n", "library.csv:3: x in A1 is there already"),
        (
            "well,component,volume_ul,lott\nA1,x,1,2\n",
            "library.csv:1: column 'lott' means nothing here; did you mean 'lot'?",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(
    tmp_path: Path, rows: str, told: str
) -> None:
    (tmp_path / "library.csv").write_text(rows)
    assert told in refused(tmp_path, 'contents = "library.csv"\n')
