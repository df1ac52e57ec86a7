"""The scheduler's process may die, hang or talk nonsense; whoever asks is told so in time."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import psutil
import pytest

from sdl.scheduling.model import Activity, Demand, Mode, Problem, Question, Resource
from sdl.shell.scheduler_client import NoAnswer, SchedulerProcess

JOBS = 6
PROBLEM = Problem(
    name="queue",
    resources=(Resource(name="reader"),),
    activities=tuple(
        Activity(
            name=f"read-{n}",
            modes=(Mode(duration_s=10 + n, demands=(Demand(resource="reader"),)),),
        )
        for n in range(JOBS)
    ),
)
QUESTION = Question(problem=PROBLEM, seconds=3.0)


def told(words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", words)


async def test_a_question_has_a_plan_for_its_answer(tmp_path: Path) -> None:
    answer = await SchedulerProcess(tmp_path / "log", grace_s=20.0).solve(QUESTION)
    assert answer.status == "optimal"
    assert answer.plan is not None
    assert answer.plan.makespan_s == sum(10 + n for n in range(JOBS))


@pytest.mark.parametrize(
    "words, why",
    [
        ("import sys; sys.stderr.write('no library'); sys.exit(1)", "died before it answered"),
        ("import os; os.kill(os.getpid(), 9)", "died before it answered"),
        ("print('all is well')", "could not be read"),
        ("print('{', end='')", "died before it answered"),
    ],
)
async def test_one_that_dies_or_talks_nonsense_is_told(
    words: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(NoAnswer, match=why):
        await SchedulerProcess(tmp_path / "log", told(words), grace_s=20.0).solve(QUESTION)
    if "no library" in words:
        assert (tmp_path / "log").read_text() == "no library"


def children() -> set[int]:
    """Processes that this one has started, servers of other tests among them."""
    return {one.pid for one in psutil.Process().children()}


async def test_one_that_hangs_is_ended_in_time(tmp_path: Path) -> None:
    before = children()
    question = Question(problem=PROBLEM, seconds=0.2)
    began = time.monotonic()
    hanging = SchedulerProcess(tmp_path / "log", told("import time; time.sleep(600)"), grace_s=0.3)
    with pytest.raises(NoAnswer, match="hung"):
        await hanging.solve(question)
    assert time.monotonic() - began < 10.0
    assert not children() - before


async def test_one_that_is_given_up_is_ended(tmp_path: Path) -> None:
    before = children()
    asking = asyncio.create_task(
        SchedulerProcess(tmp_path / "log", told("import time; time.sleep(600)")).solve(QUESTION)
    )
    async with asyncio.timeout(20.0):
        while not children() - before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert not children() - before


async def test_one_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="did not start"):
        await SchedulerProcess(tmp_path / "log", (str(tmp_path / "absent"),)).solve(QUESTION)
