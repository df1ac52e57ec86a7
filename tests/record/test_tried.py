"""What was tried, read from the record, is what the planner was told."""

from __future__ import annotations

from pathlib import Path

from sdl.core import commands as do
from sdl.core.engine import Engine
from sdl.model.campaign import PlannerChoice, StopRule
from sdl.shell.record import Record
from sdl.shell.tried import tried
from sdl.wire.journal import Chain
from tests.core.dye import SCRIPT
from tests.core.floor import Chances, Floor, campaign

SPEC = campaign(
    planner=PlannerChoice(kind="sobol", ahead=3, refresh=True), parallel=2, stop=StopRule(runs=20)
)


def test_trials_of_the_record_are_those_that_the_planner_was_told(tmp_path: Path) -> None:
    floor = Floor(Engine(SCRIPT), seed=4, chances=Chances(fail=0.2, unknown=0.2)).play(SPEC)
    ends = {line.disposition for line in floor.journal if isinstance(line, do.Dispose)}
    assert {"measured", "failed", "unknown", "withdrawn"} <= ends, floor.seed
    record, chain, at = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}"), Chain("dye"), 0.0
    lines = []
    for value in floor.journal:
        at = getattr(value, "at", at)  # a command is of its event's time
        lines.append(chain.add(value, at))
    record.append(lines)
    _, found, origins = tried(record, "dye")
    measured = [run for run, one in zip(origins, found, strict=True) if one.status == "measured"]
    assert {*measured} <= {run.run for run in record.runs("dye") if run.outcome == "measured"}
    assert len({*measured}) == len(measured) > 0
    record.close()
    told = [one for one in floor.engine.state.trials.values() if one.status != "pending"]
    assert [(one.inputs, one.status, one.measures) for one in found] == [
        (one.inputs, one.status, one.measures) for one in told
    ]
