"""The commands that prove a planner, hold its intervals against data, and say what they found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import planner_coverage
import planner_proof
from tests.benchmarks.toys import write_toy


def test_the_proof_counts_what_it_asked_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--planner", "sobol", "--suggestions", "60", "--again", "4", "--json"]
    assert planner_proof.main(words) == 0
    (door,) = json.loads(capsys.readouterr().out)["doors"]
    assert door["suggestions"] >= 60
    assert door["faults"] == []
    assert door["differing"] == []
    assert sum(door["kinds"].values()) > door["suggestions"]


def test_coverage_is_told_for_each_set_and_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_toy(tmp_path / "toy")
    words = ["--data", str(tmp_path), "--seeds", "2", "--known", "5"]
    assert planner_coverage.main(words) in {0, 1}
    said = capsys.readouterr().out
    assert "toy " in said
    assert "random: " in said
    assert "chosen: " in said
    assert planner_coverage.main([*words, "--json"]) in {0, 1}
    found = json.loads(capsys.readouterr().out)["sets"]["toy"]
    assert all(0.0 <= share <= 1.0 for way in found.values() for share in way["shares"])


def test_a_folder_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert planner_coverage.main(["--data", "nowhere"]) == 2
    assert "there is no such folder" in capsys.readouterr().err
