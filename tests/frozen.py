"""A process that is frozen where others can go on: with no transaction of SQLite's open."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

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
