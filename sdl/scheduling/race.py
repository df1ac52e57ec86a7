"""A local search here and CP-SAT in a process beside it; the better plan of the two at any time.

The side has several threads, more than there are cores: CP-SAT gives each another strategy, and
variety is worth more than the time that is lost. It is niced, so the one thread of the local
search keeps about a core of its own.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from sdl.errors import UserMistake
from sdl.scheduling.codec import answer_line, order_line, question_line, read_answer
from sdl.scheduling.model import Answer, Order, Pace, Plan, Question


class Side:
    """The other process, as a context: it is ended on the way out, whatever it does."""

    def __init__(self, question: Question) -> None:
        """On entering the process is started, which loads its libraries and then waits."""
        self._question = question
        self.heard: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.has_ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        process = subprocess.Popen(
            [sys.executable, "-m", "sdl.scheduling.constraint_side"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._process = process
        self._say(question_line(self._question))
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
            process.wait()
            self.has_ended.wait(1.0)
            if process.stdout is not None:
                process.stdout.close()

    def go(self, pace: Pace, seconds: float, known: Plan | None) -> None:
        """Let it search for so long, from what is known; it does nothing before."""
        self._say(order_line(Order(pace=pace, seconds=seconds, known=known)))

    def tell(self, plan: Plan) -> None:
        """Let it know of a better plan."""
        self._say(answer_line(Answer(status="feasible", plan=plan)))

    def _say(self, line: bytes) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):  # it has ended: its exit is noticed elsewhere
                process.stdin.write(line + b"\n")
                process.stdin.flush()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                self.heard.put(read_answer(line))
        except (UserMistake, ValueError):  # killed in the middle of a line, or closed under us
            return
        finally:
            self.has_ended.set()
