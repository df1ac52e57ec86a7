"""The whole solver: never worse than its starts, in time, in a process that ends with its asker."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from sdl.errors import UserMistake
from sdl.scheduling.check import broken
from sdl.scheduling.client import solve_apart
from sdl.scheduling.codec import (
    answer_line,
    problem_text,
    question_line,
    read_answer,
    read_question,
)
from sdl.scheduling.contest import Contest
from sdl.scheduling.cost import plan_of
from sdl.scheduling.index import Indexed
from sdl.scheduling.insertion import Arrays, insert_all
from sdl.scheduling.model import (
    Activity,
    Answer,
    Demand,
    Lag,
    Mode,
    Placed,
    Problem,
    Question,
    Resource,
    Weights,
)
from sdl.scheduling.solve import solve, start
from tests.scheduling.problems import cell, shop


def inserted(index: Indexed) -> Arrays:
    """A plan by insertion."""
    arrays = insert_all(index)
    assert arrays is not None
    return arrays


def test_a_small_shop_is_solved_to_a_proof_and_told_as_it_gets_better() -> None:
    told: list[Answer] = []
    answer = solve(Question(problem=shop(4, jobs=5, machines=4), seconds=60.0), told.append)
    assert answer.status == "optimal"
    assert answer.plan is not None
    assert answer.plan.cost == answer.bound
    assert told[-1] == answer
    costs = [one.plan.cost for one in told[:-1] if one.plan is not None]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == len(costs)


def test_a_cell_with_flow_time_and_stability_gets_valid_and_no_dearer_plans() -> None:
    weights = Weights(makespan=1, flow=1, moved=1, rerouted=1)
    problem = cell(5, plates=6, weights=weights)
    index = Indexed(problem)
    current = plan_of(problem, index.placed(*inserted(index))).placed
    problem = replace(problem, current=current)
    answer = solve(Question(problem=problem, seconds=3.0), lambda _: None)
    assert answer.plan is not None
    assert not broken(problem, answer.plan)
    assert answer.plan.cost <= plan_of(problem, current).cost


@pytest.mark.parametrize("seed", range(4))
def test_the_starts_are_never_worse_than_plain_insertion(seed: int) -> None:
    for problem in (cell(seed, plates=8), shop(seed, jobs=8, machines=4, flexible=True)):
        index = Indexed(problem)
        contest = Contest(index, lambda _: None, time.monotonic())
        start(contest)
        assert contest.best is not None
        greedy = plan_of(problem, index.placed(*inserted(index)))
        assert contest.best.cost <= greedy.cost, problem.name
        lengths = [words for words in contest.refused if "end of" not in words]
        assert lengths == [], "a rule breaks maximum lags at most"


def crowded() -> Problem:
    """Three washes at one washer that must begin within 5 s of each other: the lags alone fit."""
    wash = Mode(duration_s=10, demands=(Demand(resource="washer"),))
    names = ["a", "b", "c"]
    return Problem(
        name="crowded",
        resources=(Resource(name="washer"),),
        activities=tuple(Activity(name=name, group="g", modes=(wash,)) for name in names),
        lags=tuple(
            Lag(
                before=one,
                before_point="start",
                after=other,
                after_point="start",
                minimum_s=-5,
                maximum_s=5,
            )
            for one, other in (("a", "b"), ("b", "c"), ("a", "c"))
        ),
    )


def test_what_cannot_be_done_is_said_to_be_infeasible() -> None:
    answer = solve(Question(problem=crowded(), seconds=60.0), lambda _: None)
    assert answer.status == "infeasible"
    assert answer.plan is None
    impossible = replace(
        shop(1),
        lags=(
            *shop(1).lags,
            Lag(before="0.0", before_point="start", after="0.2", minimum_s=None, maximum_s=-1),
        ),
    )
    began = time.monotonic()
    answer = solve(Question(problem=impossible, seconds=8.0), lambda _: None)
    assert answer.status == "infeasible"
    assert time.monotonic() - began < 1.0, "a circle of lags needs no search"


def test_the_contest_lets_no_broken_plan_in() -> None:
    problem = shop(1)
    contest = Contest(Indexed(problem), lambda _: None, time.monotonic())
    placed = [
        Placed(activity=one.name, mode=0, start_s=0, end_s=one.modes[0].duration_s)
        for one in problem.activities
    ]
    assert not contest.offer_plan(plan_of(problem, placed), "a bug")
    assert contest.best is None
    assert "a bug" in contest.refused[0]


def test_the_process_answers_with_a_valid_plan_and_tells_each_better_one() -> None:
    problem = shop(9, jobs=5, machines=4, flexible=True)
    told: list[Answer] = []
    answer = solve_apart(Question(problem=problem, seconds=60.0), told.append)
    assert answer.status == "optimal"
    assert answer.plan is not None
    assert not broken(problem, answer.plan)
    assert told[-1] == answer


def test_a_process_that_is_out_of_time_is_ended_and_nothing_is_raised() -> None:
    """It cannot have loaded itself by then, so it is killed before it reads the question."""
    problem = shop(9, jobs=60, machines=10, flexible=True)
    began = time.monotonic()
    answer = solve_apart(Question(problem=problem, seconds=-1.49))
    assert answer.status == "unknown"
    assert time.monotonic() - began < 20.0


def test_the_process_ends_when_its_input_closes() -> None:
    question = Question(problem=shop(9, jobs=20, machines=10), seconds=60.0)
    with subprocess.Popen(
        [sys.executable, "-m", "sdl.scheduling"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(question_line(question) + b"\n")
        process.stdin.flush()
        assert read_answer(process.stdout.readline()).plan is not None
        process.stdin.close()
        assert process.wait(10.0) == 1


def test_the_process_refuses_what_is_no_question() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sdl.scheduling"], input=b"{}\n", capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"no scheduling question" in done.stderr


def test_questions_and_answers_survive_their_lines() -> None:
    problem = cell(3, weights=Weights(flow=2))
    question = Question(problem=problem, seconds=1.5, seed=7)
    assert read_question(question_line(question)) == question
    index = Indexed(problem)
    plan = plan_of(problem, index.placed(*inserted(index)))
    answer = Answer(status="feasible", plan=plan, bound=3, seconds=0.5, found_by="FIFO")
    assert read_answer(answer_line(answer)) == answer
    assert b"\n" not in question_line(question)
    assert problem_text(problem) in question_line(question)
    with pytest.raises(UserMistake, match="no answer"):
        read_answer(b"nonsense")


@pytest.mark.parametrize(
    "wrong,words",
    [
        (replace(shop(1), resources=()), "there is no resource"),
        (replace(shop(1), lags=(Lag(before="x", after="0.0"),)), "there is no activity 'x'"),
        (replace(shop(1), activities=shop(1).activities * 2), "is there twice"),
        (replace(shop(1), activities=(Activity(name="a", modes=()),)), "has no mode"),
    ],
)
def test_a_problem_that_speaks_of_what_it_has_not_is_refused(wrong: Problem, words: str) -> None:
    with pytest.raises(UserMistake, match=words):
        Indexed(wrong)
