"""Rules and plans at a bench with uncertain durations, in virtual time over the real engine.

48 plates of three campaigns, all at once or eight every forty minutes; durations are log-normal
with 10 % spread, and 3 % of the steps take 120 to 300 s longer. All policies meet the same chance.
With --carried an arm brings every plate to every station, and stays in incubators have windows too;
then *EDF* is the engine without its care for what must follow soon, and *rule* is the engine.
Each visit is at any station of its group, or, with --fixed, all of a plate's at one of them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace
from unittest.mock import patch

from common import arguments, machine, percentile, say, write_json
from online_bench import KINDS, ROUTES, Chance, Figures, Nominal, Play, script, windows
from online_cell import Cell
from online_cell import script as carried_script
from sdl.core.chains import Chains
from sdl.core.engine import Engine
from sdl.core.schedule import ReadyStep
from sdl.scheduling.client import solve_apart
from sdl.scheduling.counted import solve_counted
from sdl.scheduling.model import Answer, Question
from sdl.shell.replanning import PlanningAtOnce

TICK_S = 10.0
BATCH_EVERY_S = 2400.0
Batches = list[tuple[int, int, int, float]]


def all_at_once() -> Batches:
    """Three campaigns that begin together."""
    return [(kind, 0, len(ROUTES[name]), 0.0) for kind, name in enumerate(KINDS)]


def staggered() -> Batches:
    """Eight plates every forty minutes."""
    shares = [(3, 3, 2), (3, 2, 3), (2, 3, 3)] * 2
    found, first = [], [0, 0, 0]
    for number, share in enumerate(shares):
        for kind, count in enumerate(share):
            found.append((kind, first[kind], count, BATCH_EVERY_S * number))
            first[kind] += count
    return found


LOADS: dict[str, Callable[[], Batches]] = {"at once": all_at_once, "staggered": staggered}


@contextmanager
def first_come() -> Iterator[None]:
    """The engine with another rule: first in, first out."""
    with patch("sdl.core.dispatching.next_step", _first):
        yield


def _first(ready: Iterable[ReadyStep]) -> ReadyStep:
    return min(ready, key=lambda step: step.order)


def timed(solver: Callable[[Question], Answer], spent: list[float]) -> Callable[[Question], Answer]:
    """The same solver, with a note of the wall seconds that each question takes."""

    def solve(question: Question) -> Answer:
        began = time.perf_counter()
        answer = solver(question)
        spent.append(time.perf_counter() - began)
        return answer

    return solve


@contextmanager
def careless() -> Iterator[None]:
    """The engine begins whatever it can, though what must follow soon may not follow in time."""
    with (
        patch.object(Chains, "objection", lambda *_: ""),
        patch.object(Chains, "promises", lambda _: []),
        patch.object(Chains, "calls", lambda *_: []),
        patch.object(Chains, "awaited", lambda *_: frozenset()),
    ):
        yield


def played(
    batches: Batches,
    seed: int,
    solver: Callable[[Question], Answer] | None,
    chance: Chance,
    *,
    carried: bool,
    pooled: bool,
) -> Figures:
    """One bench, from its first plate to its last; without a solver the rule alone decides."""
    kind, scripted = (Cell, carried_script) if carried else (Play, script)
    play = kind(Engine(scripted()), seed, batches, chance, pooled=pooled)
    if solver is not None:
        predictors = (Nominal(chance.spread),)
        play.planning = PlanningAtOnce(solver, predictors, now=lambda: play.now, seed=seed)
    play.open()
    tick = 0.0
    while not play.is_over:
        if play.queue[0][0] > tick:
            play.look(tick)
            tick += TICK_S
        else:
            play.step()
    return play.figures()


def solvers(seconds: float) -> dict[str, Callable[[Question], Answer]]:
    """Who answers a question: so many rounds in this process, or the process with CP-SAT."""

    def apart(question: Question) -> Answer:
        return solve_apart(replace(question, seconds=seconds))

    return {"plan, counted": solve_counted, "plan, CP-SAT": apart}


def main(words: list[str] | None = None) -> int:
    """The command line."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="for CP-SAT, each plan")
    parser.add_argument("--policy", action="append", help="such as 'EDF'; else all but CP-SAT")
    parser.add_argument("--load", action="append", choices=sorted(LOADS))
    parser.add_argument("--carried", action="store_true", help="by an arm, from site to site")
    parser.add_argument("--fixed", action="store_true", help="one of a group for a whole run")
    parser.add_argument("--faults", type=float, default=0.03)
    parser.add_argument("--spread", type=float, default=0.10, help="share of each duration")
    chosen = parser.parse_args(words)
    chance = Chance(spread=chosen.spread, faults=chosen.faults)
    report: list[dict[str, object]] = []
    for load in chosen.load or LOADS:
        usual = ("FIFO", "EDF", "rule" if chosen.carried else "plan, counted")
        for policy in chosen.policy or usual:
            spent: list[float] = []
            found = []
            for seed in range(chosen.first, chosen.first + chosen.seeds):
                bench = Bench(
                    LOADS[load](), seed, chance, carried=chosen.carried, pooled=not chosen.fixed
                )
                found.append(_one(bench, policy, chosen.seconds, spent))
                say(f"{load}, {policy}, seed {seed}: {found[-1]}")
            report.append(_row(load, policy, found, spent))
            report[-1]["windows"] = windows(carried=chosen.carried)
            if not chosen.json:
                print(_words(report[-1]), flush=True)
    if chosen.json:
        write_json({"machine": machine(), "rows": report})
    return 0


@dataclass(frozen=True)
class Bench:
    """What a policy meets."""

    batches: Batches
    seed: int
    chance: Chance
    _: KW_ONLY
    carried: bool
    pooled: bool


def _one(bench: Bench, policy: str, seconds: float, spent: list[float]) -> Figures:
    def go(solver: Callable[[Question], Answer] | None = None) -> Figures:
        return played(
            bench.batches,
            bench.seed,
            solver,
            bench.chance,
            carried=bench.carried,
            pooled=bench.pooled,
        )

    match policy:
        case "FIFO":
            with first_come(), careless():
                return go()
        case "EDF":
            with careless():
                return go()
        case "rule":
            return go()
        case _:
            return go(timed(solvers(seconds)[policy], spent))


def _row(load: str, policy: str, found: list[Figures], spent: list[float]) -> dict[str, object]:
    def mean(values: list[float]) -> float:
        return round(statistics.fmean(values), 1)

    return {
        "load": load,
        "policy": policy,
        "seeds": len(found),
        "makespan_s": mean([one.makespan_s for one in found]),
        "broken": mean([float(one.broken) for one in found]),
        "tight": mean([float(one.tight) for one in found]),
        "late_s": mean([one.late_s for one in found]),
        "flow_s": mean([one.flow_s for one in found]),
        "used": round(statistics.fmean(one.used for one in found), 3),
        "busiest": round(statistics.fmean(one.busiest for one in found), 3),
        "plans": mean([float(one.plans) for one in found]),
        "solve_p95_s": round(percentile(spent, 95), 3) if spent else None,
    }


def _words(row: dict[str, object]) -> str:
    return (
        f"{row['load']:<10} {row['policy']:<14} makespan {row['makespan_s']} s, broken "
        f"{row['broken']} of {row['windows']} ({row['tight']} tight), late {row['late_s']} s, flow "
        f"{row['flow_s']} s, stations used {row['used']:.0%}, busiest {row['busiest']:.0%}, "
        f"{row['plans']} plans, solve p95 {row['solve_p95_s']} s"
    )


if __name__ == "__main__":
    sys.exit(main())
