"""A TCP line that can be cut, left half open, stalled and slowed, between a client and a server.

It stands on a free loopback port in front of the real server and does to the bytes what a bad
network does. It runs in a thread of its own, so that a test that waits for a process can use it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sdl.errors import LabFault

CHUNK_BYTES = 64 * 1024
START_S = 10.0
"""Wall seconds that its thread may take to listen, or to do what it is told."""


@dataclass(slots=True, eq=False)
class _Link:
    """One client, and its way to the server."""

    writers: list[asyncio.StreamWriter]
    is_dead: bool = False
    """Half open: it swallows what it is given, and nobody is told."""

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


@dataclass(slots=True, eq=False)
class Proxy:
    """The line to a server on loopback; ``port`` is where a client connects to.

    What is told to it holds until it is told otherwise; ``heal`` makes it a good line again.
    """

    target: int
    """Port of the server, which may come and go."""
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _links: set[_Link] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _is_cut: bool = False
    _is_stalled: bool = False
    _bytes_per_s: float | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Break every connection, and refuse new ones: a switch that is off."""

        def act() -> None:
            self._is_cut = True
            self._abort_all()

        self._tell(act)

    def half_open(self) -> None:
        """Let every connection die without a word to either end: a firewall that forgot it.

        Bytes vanish, nothing is closed; a client has to find out by itself. New ones are good.
        """

        def act() -> None:
            for link in self._links:
                link.is_dead = True

        self._tell(act)

    def stall(self) -> None:
        """Let nothing through and lose nothing: a cable that is out; new connections hang."""

        def act() -> None:
            self._is_stalled = True

        self._tell(act)

    def slow(self, bytes_per_s: float) -> None:
        """Let so many bytes through, each way and connection; more than 0."""

        def act() -> None:
            self._bytes_per_s = bytes_per_s

        self._tell(act)

    def heal(self) -> None:
        """Be a good line again; what was cut or half open stays so and has to connect anew."""

        def act() -> None:
            self._is_cut = self._is_stalled = False
            self._bytes_per_s = None

        self._tell(act)

    @property
    def open_links(self) -> int:
        """Connections that are open now, half open ones included."""
        return len(self._links)

    def _tell(self, act: Callable[[], None]) -> None:
        """Do it in the proxy's thread, and return when it is done."""
        done = threading.Event()

        def there() -> None:
            act()
            self._changed.set()
            self._changed = asyncio.Event()
            done.set()

        self._loop.call_soon_threadsafe(there)
        if not done.wait(START_S):
            raise LabFault(f"the proxy on port {self.port} does not obey")

    def _abort_all(self) -> None:
        for link in self._links:
            link.abort()

    async def _serve(self, stop: asyncio.Event, listening: threading.Event) -> None:
        server = await asyncio.start_server(self._welcome, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        await stop.wait()
        server.close()
        self._abort_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        while self._is_stalled:
            await self._changed.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # the server is not there
            writer.transport.abort()
            return
        link = _Link(writers=[writer, far_writer])
        self._links.add(link)
        ways = [
            asyncio.create_task(self._pump(link, reader, far_writer)),
            asyncio.create_task(self._pump(link, far_reader, writer)),
        ]
        self._tasks.update(ways)
        try:
            # Either end may close; what was on its way from it is through by then.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._tasks.difference_update(ways)
            self._links.discard(link)
            link.abort()

    async def _pump(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                while self._is_stalled:
                    await self._changed.wait()
                while data and not link.is_dead:
                    part = await self._next_part(data)
                    writer.write(part)
                    await writer.drain()
                    data = data[len(part) :]
            if link.is_dead:
                await asyncio.Event().wait()  # one end has closed, the other never hears of it

    async def _next_part(self, data: bytes) -> bytes:
        """What goes through now: all of it, or one piece after its time on a slow line."""
        rate = self._bytes_per_s
        if rate is None:
            return data
        size = max(1, int(rate / 10.0))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), min(size, len(data)) / rate)
        return data[:size] if self._bytes_per_s is not None else data


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A line to a loopback port for the length of a block. LabFault if it cannot listen."""
    line = Proxy(target=target)
    stop, listening = asyncio.Event(), threading.Event()

    def run() -> None:
        try:
            line._loop.run_until_complete(line._serve(stop, listening))  # noqa: SLF001 - its thread
        finally:
            line._loop.close()  # noqa: SLF001

    thread = threading.Thread(target=run, name=f"proxy to {target}", daemon=True)
    thread.start()
    if not listening.wait(START_S):
        raise LabFault(f"the proxy to port {target} does not listen")
    try:
        yield line
    finally:
        line._loop.call_soon_threadsafe(stop.set)  # noqa: SLF001
        thread.join(START_S)
