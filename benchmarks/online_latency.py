"""How long the engine takes to give out steps, and to mend a plan, with 1,000 steps pending.

Plates wait for two handlers under a plan that holds all of them; each event frees an instrument.
Told is also what the scheduler's process makes of that plan in the time that it has. ``--carried``:
plates of five campaigns wait for ten instruments and the arm that carries them. Times are of this
thread's processor alone, but for that of the process; on a machine whose cores others use, they are
longer all the same. Garbage is collected as in an orchestrator.
"""

from __future__ import annotations

import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from common import arguments, beside, machine, percentile, write_json
from online_bench import INSTRUMENTS, KINDS, Chance, Nominal, Play, script
from online_hall import hall
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.outlook import outlook
from sdl.core.plan import PlanArrived, Planned
from sdl.scheduling.check import broken
from sdl.scheduling.client import solve_apart
from sdl.scheduling.cost import plan_of
from sdl.scheduling.dispatch import dispatch
from sdl.scheduling.index import Indexed
from sdl.scheduling.model import Question
from sdl.scheduling.repair import repaired_at_least_cost
from sdl.shell.collecting import short_pauses
from sdl.shell.plan_question import Draft, draft
from sdl.shell.planning import SECONDS
from sdl.shell.replanning import mended_plan

PLATES = 336
"""Of each of three campaigns; of every one a first step waits."""
TURNS = 400
REPAIRS = 100
IMPROVED = 5
STEPS = 1_000
HORIZON = 260
"""Plates whose visits are as many steps, and some more."""
DISPATCH_MS, REPAIR_MS, LOOK_MS = 10.0, 200.0, 20.0
IMPROVED_S = 5.0


def crowded() -> Play:
    """A bench on which all have begun."""
    batches = [(kind, 0, PLATES, 0.0) for kind in range(len(KINDS))]
    play = Play(engine=Engine(script()), seed=1, batches=batches, chance=Chance(faults=0.0))
    play.open()
    while sum(len(part.state.runs) for part in play.engine.campaigns.values()) < 3 * PLATES:
        play.step()
    return play


def planned(play: Play, coming: int) -> PlanArrived:
    """A plan of so many plates, in the order of their numbers."""
    found = draft(outlook(play.engine, play.now, coming), (Nominal(0.1),))
    starts = dict.fromkeys(INSTRUMENTS, play.now)
    steps = []
    for name, each in found.steps.items():
        start = starts[each.step.instrument]
        starts[each.step.instrument] = start + each.length_s
        steps.append(
            Planned(
                step=name,
                instrument=each.step.instrument,
                start=start,
                duration_s=float(each.length_s),
            )
        )
    return PlanArrived(
        at=play.now, basis=1, asked_at=play.now, status="feasible", cause="", steps=tuple(steps)
    )


def dispatched(play: Play) -> list[float]:
    """Milliseconds of each turn in which an instrument is freed and given its next step."""
    spent: list[float] = []
    while len(spent) < TURNS:
        play.now, _, event = play.queue[0]
        if not isinstance(event, ev.CommandDone):
            play.step()
            continue
        began = time.thread_time()
        play.step()
        spent.append(1000.0 * (time.thread_time() - began))
    return spent


def mended(found: Draft) -> list[float]:
    """Milliseconds from a question to the plan in force, shifted."""
    spent = []
    for _ in range(REPAIRS):
        fresh = replace(found)  # whatever was worked out before is worked out again
        began = time.thread_time()
        event = mended_plan(fresh, 1, "a benchmark")
        spent.append(1000.0 * (time.thread_time() - began))
        assert event is not None
        assert len(event.steps) >= STEPS
    return spent


@dataclass(frozen=True)
class Improved:
    """What the scheduler's process makes of the plan in force."""

    seconds: float
    """Of the wall, from the question to the last answer."""
    to_repaired: float
    """Its cost, over that of the plan in force, shifted."""
    to_edf: float
    """Its makespan from now on, over that of the rule that takes the earliest deadline."""


def improved(found: Draft) -> list[Improved]:
    """As a bench at work asks it: in a process of its own, with as much time."""
    problem = found.problem
    index = Indexed(problem)
    mended, rule = repaired_at_least_cost(problem), dispatch(index, "EDF")
    assert mended is not None
    assert rule is not None
    edf_s = plan_of(problem, index.placed(*rule)).makespan_s - problem.now_s
    results = []
    for seed in range(IMPROVED):
        began = time.perf_counter()
        plan = solve_apart(Question(problem=problem, seconds=SECONDS, seed=seed)).plan
        seconds = time.perf_counter() - began
        assert plan is not None
        assert not broken(problem, plan)
        makespan_s = plan.makespan_s - problem.now_s
        results.append(Improved(seconds, plan.cost / mended.plan.cost, makespan_s / edf_s))
    return results


def looked(play: Play) -> list[float]:
    """Milliseconds for which the loop is held to take out what is to be planned."""
    spent = []
    for _ in range(REPAIRS):
        began = time.thread_time()
        outlook(play.engine, play.now)
        spent.append(1000.0 * (time.thread_time() - began))
    return spent


def carried(chosen: Namespace) -> int:
    """Milliseconds of each turn while plates wait for an arm; printed."""
    play = hall(chosen.plates)
    with short_pauses():
        opening = max(timed(play, lambda: in_flight(play) >= chosen.plates))
        pending = sum(len(steps) for steps in play.engine.commons.steps.waiting.values())
        turns = timed(play, lambda: False)
    report = {
        "machine": machine(),
        "pending": pending,
        "turns": len(turns),
        **{f"turn_p{percent}_ms": percentile(turns, percent) for percent in (50, 95, 99)},
        "turn_max_ms": max(turns),
        "opening_max_ms": opening,
    }
    if chosen.json:
        write_json(report)
        return 0
    print(f"{machine()}; {pending} steps pending, {len(turns)} turns in which something was sent")
    print(f"turn       p50 {percentile(turns, 50):.1f}, p95 {percentile(turns, 95):.1f} ms")
    for what, value, aim in (
        ("turn       p99", percentile(turns, 99), DISPATCH_MS),
        ("loop held  max", max(turns), LOOK_MS),
        ("a campaign begins", opening, LOOK_MS),
    ):
        print(f"{what} {value:.1f} ms {beside(value, 'at most', aim)}")
    return 0


def in_flight(play: Play) -> int:
    """Runs of all campaigns."""
    return sum(len(part.state.runs) for part in play.engine.campaigns.values())


def timed(play: Play, is_over: Callable[[], bool]) -> list[float]:
    """Milliseconds of turns in which something was sent, until it is over, or of enough of them."""
    spent: list[float] = []
    turn = play.engine.handle

    def handle(event: ev.Event) -> list[do.Command]:
        began = time.thread_time()
        out = turn(event)
        if any(isinstance(command, do.Perform | do.BeginRun) for command in out):
            spent.append(1000.0 * (time.thread_time() - began))
        return out

    play.engine.handle = handle  # type: ignore[method-assign]
    while len(spent) < TURNS and not is_over():
        play.step()
    play.engine.handle = turn  # type: ignore[method-assign]
    return spent


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = arguments(__doc__)
    parser.add_argument("--carried", action="store_true", help="with an arm and a hotel")
    parser.add_argument("--plates", type=int, default=STEPS, help="with --carried")
    chosen = parser.parse_args(words)
    if chosen.carried:
        return carried(chosen)
    with short_pauses():
        play = crowded()
        play.turn(planned(play, 3 * PLATES))
        pending = sum(len(steps) for steps in play.engine.commons.steps.waiting.values())
        looks = looked(play)
        turns = dispatched(play)
        play.turn(planned(play, HORIZON))
        again = draft(outlook(play.engine, play.now, HORIZON), (Nominal(0.1),))
        repairs, better = mended(again), improved(again)
    seconds = percentile([one.seconds for one in better], 95)
    cost = max(one.to_repaired for one in better)
    report = {
        "machine": machine(),
        "pending": pending,
        "dispatch_p50_ms": percentile(turns, 50),
        "dispatch_p99_ms": percentile(turns, 99),
        "steps": len(again.steps),
        "repair_p95_ms": percentile(repairs, 95),
        "look_p95_ms": percentile(looks, 95),
        "improved_p95_s": seconds,
        "improved_to_repaired": cost,
        "improved_to_edf": statistics.fmean(one.to_edf for one in better),
    }
    if chosen.json:
        write_json(report)
        return 0
    print(f"{machine()}; {pending} steps pending, {len(again.steps)} in the plan")
    for what, values, percent, aim in (
        ("dispatch", turns, 99, DISPATCH_MS),
        ("repair", repairs, 95, REPAIR_MS),
        ("loop held", looks, 95, LOOK_MS),
    ):
        value = percentile(values, percent)
        print(f"{what:<10} p{percent} {value:.1f} ms {beside(value, 'at most', aim)}")
    print(f"improved   p95 {seconds:.1f} s {beside(seconds, 'at most', IMPROVED_S)}")
    print(f"           cost {cost:.3f} of the repaired plan's {beside(cost, 'at most', 1.0)}")
    print(f"           makespan {report['improved_to_edf']:.2f} of the earliest deadline's")
    return 0


if __name__ == "__main__":
    sys.exit(main())
