"""The verbs that show what is on record, and their JSON documents."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from sdl.cli.exits import Exit
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


def test_the_same_seed_gives_the_same_journal(sdl: Sdl) -> None:
    words = ("simulate", "campaign.toml", "--seed", "3", "--json", "--record")
    first, second = sdl(*words, "a.sqlite").document, sdl(*words, "b.sqlite").document
    assert first["journal"] == second["journal"]
    assert first["runs"]["measured"] == 4


def test_the_end_names_best_point_record_and_next_command(sdl: Sdl) -> None:
    said = sdl("simulate", "campaign.toml", "--record", "again.sqlite")
    assert "absorbance_au = " in said.out
    assert " AU" in said.out
    assert "4 ended, 4 measured, 0 failures" in said.out
    assert said.out.endswith("Next: sdl runs list --in again.sqlite\n")
    assert "4 of at most 4 runs ended; best " in said.err


def test_why_tells_an_ending_a_run_a_point_and_a_step(sdl: Sdl) -> None:
    assert sdl("why").out.startswith("dye-450: ended (budget): ")
    assert "dye-450/run-2: measured\n" in sdl("why", "dye-450/run-2").out
    assert "was suggested by sobol" in sdl("why", "dye-450/suggestion-2").out
    assert "dispense on handler done" in sdl("why", "dye-450/run-2/step-1").out


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
