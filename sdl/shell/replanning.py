"""Asks for plans and hands them to the engine's journal, without ever holding it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from sdl.core.engine import Engine
from sdl.core.events import PlanArrived
from sdl.core.outlook import outlook
from sdl.core.predicting import Predictor
from sdl.scheduling.model import Answer, Question
from sdl.shell.occasions import Occasions
from sdl.shell.plan_question import Draft, draft

Solve: TypeAlias = Callable[[Question], Answer]


class PlanningAtOnce:
    """Plans while time stands still: for virtual time, in which everything follows from a seed."""

    def __init__(
        self, solve: Solve, predictors: Sequence[Predictor], *, seed: int = 0, seconds: float = 1.0
    ) -> None:
        """``seconds``: wall time of one answer, where ``solve`` minds it."""
        self._solve, self._predictors = solve, predictors
        self._seed, self._seconds = seed, seconds
        self._occasions = Occasions()

    def look(self, engine: Engine, seq: int, at: float) -> PlanArrived | None:
        """A new plan if there is a reason for one. ``seq``: of the last journal line."""
        cause = self._occasions.due(engine, at)
        if not cause:
            return None
        self._occasions.asked(engine, at)
        drafted = draft(outlook(engine, at), self._predictors)
        self._occasions.known(drafted)
        for question in (drafted, replace(drafted, hard=False)):
            answer = self._solve(
                Question(problem=question.problem, seconds=self._seconds, seed=self._seed)
            )
            if answer.plan is not None and not question.objections(answer.plan):
                event = question.event(answer, answer.plan, basis=seq, cause=cause)
                return replace(event, at=at)
        self._occasions.again()
        return None


__all__ = ["Draft", "PlanningAtOnce", "Solve"]
