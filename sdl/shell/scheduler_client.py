"""Asking the scheduler's process: a fresh one for each question, ended with its answer.

Nothing of a question is left behind in it, so that one that dies, hangs or talks nonsense costs
this plan alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sdl.errors import UserMistake
from sdl.scheduling.client import START_S
from sdl.scheduling.codec import question_line, read_answer
from sdl.scheduling.model import Answer, Question
from sdl.shell.in_thread import in_thread

LINE_MAX = 2**24
"""Bytes of one answer."""
WORDS = (sys.executable, "-m", "sdl.scheduling")


class NoAnswer(Exception):
    """The scheduler gave none, and why; the rule goes on without a plan."""


class Solving(Protocol):
    """Who answers a question, wherever they think."""

    async def solve(self, question: Question) -> Answer:
        """The best answer within its seconds. NoAnswer if there is none that can be read."""
        ...


class SchedulerProcess:
    """``python -m sdl.scheduling``, started when it is asked."""

    def __init__(self, log: Path, words: Sequence[str] = WORDS, grace_s: float = START_S) -> None:
        """``log``: receives what it complains of.

        ``grace_s``: wall seconds over those of a question after which it is ended the hard way.
        """
        self._log, self._words, self._grace_s = log, words, grace_s

    async def solve(self, question: Question) -> Answer:
        line = await in_thread(question_line, question)
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                process = await asyncio.create_subprocess_exec(
                    *self._words,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    limit=LINE_MAX,
                    start_new_session=True,
                )
        except OSError as error:
            raise NoAnswer(f"the scheduler did not start: {error}") from error
        last = b""
        try:
            async with asyncio.timeout(question.seconds + self._grace_s):
                last = await _last_line(process, line)
        except TimeoutError:
            raise NoAnswer(
                f"the scheduler hung for more than {question.seconds + self._grace_s:g} s"
            ) from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if not last:
            raise NoAnswer(f"the scheduler died before it answered; see {self._log}")
        try:
            return await in_thread(read_answer, last)
        except UserMistake as error:
            raise NoAnswer("the scheduler's answer could not be read") from error


async def _last_line(process: asyncio.subprocess.Process, question: bytes) -> bytes:
    """The last whole line that it says; each is better than the one before."""
    assert process.stdin is not None
    assert process.stdout is not None
    last = b""
    with suppress(BrokenPipeError, ConnectionResetError):  # it died, and may have spoken before
        process.stdin.write(question + b"\n")
        await process.stdin.drain()
    with suppress(ConnectionResetError, ValueError):  # it died, or babbles
        async for said in process.stdout:
            if said.endswith(b"\n"):
                last = said
    return last
