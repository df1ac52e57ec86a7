"""Asking the solver's process from ordinary code that may wait.

An event loop does the same with its own subprocess call; the lines are those of ``codec``. The
process must see its input open for as long as an answer is wanted.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable

from sdl.errors import UserMistake
from sdl.scheduling.codec import question_line, read_answer
from sdl.scheduling.model import Answer, Question

START_S = 1.5
"""Wall seconds over its limit that the process may take; then it is ended the hard way."""


def solve_apart(question: Question, tell: Callable[[Answer], None] = lambda _: None) -> Answer:
    """The last answer of a process of its own; ``unknown`` if it died before it said anything.

    ``tell`` hears every answer as it comes.
    """
    last = Answer(status="unknown")
    with (
        contextlib.suppress(BrokenPipeError),  # it was ended before it had read the question
        subprocess.Popen(
            [sys.executable, "-m", "sdl.scheduling"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        limit = threading.Timer(question.seconds + START_S, process.kill)
        limit.daemon = True
        limit.start()
        try:
            process.stdin.write(question_line(question) + b"\n")
            process.stdin.flush()
            for line in process.stdout:
                last = read_answer(line)
                tell(last)
        except UserMistake:  # cut off in the middle of a line
            pass
        finally:
            limit.cancel()
            process.kill()
    return last
