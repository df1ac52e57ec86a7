"""The one writer of a record: groups that come in while a commit goes on share the next one."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from sdl.errors import RecordAway, RecordFault, SdlError
from sdl.wire.journal import Line


class Appends(Protocol):
    """What a writer writes to: a Record."""

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines in one transaction, durable on return."""
        ...


PATIENCE_S = 60.0
"""Wall seconds that a database may be away before the writer gives up, ..."""
DISK_PATIENCE_S = 24 * 3600.0
"""... and a disk be full or failing: on that nothing else can be done but to wait for a person."""
PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Wall seconds between two tries; the last one repeats."""

log = logging.getLogger(__name__)


class Writer:
    """Writes groups of lines in the order of their submission, in a thread of its own.

    Commits are never put off: a group is written at once, or with all others that came while the
    last commit was going on. While the database is away the same group is tried again, and
    everybody waits; a person is told once. After the first error that lasts nothing more is
    written, and everybody who waits or comes later gets it: what is not on record must not happen.
    """

    def __init__(self, record: Appends) -> None:
        self._record = record
        self._waiting: list[tuple[Sequence[Line], Future[None]]] = []
        self._changed = threading.Condition()
        self._closing = False
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="record-writer", daemon=True)
        self._thread.start()

    def submit(self, lines: Sequence[Line]) -> Future[None]:
        """Queue a group; the future is done once it is durable, or holds a RecordFault."""
        written: Future[None] = Future()
        written.set_running_or_notify_cancel()  # from here on nobody can take the lines back
        with self._changed:
            if self._broken is not None:
                written.set_exception(_refusal(self._broken))
            elif self._closing:
                written.set_exception(RecordFault("the record is closed; nothing was written"))
            else:
                self._waiting.append((lines, written))
                self._changed.notify()
        return written

    async def append(self, lines: Sequence[Line]) -> None:
        """Return once the lines are durable. RecordFault if they cannot be.

        Cancelling does not take the lines back.
        """
        await asyncio.shield(asyncio.wrap_future(self.submit(lines)))

    def close(self) -> None:
        """Write what waits, then end the thread; safe to call twice. The record stays open."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _write(self) -> None:
        while groups := self._next():
            try:
                self._append([line for lines, _ in groups for line in lines])
            except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                self._break(error, groups)
                return
            for _, written in groups:
                written.set_result(None)

    def _append(self, lines: Sequence[Line]) -> None:
        """Write one group, trying again while that may help."""
        began, tries = time.monotonic(), 0
        while True:
            try:
                self._record.append(lines)
            except RecordAway as away:
                patience_s = DISK_PATIENCE_S if "disk" in str(away) else PATIENCE_S
                if tries == 0:
                    log.warning("nothing is sent while the record cannot be written: %s", away)
                if time.monotonic() - began > patience_s or not self._pause(tries):
                    raise
                tries += 1
            else:
                if tries:
                    log.warning("the record is written again")
                return

    def _pause(self, tries: int) -> bool:
        """Wait for the next try; False if the writer is closed meanwhile."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing, timeout=PAUSES_S[min(tries, len(PAUSES_S) - 1)]
            )
            return not self._closing

    def _next(self) -> list[tuple[Sequence[Line], Future[None]]]:
        """All groups that wait; empty when the writer is closed and has written everything."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            groups, self._waiting = self._waiting, []
        return groups

    def _break(
        self, error: BaseException, groups: list[tuple[Sequence[Line], Future[None]]]
    ) -> None:
        with self._changed:
            self._broken = error
            groups, self._waiting = groups + self._waiting, []
        for _, written in groups:
            written.set_exception(_refusal(error))


def _refusal(error: BaseException) -> SdlError:
    if isinstance(error, SdlError):
        return type(error)(*error.args)
    refusal = RecordFault(f"the record could not be written: {error!r}")
    refusal.__cause__ = error
    return refusal
