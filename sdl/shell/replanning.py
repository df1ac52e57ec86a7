"""Asks for plans and posts them to the engine, without ever holding it up.

At a bench at work only the engine's state is taken out in the loop; forecasts are made in a
thread, and plans in the scheduler's process. In virtual time nothing happens meanwhile, so that
all of it is done on the spot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

from sdl.core.commands import Command
from sdl.core.durations import Durations, Practised
from sdl.core.engine import Engine
from sdl.core.events import Event
from sdl.core.outlook import Outlook, outlook
from sdl.core.plan import PlanArrived
from sdl.core.predicting import Follower, Predictor
from sdl.errors import said
from sdl.scheduling.check import broken
from sdl.scheduling.model import Answer, Problem, Question
from sdl.scheduling.repair import repaired_at_least_cost
from sdl.shell.crash import crash_point
from sdl.shell.in_thread import in_thread
from sdl.shell.occasions import Occasions, able
from sdl.shell.plan_question import LENIENCES, Draft, draft
from sdl.shell.scheduler_client import NoAnswer, Solving

Solve: TypeAlias = Callable[[Question], Answer]
Post: TypeAlias = Callable[[Event], object]

log = logging.getLogger(__name__)


class Planning(Protocol):
    """What the runtime does about plans."""

    def heard(self, event: Event, commands: Sequence[Command]) -> None:
        """One turn of the engine: durations are learned from it."""
        ...

    def look(self, engine: Engine, seq: int, post: Post) -> None:
        """Look whether to plan anew. ``seq``: number of the last journal line."""
        ...


class NoPlanning:
    """The rule alone decides."""

    def heard(self, event: Event, commands: Sequence[Command]) -> None:
        pass

    def look(self, engine: Engine, seq: int, post: Post) -> None:
        pass


class Replanning:
    """One plan at a time, while the bench goes on."""

    def __init__(
        self,
        solving: Solving,
        *,
        now: Callable[[], float],
        learned: Durations,
        predictors: Sequence[Predictor],
        seconds: float,
        followers: Sequence[Follower] = (),
    ) -> None:
        """``now``: lab time. ``predictors``: whom to believe where little was ``learned``.

        ``seconds``: wall time of one answer. ``followers``: who is told each line beside.
        """
        self._solving, self._now, self._seconds = solving, now, seconds
        self._followers = (learned, *followers)
        self._predictors = (Practised(learned), *predictors, learned)
        self._occasions = Occasions()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    def heard(self, event: Event, commands: Sequence[Command]) -> None:
        _tell(self._followers, event, commands)

    def look(self, engine: Engine, seq: int, post: Post) -> None:
        if self._task is not None and not self._task.done():
            return
        at = self._now()
        cause = self._occasions.due(engine, at)
        if cause:
            self._occasions.asked(engine, at)
            ahead = outlook(engine, at)
            self._task = asyncio.create_task(self._plan(engine, ahead, seq, cause, post))

    async def aclose(self) -> None:
        """Give up what is being planned."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _plan(self, engine: Engine, ahead: Outlook, seq: int, cause: str, post: Post) -> None:
        try:
            event = await self._planned(engine, ahead, seq, cause, post)
        except NoAnswer as none:
            self._complain(str(none), ahead, seq, post)
        except Exception as error:  # a plan is a hint: nothing may end for want of one
            log.exception("no plan could be made")
            self._complain(f"no plan could be made: {said(error)}", ahead, seq, post)
        else:
            self._hand_over(event, engine, ahead, post)

    def _hand_over(
        self, event: PlanArrived | None, engine: Engine, ahead: Outlook, post: Post
    ) -> None:
        """Post a plan, unless an instrument that it counts on has gone meanwhile."""
        if event is None:
            return
        gone = {seat.name for seat in ahead.seats if seat.is_able} - able(engine)
        if gone & {one.instrument for one in event.steps}:
            self._occasions.again()
            return
        self._trouble = ""
        post(replace(event, at=self._now()))

    async def _planned(
        self, engine: Engine, ahead: Outlook, seq: int, cause: str, post: Post
    ) -> PlanArrived | None:
        drafted = await in_thread(draft, ahead, self._predictors)
        self._occasions.known(drafted)
        if not drafted.has_windows:
            return None  # the rule keeps every instrument busy, and there is nothing to be late for
        if drafted.outlook.plan is not None:  # what is in force is mended first: that takes no time
            mended = await in_thread(mended_plan, drafted, seq, cause)
            self._hand_over(mended, engine, ahead, post)
        for question in (replace(drafted, lenience=one) for one in LENIENCES):
            problem = await in_thread(_problem, question)
            crash_point("orchestrator.plan.asked")
            answer = await self._solving.solve(Question(problem=problem, seconds=self._seconds))
            event = await in_thread(_event, question, answer, seq, cause)
            if event is not None:
                return event
        raise NoAnswer("the scheduler found no plan that can be used")

    def _complain(self, why: str, ahead: Outlook, seq: int, post: Post) -> None:
        """Say once that plans do not come, in the log and on record."""
        self._occasions.again()
        if why == self._trouble:
            return
        self._trouble = why
        log.warning("%s; steps go on by the rule alone", why)
        post(PlanArrived(at=self._now(), basis=seq, asked_at=ahead.at, status="unknown", cause=why))


class PlanningAtOnce:
    """Plans while time stands still: for virtual time, in which everything follows from a seed."""

    def __init__(
        self,
        solve: Solve,
        predictors: Sequence[Predictor],
        *,
        now: Callable[[], float],
        seed: int = 0,
        seconds: float = 1.0,
        followers: Sequence[Follower] = (),
    ) -> None:
        """``now``: lab time. ``seconds``: wall time of one answer, where ``solve`` minds it.

        ``followers``: who is told each line.
        """
        self._solve, self._now = solve, now
        learned = Durations()
        self._followers = (learned, *followers)
        self._predictors = (Practised(learned), *predictors, learned)
        self._seed, self._seconds = seed, seconds
        self._occasions = Occasions()

    def heard(self, event: Event, commands: Sequence[Command]) -> None:
        _tell(self._followers, event, commands)

    def look(self, engine: Engine, seq: int, post: Post) -> None:
        at = self._now()
        cause = self._occasions.due(engine, at)
        if not cause:
            return
        self._occasions.asked(engine, at)
        drafted = draft(outlook(engine, at), self._predictors)
        self._occasions.known(drafted)
        if not drafted.has_windows:
            return
        for question in (replace(drafted, lenience=one) for one in LENIENCES):
            asked = Question(problem=question.problem, seconds=self._seconds, seed=self._seed)
            event = _event(question, self._solve(asked), seq, cause)
            if event is not None:
                post(replace(event, at=at))
                return
        self._occasions.again()


def _tell(followers: Sequence[Follower], event: Event, commands: Sequence[Command]) -> None:
    for line in (event, *commands):
        for each in followers:
            each.take(line)


def mended_plan(drafted: Draft, seq: int, cause: str) -> PlanArrived | None:
    """The plan in force, shifted to where it can be; None if it cannot be had that way.

    The independent checker has nothing against it but the windows that it is foretold to break.
    """
    problem = drafted.problem
    mended = repaired_at_least_cost(problem)
    if mended is None:
        return None
    lost = set(mended.broken)
    kept = replace(problem, lags=tuple(lag for lag in problem.lags if lag not in lost))
    if broken(kept, mended.plan):
        return None
    answer = Answer(status="feasible", plan=mended.plan, found_by="right shift")
    event = drafted.event(answer, mended.plan, basis=seq, cause=cause)
    return replace(event, status="repaired")


def _problem(drafted: Draft) -> Problem:
    return drafted.problem


def _event(drafted: Draft, answer: Answer, seq: int, cause: str) -> PlanArrived | None:
    """The answer as an event, unless there is no plan in it or the checker objects to it."""
    if answer.plan is None or drafted.objections(answer.plan):
        return None
    return drafted.event(answer, answer.plan, basis=seq, cause=cause)
