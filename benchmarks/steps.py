"""Start-to-start time of no-op steps through the whole runtime, journal on, over Mosquitto.

A chain of 20 steps on one instrument, then ten such chains on ten instruments. Every step is an
event-sourced command: intent committed (SQLite, synchronous=FULL) before it is published, answered
by the node in its own process, journalled, decided on. Times are those of the instrument's own
clock. The baseline in the same run is a bare MQTT round trip of messages of the same size between
two processes, without runtime and journal.
"""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

from common import (
    arguments,
    beside,
    machine,
    percentile,
    round_trips,
    say,
    shown,
    spread,
    write_json,
)
from sdl.testing.servers import mosquitto
from ticking import Ticking, chains, rates, run_ticks, ticks

STEPS = 20
AIM = {"gap_p50_ms": 5.0, "steps_per_s": 500.0, "memory_mb": 300.0}
PEERS = (
    "EOS, measured the same way: 100 ms, 25-42 steps/s, 1.8-2.7 GB; MADSci: 5,058 ms, 0.19, 1.5 GB"
)


class Result(TypedDict):
    """Figures of one number of instruments, over all runs but the first."""

    instruments: int
    steps: int
    gap_p50_ms: float
    gap_p99_ms: float
    steps_per_s: dict[str, float]
    bare_p50_ms: float
    memory_mb: dict[str, float]
    memory_without_planner_mb: float


def measure(instruments: int, runs: int) -> Result:
    """Run one campaign, after its baseline on the same broker."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as url:
        folder = Path(name)
        bare = round_trips(url, 1000)
        _, used = run_ticks(
            Ticking(instruments=instruments, runs=runs, steps=STEPS).write(folder, url)
        )
        found = list(ticks(folder / "record.sqlite"))
    gaps = [
        1e3 * (after - one) for times in chains(found).values() for one, after in pairwise(times)
    ]
    memory_mb = used.memory_mb
    return Result(
        instruments=instruments,
        steps=len(found),
        gap_p50_ms=percentile(gaps, 50),
        gap_p99_ms=percentile(gaps, 99),
        steps_per_s=spread(rates(found)),
        bare_p50_ms=1e3 * percentile(bare.seconds, 50),
        memory_mb={part: round(mb, 1) for part, mb in memory_mb.items()},
        memory_without_planner_mb=sum(
            mb for part, mb in memory_mb.items() if part != "planner_worker"
        ),
    )


def show(one: Result) -> None:
    """Print one result with the aims beside it."""
    count, p50, bare = one["instruments"], one["gap_p50_ms"], one["bare_p50_ms"]
    rate, memory = one["steps_per_s"], one["memory_without_planner_mb"]
    print(f"{count} instrument(s), {one['steps']} steps")
    aim = beside(p50, "at most", AIM["gap_p50_ms"]) if count == 1 else ""
    print(f"  start to start   p50 {p50:.2f} ms {aim}, p99 {one['gap_p99_ms']:.2f} ms")
    print(f"  bare round trip  p50 {bare:.2f} ms: a step takes {p50 / bare:.1f} times as long")
    aim = beside(rate["median"], "at least", AIM["steps_per_s"]) if count > 1 else ""
    print(f"  steps per second {shown(rate)} over runs {aim}")
    aim = beside(memory, "at most", AIM["memory_mb"])
    print(f"  memory           {memory:.0f} MB without the planner {aim} {one['memory_mb']}")


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=21, help="of each campaign; one warms up")
    chosen = parser.parse_args()
    before = machine()
    results = []
    for instruments in (1, 10):
        say(f"{instruments} instrument(s) ...")
        results.append(measure(instruments, chosen.runs))
    if chosen.json:
        write_json({"machine": before, "aim": AIM, "peers": PEERS, "results": results})
        return
    print(before)
    for one in results:
        show(one)
    print(PEERS)


if __name__ == "__main__":
    main()
