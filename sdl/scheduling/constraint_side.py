"""A process beside the local search: CP-SAT over the whole problem, cold or from an incumbent.

It reads a question, then plans that others found, each on a line of standard input; it writes
answers on standard output and ends when its input closes or its time is over.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from sdl.scheduling.codec import answer_line, read_answer, read_question
from sdl.scheduling.cost import plan_of
from sdl.scheduling.cp import CpPlan
from sdl.scheduling.cp_search import Effort, search
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Answer, Plan, Question
from sdl.scheduling.network import least_makespan_s

NICE = 5
"""How much this process yields to the one that leads, which has one thread."""


class _Side:
    """The search of this process."""

    def __init__(self, question: Question, *, hinted: bool) -> None:
        self._question = question
        self._index = Indexed(question.problem)
        self._hinted = hinted
        self._began = time.monotonic()
        self._told: int | None = None
        self.known: Plan | None = None

    def run(self) -> None:
        """One search over the whole problem."""
        index, known = self._index, self.known
        horizon_s = index.horizon_s()
        weight = index.problem.weights.makespan
        if known is not None and weight:
            horizon_s = min(horizon_s, known.cost // weight)
        model = CpPlan(
            index,
            horizon_s=horizon_s,
            symmetric=not self._hinted,
            least_cost=weight * (least_makespan_s(index) or 0),
        )
        if self._hinted and known is not None:
            model.hint(*index.arrays(known))
        verdict = search(model, self._effort(), self._heard)
        if verdict.status == "infeasible" and known is not None:
            return
        self._write(Answer(status=verdict.status, bound=verdict.bound))

    def _effort(self) -> Effort:
        left_s = self._question.seconds - (time.monotonic() - self._began)
        return Effort(
            seconds=left_s, workers=self._question.workers, seed=self._question.seed
        )

    def _heard(self, arrays: Arrays, bound: int) -> None:
        problem = self._question.problem
        plan = plan_of(problem, self._index.placed(*arrays))
        if self._told is None or plan.cost < self._told:
            self._told = plan.cost
            self._write(Answer(status="feasible", plan=plan, bound=bound))

    def _write(self, answer: Answer) -> None:
        sys.stdout.buffer.write(answer_line(answer) + b"\n")
        sys.stdout.buffer.flush()


def _listen(side: _Side) -> None:
    """Take in what others find; end with the one who asked."""
    for line in sys.stdin.buffer:
        plan = read_answer(line).plan
        if plan is not None:
            side.known = plan
    os._exit(0)


def main() -> None:
    """The process: ``cold`` or ``hinted`` is its argument."""
    if os.name == "posix":
        os.nice(NICE)
    question = read_question(sys.stdin.buffer.readline())
    side = _Side(question, hinted=sys.argv[1:] == ["hinted"])
    first = sys.stdin.buffer.readline()
    if first.strip():
        side.known = read_answer(first).plan
    threading.Thread(target=_listen, args=(side,), daemon=True).start()
    side.run()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
