"""A database that is away for a while: nothing is lost, nothing written twice, one word to tell."""

from __future__ import annotations

import asyncio
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from sdl.errors import LabFault, RecordAway, RecordFault
from sdl.shell import writer as writer_module
from sdl.shell.lease import FRESH_S, Lease
from sdl.shell.record import Record
from sdl.shell.statements import Pen
from sdl.shell.writer import Writer
from sdl.testing.postgres import Postgres
from sdl.testing.postgres import postgres as running_postgres
from sdl.wire.journal import Line
from tests.record.plausible import journal

NAME = "dye-450"
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL of our own, to stop and to start."""
    try:
        with running_postgres() as running:
            yield running
    except LabFault as fault:
        pytest.skip(str(fault))


def sound(record: Record, lines: list[Line]) -> None:
    assert list(record.lines(NAME)) == lines
    assert record.verify() is None
    assert record.rebuild(check=True) == []


async def away(writing: asyncio.Future[None]) -> None:
    """The writer has noticed, and waits."""
    await asyncio.sleep(0.5)
    assert not writing.done(), "it gave up, or wrote to nobody"


async def test_a_server_that_stops_and_starts_is_written_to_again(
    server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    record, lines = Record.open(server.add_database()), journal()
    writer = Writer(record)
    await writer.append(lines[:5])
    server.stop()
    first = asyncio.ensure_future(writer.append(lines[5:8]))
    await away(first)
    second = asyncio.ensure_future(writer.append(lines[8:]))
    await away(second)
    server.start()
    await asyncio.wait_for(asyncio.gather(first, second), PATIENCE_S)
    writer.close()
    sound(record, lines)
    record.close()
    told = [each.message for each in caplog.records if each.name == "sdl.shell.writer"]
    assert len(told) == 2, "once that it is away, once that it is back"
    assert told[0].startswith("nothing is sent while the record cannot be written: postgresql://")
    assert "***" in told[0]
    assert told[1] == "the record is written again"


async def test_connections_that_the_server_ends_are_no_loss(server: Postgres) -> None:
    record, lines = Record.open(server.add_database()), journal(runs=2)
    writer = Writer(record)
    for first in range(0, len(lines), 20):
        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND usename = 'sdl'"
            )
        await asyncio.wait_for(writer.append(lines[first : first + 20]), PATIENCE_S)
    writer.close()
    sound(record, lines)
    record.close()


async def test_nobody_sends_while_the_lease_cannot_be_looked_up(server: Postgres) -> None:
    record, now_s = Record.open(server.add_database()), 0.0
    taken = Lease.take(record.leases, "bench", "here", None, 5.0)
    assert taken is not None
    lease = Lease(record.leases, "bench", taken.epoch, monotonic=lambda: now_s)
    now_s = FRESH_S
    server.stop()
    vouching = asyncio.ensure_future(lease.vouch())
    await away(vouching)
    server.start()
    await asyncio.wait_for(vouching, PATIENCE_S)
    assert lease.is_fresh()
    record.close()


async def test_a_server_that_stays_away_is_given_up_on(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "PATIENCE_S", 0.3)
    record = Record.open(server.add_database())
    writer = Writer(record)
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(RecordFault, match=r"no answer from the server|terminat"):
                await writer.append(journal(runs=0))
    finally:
        server.start()
    writer.close()
    assert record.head(NAME)[0] == 0
    record.close()


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """The next commits succeed, but what comes back is one of these."""
    answers: list[Exception] = []
    really = Pen.write

    def write(pen: Pen, *rest: object) -> None:
        really(pen, *rest)  # type: ignore[arg-type]
        if answers:
            raise answers.pop()

    monkeypatch.setattr(Pen, "write", write)
    return answers


async def test_a_commit_whose_answer_is_lost_is_not_written_again(
    url: str, lost_answer: list[Exception]
) -> None:
    record, lines = Record.open(url), journal(runs=2)
    writer = Writer(record)
    await writer.append(lines[:5])
    lost_answer.append(psycopg.OperationalError("the connection is lost"))
    await writer.append(lines[5:9])
    await writer.append(lines[9:])
    writer.close()
    sound(record, lines)
    record.close()


def test_a_group_that_another_process_wrote_meanwhile_is_not_taken_for_ours(
    url: str, lost_answer: list[Exception]
) -> None:
    record, lines, other = Record.open(url), journal(), journal(seed=2)
    record.append(lines[:1])
    assert other[0] == lines[0]
    assert other[12] != lines[12]
    lost_answer.append(psycopg.OperationalError("the connection is lost"))
    with pytest.raises(RecordAway):
        record.append(lines[1:5])
    lost_answer.append(psycopg.OperationalError("the connection is lost"))
    with pytest.raises(RecordAway):
        record.append(lines[5:9])
    record.append(lines[5:9])
    assert list(record.lines(NAME)) == lines[:9]
    record.close()


@contextmanager
def limited(file_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that: the disk refuses to write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_refuses_to_write_is_waited_for(tmp_path: Path) -> None:
    record, lines = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}"), journal()
    writer = Writer(record)
    await writer.append(lines[:5])
    with limited(4096):
        writing = asyncio.ensure_future(writer.append(lines[5:]))
        await away(writing)
    await asyncio.wait_for(writing, PATIENCE_S)
    writer.close()
    sound(record, lines)
    record.close()


async def test_a_full_disk_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record, lines = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}"), journal(runs=80)
    pages = ["PRAGMA max_page_count = 60"]
    event.listen(record._engine, "connect", lambda raw, _: [raw.execute(one) for one in pages])
    record._engine.dispose()
    writer = Writer(record)
    writing = asyncio.ensure_future(writer.append(lines))
    await away(writing)
    pages[0] = "PRAGMA max_page_count = 1000000"
    await asyncio.wait_for(writing, PATIENCE_S)
    writer.close()
    sound(record, lines)
    record.close()
    assert "the disk is full; make room" in caplog.text


async def test_closing_does_not_wait_for_a_disk(tmp_path: Path) -> None:
    record = Record.open(f"sqlite:///{tmp_path / 'record.sqlite'}")
    writer = Writer(record)
    with limited(4096):
        writing = asyncio.ensure_future(writer.append(journal()))
        await away(writing)
        closing = threading.Thread(target=writer.close)
        closing.start()
        with pytest.raises(RecordFault, match="the disk cannot be read or written"):
            await asyncio.wait_for(writing, PATIENCE_S)
        closing.join()
    assert record.head(NAME)[0] == 0
    record.close()
