"""``sdl analyse``: Ax looks at a campaign of the record, in a process of its own."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Sdl


def test_ax_looks_at_a_campaign_and_leaves_its_files(sdl: Sdl, tmp_path: Path) -> None:
    done = sdl("analyse", "--in", "record.sqlite", "--out", str(tmp_path / "seen"), "--json")
    assert done.code == 0, done.err
    found = done.document
    assert found["measured"] == 4
    assert found["not_made"] == {}
    (shares,) = found["sensitivity"].values()
    assert shares == {"dye_fraction": 1.0}
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == sorted(found["files"])


def test_what_cannot_be_analysed_is_told_kindly(sdl: Sdl) -> None:
    missing = sdl("analyse", "nobody", "--in", "record.sqlite")
    assert missing.code == 3
    assert "holds no campaign 'nobody'" in missing.err
