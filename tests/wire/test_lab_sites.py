"""Sites, places, reaches and at: what people write, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.wire.toml import read_lab

GOOD = """\
[lab]
name = "bench"

[instruments.arm]
driver  = "arm"
reaches = ["hotel", "reader"]

[instruments.reader]
driver = "reader"
sites  = 1

[instruments.handler]
driver = "handler"

[places.hotel]
sites = 3

[labware.plate-1]
kind = "plate-96-flat"
at   = "hotel"

[labware.plate-2]
at = "hotel/1"

[labware.plate-3]
kind = "plate-384-flat"
"""


def lab_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lab.toml"
    path.write_text(text)
    return path


def test_a_lab_knows_its_sites_and_who_reaches_them(tmp_path: Path) -> None:
    lab = read_lab(lab_of(tmp_path, GOOD))
    assert lab.sites == {"reader": ("reader/1",), "hotel": ("hotel/1", "hotel/2", "hotel/3")}
    assert lab.reached == {"reader": ("arm",), "hotel": ("arm",)}
    assert [one.options for one in lab.instruments] == [{}, {}, {}]


def test_a_place_alone_means_its_lowest_site_that_nobody_names(tmp_path: Path) -> None:
    lab = read_lab(lab_of(tmp_path, GOOD))
    assert {piece.name: piece.at for piece in lab.labware} == {
        "plate-1": "hotel/2",
        "plate-2": "hotel/1",
        "plate-3": "",
    }


MORE = '[labware.plate-4]\nat = "hotel"\n[labware.plate-5]\nat = "hotel"\n'
CASES: list[tuple[str, str, str]] = [
    ("sites  = 1", "sites = 0", "10: instruments.reader.sites: 0 is out of range; use 1 to 1,000"),
    ("sites = 3", "", "15: places.hotel.sites: is missing; write for instance: sites = 20"),
    (
        "[places.hotel]",
        "[places.Hotel]",
        "15: places.Hotel: is no name for a place: use small letters, digits and hyphens, 40 at "
        "most",
    ),
    ("[places.hotel]", "[places.reader]", "15: places.reader: an instrument has this name; "),
    ("[labware.plate-3]", "[labware.hotel]", "25: labware.hotel: a place has this name; choose"),
    (
        '["hotel", "reader"]',
        '"hotel"',
        'reaches: needs a list of places and instruments, ["hotel", "reader"], not \'hotel\'',
    ),
    ('["hotel", "reader"]', "[]", "6: instruments.arm.reaches: needs a list of places and"),
    (
        '["hotel", "reader"]',
        '["hotl", "reader"]',
        "6: instruments.arm.reaches: 'hotl' is no place of this lab; did you mean 'hotel'?",
    ),
    (
        '["hotel", "reader"]',
        '["hotel", "handler"]',
        "6: instruments.arm.reaches: 'handler' has no sites to reach; "
        "add sites = 1 to [instruments.handler]",
    ),
    (
        '["hotel", "reader"]',
        '["reader"]',
        "6: instruments.arm.reaches: leads nowhere, it is one site alone; name another place",
    ),
    (
        '"hotel/1"',
        '"hotl/1"',
        "23: labware.plate-2.at: 'hotl' is no place of this lab; did you mean 'hotel'?",
    ),
    (
        '"hotel/1"',
        '"handler/1"',
        "23: labware.plate-2.at: 'handler' has no sites; add sites = 1 to [instruments.handler]",
    ),
    (
        '"hotel/1"',
        '"hotel/4"',
        "23: labware.plate-2.at: there is no 'hotel/4': 'hotel' has sites hotel/1 to hotel/3",
    ),
    (
        '"hotel/1"',
        '"reader/2"',
        "23: labware.plate-2.at: there is no 'reader/2': 'reader' has 1 site, reader/1",
    ),
    (
        'at   = "hotel"',
        'at   = "hotel/1"',
        "23: labware.plate-2.at: 'plate-1' stands on 'hotel/1' already; choose another site",
    ),
    (
        '"plate-384-flat"\n',
        f'"plate-384-flat"\n{MORE}',
        "30: labware.plate-5.at: 'hotel' is full: it has sites hotel/1 to hotel/3; add sites",
    ),
    ("sites = 3", "sites = 3\nfloor = 2", "17: places.hotel.floor: unknown key; known are: sites"),
]


@pytest.mark.parametrize("right,wrong,expected", CASES)
def test_each_mistake_is_told_with_its_line(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    assert right in GOOD
    path = lab_of(tmp_path, GOOD.replace(right, wrong, 1))
    with pytest.raises(UserMistake) as caught:
        read_lab(path)
    assert expected in str(caught.value).replace(f"{path}:", "")
