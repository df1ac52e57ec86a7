"""Child processes: broker, node and planner worker, which end when their parent does."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sdl.errors import SdlError
from sdl.shell.lifeline import FINISH, GRACE_S, READY

if TYPE_CHECKING:
    from asyncio.subprocess import Process

START_TIMEOUT_S = 100.0
"""A child that loads a planner's libraries from a cold disk may take this long, and a node that
waits until another one has made its instruments safe."""
TERMINATE_S = 2.0
LOG_LINES = 15

log = logging.getLogger(__name__)


class Child:
    """One child process of ours: ``python -m {module} {arguments}``."""

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: str,
        log: Path,
        fault: type[SdlError],
        environment: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        """``log``: file that receives all that it prints. ``fault``: raised if it cannot start.

        ``grace_s``: wall seconds that it may take to end in good order.
        """
        self.name = name
        self.log = log
        self._words = (sys.executable, "-m", module, *arguments)
        self._fault = fault
        self._grace_s = grace_s
        self._environment = dict(environment or {})
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None if it does not run."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and return once it says that it is ready. The fault tells why it is not."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as file:
            self._process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
                env={**os.environ, **self._environment, "PYTHONUNBUFFERED": "1"},
                # A terminal sends Ctrl-C to its whole group; the children are ours to end.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = await self._hear_ready(self._process)
        except TimeoutError:
            ready = False
        except BaseException:
            await self.stop()
            raise
        if not ready:
            await self.stop()
            raise self._fault(
                f"the {self.name} process did not start; its log {self.log} ends with:\n"
                + (self.last_lines() or "(nothing)")
            )

    async def _hear_ready(self, process: Process) -> bool:
        assert process.stdout is not None
        with self.log.open("ab") as file:
            async for line in process.stdout:
                word, _, though = line.decode(errors="replace").strip().partition(" ")
                if word == READY:
                    if though:
                        log.warning("the %s process: %s", self.name, though)
                    return True
                file.write(line)
        return False

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        assert self._process is not None, f"{self.name} was never started"
        return await self._process.wait()

    async def stop(self) -> None:
        """End it: let go of its line, then ask, then kill. Safe to call twice."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        for patience_s, press in (
            (self._grace_s, process.terminate),
            (TERMINATE_S, process.kill),
        ):
            if await self._ended(process, patience_s):
                return
            with suppress(ProcessLookupError):
                press()
        await process.wait()

    async def finish(self, within_s: float) -> None:
        """Let it end what it has in hand, and end it after so many wall seconds. Safe to repeat."""
        process = self._process
        try:
            if process is not None and process.stdin is not None and self.running:
                with suppress(OSError):  # it has just died
                    process.stdin.write(FINISH)
                    await process.stdin.drain()
                if not await self._ended(process, within_s):
                    log.warning("the %s process is not done after %g s", self.name, within_s)
        finally:
            await self.stop()

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None and self.running:
            self._process.kill()
            await self._process.wait()

    async def restart(self) -> None:
        """End it at once and start it again. The fault if it does not come up."""
        await self.kill()
        await self.start()

    def last_lines(self) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-LOG_LINES:])

    @staticmethod
    async def _ended(process: Process, patience_s: float) -> bool:
        try:
            async with asyncio.timeout(patience_s):
                await process.wait()
        except TimeoutError:
            return False
        return True
