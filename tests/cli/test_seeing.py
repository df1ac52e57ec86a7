"""Pictures of what instruments did, and what they spent their time on, from the command line."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
from tests.cli.conftest import Sdl, command


def test_a_simulation_draws_the_same_picture_as_its_record(sdl: Sdl, lab: Path) -> None:
    said = sdl("simulate", "campaign.toml", "--record", "again.sqlite", "--gantt", "a.svg")
    assert said.code == 0, said.err
    assert "drawn: a.svg" in said.err
    assert sdl("runs", "gantt", "b.svg", "dye-450", "--in", "again.sqlite").code == 0
    drawing = (lab / "a.svg").read_text(encoding="utf-8")
    assert drawing == (lab / "b.svg").read_text(encoding="utf-8")
    assert "expected: nobody knew" not in drawing, "simulators say what their actions take"
    assert "dispense on handler for dye-450/run-4" in drawing


def test_a_page_holds_the_same_and_a_table(sdl: Sdl, lab: Path) -> None:
    assert sdl("runs", "gantt", "page.html").code == 0
    text = (lab / "page.html").read_text(encoding="utf-8")
    assert "<svg" in text
    assert "<td>dye-450/run-4/step-1</td>" in text


def test_several_campaigns_are_drawn_in_one_picture(lab: Path, tmp_path: Path) -> None:
    place = tmp_path / "lab"
    shutil.copytree(lab, place)
    text = (place / "campaign.toml").read_text(encoding="utf-8")
    (place / "second.toml").write_text(text.replace('"dye-450"', '"dye-2"'), encoding="utf-8")
    files = ("campaign.toml", "second.toml")
    said = command(place, "simulate", *files, "--gantt", "both.svg", "--record", "both.sqlite")
    assert said.code == 0, said.err
    assert "instrument" in said.out
    both = (place / "both.svg").read_text(encoding="utf-8")
    assert "dye-450/run-4/step-1" in both
    assert "dye-2/run-4/step-1" in both
    assert command(place, "runs", "gantt", "one.svg", "dye-2", "--in", "both.sqlite").code == 0
    one = (place / "one.svg").read_text(encoding="utf-8")
    assert "dye-450/" not in one
    assert command(place, "runs", "gantt", "all.svg", "session", "--in", "both.sqlite").code == 0
    assert (place / "all.svg").read_text(encoding="utf-8") == both


@pytest.mark.parametrize(
    "words,code,message",
    [
        (
            ("simulate", "campaign.toml", "--gantt", "picture.png"),
            Exit.USAGE,
            "ends in .svg or .html",
        ),
        (
            ("simulate", "campaign.toml", "--faults", "--gantt", "a.svg"),
            Exit.USAGE,
            "without faults",
        ),
        (
            ("simulate", "campaign.toml", "--weight", "2", "--weight", "1"),
            Exit.USAGE,
            "once for each",
        ),
        (("runs", "gantt", "nowhere/a.svg"), Exit.USAGE, "there is no folder nowhere"),
        (("runs", "gantt", "a.svg", "ink"), Exit.MISTAKE, "'ink'"),
    ],
)
def test_what_cannot_be_drawn_is_told_kindly(
    sdl: Sdl, words: tuple[str, ...], code: Exit, message: str
) -> None:
    said = sdl(*words)
    assert said.code == code
    assert message in said.err


def test_the_record_tells_how_many_plans_came_and_how_old_one_became(sdl: Sdl, lab: Path) -> None:
    said = sdl("simulate", "campaign.toml", "--plan", "--record", "planned.sqlite", "--json")
    assert said.code == Exit.OK, said.err
    (campaign,) = sdl("status", "planned.sqlite", "--json").document["campaigns"]
    with sqlite3.connect(lab / "planned.sqlite") as record:
        rows = record.execute("SELECT asked_at, arrived_at FROM plan ORDER BY seq").fetchall()
    until = [arrived for _, arrived in rows[1:]] + [campaign["ended_at"]]
    ages_s = [till - asked for (asked, _), till in zip(rows, until, strict=True)]
    assert campaign["plans"] == {"made": len(rows), "oldest_s": pytest.approx(max(ages_s))}
    (unplanned,) = sdl("status", "record.sqlite", "--json").document["campaigns"]
    assert unplanned["plans"] is None


def test_the_end_of_a_campaign_tells_what_instruments_did_and_so_does_its_record(
    sdl: Sdl, lab: Path
) -> None:
    said = sdl("simulate", "campaign.toml", "--record", "used.sqlite", "--json")
    found = {one["instrument"]: one for one in said.document["utilisation"]}
    assert set(found) == {"handler", "reader"}
    assert found["handler"]["busy_s"] + found["handler"]["idle_s"] == pytest.approx(
        said.document["lab_s"]
    )
    with sqlite3.connect(lab / "used.sqlite") as record:
        rows = record.execute("SELECT instrument, busy_s, idle_s FROM utilisation").fetchall()
    assert {name: (busy_s, idle_s) for name, busy_s, idle_s in rows} == {
        name: (one["busy_s"], one["idle_s"]) for name, one in found.items()
    }
    (campaign,) = sdl("status", "used.sqlite", "--json").document["campaigns"]
    assert campaign["utilisation"][0]["instrument"] == "handler"
