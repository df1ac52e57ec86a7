"""A question at night: the lab's own program is run by a real orchestrator, and work goes on."""

from __future__ import annotations

import json
from pathlib import Path

from sdl.cli.exits import Exit
from tests.cli.conftest import command
from tests.scenario.test_real_loop import PATIENCE_S, run, started, until
from tests.sim.places import place

ASK = """
[[policy]]
action = "dispense"
on     = "driver"
then   = "ask"
"""
FAULT = 'faults = [{ action = "dispense", on_call = 2, kind = "raise" }]'
ALERT = """
[alert]
command = ["./call.sh", "night"]
"""
CALL = '#!/bin/sh\ncat > "$1.json.part" && mv "$1.json.part" "$1.json"\n'


def alerting(folder: Path) -> Path:
    campaign = place(folder, runs=4, speed=60, options=ASK, handler=FAULT)
    lab = folder / "lab.toml"
    lab.write_text(lab.read_text() + ALERT)
    return campaign


def test_a_program_that_is_not_there_is_found_before_anything_starts(tmp_path: Path) -> None:
    campaign = alerting(tmp_path)
    said = command(tmp_path, "check", str(campaign))
    assert said.code == Exit.MISTAKE
    assert "lab.toml:" in said.err
    assert "there is no program './call.sh' that may be run" in said.err
    (tmp_path / "call.sh").write_text(CALL)
    assert "chmod +x" in command(tmp_path, "check", str(campaign)).err
    (tmp_path / "call.sh").chmod(0o755)
    assert command(tmp_path, "check", str(campaign)).code == Exit.OK


def test_a_question_is_told_to_the_program_and_answered(tmp_path: Path) -> None:
    campaign = alerting(tmp_path)
    (tmp_path / "call.sh").write_text(CALL)
    (tmp_path / "call.sh").chmod(0o755)
    with started("run", str(campaign)) as process:
        until((tmp_path / "night.json").exists, "the call")
        (need,) = json.loads((tmp_path / "night.json").read_text())["needs"]
        assert need["kind"] == "question"
        step = need["id"].rpartition("/")[0]
        run("resolve", step, "--did-not-happen", "--lab", str(tmp_path))
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
