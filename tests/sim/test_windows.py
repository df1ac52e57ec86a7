"""A lab in too much of a hurry: windows break, with faults and without, and it is told."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from sdl.core.replay import fold
from sdl.shell.preflight import prepare
from sdl.shell.record import Record
from sdl.sim.drill import drill
from sdl.sim.simulate import simulate
from sdl.sim.sweep import drills
from sdl.sim.temper import LATE, Late, Temper
from sdl.wire.journal import load
from tests.cli.conftest import command
from tests.sim.drills import CAMPAIGN, told

HURRY = CAMPAIGN.parent / "hurry.toml"
SEEDS = range(40)
RULE = '\n[[policy]]\nthen = "{}"\non = "window"\n'


def test_under_faults_windows_break_and_every_remedy_keeps_every_invariant() -> None:
    rough: Counter[str] = Counter()
    for report in drills(HURRY, SEEDS):
        assert not report.broken, told(report)
        assert report.ending, told(report)
        rough += report.rough
    for remedy in ("flag", "divert", "requeue"):
        assert rough[f"window broken, then {remedy}"], f"{remedy} was never met in {SEEDS}"


def text_of(rules: str) -> str:
    """That campaign with these rules."""
    plain = HURRY.read_text(encoding="utf-8").partition("[[policy]]")[0]
    return plain.replace("within_s = 20", "within_s = 3") + rules


def made(tmp_path: Path, remedy: str) -> Path:
    """The record of a campaign in which nothing that is tuned or read can be in time."""
    folder = tmp_path / "drill"
    shutil.copytree(CAMPAIGN.parent, folder)
    path = folder / "campaign.toml"
    path.write_text(text_of(RULE.format(remedy)), encoding="utf-8")
    simulate(path, record=folder / "record.sqlite")
    return folder


@pytest.mark.parametrize("remedy", LATE)
def test_a_drill_draws_what_is_done_where_the_campaign_does_not_say(
    tmp_path: Path, remedy: Late
) -> None:
    shutil.copytree(CAMPAIGN.parent, tmp_path / "drill")
    path = tmp_path / "drill" / "campaign.toml"
    path.write_text(text_of(""), encoding="utf-8")
    report = drill(prepare(path), 1, faults=(), temper=Temper(late=remedy))
    assert not report.broken
    assert report.rough[f"window broken, then {remedy}"] > 0
    path.write_text(text_of(RULE.format("stop")), encoding="utf-8")
    report = drill(prepare(path), 1, faults=(), temper=Temper(late=remedy))
    assert report.rough["window broken, then stop"] > 0
    assert not report.rough[f"window broken, then {remedy}"]


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("late"), "flag")


def test_what_is_late_all_the_time_is_measured_and_marked(late: Path) -> None:
    record = Record.open(f"sqlite:///{late / 'record.sqlite'}", create=False)
    assert [run.outcome for run in record.runs("hurry")] == ["measured"] * 7
    missed = record.broken_windows("hurry")
    assert {(one.instrument, one.remedy) for one in missed} >= {("reader", "flag")}
    assert len({one.run for one in missed}) == 7
    assert all(one.late_s is not None and one.late_s > 0 for one in missed)
    assert record.rebuild(check=True) == []
    lines = [load(line.type, line.body) for line in record.lines("hurry")]
    record.close()
    trials = fold(prepare(late / "campaign.toml").script, lines).state.trials.values()
    assert [(one.status, one.broke_window) for one in trials] == [("measured", True)] * 7


def test_a_late_run_says_so_wherever_one_looks(late: Path) -> None:
    where = ("--in", "record.sqlite")
    listed = command(late, "runs", "list", *where).out.splitlines()
    assert all("measured, late" in line for line in listed[1:])
    shown = command(late, "runs", "show", "run-1", *where).out
    assert "  late       step-3 started on reader " in shown
    assert " after its window had closed" in shown
    asked = command(late, "why", "hurry/run-1", *where).out
    assert "hurry/run-1/step-3: started on reader " in asked
    step = command(late, "why", "hurry/run-1/step-3", *where).out.splitlines()
    assert [line.partition(": ")[2].split()[0] for line in step] == ["tune", "started"]
    status = command(late, "status", "record.sqlite").out.splitlines()
    assert status[0].split()[-3:] == ["failed", "late", "best"]


def test_programs_are_told_of_broken_windows_as_well(late: Path) -> None:
    where = ("--in", "record.sqlite", "--json")
    (campaign,) = command(late, "status", "record.sqlite", "--json").document["campaigns"]
    runs = command(late, "runs", "list", *where).document["runs"]
    assert campaign["broken_windows"] == sum(len(run["broken_windows"]) for run in runs) > 0
    (first, *_) = runs[0]["broken_windows"]
    assert first == command(late, "runs", "show", "run-1", *where).document["broken_windows"][0]
    assert (first["step"], first["remedy"]) == ("hurry/run-1/step-3", "flag")


def test_the_end_of_a_campaign_counts_broken_windows(late: Path) -> None:
    said = command(late, "simulate", "campaign.toml", "--record", "again.sqlite")
    assert "  late       " in said.out
    said = command(late, "simulate", "campaign.toml", "--record", "third.sqlite", "--json")
    assert said.document["broken_windows"] > 0


def test_a_suggestion_that_was_requeued_names_its_runs(tmp_path: Path) -> None:
    folder, where = made(tmp_path, "requeue"), ("--in", "record.sqlite")
    record = Record.open(f"sqlite:///{folder / 'record.sqlite'}", create=False)
    first, *_ = runs = record.runs("hurry")
    tried = [run for run in runs if run.suggestion == first.suggestion]
    assert [run.outcome for run in tried] == ["abandoned", "failed"]
    assert record.suggestion(first.suggestion).disposition == "failed"
    assert record.rebuild(check=True) == []
    record.close()
    asked = command(folder, "why", first.suggestion, *where).out.splitlines()
    whose = [line.partition(": ")[0] for line in asked if not line.startswith(" ")]
    assert whose == [first.suggestion, tried[0].run, tried[1].run]
    told_of_first = command(folder, "why", first.run, *where).out
    assert "its run was given up, for its suggestion to be tried again" in told_of_first
