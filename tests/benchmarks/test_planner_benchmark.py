"""The benchmark from its command line: results are kept, a run goes on where it was stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree as ET

import pytest

from planner import RECORDED, main
from planner_lines import pack, read
from planner_sets import DATA, sets_in
from tests.benchmarks.toys import write_toy

Run: TypeAlias = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]


def apart(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The benchmark in a process of its own, as people start it."""
    rooms = (ROOT, *(ROOT / name for name in ("drivers", "protocols", "simulators")))
    return subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "planner.py"), *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, rooms))},
        check=False,
    )


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The benchmark in this process: exit code, standard output, standard error."""

    def command(*words: str | Path) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two small sets."""
    write_toy(tmp_path / "data" / "first")
    write_toy(tmp_path / "data" / "second")
    return tmp_path / "data"


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path, data: Path, run: Run) -> None:
    words = ("--planner", "random", "--data", data, "--out", tmp_path / "out", "--budget", "5")
    done = apart(*words, "--seeds", "2", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert "4 campaigns to play, 0 results" in done.stderr
    assert "| geometric mean, all |" in done.stdout
    file = tmp_path / "out" / "random_one.jsonl"
    whole = {line.key: line for line in read(tmp_path / "out")}
    assert len(whole) == 4
    assert all(len(line.order) == len(line.seconds) == 5 for line in whole.values())

    text = file.read_bytes()
    file.write_bytes(text[:-20])  # as a kill leaves it
    assert len(read(tmp_path / "out")) == 3
    _, _, said = run(*words, "--seeds", "3", "--first", "0")
    assert "3 campaigns to play, 3 results" in said
    again = {line.key: line for line in read(tmp_path / "out")}
    assert len(again) == 6
    assert all(again[key].order == line.order for key, line in whole.items())
    assert all(again[key].values == line.values for key, line in whole.items())
    _, _, said = run(*words, "--seeds", "3")
    assert "0 campaigns to play, 6 results" in said
    about = json.loads((tmp_path / "out" / "about.json").read_text(encoding="utf-8"))
    assert about[0]["planners"] == ["random"]
    assert about[0]["versions"]["numpy"]


def test_tables_data_drawings_and_compact_lines_come_from_what_is_there(
    tmp_path: Path, data: Path, run: Run
) -> None:
    out, own = tmp_path / "out", "tests.benchmarks.toys:Always"
    words = ("--data", data, "--out", out, "--budget", "5", "--seeds", "2")
    assert run(*words, "-p", "random", "-p", own, "--mode", "one", "--mode", "flight")[0] == 0
    assert run(*words, "-p", "random", "--every-objective", "--sets", "first")[0] == 0

    more = ("--plot", tmp_path / "plots", "--pack", tmp_path / "packed")
    code, table, _ = run("--table", *words, *more)
    assert code == 0
    assert "## Four in flight" in table
    assert f"| random | {own} | 4 | 2 |" in table
    assert "Hypervolume" in table
    assert f"| {own} | four in flight, results one by one in an order of seeded chance |" in table
    for drawing in ("one.svg", "flight.svg"):
        svg = ET.parse(tmp_path / "plots" / drawing).getroot()  # noqa: S314 - ours
        assert "exact random search" in "".join(svg.itertext())

    (one, flight, every) = json.loads(run("--table", "--json", *words)[1])["parts"]
    assert [part["mode"] for part in (one, flight)] == ["one", "flight"]
    assert every["every_objective"] is True
    assert one["planners"][own]["sets"]["first"]["top"]["firsts"] == {"0": 1, "1": 1}
    assert {pair["planner"] for pair in one["pairs"]} == {"random", own}

    packed = read(tmp_path / "packed")
    assert {line.key for line in packed} == {line.key for line in read(out)}
    pack(packed, tmp_path / "twice")
    about = (tmp_path / "packed" / "about.json").read_text(encoding="utf-8")
    assert about == (out / "about.json").read_text(encoding="utf-8")
    for path in (tmp_path / "packed").glob("*.gz"):
        assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes()


def test_a_planner_that_fails_costs_its_own_campaigns_only(
    tmp_path: Path, data: Path, run: Run
) -> None:
    words = ("--data", data, "--out", tmp_path / "out", "--budget", "3", "--seeds", "1")
    code, _, said = run(*words, "-p", "tests.benchmarks.toys:Silent", "-p", "random")
    assert code == 1
    assert "FAILED: tests.benchmarks.toys:Silent proposed nothing" in said
    assert {line.planner for line in read(tmp_path / "out")} == {"random"}


def test_a_wrong_word_starts_nothing(tmp_path: Path, data: Path, run: Run) -> None:
    out = tmp_path / "out"
    for words, expected in (
        (("--data", tmp_path / "nowhere"), "there is no such folder"),
        (("--data", data, "-p", "nobody"), "no planner of that name"),
        (("--data", data, "-p", "random", "--seeds", "0", "--budget", "0"), "--budget 0"),
    ):
        code, _, said = run(*words, "--out", out)
        assert code == 2
        assert expected in said
    assert not list(out.glob("*.jsonl"))


def test_a_spoiled_line_is_told_with_its_place(tmp_path: Path, data: Path, run: Run) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.jsonl").write_text('{"set": "first"}\n', encoding="utf-8")
    code, _, said = run("--table", "--data", data, "--out", out)
    assert code == 2
    assert "x.jsonl:1: no campaign" in said


def test_recorded_results_are_of_the_data_that_are_here() -> None:
    known = {(one.name, one.digest): one for one in sets_in(DATA)}
    lines = read(RECORDED)
    assert {line.planner for line in lines} >= {"baybe"}
    for line in lines:
        data = known[line.set, line.data]
        assert len(set(line.order)) == len(line.order) == min(line.budget, len(data.points))
        for name, values in line.values.items():
            k = data.objectives.index(name)
            assert values == pytest.approx([data.values[at, k] for at in line.order], rel=1e-5)
    assert sum(path.stat().st_size for path in RECORDED.iterdir()) < 2_000_000
