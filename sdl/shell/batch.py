"""Commands that have to wait: the journal is told of all that come together in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sdl.shell.job import Job
from sdl.shell.node_journal_pen import Pen, Say
from sdl.shell.safety import Spawn


class Batch:
    """Those of one instrument that are about to be accepted."""

    def __init__(self, pen: Pen, spawn: Spawn) -> None:
        self._pen = pen
        self._spawn = spawn
        self._jobs: list[Job] = []
        self._accepting: asyncio.Task[None] | None = None

    def add(self, job: Job) -> None:
        """Let the journal know of a command that has to wait, together with others that come."""
        if self._accepting is None:
            self._accepting = self._spawn(self._accept())
        self._jobs.append(job)
        job.accepting = self._accepting

    def clear(self) -> None:
        """What was to be accepted waits no more."""
        for job in self._jobs:
            job.accepting = None
        self._jobs.clear()

    async def _accept(self) -> None:
        committed = ("node.accepted.committed",)
        await self._pen.write(self._take, Say(stage="accepted"), committed=committed)

    def _take(self) -> Sequence[Job]:
        jobs, self._jobs, self._accepting = self._jobs, [], None
        return jobs
