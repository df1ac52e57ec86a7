"""A line to a broker that breaks when a test wants it: a small TCP proxy on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CONNACK_BYTES = 4
"""The broker's first word; what follows are its acknowledgements."""
CHUNK_BYTES = 4096


class BadLine:
    """Passes bytes on between clients and a broker, as well as it is told to."""

    def __init__(self, broker_port: int) -> None:
        self.port = 0
        self.deaf = False
        """New lines: the broker's acknowledgements do not come through."""
        self.cut_after_bytes: int | None = None
        """New lines: break when a client has sent that much; None: hold."""
        self.broke = 0
        """Lines that broke since a client had sent that much."""
        self._broker_port = broker_port
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BadLine]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break all lines that there are."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        broker, onward = await asyncio.open_connection("127.0.0.1", self._broker_port)
        ends = {back, onward}
        self._writers |= ends
        down = CONNACK_BYTES if self.deaf else None
        try:
            up = self._up(client, onward, self.cut_after_bytes)
            await asyncio.gather(up, self._down(broker, back, down))
        except OSError:
            pass
        finally:
            self._writers -= ends
            for writer in ends:
                writer.transport.abort()

    async def _down(
        self, broker: asyncio.StreamReader, back: asyncio.StreamWriter, cap: int | None
    ) -> None:
        if await _pass_on(broker, back, cap):
            while await broker.read(CHUNK_BYTES):
                pass
        back.transport.abort()

    async def _up(
        self, client: asyncio.StreamReader, onward: asyncio.StreamWriter, cap: int | None
    ) -> None:
        if await _pass_on(client, onward, cap):
            self.broke += 1
        onward.transport.abort()


async def _pass_on(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, cap: int | None
) -> bool:
    """Pass bytes on until the source ends, or ``cap`` of them are passed, which is True."""
    passed = 0
    while cap is None or passed < cap:
        room = CHUNK_BYTES if cap is None else min(CHUNK_BYTES, cap - passed)
        chunk = await source.read(room)
        if not chunk:
            return False
        passed += len(chunk)
        sink.write(chunk)
        await sink.drain()
    return True
