"""Command to result through Mosquitto with an action that takes no time, both journals on.

A real campaign through the real engine, record, bus and node; the node has a process of its own.
"Command to result" is what the record says: from the decision to command, over the commit of the
intent (SQLite, synchronous=FULL), the broker, the node with its own two commits and back, until
the result was heard. Idle: one instrument, 50 commands per second. Then as fast as it goes on 1,
10, 100 and 1,000 instruments, one command in flight on each. Then 1,000 instruments at one command
a second each. Beside each, on the same broker: bare round trips of messages of the same size
between two processes with as many in flight (the baseline), and the same commands with bus, node
and journals but without the engine (the floor). CPU is that of a process over all its threads.
"""

from __future__ import annotations

import asyncio
import tempfile
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
from floor import run_floor
from sdl.testing.servers import mosquitto
from ticking import Ticking, rates, run_ticks, ticks

AIM = {
    "idle_p50_ms": 2.0,
    "idle_p99_ms": 8.0,
    "commands_per_s_at_100": 2000.0,
    "paced_p99_ms": 50.0,
}
IDLE, FAST, PACED = "idle", "fast", "paced"
MIN_STEPS = 10
"""Of each instrument, where the floor is measured."""
PARTS = {"orchestrator": "orchestrator", "node_process": "node", "mosquitto": "broker"}


class Result(TypedDict):
    """Figures of one campaign, over all runs but the first."""

    instruments: int
    pause_s: float
    commands: int
    p50_ms: float
    p99_ms: float
    commands_per_s: dict[str, float]
    """Least, middle and greatest of the runs."""
    cpu_us: dict[str, float]
    """Microseconds per command, by process."""
    bare_p50_ms: float
    bare_p99_ms: float
    bare_per_s: float
    floor_p50_ms: float
    floor_p99_ms: float
    floor_per_s: float


def measure(ticking: Ticking) -> Result:
    """Run one campaign, after its baseline and its floor on the same broker."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as url:
        folder = Path(name)
        campaign = ticking.write(folder, url)
        # A pause of the bare trips is before each of them, whoever's it is.
        paced_s = ticking.pause_s / ticking.instruments
        count = 400 if ticking.instruments == 1 and ticking.pause_s else 2000
        steps = max(MIN_STEPS, count // ticking.instruments)
        in_flight = 1 if ticking.pause_s else ticking.instruments
        bare = round_trips(url, count, in_flight, paced_s)
        floor_per_s, floor_s = asyncio.run(run_floor(folder, url, steps, ticking.pause_s))
        first, last = run_ticks(campaign)
        found = list(ticks(folder / "record.sqlite"))
    answered_ms = [1e3 * tick.answered_s for tick in found]
    return Result(
        instruments=ticking.instruments,
        pause_s=ticking.pause_s,
        commands=len(found),
        p50_ms=percentile(answered_ms, 50),
        p99_ms=percentile(answered_ms, 99),
        commands_per_s=spread(rates(found)),
        cpu_us={
            shorter: 1e6 * (last.cpu_s[part] - first.cpu_s[part]) / len(found)
            for part, shorter in PARTS.items()
        },
        bare_p50_ms=1e3 * percentile(bare.seconds, 50),
        bare_p99_ms=1e3 * percentile(bare.seconds, 99),
        bare_per_s=bare.per_s,
        floor_p50_ms=1e3 * percentile(floor_s, 50),
        floor_p99_ms=1e3 * percentile(floor_s, 99),
        floor_per_s=floor_per_s,
    )


def kind_of(one: Result) -> str:
    """Which of the three ways it was commanded in."""
    if one["pause_s"] == 0.0:
        return FAST
    return IDLE if one["instruments"] == 1 else PACED


def show(one: Result) -> None:
    """Print one result with the aims beside it."""
    kind, count = kind_of(one), one["instruments"]
    p50, p99, rate = one["p50_ms"], one["p99_ms"], one["commands_per_s"]
    pace = {
        IDLE: "idle, one command each 20 ms",
        FAST: "as fast as it goes",
        PACED: "one command a second each",
    }
    near = beside(p50, "at most", AIM["idle_p50_ms"]) if kind == IDLE else ""
    far = beside(p99, "at most", AIM[f"{kind}_p99_ms"]) if kind != FAST else ""
    print(f"{count} instrument(s), {pace[kind]}; {one['commands']} commands")
    print(f"  command to result   p50 {p50:.2f} ms {near}  p99 {p99:.2f} ms {far}")
    ratio = p50 / one["bare_p50_ms"]
    print(
        f"    bare round trip   p50 {one['bare_p50_ms']:.2f} ms  p99 {one['bare_p99_ms']:.2f} ms  "
        f"(x {ratio:.1f});  without the engine p50 {one['floor_p50_ms']:.2f} ms  "
        f"p99 {one['floor_p99_ms']:.2f} ms"
    )
    if kind == FAST:
        least = AIM["commands_per_s_at_100"]
        aim = beside(rate["median"], "at least", least) if count == 100 else ""
        print(f"  commands per second {shown(rate)} over runs {aim}")
        share, floor = rate["median"] / one["bare_per_s"], one["floor_per_s"]
        print(
            f"    bare round trips  {one['bare_per_s']:,.0f} per second (x {share:.2f});  "
            f"without the engine {floor:,.0f} (x {rate['median'] / floor:.2f})"
        )
    spent = ", ".join(f"{part} {us:.0f}" for part, us in one["cpu_us"].items())
    print(f"  CPU per command     {spent} us")


def campaigns(commands: int) -> list[Ticking]:
    """One that is idle most of the time, four that are not, and a thousand that take turns."""
    steps = {1: 100, 10: 40, 100: 10, 1000: 4}
    return [
        Ticking(instruments=1, runs=6, steps=100, pause_s=0.02),
        *(
            Ticking(instruments=count, runs=1 + max(3, commands // (count * long)), steps=long)
            for count, long in steps.items()
        ),
        Ticking(instruments=1000, runs=2, steps=20, pause_s=1.0),
    ]


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--commands", type=int, default=4000, help="of each campaign that goes as fast as it can"
    )
    parser.add_argument(
        "--only", type=int, nargs="*", help="instruments of the campaigns to measure; all of them"
    )
    chosen = parser.parse_args()
    before = machine()
    results = []
    for ticking in campaigns(chosen.commands):
        if chosen.only and ticking.instruments not in chosen.only:
            continue
        say(f"{ticking.instruments} instrument(s), {ticking.pause_s:g} s apart ...")
        results.append(measure(ticking))
    if chosen.json:
        write_json({"machine": before, "aim": AIM, "results": results})
        return
    print(before)
    for one in results:
        show(one)


if __name__ == "__main__":
    main()
