"""A simulation that plans: through the real runtime, node and codecs, and the same for one seed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sdl.shell.record import Record
from sdl.sim.simulate import simulate, simulate_together
from tests.sim.places import place

RUNS = 8


def plans(path: Path) -> list[dict[str, object]]:
    """The plans on record."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT body FROM journal WHERE type = 'PlanArrived'")
        return [json.loads(body) for (body,) in rows]


def test_the_same_seed_gives_the_same_journal_plans_included(tmp_path: Path) -> None:
    campaign = place(tmp_path, runs=RUNS, planner="sobol", parallel=4)
    first, second = (
        simulate(campaign, record=tmp_path / name, plan=True) for name in ("a.sqlite", "b.sqlite")
    )
    assert first.head == second.head
    assert len(plans(tmp_path / "a.sqlite")) > 1
    assert first.view.runs_measured == RUNS
    record = Record.open(f"sqlite:///{tmp_path / 'a.sqlite'}", create=False)
    try:
        assert record.verify() is None
        assert record.rebuild(check=True) == []
    finally:
        record.close()


def test_nobody_plans_where_nobody_asked_or_one_run_is_at_work_at_a_time(tmp_path: Path) -> None:
    many = place(tmp_path, runs=RUNS, planner="sobol", parallel=4)
    simulate(many, record=tmp_path / "a.sqlite")
    assert plans(tmp_path / "a.sqlite") == []
    (tmp_path / "alone").mkdir()
    alone = place(tmp_path / "alone", runs=3, planner="sobol", parallel=1)
    simulate(alone, record=tmp_path / "b.sqlite", plan=True)
    assert plans(tmp_path / "b.sqlite") == []


def test_campaigns_that_share_a_lab_are_planned_together(tmp_path: Path) -> None:
    path = place(tmp_path, runs=4, planner="sobol", parallel=2)
    other = tmp_path / "other.toml"
    other.write_text(path.read_text().replace('"dye"', '"other"', 1), encoding="utf-8")
    heads = [
        simulate_together([path, other], record=tmp_path / name, plan=True).head
        for name in ("a.sqlite", "b.sqlite")
    ]
    assert heads[0] == heads[1]
    steps = json.dumps(plans(tmp_path / "a.sqlite"))
    assert "dye/run-" in steps
    assert "other/run-" in steps
