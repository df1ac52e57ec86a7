"""``sdl simulate --faults``: what became of a campaign whose parts die, seed by seed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from sdl.cli.console import say, tell, write_json
from sdl.cli.exits import Exit
from sdl.sim.drill import Report
from sdl.sim.sweep import Totals, drills, replay, traced


def show_faults(
    campaigns: Sequence[Path],
    seed: int | None,
    seeds: int,
    *,
    jobs: int,
    trace: bool,
    as_json: bool,
) -> Exit:
    """Simulate one seed or many, and tell what they came to.

    ``campaigns``: one, or several that share one lab.
    """
    campaign, beside = campaigns[0], tuple(campaigns[1:])
    logging.disable(logging.CRITICAL)  # what dies there on purpose complains of it
    try:
        if seed is None and seeds == 1:
            seed = 0
        reports = (
            [traced(campaign, seed or 0, say, beside=beside)]
            if trace
            else drills(campaign, range(seed or 0, (seed or 0) + seeds), jobs=jobs, beside=beside)
        )
        totals = Totals()
        for report in reports:
            totals.add(report)
            _tell(report, campaigns, is_alone=seeds == 1)
    finally:
        logging.disable(logging.NOTSET)
    if as_json:
        _write(totals, campaigns)
    else:
        _say(totals)
    return Exit.BUG if totals.broken else Exit.OK


def _tell(report: Report, campaigns: Sequence[Path], *, is_alone: bool) -> None:
    """Progress: one seed, with its faults where it is the only one, or one that broke."""
    if is_alone or report.broken:
        for fault in report.faults:
            tell(f"seed {report.seed}: {fault}")
    if report.broken:
        tell(f"seed {report.seed}: {report.broken}")
        tell(f"  see it again: {_again(campaigns, report.seed)}")
    elif is_alone:
        tell(f"seed {report.seed}: {report.ending}, trace {report.trace_sha256}")


def _again(campaigns: Sequence[Path], seed: int) -> str:
    return replay(campaigns[0], seed, beside=tuple(campaigns[1:]))


def _say(totals: Totals) -> None:
    kills = ", ".join(f"{role} {count}" for role, count in sorted(totals.kills.items()) if count)
    say(f"seeds      {totals.seeds:,}, of which {len(totals.broken):,} broke an invariant")
    say(f"commands   {totals.commands:,}, of which {totals.done:,} were done")
    say(f"kills      {kills or 'none'}")
    not_happened = totals.unknown - totals.happened
    say(
        f"unknown    {totals.unknown:,}, of which {totals.happened:,} had happened "
        f"and {not_happened:,} had not"
    )
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(totals.faults.items()))
    say(f"faults     {faults or 'none'}")
    rough = ", ".join(f"{name} {count}" for name, count in sorted(totals.rough.items()) if count)
    say(f"besides    {rough or 'nothing'}")


def _write(totals: Totals, campaigns: Sequence[Path]) -> None:
    write_json(
        "sdl.faults/1",
        seeds=totals.seeds,
        commands=totals.commands,
        done=totals.done,
        unknown={
            "all": totals.unknown,
            "happened": totals.happened,
            "not_happened": totals.unknown - totals.happened,
        },
        kills=totals.kills,
        points=totals.points,
        faults=totals.faults,
        besides=totals.rough,
        broken=[
            {"seed": seed, "invariant": broken, "replay": _again(campaigns, seed)}
            for seed, broken in totals.broken.items()
        ],
    )
