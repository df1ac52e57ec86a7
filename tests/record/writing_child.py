"""A process that appends to a record until it is killed; says each time how far it got."""

from __future__ import annotations

import asyncio
import sys

from sdl.shell.record import Record
from sdl.shell.writer import Writer
from tests.record.plausible import journal


async def write(url: str) -> None:
    record = Record.open(url)
    writer = Writer(record)
    lines = journal(runs=400)
    for first in range(0, len(lines), 7):
        await writer.append(lines[first : first + 7])
        sys.stdout.write(f"{lines[first : first + 7][-1].seq}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]))
