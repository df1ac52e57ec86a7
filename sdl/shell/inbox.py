"""Messages that wait for their reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from sdl.shell.bus import Message


class Inbox:
    """A queue that can end; putting costs no task, and none is made per message."""

    def __init__(self) -> None:
        self._urgent: deque[Message] = deque()
        self._waiting: deque[Message] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, message: Message, *, urgent: bool = False) -> None:
        """Add a message and wake the reader, who gets the urgent ones before all others."""
        (self._urgent if urgent else self._waiting).append(message)
        self._wake()

    def close(self) -> None:
        """The reader gets what is there, then its loop ends."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def read(self) -> AsyncIterator[Message]:
        """Messages in order, until ``close``."""
        while True:
            while self._urgent or self._waiting:
                yield (self._urgent or self._waiting).popleft()
            if self._closed:
                return
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
