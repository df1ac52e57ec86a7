"""The same plan on every machine: the starts, then so many rounds of the local search.

No clock and no other process has a say, so that a simulation which plans is the same for the same
seed. ``solve`` is better in the same time; this is for virtual time, in which none passes.
"""

from __future__ import annotations

from sdl.scheduling.contest import Contest
from sdl.scheduling.cost import outside_s
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays
from sdl.scheduling.model import Answer, Question
from sdl.scheduling.solve import start
from sdl.scheduling.walks import ruin_from

ROUNDS, FIRST = 600, 2000
"""Of the local search, where there is a plan to go on from, and where there is none; each takes
some activities out and puts them in again."""
MORE = 1
"""Times that as many rounds are added at most, while wishes that cost most are not kept."""


def solve_counted(question: Question, rounds: int = 0) -> Answer:
    """An answer that follows from problem, seed and ``rounds`` alone; its seconds are 0.

    ``rounds``: 0 for the usual ones.
    """
    index = Indexed(question.problem)
    contest = Contest(index, lambda _: None, 0.0, clock=lambda: 0.0)
    if contest.bound_by_paths():
        start(contest)
        if contest.arrays is not None and not contest.over():
            usual = ROUNDS if question.problem.current else FIRST
            _walk(contest, question.seed, rounds or usual)
    return contest.answer()


def _walk(contest: Contest, seed: int, rounds: int) -> None:
    assert contest.arrays is not None
    walk = ruin_from(contest.index, contest.arrays, seed)
    if walk is None:
        return
    for _ in range(1 + MORE):
        for _ in range(rounds):
            walk.step()
        walk.push()
        contest.offer(walk.best_arrays(), "local search")
        if not _misses(contest.index, walk.best_arrays()):
            return


def _misses(index: Indexed, arrays: Arrays) -> bool:
    """Whether a plan misses a wish of those that cost most."""
    placed = {one.activity: one for one in index.placed(*arrays)}
    wishes = [lag for lag in index.problem.lags if lag.cost_per_s is not None]
    most = max((lag.cost_per_s or 0 for lag in wishes), default=0)
    return any(outside_s(lag, placed) for lag in wishes if lag.cost_per_s == most)
