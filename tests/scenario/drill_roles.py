"""The processes of a drill: started, killed, frozen, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sdl.shell.crash import VARIABLE

KILLED = -signal.SIGKILL
PATIENCE_S = 30.0


def sdl(*words: str) -> tuple[str, ...]:
    """A command line of ours."""
    return (sys.executable, "-m", "sdl", *words)


@dataclass(slots=True, eq=False, kw_only=True)
class Role:
    """One process that has to run, and is started again whenever it does not."""

    name: str
    command: tuple[str, ...]
    folder: Path
    log: Path
    crash_at: str = ""
    """Where it was told to kill itself; empty: nowhere."""
    is_frozen: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs, or if it was never started."""
        return None if self.process is None else self.process.poll()

    def start(self, crash_at: str = "", *more: str) -> None:
        """Start it, with ``more`` words behind its command."""
        environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
        if crash_at:
            environment[VARIABLE] = crash_at
        self.crash_at, self.is_frozen = crash_at, False
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                (*self.command, *more),
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None and self.runs:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Stop its time: it does nothing, and nobody is told."""
        self.signal(signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        """Let it go on where it was."""
        self.signal(signal.SIGCONT)
        self.is_frozen = False

    def end(self) -> None:
        """End it in good order, by force if that takes too long."""
        self.thaw()
        self.signal(signal.SIGTERM)
        if self.process is not None:
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def child(self, module: str) -> psutil.Process | None:
        """Its child process that runs a module of ours; None if there is none now."""
        if self.process is None or not self.runs:
            return None
        try:
            for each in psutil.Process(self.process.pid).children():
                if module in each.cmdline():
                    return each
        except psutil.NoSuchProcess:
            pass
        return None
