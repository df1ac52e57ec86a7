"""From a question to answers that only get better: bounds, rules, insertion, then the race."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable

from sdl.scheduling.contest import Contest
from sdl.scheduling.dispatch import RULES, dispatch
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import insert_all, justify
from sdl.scheduling.layout import layout_of
from sdl.scheduling.model import Answer, Question
from sdl.scheduling.race import Side
from sdl.scheduling.repair import repaired
from sdl.scheduling.walks import Walk, walk_from

RESERVE_S = 0.15
"""Left at the end for the last checks and for ending the other process."""
SLICE_S = 0.1
"""The local search looks up so often, to tell and to hear."""


def solve(question: Question, tell: Callable[[Answer], None]) -> Answer:
    """The best answer within the time. ``tell`` hears of every better plan, and the verdict last.

    Deterministic by seed as far as a wall-clock limit allows: what the starts give is, what the
    searches find depends on how far they come.
    """
    began = time.monotonic()
    index = Indexed(question.problem)
    contest = Contest(index, tell, began)
    if not contest.bound_by_paths():
        return contest.tell_verdict()
    with Side(question) as side:  # it loads its libraries while the starts are made
        start(contest, in_haste=True)
        if not contest.over():
            improve(contest, side, question.seed, began + question.seconds - RESERVE_S)
        return contest.tell_verdict()  # before the side is ended, which may take its time


def start(contest: Contest, *, in_haste: bool = False) -> None:
    """Plans in milliseconds: the one in force, each rule, groups one by one, pushed together.

    ``in_haste``: no rules where the one in force can be kept, for with a thousand activities these
    take a second each, and they heed no window.
    """
    index = contest.index
    if index.problem.current:
        mended = repaired(index.problem)
        if mended is not None:
            contest.offer_plan(mended.plan, "repair")
    for rule in () if in_haste and contest.best is not None else RULES:
        arrays = dispatch(index, rule)
        if arrays is not None:
            contest.offer(arrays, rule)
    arrays = insert_all(index)
    if arrays is not None:
        contest.offer(arrays, "insertion")
        if not index.problem.changes:  # pushing groups together knows nothing of levels
            contest.offer(justify(index, layout_of(index), arrays), "justification")


def improve(contest: Contest, side: Side, seed: int, until: float) -> None:
    """The race, until the time is over or nothing is left to find."""
    walk = walk_from(contest.index, contest.project, contest.arrays, seed)
    if walk is not None and contest.best is None and walk.run(time.monotonic() + SLICE_S):
        contest.offer(walk.best_arrays(), "local search")
    side.go("alone" if walk is None else walk.pace, until - time.monotonic(), contest.best)
    while time.monotonic() < until and not contest.over():
        if walk is not None:
            _walk_on(contest, walk, side, min(until, time.monotonic() + SLICE_S))
        elif side.has_ended.is_set() and side.heard.empty():
            return
        known = contest.best
        _hear(contest, side, 0.0 if walk is not None else SLICE_S)
        if walk is not None and contest.best is not known and contest.arrays is not None:
            walk.consider(contest.arrays)


def _walk_on(contest: Contest, walk: Walk, side: Side, until: float) -> None:
    """A stretch of the local search."""
    if walk.run(until) and contest.offer(walk.best_arrays(), "local search"):
        assert contest.best is not None
        side.tell(contest.best)


def _hear(contest: Contest, side: Side, patience_s: float) -> None:
    """Take in what the other process says, waiting so long for a first word."""
    with contextlib.suppress(queue.Empty):
        while True:
            answer = side.heard.get(timeout=patience_s) if patience_s else side.heard.get_nowait()
            patience_s = 0.0
            if answer.plan is not None:
                contest.offer_plan(answer.plan, answer.found_by)
            if answer.status == "infeasible":
                contest.infeasible = True
            contest.learn_bound(answer.bound)
