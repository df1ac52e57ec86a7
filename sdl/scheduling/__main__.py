"""The solver's process: a question on standard input, answers on standard output, a line each.

Every line is a better plan than the one before; the last one is the verdict. The process ends
by itself when its time is over, and at once when its input closes.
"""

from __future__ import annotations

import os
import sys
import threading

from sdl.errors import UserMistake
from sdl.scheduling.codec import answer_line, read_question
from sdl.scheduling.model import Answer
from sdl.scheduling.solve import solve

GRACE_S = 2.0
"""Wall seconds over the limit of the question after which the process ends the hard way."""


def main() -> int:
    """Answer one question. Exit code 2 if what came is none."""
    try:
        question = read_question(sys.stdin.buffer.readline())
    except UserMistake as mistake:
        sys.stderr.write(f"{mistake}\n")
        return 2
    threading.Thread(target=_until_input_closes, daemon=True).start()
    limit = threading.Timer(question.seconds + GRACE_S, lambda: os._exit(3))
    limit.daemon = True
    limit.start()
    solve(question, _write)
    return 0


def _until_input_closes() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _write(answer: Answer) -> None:
    sys.stdout.buffer.write(answer_line(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
