"""A process beside the local search: CP-SAT over the whole problem, cold or from an incumbent.

It reads a question, an order to search, then plans that others found, each on a line of standard
input; it writes answers on standard output and ends when its input closes or its time is over.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from sdl.scheduling.codec import answer_line, read_answer, read_order, read_question
from sdl.scheduling.cost import plan_of
from sdl.scheduling.cp import CpPlan
from sdl.scheduling.cp_search import Effort, search
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Answer, Order, Plan, Question, Status
from sdl.scheduling.network import least_makespan_s
from sdl.scheduling.twins import in_order_of_twins

NICE = 10
"""How much this process yields to the one that leads, which has one thread."""
FIRST_S = 2.0
"""The cold search has this long before it yields, where it is the one that likely wins."""
COLD = 0.4
"""Share of the time for the cold search where there is a plan to go on from afterwards."""
MEANINGFUL_S = 0.2
"""A search shorter than this is not worth its model."""


class _Side:
    """The searches of this process, one after the other."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._index = Indexed(question.problem)
        self._told: int | None = None
        self._least = question.problem.weights.makespan * (least_makespan_s(self._index) or 0)
        self._found_by = "cold"
        self.known: Plan | None = None

    def run(self, order: Order, until: float) -> None:
        """Cold for a share of the time, or until a proof; then from the best plan there is."""
        pace, left_s = order.pace, until - time.monotonic()
        cold_s = left_s if self.known is None else COLD * left_s
        if pace == "second":
            _yield_to_the_lead()
        elif pace == "first":
            cold_s = min(cold_s, FIRST_S)
        while left_s > MEANINGFUL_S:
            status = self._search(min(left_s, cold_s), hinted=self._found_by == "hinted")
            if status in {"optimal", "infeasible"}:
                return
            self._found_by, cold_s = "hinted", left_s
            if pace == "first":
                pace = "second"
                _yield_to_the_lead()
            left_s = until - time.monotonic()

    def _search(self, seconds: float, *, hinted: bool) -> Status:
        """One run over the whole problem."""
        index, known = self._index, self.known
        horizon_s = index.horizon_s()
        weight = index.problem.weights.makespan
        if known is not None and weight:
            horizon_s = min(horizon_s, known.cost // weight)
        model = CpPlan(index, horizon_s=horizon_s, symmetric=True, least_cost=self._least)
        if hinted and known is not None:
            model.hint(*in_order_of_twins(index, index.arrays(known)))
        effort = Effort(seconds=seconds, workers=self._question.workers, seed=self._question.seed)
        verdict = search(model, effort, self._heard)
        bound, status = verdict.bound, verdict.status
        if status == "infeasible" and known is not None:
            return status  # there is a plan, so a bound is wrong: say nothing, and stop
        if bound is not None:
            self._least = max(self._least, bound)
        self._write(Answer(status=status, bound=bound))
        return status

    def _heard(self, arrays: Arrays, bound: int) -> None:
        problem = self._question.problem
        plan = plan_of(problem, self._index.placed(*arrays))
        if self._told is None or plan.cost < self._told:
            self._told = plan.cost
            self.consider(plan)
            answer = Answer(status="feasible", plan=plan, bound=bound, found_by=self._found_by)
            self._write(answer)

    def consider(self, plan: Plan) -> None:
        """Begin the next run from this plan, if it is the best so far."""
        if self.known is None or plan.cost < self.known.cost:
            self.known = plan

    def _write(self, answer: Answer) -> None:
        sys.stdout.buffer.write(answer_line(answer) + b"\n")
        sys.stdout.buffer.flush()


def _listen(side: _Side) -> None:
    """Take in what others find; end with the one who asked."""
    for line in sys.stdin.buffer:
        plan = read_answer(line).plan
        if plan is not None:
            side.consider(plan)
    os._exit(0)


def main() -> None:
    """The process."""
    side = _Side(read_question(sys.stdin.buffer.readline()))
    line = sys.stdin.buffer.readline()
    if line:
        order = read_order(line)
        side.known = order.known
        threading.Thread(target=_listen, args=(side,), daemon=True).start()
        side.run(order, time.monotonic() + order.seconds)
    sys.stdout.flush()
    os._exit(0)


def _yield_to_the_lead() -> None:
    if os.name == "posix":
        os.nice(NICE)


if __name__ == "__main__":
    main()
