"""A million commands under faults: whether one is done twice, or a result is lost.

The campaign of examples/fault_drill with 20 runs, or another, in virtual time: seed after seed,
each with one to three faults that the seed draws, in a lab as rough as it draws, on all cores,
until so many commands were sent. After every event the invariants of the page on faults are
checked; one that breaks is told with the command that shows it again. The aim is none.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import TypedDict

from common import arguments, beside, machine, say, write_json
from sdl.sim.sweep import Totals, drills, replay

CAMPAIGN = Path(__file__).parent / "fault_drill" / "campaign.toml"

COMMANDS = 1_000_000
TOLD_S = 30.0
"""Between two lines of progress."""
LEAST = 2
"""Processes, where there are so many cores."""


class Result(TypedDict):
    """What all seeds together came to."""

    first_seed: int
    seeds: int
    commands: int
    done: int
    kills: dict[str, int]
    kills_at_points: dict[str, int]
    faults: dict[str, int]
    rough: dict[str, int]
    unknown: int
    unknown_happened: int
    unknown_not_happened: int
    broken: dict[str, str]
    minutes: float
    processes: int
    commands_per_s: float


def measure(campaign: Path, first: int, commands: int, jobs: int) -> Result:
    """Simulate until so many commands were sent."""
    totals, began = Totals(), time.perf_counter()
    told = began
    for report in drills(campaign, count(first), jobs=jobs):
        totals.add(report)
        if report.broken:
            say(f"seed {report.seed}: {report.broken}\n  {replay(campaign, report.seed)}")
        now = time.perf_counter()
        if now - told > TOLD_S:
            told = now
            say(f"{totals.seeds:,} seeds, {totals.commands:,} commands, {now - began:,.0f} s ...")
        if totals.commands >= commands:
            break
    wall_s = time.perf_counter() - began
    return Result(
        first_seed=first,
        seeds=totals.seeds,
        commands=totals.commands,
        done=totals.done,
        kills=dict(totals.kills),
        kills_at_points=dict(sorted(totals.points.items())),
        faults=dict(sorted(totals.faults.items())),
        rough=dict(sorted(totals.rough.items())),
        unknown=totals.unknown,
        unknown_happened=totals.happened,
        unknown_not_happened=totals.unknown - totals.happened,
        broken={str(seed): broken for seed, broken in totals.broken.items()},
        minutes=wall_s / 60.0,
        processes=jobs,
        commands_per_s=totals.commands / wall_s,
    )


def show(found: Result) -> None:
    """Print the figures with the aim beside them."""
    last = found["first_seed"] + found["seeds"] - 1
    print(f"  seeds       {found['seeds']:,}, {found['first_seed']} to {last}")
    print(f"  commands    {found['commands']:,}, of which {found['done']:,} were done")
    print(f"  kills       {sum(found['kills'].values()):,}: {_listed(found['kills'])}")
    print(f"  of which at named points: {_listed(found['kills_at_points'])}")
    print(f"  faults      {sum(found['faults'].values()):,}: {_listed(found['faults'])}")
    print(f"  besides     {_listed(found['rough'])}")
    had, had_not = found["unknown_happened"], found["unknown_not_happened"]
    print(f"  unknown     {found['unknown']:,}: {had:,} had happened, {had_not:,} had not")
    print(f"  broken      {len(found['broken'])} {beside(len(found['broken']), 'at most', 0)}")
    print(
        f"  took        {found['minutes']:.1f} minutes in {found['processes']} processes, "
        f"{found['commands_per_s']:,.0f} commands a second"
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items() if number)


def main() -> None:
    """Measure and print; exit code 1 if an invariant broke."""
    parser = arguments(__doc__)
    parser.add_argument("--campaign", type=Path, default=CAMPAIGN)
    parser.add_argument("--commands", type=int, default=COMMANDS)
    parser.add_argument("--seed", type=int, default=1_000_000, help="the first one")
    parser.add_argument("--jobs", type=int, default=max(LEAST, os.cpu_count() or 1))
    chosen = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what dies there on purpose complains of it
    before = machine()
    found = measure(chosen.campaign, chosen.seed, chosen.commands, chosen.jobs)
    if chosen.json:
        write_json({"machine": before, "aim": 0, **found})
    else:
        print(before)
        show(found)
    sys.exit(1 if found["broken"] else 0)


if __name__ == "__main__":
    main()
