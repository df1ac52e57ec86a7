"""A PostgreSQL whose rows a frozen orchestrator has locked: the standby takes over all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from sdl.errors import LeaseLost, RecordAway
from sdl.shell import lease as lease_module
from sdl.shell.leading import leading
from sdl.shell.lease import Lease
from sdl.shell.record import Record
from sdl.shell.stalled import TIMEOUTS_MS
from sdl.shell.statements import Pen
from tests.record.plausible import journal

LAB = "bench"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are short enough for a test, in the same order."""
    monkeypatch.setattr(lease_module, "STILL_S", 0.9)
    monkeypatch.setitem(TIMEOUTS_MS, "idle_in_transaction_session_timeout", 700)
    monkeypatch.setitem(TIMEOUTS_MS, "lock_timeout", 1500)


def led(record: Record) -> Lease:
    """The lease of a first orchestrator, which writes under it."""
    lease = Lease.take(record.leases, LAB, "somewhere /lab 7", record.leases.held(LAB), 5.0)
    assert lease is not None
    record.fence(LAB, lease.epoch)
    return lease


@contextmanager
def frozen_in_a_write(record: Record, *, in_pipeline: bool) -> Iterator[Pen]:
    """What the server sees of a process that is frozen after it has renewed its lease."""
    pen = Pen(record._engine)
    with ExitStack() as stack:
        cursor = pen._connection.cursor()
        pen._renew(cursor, LAB, 5)
        if in_pipeline:
            stack.enter_context(pen._batch())
            cursor.execute("UPDATE lease SET beat = beat WHERE lab = %s", (LAB,))
        yield pen
        pen.discard()
        stack.pop_all()  # its end would wait for the server


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("in_pipeline", [False, True])
async def test_a_standby_takes_over_from_one_that_is_frozen_in_a_write(
    fresh_postgres: str, tmp_path: Path, *, in_pipeline: bool
) -> None:
    first, second = Record.open(fresh_postgres), Record.open(fresh_postgres)
    led(first)
    with frozen_in_a_write(first, in_pipeline=in_pipeline):
        began = time.monotonic()
        async with asyncio.timeout(20.0):
            async with leading(second, LAB, tmp_path, standby=True) as ours:
                assert ours.lease.epoch > 5
                second.append(journal(runs=0))
        assert time.monotonic() - began < 8.0
    first.close()
    second.close()


@pytest.mark.usefixtures("hasty")
def test_who_stood_still_in_a_write_and_is_still_the_leader_writes_it_again(
    fresh_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, lines = Record.open(fresh_postgres), journal(runs=1)
    led(record)
    really, stalls = Pen.write_rows, [1.2]

    def stalling(pen: Pen, *rest: object) -> None:
        really(pen, *rest)  # type: ignore[arg-type]
        time.sleep(stalls.pop() if stalls else 0.0)

    record.append(lines[:5])
    monkeypatch.setattr(Pen, "_batch", lambda _: ExitStack())  # else it counts as at work
    monkeypatch.setattr(Pen, "write_rows", stalling)
    with pytest.raises(RecordAway, match="stood still in the middle of a write"):
        record.append(lines[5:9])
    record.append(lines[5:9])
    assert list(record.lines("dye-450")) == lines[:9]
    assert record.verify() is None
    record.close()


@pytest.mark.usefixtures("hasty")
def test_who_stood_still_in_a_write_and_was_taken_over_from_writes_nothing(
    fresh_postgres: str,
) -> None:
    first, second = Record.open(fresh_postgres), Record.open(fresh_postgres)
    lines = journal(runs=1)
    led(first)
    first.append(lines[:5])
    with frozen_in_a_write(first, in_pipeline=False):
        time.sleep(1.0)
        second.fence(LAB, led(second).epoch)
    with pytest.raises(LeaseLost):
        first.append(lines[5:9])
    assert second.head("dye-450")[0] == 5
    first.close()
    second.close()


def test_the_url_may_set_other_timeouts(fresh_postgres: str) -> None:
    for query, expected in [("", "10s"), ("?options=-c%20lock_timeout%3D33s", "33s")]:
        record = Record.open(fresh_postgres + query)
        with record._engine.connect() as connection:
            assert connection.execute(text("SHOW lock_timeout")).scalar_one() == expected
            idle = text("SHOW idle_in_transaction_session_timeout")
            assert connection.execute(idle).scalar_one() == "5s"
        record.close()
