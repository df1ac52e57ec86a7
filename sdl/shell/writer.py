"""The one writer of a record: groups that come in while a commit goes on share the next one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from sdl.errors import RecordFault, SdlError
from sdl.wire.journal import Line


class Appends(Protocol):
    """What a writer writes to: a Record."""

    def append(self, lines: Sequence[Line]) -> None:
        """Write lines in one transaction, durable on return."""
        ...


class Writer:
    """Writes groups of lines in the order of their submission, in a thread of its own.

    Commits are never put off: a group is written at once, or with all others that came while the
    last commit was going on. After the first error nothing more is written, and everybody who
    waits or comes later gets a RecordFault: what is not on record must not happen.
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
                self._record.append([line for lines, _ in groups for line in lines])
            except BaseException as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                self._break(error, groups)
                return
            for _, written in groups:
                written.set_result(None)

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
