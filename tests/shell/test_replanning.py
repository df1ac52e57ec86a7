"""Plans are asked for beside the work: whatever becomes of the scheduler, the bench goes on."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from sdl.core import events as ev
from sdl.core.beginning import IN_A_TURN
from sdl.core.durations import Durations
from sdl.core.plan import PlanArrived
from sdl.model.campaign import StopRule
from sdl.shell.occasions import DEBOUNCE_S
from sdl.shell.replanning import Replanning
from sdl.shell.scheduler_client import WORDS, SchedulerProcess
from tests.core.dye import at_work
from tests.core.floor import Floor
from tests.shell.test_plan_question import Known

DYING = (sys.executable, "-c", "raise SystemExit(1)")
LOOP_S = 0.02
"""What planning may take of the event loop at a time."""


@dataclass
class Bench:
    """A floor, and who plans for it."""

    folder: Path
    words: tuple[str, ...] = WORDS
    at: float = 11.0
    posted: list[ev.Event] = field(default_factory=list)
    floor: Floor = field(default_factory=lambda: at_work(parallel=3)[0])

    def __post_init__(self) -> None:
        self.replanning = self.planner(self.words)

    def planner(self, words: tuple[str, ...]) -> Replanning:
        return Replanning(
            SchedulerProcess(self.folder / "scheduler.log", words, grace_s=30.0),
            now=lambda: self.at,
            learned=Durations(),
            predictors=(Known(1.0),),
            seconds=0.5,
        )

    async def look(self) -> None:
        """One look, and all that follows from it."""
        self.replanning.look(self.floor.engine, 5, self.posted.append)
        task = self.replanning._task
        if task is not None:
            await task


async def test_a_plan_is_posted_and_kept_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.look()
    (plan,) = bench.posted
    assert isinstance(plan, PlanArrived)
    assert (plan.basis, plan.cause, plan.asked_at) == (5, "the first plan", 11.0)
    bench.floor.turn(plan)
    await bench.look()
    assert len(bench.posted) == 1, "all is as it was"
    bench.at = 100.0
    await bench.look()
    mended, better = bench.posted[1:]
    assert isinstance(mended, PlanArrived)
    assert isinstance(better, PlanArrived)
    assert (mended.status, mended.found_by) == ("repaired", "right shift")
    assert better.cause == mended.cause == "dye/run-1/step-1 takes long"


async def test_a_scheduler_that_dies_is_told_once_and_the_next_that_answers_heals_it(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, DYING)
    for _ in range(3):
        await bench.look()
        bench.at += DEBOUNCE_S
    (told,) = bench.posted
    assert isinstance(told, PlanArrived)
    assert told.steps == ()
    assert told.cause.startswith("the scheduler died before it answered")
    bench.floor.turn(told)
    shown = bench.floor.engine.lab_view().plan
    assert shown is not None
    assert shown.trouble == told.cause
    bench.replanning = bench.planner(WORDS)
    await bench.look()
    bench.floor.turn(bench.posted[-1])
    shown = bench.floor.engine.lab_view().plan
    assert shown is not None
    assert (shown.trouble, shown.plans) == ("", 1)


async def test_a_plan_that_counts_on_what_went_away_meanwhile_is_dropped(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.replanning.look(bench.floor.engine, 5, bench.posted.append)
    bench.floor.turn(ev.InstrumentLost(at=11.0, instrument="reader", reason="unplugged"))
    assert bench.replanning._task is not None
    await bench.replanning._task
    assert bench.posted == []
    bench.at += DEBOUNCE_S
    await bench.look()
    (plan,) = bench.posted
    assert isinstance(plan, PlanArrived)
    assert "dye/run-1/step-3" in plan.breaks, "the reader is away for longer than that"


async def test_what_is_being_planned_is_given_up_at_the_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, (sys.executable, "-c", "import time; time.sleep(600)"))
    bench.replanning.look(bench.floor.engine, 5, bench.posted.append)
    await asyncio.sleep(0.2)
    await bench.replanning.aclose()
    assert bench.posted == []


async def test_a_look_takes_next_to_nothing_of_the_loop(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DYING, floor=at_work(parallel=40, stop=StopRule(runs=99))[0])
    for _ in range(40 // IN_A_TURN - 1):
        bench.floor.turn(ev.TimerFired(at=1.0, timer="dye/more"))
    assert len(bench.floor.engine.state.runs) == 40
    began = time.thread_time()
    bench.replanning.look(bench.floor.engine, 5, bench.posted.append)
    assert time.thread_time() - began < LOOP_S
    await bench.replanning.aclose()
