"""One run of CP-SAT over a model: incumbents as they come, a bound, a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python.cp_model import (
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    CpSolver,
    CpSolverSolutionCallback,
    IntVar,
    LinearExpr,
)

from sdl.scheduling.cp import CpPlan
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Status

Heard = Callable[[Arrays, int], None]
"""Told of each better plan, and of the bound at that time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard a run tries."""

    seconds: float
    """Wall time; the run ends a little later at most."""
    workers: int
    """Threads. More than cores is fine: each follows another strategy."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run ended. ``bound``: no plan of that model costs less, as a whole number."""

    status: Status
    bound: int | None


def read_values(plan: CpPlan, value: Callable[[LinearExpr], int]) -> Arrays:
    """Starts and modes of a solution; mode -1 for what it leaves out."""
    starts = [one if isinstance(one, int) else value(one) for one in plan.starts]
    modes = []
    for present, literals in zip(plan.present, plan.chosen, strict=True):
        there = value(present) if isinstance(present, IntVar) else present
        mode = next(
            (
                at
                for at, literal in enumerate(literals)
                if (value(literal) if isinstance(literal, IntVar) else literal)
            ),
            0,
        )
        modes.append(mode if there else -1)
    return starts, modes


class _Listener(CpSolverSolutionCallback):
    """Tells of solutions, and stops the run when nobody wants more of them."""

    def __init__(self, plan: CpPlan, heard: Heard, enough: Callable[[], bool]) -> None:
        super().__init__()
        self._plan = plan
        self._heard = heard
        self._enough = enough

    def on_solution_callback(self) -> None:
        arrays = read_values(self._plan, self.value)
        self._heard(arrays, int(self.best_objective_bound))
        if self._enough():
            self.stop_search()


def search(
    plan: CpPlan, effort: Effort, heard: Heard, enough: Callable[[], bool] = lambda: False
) -> Verdict:
    """Run for as long as the effort says. Infeasible: no plan of this very model exists.

    The same seed gives the same run only where no wall-clock limit cuts it off and one worker
    does it: threads are timed by the operating system.
    """
    solver = CpSolver()
    solver.parameters.max_time_in_seconds = max(0.01, effort.seconds)
    solver.parameters.num_workers = effort.workers
    solver.parameters.random_seed = effort.seed % 2**31
    status = solver.solve(plan.model, _Listener(plan, heard, enough))
    if status in {OPTIMAL, FEASIBLE}:
        bound = round(solver.best_objective_bound)
        return Verdict(status="optimal" if status == OPTIMAL else "feasible", bound=bound)
    if status == INFEASIBLE:
        return Verdict(status="infeasible", bound=None)
    return Verdict(status="unknown", bound=_bound_of(solver))


def _bound_of(solver: CpSolver) -> int | None:
    """The bound of a run that found nothing, where it has one."""
    bound = solver.best_objective_bound
    return int(bound) if bound > -(10**15) else None
