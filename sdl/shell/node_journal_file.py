"""The file of a node's journal: its tables, one transaction for a group, and the mark beside it.

Raw ``sqlite3``: a command costs two commits, so what a row costs decides how many instruments one
node can serve.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias, cast

from sdl.errors import RecordFault
from sdl.model.data import JsonValue
from sdl.shell.node_journal import (
    Booted,
    CommandId,
    Entry,
    EpochSeen,
    JournalledStage,
    Noted,
    Pruned,
    Recalled,
    RecalledDevice,
    Remembered,
    Renewed,
    Stopped,
    Taken,
    Word,
)
from sdl.shell.node_journal_prune import AT_ONCE, horizon, old_until

VERSION = 1
"""Of the tables; stands in the file."""
BUSY_S = 10.0
"""Wall seconds to wait for another node process that writes to the same file."""
MARK_BYTES = 64
MACHINE_FILE = Path("/etc/machine-id")

_Row: TypeAlias = tuple[str | int | float | bytes | None, ...]
_LOG = logging.getLogger("sdl.node")

_TABLES = """
CREATE TABLE head (
    only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL, memory TEXT NOT NULL,
    number INTEGER NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE command (
    device TEXT NOT NULL, journal TEXT NOT NULL, cid TEXT NOT NULL, memory TEXT NOT NULL,
    args_sha256 TEXT NOT NULL, command BLOB NOT NULL, deadline REAL,
    stage TEXT NOT NULL, seq INTEGER NOT NULL, noted TEXT,
    UNIQUE (device, journal, cid));
CREATE INDEX unfinished ON command (device) WHERE stage IN ('accepted', 'started');
CREATE TABLE word (
    device TEXT NOT NULL, memory TEXT NOT NULL, seq INTEGER NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (device, memory, seq)) WITHOUT ROWID;
CREATE TABLE stopped (
    device TEXT PRIMARY KEY, why TEXT NOT NULL, orders TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE boot (boot TEXT NOT NULL, number INTEGER NOT NULL);
"""
_REMEMBERED = (
    "SELECT c.journal, c.cid, c.memory, c.args_sha256, c.command, c.stage, w.payload, c.noted, "
    "c.deadline FROM command c "
    "JOIN word w ON w.device = c.device AND w.memory = c.memory AND w.seq = c.seq "
)


class JournalFile:
    """One connection to the file, for one thread."""

    def __init__(self, path: Path) -> None:
        """RecordFault if the file is there and is no journal, or cannot be made."""
        self.path = path
        self._mark_path = path.with_name(f"{path.name}.mark")
        self._connection = self._opened()
        try:
            self._mark = os.open(self._mark_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            self._connection.close()
            raise _fault(self._mark_path, error) from error
        self._place = _place(self._mark)
        try:
            self.memory, self._number = self._head()
        except BaseException:
            self.close()
            raise

    def recall(self, devices: Sequence[str]) -> Recalled:
        """What a node needs to know when it starts."""
        recalled = self._recall(devices)
        # Another node may have given it a new name meanwhile; a file that is too old stays so.
        return self._recall(devices) if recalled.put_back else recalled

    def _recall(self, devices: Sequence[str]) -> Recalled:
        mark = os.pread(self._mark, MARK_BYTES, 0)  # first: other nodes go on writing
        self._connection.execute("BEGIN")  # one state for all, and one lock
        try:
            self.memory, self._number = self._head()
            [epoch] = self._one("SELECT epoch FROM head")
            return Recalled(
                put_back=self._is_put_back(mark),
                epoch=int(str(epoch)),
                devices={device: self._device(device) for device in devices},
            )
        finally:
            self._connection.execute("ROLLBACK")

    def find(self, device: str, command: CommandId) -> Remembered | None:
        """One command, if it is known."""
        row = self._connection.execute(
            f"{_REMEMBERED} WHERE c.device = ? AND c.journal = ? AND c.cid = ?",
            (device, command.journal, command.cid),
        ).fetchone()
        return None if row is None else _remembered(row)

    def cids(self, device: str, journal: str) -> set[int]:
        """Hashes of the ids of all commands that one orchestrator's journal gave a device."""
        rows = self._connection.execute(
            "SELECT cid FROM command WHERE device = ? AND journal = ?", (device, journal)
        )
        return {hash(cid) for (cid,) in rows}

    def words(self, device: str, from_seq: int) -> tuple[bytes, ...]:
        """All words of a device from a number on."""
        rows = self._connection.execute(
            "SELECT payload FROM word WHERE device = ? AND memory = ? AND seq >= ? ORDER BY seq",
            (device, self.memory, from_seq),
        )
        return tuple(payload for (payload,) in rows)

    def write(self, groups: Sequence[Sequence[Entry]]) -> None:
        """All groups in one transaction, durable on return. What SQLite or the disk says."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            for entries in groups:
                for entry in entries:
                    _ENTER[type(entry)](self._connection, entry)
            head = run("UPDATE head SET number = number + 1 RETURNING memory, number").fetchone()
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        memory, self._number = head
        if any(isinstance(entry, Renewed) for entries in groups for entry in entries):
            self.memory = memory  # not where another process renewed it: it told nobody of ours
        self._set_mark(memory)

    def settle(self) -> None:
        """See to it that the mark outlives a loss of power, too, if that can be."""
        try:
            os.fsync(self._mark)
        except OSError as error:
            _LOG.warning("%s may not outlive a loss of power: %s", self._mark_path, error)

    def close(self) -> None:
        """Close the connection."""
        os.close(self._mark)
        self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise _fault(self.path, error) from error
        try:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            self._make_tables(connection)
        except (OSError, sqlite3.Error) as error:
            connection.close()
            raise _fault(self.path, error) from error
        return connection

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'head'").fetchone():
            connection.execute("COMMIT")
            return
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        memory = secrets.token_hex(8)
        connection.execute("INSERT INTO head VALUES (1, ?, ?, 0, 0)", (VERSION, memory))
        connection.execute("COMMIT")
        if not self._mark_path.exists():
            self._mark_path.write_bytes(_mark(memory, 0))

    def _head(self) -> tuple[str, int]:
        try:
            version, memory, number = self._one("SELECT version, memory, number FROM head")
        except sqlite3.Error as error:
            raise _fault(self.path, error) from error
        if version != VERSION:
            raise RecordFault(
                f"{self.path} has version {version} of a node's journal and this software knows "
                f"{VERSION}; use the software that wrote it"
            )
        return str(memory), int(str(number))

    def _one(self, statement: str) -> Sequence[object]:
        return cast("Sequence[object]", self._connection.execute(statement).fetchone())

    def _is_put_back(self, mark: bytes) -> bool:
        """Whether the mark knows of a later commit than the file, of another file, or place.

        In another place it is a copy of a node's folder: the first one may be at work with the same
        journal, and what it was sent must not be done here, too.
        """
        match mark.decode(errors="replace").split():
            case [name, number, *place] if number.isdigit():  # older ones do not tell their place
                is_older = name != self.memory or int(number) > self._number
                return is_older or place not in ([], [self._place])
            case _:
                return True

    def _set_mark(self, memory: str) -> None:
        # Never waits for the disk: it comes after the commit, so the worst that a loss of power
        # leaves is a mark that is too low, and a process that dies leaves what it wrote. Nor does
        # an error at it undo the commit: what was written is to be told.
        try:
            os.pwrite(self._mark, _mark(memory, self._number, self._place), 0)
        except OSError as error:
            _LOG.warning("%s stays behind its journal: %s", self._mark_path, error)

    def _device(self, device: str) -> RecalledDevice:
        run = self._connection.execute
        [seq] = run(
            "SELECT coalesce(max(seq), 0) FROM word WHERE device = ? AND memory = ?",
            (device, self.memory),
        ).fetchone()
        stopped = run("SELECT why, orders FROM stopped WHERE device = ?", (device,)).fetchone()
        rows = run(
            f"{_REMEMBERED} WHERE c.device = ? AND c.memory = ? "
            "AND c.stage IN ('accepted', 'started') ORDER BY c.seq",
            (device, self.memory),
        )
        return RecalledDevice(
            seq=seq,
            stopped=stopped[0] if stopped else "",
            orders=tuple(json.loads(stopped[1])) if stopped else (),
            unfinished=tuple(_remembered(row) for row in rows),
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Where two processes make the file at once, one of them is refused without a wait."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _fault(path: Path, error: Exception) -> RecordFault:
    return RecordFault(
        f"the node's journal {path} cannot be used: {error}; see that its folder can be written. "
        "Where the file is damaged, move it away: what was open is then asked at a person"
    )


def _mark(memory: str, number: int, place: str = "") -> bytes:
    return f"{memory} {number} {place}".encode().ljust(MARK_BYTES - 1) + b"\n"


def _place(mark: int) -> str:
    """Where a mark lies: machine and number of the file there, which no copy of it has.

    A file that is moved keeps it, and so does one in an image of a whole disk.
    """
    try:
        machine = MACHINE_FILE.read_bytes()
    except OSError:
        machine = b""
    return f"{hashlib.sha256(machine).hexdigest()[:8]}.{os.fstat(mark).st_ino:x}"


def _remembered(row: Sequence[object]) -> Remembered:
    journal, cid, memory, args_sha256, command, stage, last, noted, deadline = row
    return Remembered(
        id=CommandId(str(journal), str(cid)),
        memory=str(memory),
        args_sha256=str(args_sha256),
        command=cast("bytes", command),
        stage=cast("JournalledStage", stage),
        last=cast("bytes", last),
        noted=cast("JsonValue", None if noted is None else json.loads(str(noted))),
        deadline=cast("float | None", deadline),
    )


def _insert(connection: sqlite3.Connection, statement: str, known: str, row: _Row) -> None:
    """Insert a row, unless it stands there already: a commit that failed may have been durable.

    ``known`` selects that very row. IntegrityError if another one has its place.
    """
    try:
        connection.execute(statement, row)
    except sqlite3.IntegrityError:
        if connection.execute(known, row).fetchone() is None:
            raise


def _taken(connection: sqlite3.Connection, entry: Taken) -> None:
    row = (entry.device, *entry.id, entry.memory, entry.args_sha256, entry.command, entry.deadline)
    _insert(
        connection,
        "INSERT INTO command VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, NULL)",
        "SELECT 1 FROM command WHERE device = ? AND journal = ? AND cid = ? AND memory = ? "
        "AND args_sha256 = ? AND command = ? AND deadline IS ?",
        row,
    )


def _word(connection: sqlite3.Connection, entry: Word) -> None:
    _insert(
        connection,
        "INSERT INTO word VALUES (?, ?, ?, ?)",
        "SELECT 1 FROM word WHERE device = ? AND memory = ? AND seq = ? AND payload = ?",
        (entry.device, entry.memory, entry.seq, entry.payload),
    )
    connection.execute(
        "UPDATE command SET stage = ?, seq = ? WHERE device = ? AND journal = ? AND cid = ?",
        (entry.stage, entry.seq, entry.device, *entry.id),
    )


def _noted(connection: sqlite3.Connection, entry: Noted) -> None:
    connection.execute(
        "UPDATE command SET noted = ? WHERE device = ? AND journal = ? AND cid = ?",
        (json.dumps(entry.value, allow_nan=False), entry.device, *entry.id),
    )


def _epoch_seen(connection: sqlite3.Connection, entry: EpochSeen) -> None:
    connection.execute("UPDATE head SET epoch = max(epoch, ?)", (entry.epoch,))


def _stopped(connection: sqlite3.Connection, entry: Stopped) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO stopped VALUES (?, ?, ?)",
        (entry.device, entry.why, json.dumps(entry.orders)),
    )


def _booted(connection: sqlite3.Connection, entry: Booted) -> None:
    connection.execute("INSERT INTO boot SELECT ?, number FROM head", (entry.boot,))


def _renewed(connection: sqlite3.Connection, entry: Renewed) -> None:
    del entry
    connection.execute("UPDATE head SET memory = ?", (secrets.token_hex(8),))


def _pruned(connection: sqlite3.Connection, entry: Pruned) -> None:
    run, device = connection.execute, entry.device
    [present] = run("SELECT memory FROM head").fetchone()
    asked = "SELECT seq, payload FROM word WHERE device = ? AND memory = ? ORDER BY seq"
    last = run(f"{asked} DESC LIMIT 1", (device, present)).fetchone()
    before = horizon(entry.now, last[1] if last else None)
    for [memory] in run("SELECT DISTINCT memory FROM word WHERE device = ?", (device,)).fetchall():
        until = old_until(run(f"{asked} LIMIT {AT_ONCE}", (device, memory)), before)
        if not until:
            continue
        these = (device, memory, until)
        run(
            "DELETE FROM command WHERE device = ? AND memory = ? AND seq <= ? "
            "AND stage NOT IN ('accepted', 'started')",
            these,
        )
        run(
            "DELETE FROM word WHERE device = ? AND memory = ? AND seq <= ? AND seq NOT IN "
            "(SELECT seq FROM command WHERE device = ? AND memory = ?)",
            (*these, device, memory),
        )


_ENTER = cast(
    "dict[type, Callable[[sqlite3.Connection, Entry], None]]",
    {
        Taken: _taken,
        Word: _word,
        Noted: _noted,
        EpochSeen: _epoch_seen,
        Stopped: _stopped,
        Booted: _booted,
        Renewed: _renewed,
        Pruned: _pruned,
    },
)
