"""The verbs that show what is on record, and their JSON documents."""

from __future__ import annotations

import importlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from sdl.cli.exits import Exit
from sdl.cli.verbs import VERBS, Verb
from tests.cli.conftest import Sdl, command

DOCUMENTS = [
    (("status", "--json"), "sdl.status/1"),
    (("status", "record.sqlite", "--json"), "sdl.status/1"),
    (("runs", "list", "--json"), "sdl.runs/1"),
    (("runs", "list", "--in", "campaign.toml", "--json"), "sdl.runs/1"),
    (("runs", "show", "dye-450/run-2", "--json"), "sdl.run/1"),
    (("why", "--json"), "sdl.why/1"),
    (("doctor", "campaign.toml", "--json"), "sdl.doctor/1"),
    (("db", "verify", "--json"), "sdl.verify/1"),
    (("db", "rebuild", "--check", "--json"), "sdl.rebuild/1"),
    (("db", "upgrade", "--json"), "sdl.upgrade/1"),
    (("simulate", "campaign.toml", "--record", "again.sqlite", "--json"), "sdl.outcome/1"),
    (("simulate", "campaign.toml", "--seeds", "2", "--json"), "sdl.sweep/1"),
]


@pytest.mark.parametrize("words,schema", DOCUMENTS)
def test_every_verb_answers_in_json(sdl: Sdl, words: tuple[str, ...], schema: str) -> None:
    said = sdl(*words)
    assert said.code == 0, said.err
    assert said.document["schema"] == schema


def options(verb: Verb) -> Iterator[tuple[str, set[str]]]:
    """The options of a verb, or of each of its own verbs, by how it is typed."""
    module = importlib.import_module(verb.module)
    if verb.kind == "group":
        group = get_command(vars(module)["app"])
        assert isinstance(group, TyperGroup)
        commands = {f"{verb.name} {name}": one for name, one in group.commands.items()}
    else:
        app = typer.Typer()
        app.command()(vars(module)[verb.name])
        commands = {verb.name: get_command(app)}
    for name, one in commands.items():
        yield name, {opt for parameter in one.params for opt in parameter.opts}


WITHOUT_JSON = {"runs gantt", "node", "planner", "wire"}
"""Verbs that write a picture or documents, or go on for as long as they are let."""


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_takes_the_same_options(verb: Verb) -> None:
    for name, opts in options(verb):
        assert len({"--in", "--lab"} & opts) != 1, f"{name}: one of --in and --lab only"
        assert ("--json" in opts) != (name in WITHOUT_JSON), name


@pytest.mark.parametrize("option", ["--in", "--lab"])
def test_a_lab_is_named_in_either_way(lab: Path, tmp_path: Path, option: str) -> None:
    assert command(tmp_path, "runs", "list", option, str(lab)).code == Exit.OK
    said = command(tmp_path, "inventory", option, str(lab))
    assert said.code == Exit.FAULT
    assert "no orchestrator" in said.err


def test_the_same_seed_gives_the_same_journal(sdl: Sdl) -> None:
    words = ("simulate", "campaign.toml", "--seed", "3", "--json", "--record")
    first, second = sdl(*words, "a.sqlite").document, sdl(*words, "b.sqlite").document
    assert first["journal"] == second["journal"]
    assert first["runs"]["measured"] == 4


def test_the_end_names_best_point_record_and_next_command(sdl: Sdl) -> None:
    said = sdl("simulate", "campaign.toml", "--record", "again.sqlite")
    assert "absorbance_au = " in said.out
    assert " AU" in said.out
    assert "4 ended: 4 measured, 0 failed" in said.out
    assert said.out.endswith("Next: sdl runs list dye-450 --in again.sqlite\n")
    assert "4 of at most 4 runs ended; best " in said.err


def test_moments_of_virtual_time_are_seconds_since_the_start(sdl: Sdl) -> None:
    listed = sdl("runs", "list").out.splitlines()
    assert "begun after (lab time)" in listed[0]
    assert listed[1].split()[1:3] == ["0", "s"]
    assert "begun      0 s after the start (virtual time)" in sdl("runs", "show", "run-1").out
    assert "in virtual time" in sdl("status").out
    assert "1970" not in sdl("status").out


def test_moments_of_a_real_clock_are_dates(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    with sqlite3.connect(tmp_path / "lab" / "record.sqlite") as connection:
        connection.execute("UPDATE campaign SET clock = 'wall'")
    connection.close()
    said = command(tmp_path / "lab", "runs", "list").out
    assert "begun (lab time, UTC)" in said
    assert "1970-01-01 00:00:00" in said


def test_a_missing_record_names_the_simulated_ones(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    (tmp_path / "lab" / "record.sqlite").unlink()
    shutil.rmtree(tmp_path / "lab" / "simulated", ignore_errors=True)
    said = command(tmp_path / "lab", "status")
    assert said.code == Exit.RECORD
    assert said.err.endswith("there is no record at record.sqlite; `sdl run CAMPAIGN` makes one\n")
    assert command(tmp_path / "lab", "simulate", "campaign.toml").code == 0
    for verb in (["status"], ["runs", "list"], ["why"]):
        said = command(tmp_path / "lab", *verb)
        assert "Of simulations: --in simulated/dye-450-7.sqlite" in said.err
        named = command(tmp_path / "lab", *verb, "--in", "simulated/dye-450-7.sqlite")
        assert named.code == 0, named.err


def test_a_campaign_of_failures_ends_with_a_reason_and_the_way_to_it(
    lab: Path, tmp_path: Path
) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    path = tmp_path / "lab" / "lab.toml"
    path.write_text(path.read_text().replace("to = 300", "to = 20"))
    said = command(tmp_path / "lab", "simulate", "campaign.toml", "--record", "again.sqlite")
    assert said.code == Exit.FAULT  # its budget of 4 runs is over, and nothing was measured
    campaign = tmp_path / "lab" / "campaign.toml"
    campaign.write_text(campaign.read_text().replace("runs = 4", "runs = 4\nfailures = 2"))
    said = command(tmp_path / "lab", "simulate", "campaign.toml", "--record", "again.sqlite")
    assert said.code == Exit.FAULT
    assert "is above the limit 20" in said.out.splitlines()[0]
    assert " of at most 4 runs ended, " in said.err
    assert " of them failed; best none yet" in said.err
    following = said.out.splitlines()[-1].removeprefix("Next: sdl ").split()
    assert following[:2][0] == "why"
    assert following[1].startswith("dye-450/run-")
    why = command(tmp_path / "lab", *following)
    assert why.code == 0
    assert "is above the limit 20" in why.out


def test_why_tells_an_ending_a_run_a_point_and_a_step(sdl: Sdl) -> None:
    assert sdl("why").out.startswith("dye-450: ended (budget): ")
    assert "dye-450/run-2: measured\n" in sdl("why", "dye-450/run-2").out
    assert "was suggested by sobol" in sdl("why", "dye-450/suggestion-2").out
    assert "dispense on handler done" in sdl("why", "dye-450/run-2/step-1").out


def test_why_tells_what_stands_behind_a_point(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    campaign = tmp_path / "lab" / "campaign.toml"
    text = campaign.read_text().replace('"sobol"', '"ensemble"')
    text = text.replace("runs = 4", "runs = 6")
    campaign.write_text(text + "[cost]\nper_run = 5\n")
    record = ("--record", "again.sqlite")
    assert command(tmp_path / "lab", "simulate", "campaign.toml", *record).code == 0
    where = ("suggestion-6", "--in", "again.sqlite")
    said = command(tmp_path / "lab", "why", *where).out
    assert "expected   absorbance_au = " in said
    assert "90 % of measurements from " in said
    assert "weighed    acquisition " in said
    assert "cost 5" in said or "a cost of 5, in the currency of [cost]" in said
    assert "models     of absorbance_au: pooled lengths (1)" in said
    assert "near       dye-450/suggestion-" in said
    assert "data       5 trials, sha256 " in said
    assert "versions   numpy " in said
    document = command(tmp_path / "lab", "why", *where, "--json").document
    (point,) = document["suggestions"]
    assert point["suggestion"] == "dye-450/suggestion-6"
    assert len(point["trials_sha256"]) == len(point["reason"]["data_digest"]) == 64
    low, high = (point["reason"]["expected"]["absorbance_au"][end] for end in ("low", "high"))
    assert low < point["predicted"]["absorbance_au"]["mean"] < high
    of_run = command(tmp_path / "lab", "why", "run-6", "--in", "again.sqlite").out
    assert "dye-450/suggestion-6: " in of_run


def test_why_names_a_result_that_does_not_fit_with_the_others(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    lines = [f"{n / 20},{0.1 + n / 20:.3f}" for n in range(16)]
    lines[5] = "0.25,3.9"
    table = "\n".join(("dye_fraction,absorbance_au", *lines))
    (tmp_path / "lab" / "before.csv").write_text(table)
    campaign = tmp_path / "lab" / "campaign.toml"
    text = campaign.read_text().replace('"sobol"', '"ensemble"').replace("runs = 4", "runs = 1")
    campaign.write_text(text + '[prior]\ncsv = "before.csv"\n')
    record = ("--record", "again.sqlite")
    assert command(tmp_path / "lab", "simulate", "campaign.toml", *record).code == 0
    said = command(tmp_path / "lab", "why", "suggestion-1", "--in", "again.sqlite").out
    (doubts,) = [line for line in said.splitlines() if line.strip().startswith("doubts")]
    assert "a trial of before: absorbance_au = 3.9 AU at dye_fraction = 0.25" in doubts
    assert "does not fit with all others" in doubts


def test_points_before_the_first_model_read_as_start_points(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    campaign = tmp_path / "lab" / "campaign.toml"
    text = campaign.read_text().replace('"sobol"', '"ensemble"').replace("runs = 4", "runs = 3")
    campaign.write_text(text)
    record = ("--record", "again.sqlite")
    assert command(tmp_path / "lab", "simulate", "campaign.toml", *record).code == 0
    first = command(tmp_path / "lab", "why", "suggestion-1", "--in", "again.sqlite").out
    assert "dye_fraction = 0.5 is a start point, the centre of the space" in first
    third = command(tmp_path / "lab", "why", "suggestion-3", "--in", "again.sqlite").out
    assert "is a start point, by Sobol's sequence" in third
    assert "fall-back" not in third


UNKNOWN = [
    (("why", "dye-451"), "the record holds no campaign 'dye-451'; did you mean 'dye-450'?"),
    (("why", "dye-450/run-22"), "dye-450 has no run 'dye-450/run-22'; did you mean"),
    (("why", "dye-450/suggestion-22"), "dye-450 has no suggestion 'dye-450/suggestion-22'; did"),
    (("why", "dye-450/run-2/step-9"), "the run has no step 'dye-450/run-2/step-9'; see"),
    (("why", "dye-450/nonsense"), "'dye-450/nonsense' is no step, run, suggestion or campaign"),
    (("runs", "show", "dye-450/run-22"), "dye-450 has no run 'dye-450/run-22'; did you mean"),
    (("runs", "list", "dye"), "the record holds no campaign 'dye'"),
    (("status", "nowhere.sqlite"), "nowhere.sqlite: there is no such file"),
    (("db", "verify", "dye-451"), "the record holds no campaign 'dye-451'"),
    (("node", "lab.toml"), "lab.toml:5: lab.broker: an embedded broker lives inside `sdl run`"),
    (("node", "campaign.toml"), "lab.toml:5: lab.broker: an embedded broker lives inside"),
    (("check", "lab.toml"), "lab.toml:3: lab: this is a lab file; name the campaign's file\n"),
    (("run", "lab.toml"), "lab.toml:3: lab: this is a lab file; name the campaign's file\n"),
    (("planner", "lab.toml"), "lab.toml:5: lab.broker: an embedded broker lives inside"),
]


@pytest.mark.parametrize("words,message", UNKNOWN)
def test_an_unknown_name_is_told_kindly(sdl: Sdl, words: tuple[str, ...], message: str) -> None:
    said = sdl(*words)
    assert said.code == Exit.MISTAKE
    assert said.err.startswith(f"sdl: {message}")
    assert "Traceback" not in said.err


def test_a_changed_journal_is_found_out(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    with sqlite3.connect(tmp_path / "lab" / "record.sqlite") as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE journal SET body = body || ' ' WHERE seq = 9")
    connection.close()
    said = command(tmp_path / "lab", "db", "verify", "--json")
    assert said.code == Exit.RECORD
    assert json.loads(said.out)["broken"]["seq"] == 9


def test_a_database_that_is_none_is_told_kindly(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    (tmp_path / "lab" / "record.sqlite").write_bytes(b"not a database at all" * 100)
    said = command(tmp_path / "lab", "status")
    assert said.code == Exit.RECORD
    assert "Traceback" not in said.err


def test_a_protocol_edited_since_is_no_ground_for_why(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    protocol = tmp_path / "lab" / "protocols" / "dye_assay.py"
    protocol.write_text(protocol.read_text() + "# edited\n")
    ended = command(tmp_path / "lab", "why")
    assert ended.out.startswith("dye-450: ended (budget): "), "for that the record is enough"
    with sqlite3.connect(tmp_path / "lab" / "record.sqlite") as record:
        record.execute("UPDATE campaign SET ending = NULL")  # as of one that still goes on
    record.close()
    said = command(tmp_path / "lab", "why")
    assert said.code == Exit.MISTAKE
    assert "is not here, or was edited since" in said.err


def test_the_doctor_finds_a_broker_that_does_not_answer(lab: Path, tmp_path: Path) -> None:
    shutil.copytree(lab, tmp_path / "lab")
    path = tmp_path / "lab" / "lab.toml"
    path.write_text(path.read_text().replace('"embedded"  ', '"mqtt://127.0.0.1:1"'))
    said = command(tmp_path / "lab", "doctor", "lab.toml")
    assert said.code == Exit.FAULT
    assert "BAD broker" in said.out
