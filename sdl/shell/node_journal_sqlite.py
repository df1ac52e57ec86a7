"""A node's journal in a file, with one thread that writes: what comes together is one commit."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sdl.errors import Bug, RecordFault, SdlError
from sdl.shell.node_journal import Booted, CommandId, Entry, Recalled, Remembered, Renewed, Taken
from sdl.shell.node_journal_file import JournalFile

_LOG = logging.getLogger("sdl.node")


def journal_path(folder: Path, lab: str) -> Path:
    """Where the nodes of a lab that run from this folder keep their journal."""
    return folder / ".sdl" / f"{lab}.node.sqlite"


@dataclass(slots=True)
class _Group:
    """The entries of one ``commit``, and who waits for them."""

    entries: Sequence[Entry]
    written: asyncio.Future[None]
    error: BaseException | None = None


class SqliteJournal:
    """A ``NodeJournal`` in a SQLite file (WAL, synchronous FULL); several nodes may share it.

    Commits are never put off: a group is written at once, or with all others that came while the
    last commit was going on.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file; its folder is made. RecordFault if that cannot be."""
        self.path = path
        self._reading = JournalFile(path)
        self._writing: JournalFile | None = JournalFile(path)
        self._memory = self._reading.memory
        self._cids: dict[tuple[str, str], set[int]] = {}
        """Hashes of command ids, by device and orchestrator's journal: a command that is new, as
        nearly all are, must cost no look at the file."""
        self._waiting: list[_Group] = []
        self._changed = threading.Condition()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._write, name="node-journal", daemon=True)
        self._thread.start()

    @property
    def memory(self) -> str:
        return self._memory

    def recall(self, devices: Sequence[str]) -> Recalled:
        try:
            recalled = self._reading.recall(devices)
        except (OSError, sqlite3.Error) as error:
            raise _refusal(self.path, error) from error
        self._memory = self._reading.memory
        return recalled

    async def commit(self, entries: Sequence[Entry]) -> None:
        self._loop = asyncio.get_running_loop()
        group = _Group(entries, self._loop.create_future())
        for entry in entries:
            if isinstance(entry, Taken) and (entry.device, entry.id.journal) in self._cids:
                self._cids[entry.device, entry.id.journal].add(hash(entry.id.cid))
        with self._changed:
            if self._closing:
                raise RecordFault(f"the node's journal {self.path} is closed; nothing was written")
            self._waiting.append(group)
            self._changed.notify()
        await group.written

    def find(self, device: str, command: CommandId) -> Remembered | None:
        cids = self._cids.get((device, command.journal))
        if cids is None:
            cids = self._cids[device, command.journal] = self._reading.cids(device, command.journal)
        return self._reading.find(device, command) if hash(command.cid) in cids else None

    def words(self, device: str, from_seq: int) -> Sequence[bytes]:
        return self._reading.words(device, from_seq)

    def close(self) -> None:
        """Write what waits, then close the file; safe to call twice."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._reading.close()

    def _write(self) -> None:
        while groups := self._next():
            self._write_groups(groups)
            assert self._loop is not None
            memory = self._renewed(groups)
            try:
                self._loop.call_soon_threadsafe(self._tell, groups, memory)
            except RuntimeError:  # the loop is over, and with it everybody who waited
                _LOG.debug("nobody waits for the last commit of %s", self.path)
        if self._writing is not None:
            self._writing.close()

    def _renewed(self, groups: list[_Group]) -> str:
        """The journal's new name, if one of the groups gave it one."""
        entries = (entry for group in groups if group.error is None for entry in group.entries)
        if self._writing is None or not any(isinstance(entry, Renewed) for entry in entries):
            return ""
        return self._writing.memory

    def _next(self) -> list[_Group]:
        """All groups that wait; empty when the journal is closed and has written everything."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            groups, self._waiting = self._waiting, []
        return groups

    def _write_groups(self, groups: list[_Group]) -> None:
        """Write all in one commit; where that fails, each by itself, for one may be to blame."""
        error = self._try([group.entries for group in groups])
        if error is None:
            return
        if len(groups) == 1:
            groups[0].error = error
            return
        for group in groups:
            group.error = self._try([group.entries])

    def _try(self, groups: Sequence[Sequence[Entry]]) -> BaseException | None:
        try:
            if self._writing is None:
                self._writing = JournalFile(self.path)
            self._writing.write(groups)
            if any(isinstance(entry, Booted) for entries in groups for entry in entries):
                self._writing.settle()
        except BaseException as error:  # noqa: BLE001 -- whatever it is, nobody may wait for ever
            self._drop_line(error)
            return error
        return None

    def _drop_line(self, error: BaseException) -> None:
        """After a failed write to the disk, nothing that this connection holds is to be trusted."""
        if self._writing is None or isinstance(error, sqlite3.IntegrityError):
            return
        try:
            self._writing.close()
        except (OSError, sqlite3.Error):
            _LOG.exception("%s could not be closed", self.path)
        self._writing = None

    def _tell(self, groups: list[_Group], memory: str) -> None:
        self._memory = self._reading.memory = memory or self._memory
        for group in groups:
            if group.written.done():  # its reader went away
                continue
            if group.error is None:
                group.written.set_result(None)
            else:
                group.written.set_exception(_refusal(self.path, group.error))


def _refusal(path: Path, error: BaseException) -> SdlError:
    if isinstance(error, SdlError):
        return type(error)(*error.args)
    if isinstance(error, OSError | sqlite3.OperationalError | sqlite3.DatabaseError) and not (
        isinstance(error, sqlite3.IntegrityError)
    ):
        refusal: SdlError = RecordFault(f"the node's journal {path} cannot be written: {error}")
    else:
        refusal = Bug(f"the node's journal {path} does not take what it was given: {error!r}")
    refusal.__cause__ = error
    return refusal
