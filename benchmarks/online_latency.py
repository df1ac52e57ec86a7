"""How long the engine takes to give out steps, and to mend a plan, with 1,000 steps pending.

Plates wait for two handlers under a plan that holds all of them; each event frees an instrument.
Times are of this thread's processor alone, so that a busy machine does not count.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from common import arguments, beside, machine, percentile, write_json
from online_bench import INSTRUMENTS, KINDS, Chance, Nominal, Play, script
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.outlook import outlook
from sdl.shell.plan_question import Draft, draft
from sdl.shell.replanning import mended_plan

PLATES = 336
"""Of each of three campaigns; of every one a first step waits."""
TURNS = 400
REPAIRS = 20
STEPS = 1_000
HORIZON = 260
"""Plates whose visits are as many steps, and some more."""
DISPATCH_MS, REPAIR_MS, LOOK_MS = 10.0, 200.0, 20.0


def crowded() -> Play:
    """A bench on which all have begun."""
    batches = [(kind, 0, PLATES, 0.0) for kind in range(len(KINDS))]
    play = Play(engine=Engine(script()), seed=1, batches=batches, chance=Chance(faults=0.0))
    play.open()
    while sum(len(part.state.runs) for part in play.engine.campaigns.values()) < 3 * PLATES:
        play.step()
    return play


def planned(play: Play, coming: int) -> ev.PlanArrived:
    """A plan of so many plates, in the order of their numbers."""
    found = draft(outlook(play.engine, play.now, coming), (Nominal(0.1),))
    starts = dict.fromkeys(INSTRUMENTS, play.now)
    steps = []
    for name, each in found.steps.items():
        start = starts[each.step.instrument]
        starts[each.step.instrument] = start + each.length_s
        steps.append(
            ev.Planned(
                step=name,
                instrument=each.step.instrument,
                start=start,
                duration_s=float(each.length_s),
            )
        )
    return ev.PlanArrived(
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


def looked(play: Play) -> list[float]:
    """Milliseconds for which the loop is held to take out what is to be planned."""
    spent = []
    for _ in range(REPAIRS):
        began = time.thread_time()
        outlook(play.engine, play.now)
        spent.append(1000.0 * (time.thread_time() - began))
    return spent


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    chosen = arguments(__doc__).parse_args(words)
    play = crowded()
    play.turn(planned(play, 3 * PLATES))
    pending = sum(len(steps) for steps in play.engine.commons.waiting.values())
    looks = looked(play)
    turns = dispatched(play)
    play.turn(planned(play, HORIZON))
    again = draft(outlook(play.engine, play.now, HORIZON), (Nominal(0.1),))
    repairs = mended(again)
    report = {
        "machine": machine(),
        "pending": pending,
        "dispatch_p50_ms": percentile(turns, 50),
        "dispatch_p99_ms": percentile(turns, 99),
        "steps": len(again.steps),
        "repair_p95_ms": percentile(repairs, 95),
        "look_p95_ms": percentile(looks, 95),
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
