"""A list of designs of which some work: hits found against experiments, beside a random order.

302 made-up designs of examples/design_screen, of which sixteen bind more than half; the simulated
assay measures with a noise of 4 %. Each campaign looks for hits, one experiment at a time. A hit is
counted where the design truly is one. Random: the exact mean of an order by chance.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import arguments, machine, say, write_json
from sdl.core.campaign import problem
from sdl.model.data import Trial
from sdl.planner.mixture import EnsemblePlanner
from sdl.wire.toml import read_campaign

EXAMPLE = Path(__file__).parents[1] / "examples" / "design_screen"
AT_LEAST, NOISE = 50.0, 4.0
"""Per cent bound: of a hit, and the standard deviation of one measurement."""

TOLD = (10, 20, 30, 40, 60)
"""Experiments after which the hits are told."""


def truth() -> dict[str, float]:
    """Per cent bound without noise, by design."""
    with (EXAMPLE / "truth.csv").open(newline="", encoding="utf-8") as file:
        return {row["design"]: float(row["bound_percent"]) for row in csv.DictReader(file)}


def hits(seed: int, runs: int, true: Mapping[str, float]) -> list[int]:
    """Hits found after each experiment of one campaign."""
    asked = replace(problem(read_campaign(EXAMPLE / "campaign.toml")), runs=runs)
    noise = random.Random(f"noise {seed}")
    trials: tuple[Trial, ...] = ()
    found: list[int] = []
    while len(found) < runs:
        (next_,) = EnsemblePlanner().suggest(asked, trials, 1, seed)
        bound = true[str(next_.inputs["design"])]
        measures = {"bound_percent": bound + NOISE * noise.gauss()}
        trials = (*trials, Trial(inputs=next_.inputs, status="measured", measures=measures))
        found.append((found[-1] if found else 0) + (bound >= AT_LEAST))
    return found


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="campaigns (5)")
    parser.add_argument("--runs", type=int, default=60, help="experiments of each (60)")
    given = parser.parse_args(words)
    true = truth()
    good, curves = sum(value >= AT_LEAST for value in true.values()), []
    for seed in range(given.seeds):
        curves.append(hits(seed, given.runs, true))
        say(f"seed {seed}: {curves[-1][-1]} of {good} hits in {given.runs} experiments")
    each = np.array(curves)
    if given.json:
        write_json({"hits": good, "designs": len(true), "found": curves})
        return 0
    print(machine())
    print(f"{'experiments':>11} {'hits':>6} {'least':>6} {'most':>6} {'random':>7}   of {good}")
    for runs in (runs for runs in TOLD if runs <= given.runs):
        column = each[:, runs - 1]
        chance = good * runs / len(true)
        bar = "#" * round(column.mean())
        print(
            f"{runs:>11} {column.mean():>6.1f} {column.min():>6} {column.max():>6} "
            f"{chance:>7.1f}   {bar}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
