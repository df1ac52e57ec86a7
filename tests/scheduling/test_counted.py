"""A plan by rounds in place of seconds: the same each time, valid, and no worse than the starts."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from sdl.scheduling.check import broken
from sdl.scheduling.contest import Contest
from sdl.scheduling.counted import solve_counted
from sdl.scheduling.index import Indexed
from sdl.scheduling.model import Activity, Answer, Fixed, Group, Lag, Mode, Question, Weights
from sdl.scheduling.solve import solve, start
from tests.scheduling.problems import cell


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_same_each_time_and_never_worse_than_the_starts(seed: int) -> None:
    problem = cell(seed)
    question = Question(problem=problem, seconds=1.0, seed=seed)
    answer = solve_counted(question, 60)
    assert answer == solve_counted(question, 60), f"seed {seed}"
    assert answer.plan is not None
    assert broken(problem, answer.plan) == ()
    starts = Contest(Indexed(problem), lambda _: None, time.monotonic())
    start(starts)
    assert starts.best is not None
    assert answer.plan.cost <= starts.best.cost, f"seed {seed}"
    assert answer.seconds == 0.0


def test_what_cannot_be_done_is_said() -> None:
    problem = cell(1)
    one = problem.activities[0].name
    lag = Lag(before=one, after=one, before_point="start", after_point="end", maximum_s=0)
    assert solve_counted(Question(problem=replace(problem, lags=(lag,)), seconds=1.0)) == Answer(
        status="infeasible"
    )


def test_where_all_runs_already_there_is_nothing_to_search() -> None:
    running = tuple(
        Activity(
            name=f"a{n}",
            group=f"g{n}",
            modes=(Mode(duration_s=5),),
            fixed=Fixed(mode=0, start_s=-n, end_s=5),
        )
        for n in range(3)
    )
    problem = replace(
        cell(1),
        activities=running,
        holds=(),
        lags=(),
        changes=(),
        groups=tuple(Group(name=one.group) for one in running),
        weights=Weights(makespan=1, flow=3),
    )
    for answer in (
        solve_counted(Question(problem=problem, seconds=1.0)),
        solve(Question(problem=problem, seconds=1.0), lambda _: None),
    ):
        assert answer.plan is not None
        assert answer.plan.makespan_s == 5
