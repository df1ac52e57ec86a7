"""A node's journal in one SQLite file: what it was sent, began, ended, and was told."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from pathlib import Path
from typing import NamedTuple

TABLES = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS command (
    journal TEXT, cid TEXT, memory TEXT, args_sha256 TEXT, body TEXT, PRIMARY KEY (journal, cid));
CREATE TABLE IF NOT EXISTS word (
    memory TEXT, seq INTEGER, journal TEXT, cid TEXT, stage TEXT, payload BLOB,
    PRIMARY KEY (memory, seq));
CREATE INDEX IF NOT EXISTS word_of ON word (journal, cid);
"""
OPEN = ("accepted", "started")
LAST = "SELECT stage, payload FROM word WHERE journal = ? AND cid = ? ORDER BY rowid DESC LIMIT 1"


class Known(NamedTuple):
    """A command that stands in the journal."""

    memory: str
    args_sha256: str
    stage: str
    """Of its last word."""
    payload: bytes
    """That word as it was published."""


class Journal:
    """Everything is on disk when a method returns; an error means that nothing of it is."""

    def __init__(self, path: Path) -> None:
        self._mark = path.with_suffix(".mark")
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(TABLES)
        starts = int(self.fact("starts") or "0")
        marked, _, count = self._marked().partition(" ")
        put_back = marked == self.fact("memory") and int(count or "0") > starts
        if put_back or not self.fact("memory"):
            self.renew()
        self.note("starts", str(starts + 1))
        self.mark()

    @property
    def memory(self) -> str:
        """The journal's name."""
        return self.fact("memory")

    @property
    def seq(self) -> int:
        """Number of the last word under this name; 0 if there is none."""
        found = self._db.execute("SELECT max(seq) FROM word WHERE memory = ?", (self.memory,))
        return found.fetchone()[0] or 0

    def fact(self, name: str) -> str:
        """What was noted; empty if nothing was."""
        found = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def note(self, name: str, value: str) -> None:
        """Keep a single fact."""
        self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def renew(self) -> None:
        """Take another name: this file does not know all that happened under the old one."""
        self.note("memory", secrets.token_hex(8))

    def mark(self) -> None:
        """Keep beside the file how far it has come, so that an older copy of it is noticed."""
        fresh = self._mark.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(f"{self.memory} {self.fact('starts')}")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._mark)

    def known(self, journal: str, cid: str) -> Known | None:
        """What is known about a command."""
        row = self._db.execute(
            "SELECT memory, args_sha256 FROM command WHERE journal = ? AND cid = ?", (journal, cid)
        ).fetchone()
        return Known(*row, *self._db.execute(LAST, (journal, cid)).fetchone()) if row else None

    def commit(self, command: dict[str, object], seq: int, stage: str, payload: bytes) -> None:
        """A word about a command, together with the command itself if it is the first."""
        journal, cid = command["journal"], command["cid"]
        taken = (journal, cid, self.memory, command.get("args_sha256", ""), json.dumps(command))
        word = (self.memory, seq, journal, cid, stage, payload)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("INSERT OR IGNORE INTO command VALUES (?, ?, ?, ?, ?)", taken)
            self._db.execute("INSERT INTO word VALUES (?, ?, ?, ?, ?, ?)", word)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def words(self, first: int) -> list[bytes]:
        """All words from this number on, in order."""
        asked = "SELECT payload FROM word WHERE memory = ? AND seq >= ? ORDER BY seq"
        return [row[0] for row in self._db.execute(asked, (self.memory, first))]

    def unfinished(self) -> list[tuple[str, dict[str, object]]]:
        """Commands under this name without an end, as they came, each with its last stage."""
        asked = "SELECT journal, cid, body FROM command WHERE memory = ? ORDER BY rowid"
        rows = self._db.execute(asked, (self.memory,)).fetchall()
        staged = [(self._db.execute(LAST, row[:2]).fetchone()[0], row[2]) for row in rows]
        return [(stage, json.loads(body)) for stage, body in staged if stage in OPEN]

    def _marked(self) -> str:
        return self._mark.read_text(encoding="utf-8") if self._mark.exists() else ""
