"""Whether a simulation still gets on: where a person is needed nobody comes, and it is to end.

A person carries labware there (``hands``), and may be taken to give one answer to all questions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sdl.core.engine import Engine
from sdl.core.events import Event, StepResolved, Verdict
from sdl.core.view import LabView, Question
from sdl.sim.hands import WHO
from sdl.wire.journal import Chain

LOOK_S = 60.0
"""Lab seconds between two looks; an answer takes as long at most."""
STILL_S = 2400.0
"""Lab seconds in which nothing comes on record and nothing moves, after which nothing will. No
plan holds a step back for so long."""
STANDING = frozenset({"waits", "asks", "unknown", "done", "failed"})
"""States of a step in which no instrument and no timer is at work on it."""


class Attendance:
    """Of one simulation."""

    def __init__(
        self,
        engine: Engine,
        chain: Chain,
        now: Callable[[], float],
        post: Callable[[Event], None],
        verdict: Verdict | None,
    ) -> None:
        """``now``: lab time; ``post`` takes what a person says.

        ``verdict``: on every action that is asked about; None: nobody answers. Where it cannot be
        given, for it would need a result, the sample is discarded.
        """
        self._engine = engine
        self._chain = chain
        self._now = now
        self._post = post
        self._verdict = verdict

    async def until_still(self) -> None:
        """Return once the lab stands still although its work is not over."""
        seq, since = 0, self._now()
        while True:
            await asyncio.sleep(LOOK_S)
            if self._chain.seq != seq:
                seq, since = self._chain.seq, self._now()
            elif self._engine.is_begun:
                lab = self._engine.lab_view()
                self._answer_all(lab)
                if moves(lab):
                    since = self._now()
                elif self._now() - since >= STILL_S:
                    return

    def _answer_all(self, lab: LabView) -> None:
        if self._verdict is not None:
            for question in lab.questions:
                self._post(self._word(question, self._verdict))

    def _word(self, question: Question, verdict: Verdict) -> StepResolved:
        needs_result = verdict == "happened" and question.gives_result
        is_given = verdict in question.verdicts and not needs_result
        return StepResolved(
            at=self._now(),
            step=question.step,
            attempt=question.attempt,
            verdict=verdict if is_given else "discard",
            by=WHO,
        )


def moves(lab: LabView) -> bool:
    """Whether an instrument, a timer or the planner is at work."""
    at_work = any(
        flying.state not in STANDING for view in lab.campaigns for flying in view.in_flight
    )
    asks = any(view.planner_state != "idle" for view in lab.campaigns)
    return at_work or asks or any(one.carrier for one in lab.carries)
