"""The best plan so far, the best bound so far, and who may better them."""

from __future__ import annotations

import time
from collections.abc import Callable

from sdl.scheduling.check import broken
from sdl.scheduling.cost import plan_of
from sdl.scheduling.forced import with_forced_orders
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Answer, Plan, Status
from sdl.scheduling.network import least_makespan_s
from sdl.scheduling.project import Project, project_of


class Contest:
    """Keeps the incumbent. Nothing gets in that the independent checker objects to."""

    def __init__(
        self,
        index: Indexed,
        tell: Callable[[Answer], None],
        began: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``tell`` hears of each better plan and of the verdict.

        ``began``: when the question came, by ``clock``.
        """
        self.index = index
        self.best: Plan | None = None
        self.arrays: Arrays | None = None
        self.bound: int | None = None
        self.infeasible = False
        self.project: Project | None = None
        """The problem as a project, with what is known of it, where it is one."""
        self.refused: list[str] = []
        """What the checker said of plans that were offered; ours to mend if it is not empty."""
        self._tell = tell
        self._began, self._clock = began, clock
        self._found_by = ""

    def seconds(self) -> float:
        """Wall time since the question."""
        return self._clock() - self._began

    def offer(self, arrays: Arrays, found_by: str) -> bool:
        """A plan; whether it is valid and better than all before."""
        return self.offer_plan(plan_of(self.index.problem, self.index.placed(*arrays)), found_by)

    def offer_plan(self, plan: Plan, found_by: str) -> bool:
        """The same for a plan with its names."""
        if self.best is not None and plan.cost >= self.best.cost:
            return False
        objections = broken(self.index.problem, plan)
        if objections:
            self.refused.append(f"{found_by}: {objections[0]}")
            return False
        self.best, self._found_by = plan, found_by
        self.arrays = self.index.arrays(plan)
        self._tell(self.answer())
        return True

    def learn_bound(self, bound: int | None) -> None:
        """No plan costs less than this."""
        if bound is not None and (self.bound is None or bound > self.bound):
            self.bound = bound

    def bound_by_paths(self) -> bool:
        """Learn what lags and loads say. False if they say that there is no plan."""
        weight, known = self.index.problem.weights.makespan, None
        plain = project_of(self.index)
        if plain is not None:
            self.project = with_forced_orders(plain)
            if self.project is None:
                self.infeasible = True
                return False
            known = self.project.earliest, self.project.tails
        least_s = least_makespan_s(self.index, known)
        if least_s is None:
            self.infeasible = True
            return False
        self.learn_bound(weight * least_s)
        return True

    def over(self) -> bool:
        """Whether there is nothing left to find."""
        return self.infeasible or self.status() == "optimal"

    def status(self) -> Status:
        """What is known now."""
        if self.infeasible:
            return "infeasible"
        if self.best is None:
            return "unknown"
        proven = self.bound is not None and self.best.cost <= self.bound
        return "optimal" if proven else "feasible"

    def tell_verdict(self) -> Answer:
        """Tell how it ended."""
        verdict = self.answer()
        self._tell(verdict)
        return verdict

    def answer(self) -> Answer:
        """All of it, as it is told."""
        bound = self.bound
        if bound is not None and self.best is not None:
            bound = min(bound, self.best.cost)
        return Answer(
            status=self.status(),
            plan=self.best,
            bound=bound,
            seconds=self.seconds(),
            found_by=self._found_by,
        )
