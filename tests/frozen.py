"""A process that is frozen between two writes of its record, or in the middle of one."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg

PATIENCE_S = 60.0
LOOK_S = 0.05


def freeze_between_writes(pid: int, record: Path) -> None:
    """Freeze a process, but not while it writes: until it goes on, nobody else could write then.

    So it is with SQLite, and no standby can take over before.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        os.kill(pid, signal.SIGSTOP)
        try:
            with closing(sqlite3.connect(record, timeout=0.5)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
        else:
            return
        assert time.monotonic() < until, f"process {pid} never stops to write"
        time.sleep(LOOK_S)


def freeze_in_a_write(pid: int, url: str) -> None:
    """Freeze a process after it has renewed its lease in PostgreSQL, and before it commits that.

    ``url``: of the record, for SQLAlchemy. Its lines wait for a lock of ours until it is frozen.
    """
    until = time.monotonic() + PATIENCE_S
    waiting = "SELECT 1 FROM pg_locks WHERE relation = 'journal'::regclass AND NOT granted"
    with psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:", 1)) as connection:
        connection.execute("LOCK TABLE journal IN SHARE MODE")
        while connection.execute(waiting).fetchone() is None:
            assert time.monotonic() < until, f"process {pid} never begins to write"
            time.sleep(LOOK_S)
        os.kill(pid, signal.SIGSTOP)
