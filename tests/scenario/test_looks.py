"""A campaign with two looks, a quick and a close one, from its file to the record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sdl.shell.record import Record
from tests.cli.conftest import command
from tests.scenario.test_problems import LAB

RUNS = 24
CAMPAIGN = f"""\
[campaign]
name     = "looks"
lab      = "lab.toml"
protocol = "./looks.py:looked"
seed     = 5

[roles]
station = "station"

[search]
acid  = {{ choices = [1, 2, 3, 4, 5, 6, 7, 8] }}
base  = {{ choices = [1, 2, 3, 4, 5, 6] }}
assay = {{ choices = ["quick", "full"] }}

[fidelity]
input  = "assay"
target = "full"
costs  = {{ quick = 1, full = 20 }}

[objective]
measure = "gain_ratio"
goal    = "maximise"

[stop]
runs = {RUNS}
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a campaign that was simulated to its end."""
    folder = tmp_path_factory.mktemp("looks")
    shutil.copy(Path(__file__).parent / "looks.py", folder)
    (folder / "lab.toml").write_text(LAB.replace("blend.py", "looks.py"))
    (folder / "looks.toml").write_text(CAMPAIGN)
    said = command(folder, "simulate", "looks.toml", "--record", "record.sqlite")
    assert said.code == 0, said.err
    return folder


def test_quick_runs_open_a_campaign_and_the_close_ones_find_the_best(played: Path) -> None:
    record = Record.open(f"sqlite:///{played / 'record.sqlite'}", create=False)
    try:
        points = record.suggestions("looks")
        best = record.campaign("looks").best
        tried = {one.run: json.loads(one.inputs) for one in record.samples("looks")}
        assert record.verify() is None
        assert record.rebuild(check=True) == []
    finally:
        record.close()
    looks = [json.loads(one.why)["look"] for one in points if one.why is not None]
    assert len(looks) == len(points) == RUNS, "each says at which fidelity it is looked, and why"
    assert [one["option"] for one in looks[:10]] == ["quick"] * 10
    assert {one["why"] for one in looks[:10]} == {"opening"}
    assert {one["why"] for one in looks[10:]} <= {"pays", "target"}
    assert {one["option"] for one in looks} == {"quick", "full"}
    assert best is not None
    assert tried[best.run] == {"acid": 7, "base": 5, "assay": "full"}, "the top of the real hill"


def test_why_tells_which_look_was_taken_and_what_it_costs(played: Path) -> None:
    first = command(played, "why", "looks/suggestion-1", "--in", "record.sqlite").out
    assert "assay = quick" in first
    last = command(played, "why", "looks", "--in", "record.sqlite").out
    assert last.startswith("looks: ended (budget): ")


def test_replay_gives_the_same_points_at_the_same_looks(played: Path) -> None:
    said = command(played, "replay", "looks", "--in", "record.sqlite", "--json")
    assert said.code == 0, said.err
    assert said.document["grades"] == {"identical": RUNS}
