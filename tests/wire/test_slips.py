"""What a person is told of a line that is not TOML: the parser's complaint, and a way out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sdl.errors import UserMistake
from sdl.wire.slips import likely_slip
from sdl.wire.toml import read_campaign

SLIPS = [
    ("at_least = 0,7", "; decimals need a point: 0.7"),
    ("x = { from = 0,5, to = 1 }", "; decimals need a point: 0.5"),
    ("threshold = 20 %", '; a number with its unit stands in quotes: "20 %"'),
    ("settle_s = 2.5min", '; a number with its unit stands in quotes: "2.5 min"'),
    ("goal = minimise", '; text stands in quotes: "minimise"'),
    ("expires = 1.3.2027", "; a date is written as 2027-03-01"),
    ("seed = 3\nseed = 4", "; it is written twice: keep one"),
    ("runs = = 3", ""),
    ("x = { from = 1e3, to = = 2 }", ""),
]


@pytest.mark.parametrize("text, hint", SLIPS)
def test_a_line_that_is_no_toml_is_told_with_what_was_probably_meant(text: str, hint: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert likely_slip(text.splitlines()[-1], str(caught.value)) == hint


def test_the_hint_stands_behind_file_line_and_complaint(tmp_path: Path) -> None:
    path = tmp_path / "campaign.toml"
    path.write_text("[stop]\nruns = 2,5\n", encoding="utf-8")
    with pytest.raises(UserMistake) as caught:
        read_campaign(path)
    assert str(caught.value).startswith(f"{path}:2: not valid TOML: ")
    assert str(caught.value).endswith("; decimals need a point: 2.5")
