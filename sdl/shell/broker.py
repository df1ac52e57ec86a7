"""The embedded broker: amqtt in a child process on loopback, for whom no broker stands ready.

It keeps nothing over a restart and never notices a frozen client, so nothing relies on its
sessions or, for frozen ones, on its last wills: heartbeats tell.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sdl.errors import LabFault
from sdl.shell.children import Child

URL_FILE = "broker-url"
"""In the run folder, readable by its owner only: the address with user and password."""


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in place of any former one."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def written(path: Path) -> tuple[int, int]:
    """What tells a file from one that was written in its place."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def remove_ours(path: Path, ours: tuple[int, int]) -> None:
    """Remove a secret, unless whoever took over from us has written theirs in its place."""
    with suppress(FileNotFoundError):
        if written(path) == ours:
            path.unlink()


class EmbeddedBroker:
    """A broker of our own that lives as long as this object is open."""

    def __init__(self, folder: Path) -> None:
        """``folder`` receives the log and the file with the address."""
        self.folder = folder
        self._written = (0, 0)
        self.child = Child(
            "broker",
            "sdl.shell.broker",
            "--folder",
            str(folder),
            log=folder / "broker.log",
            fault=LabFault,
        )

    async def start(self) -> str:
        """Start it; its URL, password included. LabFault if it does not come up."""
        (self.folder / URL_FILE).unlink(missing_ok=True)  # of a run that was killed
        await self.child.start()
        self._written = written(self.folder / URL_FILE)
        return (self.folder / URL_FILE).read_text()

    async def restart(self) -> None:
        """After its death: start it again on the same port, with the same password."""
        await self.child.restart()
        self._written = written(self.folder / URL_FILE)

    async def stop(self) -> None:
        """End it and remove the file with its password."""
        await self.child.stop()
        remove_ours(self.folder / URL_FILE, self._written)


@asynccontextmanager
async def embedded_broker(folder: Path) -> AsyncIterator[str]:
    """The URL of a broker of our own, which ends with the block."""
    broker = EmbeddedBroker(folder)
    url = await broker.start()
    try:
        yield url
    finally:
        await broker.stop()


def main() -> None:
    """``python -m sdl.shell.broker --folder F``: serve until the parent lets go."""
    from argparse import ArgumentParser

    from sdl.shell.broker_server import serve

    parser = ArgumentParser(prog="python -m sdl.shell.broker", description=main.__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    asyncio.run(serve(parser.parse_args().folder))


if __name__ == "__main__":
    main()
