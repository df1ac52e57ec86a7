"""The writer keeps the order, joins what waits, and never writes on after an error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from sdl.errors import RecordFault
from sdl.shell.record import Record
from sdl.shell.writer import Writer
from sdl.wire.journal import Line
from tests.record.plausible import journal


class Gate:
    """Lets appends through one at a time to a real record, or fails them."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.sizes: list[int] = []
        self.fault: Exception | None = None

    def append(self, lines: Sequence[Line]) -> None:
        self.begun.release()
        self.let.acquire()
        if self.fault is not None:
            raise self.fault
        self.sizes.append(len(lines))
        self.record.append(lines)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}"))


def test_groups_that_wait_share_the_next_commit_in_order(gate: Gate) -> None:
    lines = journal(runs=2)
    writer = Writer(gate)
    first = writer.submit(lines[:3])
    assert gate.begun.acquire(timeout=10)
    rest = [writer.submit(lines[start : start + 4]) for start in range(3, len(lines), 4)]
    assert not first.done()
    gate.let.release(2)
    for written in (first, *rest):
        written.result(timeout=10)
    assert gate.sizes == [3, len(lines) - 3]
    assert list(gate.record.lines("dye-450")) == lines
    writer.close()
    gate.record.close()


def test_closing_writes_what_waits(gate: Gate) -> None:
    lines = journal(runs=1)
    writer = Writer(gate)
    waiting = [writer.submit(lines[:3]), writer.submit(lines[3:])]
    gate.let.release(10)
    writer.close()
    writer.close()
    assert all(written.done() for written in waiting)
    assert list(gate.record.lines("dye-450")) == lines
    with pytest.raises(RecordFault, match="closed"):
        writer.submit(lines).result(timeout=10)
    gate.record.close()


@pytest.mark.parametrize("fault", [RecordFault("the disk is full"), ValueError("the disk is full")])
def test_after_an_error_all_who_wait_and_all_later_ones_are_refused(
    gate: Gate, fault: Exception
) -> None:
    lines = journal(runs=1)
    writer = Writer(gate)
    gate.fault = fault
    first = writer.submit(lines[:3])
    assert gate.begun.acquire(timeout=10)
    second = writer.submit(lines[3:6])
    gate.let.release(10)
    for written in (first, second, writer.submit(lines[:3])):
        with pytest.raises(RecordFault, match="the disk is full"):
            written.result(timeout=10)
    writer.close()
    assert gate.record.head("dye-450")[0] == 0
    gate.record.close()


async def test_a_cancelled_wait_does_not_take_the_lines_back(gate: Gate) -> None:
    lines = journal(runs=1)
    writer = Writer(gate)
    waiting = asyncio.ensure_future(writer.append(lines[:3]))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.let.release(10)
    await writer.append(lines[3:])
    assert list(gate.record.lines("dye-450")) == lines
    writer.close()
    gate.record.close()
