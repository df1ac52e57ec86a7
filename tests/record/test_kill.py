"""A killed writer leaves a clean beginning of its journal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sdl.shell.record import Record
from tests.record.plausible import journal

CHILD = Path(__file__).with_name("writing_child.py")


@pytest.mark.parametrize("after", [1, 12])
def test_what_was_acknowledged_before_a_kill_is_there_and_whole(url: str, after: int) -> None:
    with subprocess.Popen(
        [sys.executable, str(CHILD), url],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(after)]
        child.kill()
        said += child.stdout.read().splitlines(keepends=True)
    acknowledged = max(int(line) for line in said if line.endswith(b"\n"))

    record = Record.open(url)
    seq, _ = record.head("dye-450")
    assert acknowledged <= seq < len(journal(runs=400)), "killed in mid-stream"
    assert seq % 7 == 0, "groups are whole"
    lines = journal(runs=400)
    assert list(record.lines("dye-450")) == lines[:seq]
    assert record.verify() is None
    assert record.rebuild(check=True) == []
    record.append(lines[seq : seq + 20])
    record.close()
