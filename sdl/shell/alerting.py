"""Calls a person: runs a program of the lab's, with what is needed as JSON on its stdin.

It looks at the lab from outside, as a person would, and decides nothing. Whatever becomes of the
program, work goes on; a call that failed is made again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sdl.core.view import LabView
from sdl.model.alert import Alert
from sdl.shell.needs import Need, needs, waiting_steps
from sdl.wire.alert_table import program_of

LOOK_S = 5.0
"""Wall seconds between two looks; a need that two of them find is told."""
TAIL = 300
"""Characters of what a program complained of that go into our log."""

log = logging.getLogger(__name__)


class Alerting:
    """Of one orchestrator."""

    def __init__(self, alert: Alert, folder: Path, lab: Callable[[], LabView]) -> None:
        """``folder``: of ``lab.toml``. ``lab``: the lab as it is now."""
        self._alert = alert
        self._folder = folder
        self._lab = lab
        self._seen: set[tuple[str, str]] = set()
        """At the last look."""
        self._told: set[tuple[str, str]] = set()
        self._waiting: dict[str, float] = {}
        """Lab time since which a step was seen to wait."""
        self._online: set[str] = set()
        """Instruments that were there once; before that nobody has lost them."""
        self._called = -alert.every_s
        self._complained = ""

    async def keep_calling(self) -> None:
        """Look again and again, until cancelled; nothing that goes wrong here is raised."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:
                log.exception("nobody could be called, this goes on trying")

    async def look(self) -> None:
        """Look once, and call where something new has stood for two looks."""
        lab = self._lab()
        self._online |= {one.name for one in lab.instruments if one.state != "offline"}
        self._waiting = {step: self._waiting.get(step, lab.at) for step in waiting_steps(lab)}
        found = {
            (need.kind, need.id): need
            for need in needs(lab, self._waiting, self._alert.held_s)
            if need.kind != "lost" or need.id in self._online
        }
        self._told &= found.keys()  # what comes up again is told again
        new = [found[key] for key in found if key in self._seen - self._told]
        self._seen = set(found)
        if new and time.monotonic() - self._called >= self._alert.every_s:
            self._called = time.monotonic()
            if await self._call(lab, new):
                self._told |= {(need.kind, need.id) for need in new}

    async def _call(self, lab: LabView, found: Sequence[Need]) -> bool:
        """Whether the program has taken it."""
        told: dict[str, object] = {
            "schema": "sdl.alert/1",
            "journal": lab.name,
            "lab_time": lab.at,
            "needs": [asdict(need) for need in found],
        }
        why = await self._run(json.dumps(told, ensure_ascii=False).encode())
        if why and why != self._complained:
            log.warning(
                "nobody was called, this goes on trying: %s %s; try it by hand", self._program, why
            )
        self._complained = why
        return not why

    @property
    def _program(self) -> str:
        return self._alert.command[0]

    async def _run(self, words: bytes) -> str:
        """Run the program; why that did not go well, empty if it did."""
        program = program_of(self._alert, self._folder)
        if program is None:
            return "is not there, or may not be run"
        process = await asyncio.create_subprocess_exec(
            program,
            *self._alert.command[1:],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._folder,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._alert.timeout_s):
                _, complaint = await process.communicate(words)
        except TimeoutError:
            return f"took longer than {self._alert.timeout_s:g} s"
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):  # it has ended just now
                    os.killpg(process.pid, signal.SIGKILL)  # and whatever it has started
                await process.wait()
        if process.returncode == 0:
            return ""
        tail = " ".join(complaint.decode(errors="replace").split())[-TAIL:]
        return f"ended with code {process.returncode}" + (f": {tail}" if tail else "")
