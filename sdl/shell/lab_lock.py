"""One orchestrator for a lab and one node for an instrument: locks of the operating system.

Two that drive one arm at once would break it. The operating system gives a lock back when its
process dies, however it dies, so that a crash never leaves a lab locked. The locks hold on one
machine, or where machines share the lab's folder; the lock files stay, for taking one away while
another waits for it would let both in.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from sdl.errors import LabFault

PATIENCE_S = 45.0
"""Wall seconds to wait for an instrument. A node whose parent was killed makes all safe before it
leaves, which a driver may take 30 s for; ``node_child.LEAVE_S`` is shorter than this."""
LOOK_S = 0.1
PID_BYTES = 32

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30
    """Locked bytes cannot be read, so a byte behind the process id is locked."""

    def _lock(file: int) -> bool:
        os.lseek(file, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def orchestrator_lock(folder: Path, lab: str) -> Iterator[None]:
    """Be the only orchestrator of a lab during the block.

    ``folder``: that of ``lab.toml``. LabFault if there is another one.
    """
    path = _folder(folder) / f"{lab}.orchestrator.lock"
    with ExitStack() as held:
        if not _take(path, held):
            raise LabFault(
                f"another sdl run{_holder(path)} works on lab {lab!r}; wait for it, or stop it"
            )
        yield


def try_orchestrator_lock(folder: Path, lab: str, held: ExitStack) -> bool:
    """The same without an error: whether it is ours now, until ``held`` is closed."""
    return _take(_folder(folder) / f"{lab}.orchestrator.lock", held)


@asynccontextmanager
async def instrument_locks(
    folder: Path,
    lab: str,
    instruments: Iterable[str],
    *,
    patience_s: float | None = None,
    elsewhere: Callable[[str], None] | None = None,
) -> AsyncIterator[None]:
    """Be the only node of these instruments during the block.

    Waits while another one lets go of them, ``patience_s`` wall seconds (``PATIENCE_S`` if None).
    Then LabFault names one that it does not let go of; or, with ``elsewhere``, that is told in a
    sentence, once, and it waits on for as long as it takes.
    """
    time = asyncio.get_running_loop().time
    until = time() + (PATIENCE_S if patience_s is None else patience_s)
    with ExitStack() as held:
        for name in sorted(instruments):  # in one order, so that no two nodes wait for each other
            path = _folder(folder) / f"{lab}.instrument.{name}.lock"
            while not _take(path, held):
                if time() >= until:
                    said = f"another node{_holder(path)} hosts instrument {name!r} of lab {lab!r}"
                    if elsewhere is None:
                        raise LabFault(
                            f"{said}; stop it, or choose other instruments with: sdl node --only"
                        )
                    elsewhere(f"{said}; this one takes its place when it ends")
                    until = math.inf
                await asyncio.sleep(LOOK_S)
        yield


def _folder(folder: Path) -> Path:
    return folder / ".sdl" / "locks"


def _take(path: Path, held: ExitStack) -> bool:
    """Lock a file until ``held`` is closed; False if another process has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            is_ours = _lock(file)
            if is_ours:
                os.ftruncate(file, 0)
                os.lseek(file, 0, os.SEEK_SET)
                os.write(file, str(os.getpid()).encode())
        except BaseException:
            os.close(file)
            raise
    except OSError as error:
        raise LabFault(f"the lock file {path} cannot be used: {error}") from error
    if is_ours:
        held.callback(os.close, file)
    else:
        os.close(file)
    return is_ours


def _holder(path: Path) -> str:
    """`` (process 123)``, or nothing where that cannot be told."""
    try:
        pid = path.read_bytes()[:PID_BYTES].decode()
    except (OSError, ValueError):
        return ""
    return f" (process {pid})" if pid.isdecimal() else ""
