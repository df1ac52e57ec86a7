"""A lab that is planned for: real processes, and an orchestrator that dies while it asks."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sdl.shell.crash import VARIABLE
from sdl.shell.record import Record
from tests.scenario.test_real_loop import PATIENCE_S, run, sdl
from tests.sim.places import place

RUNS = 12


def planned(folder: Path, plan: str = "auto") -> Path:
    """A campaign of which four runs may be in flight at a time."""
    path = place(folder, runs=RUNS, speed=30, planner="sobol", parallel=4)
    lab = folder / "lab.toml"
    lab.write_text(f'{lab.read_text()}\n[scheduling]\nplan = "{plan}"\n', encoding="utf-8")
    return path


def plans(folder: Path) -> list[dict[str, object]]:
    """The plans on record."""
    with closing(sqlite3.connect(folder / "record.sqlite")) as connection:
        rows = connection.execute(
            "SELECT body FROM journal WHERE type = 'PlanArrived' ORDER BY seq"
        )
        return [json.loads(body) for (body,) in rows]


def sound(folder: Path) -> None:
    """All runs are there, and everything on record holds together."""
    record = Record.open(f"sqlite:///{folder / 'record.sqlite'}", create=False)
    try:
        assert record.verify() is None
        assert record.rebuild(check=True) == []
        (campaign,) = record.campaigns()
        assert (campaign.runs, campaign.campaign.ending) == (RUNS, "budget")
    finally:
        record.close()


def test_a_campaign_is_planned_for_and_an_orchestrator_that_dies_while_asking_is_resumed(
    tmp_path: Path,
) -> None:
    campaign = planned(tmp_path)
    died = subprocess.run(
        sdl("run", str(campaign)),
        env={**os.environ, VARIABLE: "orchestrator.plan.asked:2"},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    before = plans(tmp_path)
    run("run", str(campaign), "--resume")
    after = plans(tmp_path)[len(before) :]
    assert any(one["steps"] for one in after)
    assert {one["status"] for one in after} <= {"optimal", "feasible", "repaired"}
    sound(tmp_path)
