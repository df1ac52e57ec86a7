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


LIDDED = """\
[lab]
name = "bench"

[instruments.arm]
driver  = "arm"
reaches = ["hotel", "lids"]

[places.hotel]
sites = 2

[places.lids]
sites = 2

[labware.plate-1]
at = "hotel/1"

[labware.plate-2]

[labware.lid-1]
kind  = "cor_96_wellplate_360uL_Fb_lid"
"""


def test_a_lid_lies_on_its_plate_and_parks_on_a_site_of_its_own(tmp_path: Path) -> None:
    lab = read_lab(lab_of(tmp_path, LIDDED + 'on = "plate-1"\nparks = "lids/2"\n'))
    lid = lab.labware[-1]
    assert (lid.name, lid.on, lid.parks, lid.at, lid.rests) == (
        *("lid-1", "plate-1", "lids/2"),
        *("", "plate-1"),
    )


@pytest.mark.parametrize(
    "lines, expected",
    [
        ('parks = "lids/1"\n', 'on: is missing; write for instance: on = "plate-1"'),
        ('on = "plate-1"\n', 'parks: is missing; write for instance: parks = "lids/1"'),
        ('on = "plate-9"\nparks = "lids/1"\n', "on: 'plate-9' is no plate; "),
        (
            'on = "plate-2"\nparks = "lids/1"\n',
            "on: 'plate-2' stands on no site, where nobody opens it; give [labware.plate-2] a "
            "site, at = ...",
        ),
        ('on = "plate-1"\nparks = "lid/1"\n', "parks: 'lid' is no place of this lab; "),
        ('on = "plate-1"\nparks = "lids"\n', "parks: there is no site 'lids': 'lids' has sites"),
        (
            'on = "plate-1"\nparks = "hotel/1"\n',
            "parks: 'plate-1' is on 'hotel/1'; choose another site",
        ),
        (
            'on = "plate-1"\nparks = "lids/1"\nat = "hotel/2"\n',
            "at: a lid lies on its plate at first; write on and parks in its place",
        ),
    ],
)
def test_what_is_wrong_about_a_lid_is_told(tmp_path: Path, lines: str, expected: str) -> None:
    with pytest.raises(UserMistake) as caught:
        read_lab(lab_of(tmp_path, LIDDED + lines))
    assert expected in str(caught.value)


def test_two_lids_share_neither_a_plate_nor_a_site(tmp_path: Path) -> None:
    one = 'on = "plate-1"\nparks = "lids/1"\n'
    other = f'[labware.lid-2]\nkind = "cor_96_wellplate_360uL_Fb_lid"\n{one}'
    with pytest.raises(UserMistake) as caught:
        read_lab(lab_of(tmp_path, LIDDED + one + other))
    told = str(caught.value)
    assert "'lid-1' is on 'lids/1'; choose another site" in told
    assert "'lid-1' lies on 'plate-1' already" in told
