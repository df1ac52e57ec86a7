"""A process that takes a lab's locks, says so, and keeps them until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sdl.shell.lab_lock import instrument_locks, orchestrator_lock


async def hold(folder: Path, lab: str, *instruments: str) -> None:
    """Never returns."""
    with orchestrator_lock(folder, lab):
        async with instrument_locks(folder, lab, instruments):
            sys.stdout.write("held\n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold(Path(sys.argv[1]), *sys.argv[2:]))
