"""How many experiments the examples' campaigns need, over several seeds in virtual time.

Dye: runs until the first one that measured within 2 % of 0.80 AU, in examples/first_campaign as it
stands, which ends after 20 runs. Lipid: experiments until the first of the best 1 % of the 768
formulations (the best 8, and whatever equals the last of them), in examples/lipid_nanoparticles
with its budget raised to 120 runs. Runs are counted in the order of their end, as the record has
them. Baselines: the sobol planner on the same seeds, and for the lipids exact random search
without repeats, by its expectation and drawn. Nothing but the seed, the lipids' budget and the
planner's name is changed. A campaign that does not get there counts as its whole budget.
"""

from __future__ import annotations

import math
import os
import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, TypedDict

from common import EXAMPLES, arguments, beside, machine, say, write_json
from sdl.core.commands import EndRun
from sdl.core.view import View
from sdl.shell.record import Record
from sdl.sim.simulate import simulate
from sdl.wire.journal import load
from sdl.wire.toml import open_campaign
from sdl_simulators.measured_data import read_data

DYE_AU, DYE_TOLERANCE_AU = 0.80, 0.016
DYE_RUNS, DYE_SHARE = 20, 0.9
LIPID_RUNS, LIPID_BEST = 120, 0.01
DRAWS = 10_000
Kind = Literal["dye", "lipid"]
FOLDERS: dict[Kind, str] = {"dye": "first_campaign", "lipid": "lipid_nanoparticles"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One campaign to be simulated."""

    kind: Kind
    planner: str
    """Empty: the one that the campaign's own file names."""
    seed: int
    low: float
    high: float
    """A run whose measure lies between them got there."""


class Result(TypedDict):
    """What one campaign came to."""

    campaign: str
    planner: str
    seed: int
    reached_at: int | None
    """Number of the first run that got there, in the order of their end; None if none did."""
    runs: int
    """Ended until then, or in all."""
    wall_s: float


class Reached(Exception):
    """The question is answered; what the campaign would do after that does not matter."""


def values() -> list[float]:
    """The steered measure of all formulations, the best first."""
    rows = read_data("lnp3").rows
    measured = [repeat["encap_efficiency"] for repeats in rows.values() for repeat in repeats]
    return sorted(measured, reverse=True)


def window(kind: Kind) -> tuple[float, float]:
    """Between which values a run has got there."""
    if kind == "dye":
        return DYE_AU - DYE_TOLERANCE_AU, DYE_AU + DYE_TOLERANCE_AU
    best = values()
    return best[math.ceil(LIPID_BEST * len(best)) - 1], math.inf


def write_files(folder: Path, trial: Trial) -> Path:
    """A copy of the example with the planner, and for the lipids the budget, of this trial."""
    shutil.copytree(EXAMPLES / FOLDERS[trial.kind], folder, dirs_exist_ok=True)
    campaign = folder / "campaign.toml"
    text = campaign.read_text()
    if trial.planner:
        text = replaced(text, r"^kind\b.*$", f'kind = "{trial.planner}"')
    if trial.kind == "lipid":
        text = replaced(text, r"^runs\b.*$", f"runs = {LIPID_RUNS}")
    campaign.write_text(text)
    return campaign


def replaced(text: str, pattern: str, line: str) -> str:
    """The text with the one line that matches in its new form."""
    changed, count = re.subn(pattern, line, text, flags=re.MULTILINE)
    assert count == 1, f"{pattern} matches {count} lines of the example"
    return changed


def play(trial: Trial) -> Result:
    """Simulate one campaign until it got there, or to its end."""

    def look(view: View) -> None:
        if view.best is not None and trial.low <= view.best.value <= trial.high:
            raise Reached

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        campaign = write_files(folder, trial)
        spec = open_campaign(campaign).campaign
        path = folder / "record.sqlite"
        with suppress(Reached):  # the record holds all runs up to there
            simulate(campaign, seed=trial.seed, record=path, watch=look)
        measured = ended_runs(path, spec.name, spec.objective.measure)
    hits = (n for n, each in enumerate(measured, 1) if trial.low <= each <= trial.high)
    reached_at = next(hits, None)
    return Result(
        campaign=trial.kind,
        planner=spec.planner.kind,
        seed=trial.seed,
        reached_at=reached_at,
        runs=reached_at or len(measured),
        wall_s=time.perf_counter() - began,
    )


def ended_runs(path: Path, campaign: str, measure: str) -> list[float]:
    """What each run measured, in the order of their end; NaN where one measured nothing."""
    record = Record.open(f"sqlite:///{path}", create=False)
    try:
        ends = [load(x.type, x.body) for x in record.lines(campaign) if x.type == "EndRun"]
    finally:
        record.close()
    return [end.measures.get(measure, math.nan) for end in ends if isinstance(end, EndRun)]


def random_search(good: int, points: int) -> tuple[float, float, float]:
    """Draws without repeats until the first good one.

    Its expectation without an end; its expectation when it ends after LIPID_RUNS, which is what
    the campaigns are compared with; and the mean of DRAWS such searches, as a check.
    """
    endless = (points + 1) / (good + 1)
    none_yet = [math.comb(points - n, good) / math.comb(points, good) for n in range(LIPID_RUNS)]
    chance = random.Random(0)
    drawn = [min(chance.sample(range(points), good)) + 1 for _ in range(DRAWS)]
    return endless, sum(none_yet), statistics.fmean(min(n, LIPID_RUNS) for n in drawn)


def play_all(trials: Sequence[Trial], processes: int) -> list[Result]:
    """All campaigns, in as many processes at once."""
    os.environ["OMP_NUM_THREADS"] = "1"  # one core for each process
    results = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play, trial) for trial in trials]):
            one = done.result()
            found = one["reached_at"] or "not reached"
            say(f"{one['campaign']} {one['planner']} seed {one['seed']}: {found}")
            results.append(one)
    return sorted(results, key=lambda one: (one["campaign"], one["planner"], one["seed"]))


def show_dye(results: Sequence[Result], planners: Sequence[str]) -> None:
    """The table of the dye campaign and the share that got there."""
    print(f"\ndye: runs until one within 2 % of {DYE_AU} AU, at most {DYE_RUNS}")
    show_table(results, planners)
    for planner in planners:
        found = [one for one in results if one["planner"] == planner]
        share = sum(one["reached_at"] is not None for one in found) / len(found)
        aim = beside(share, "at least", DYE_SHARE) if planner == planners[0] else ""
        runs = statistics.median(one["runs"] for one in found)
        print(f"  {planner:<8} {share:.0%} of {len(found)} seeds {aim}, median {runs:g} runs")


def show_lipid(results: Sequence[Result], planners: Sequence[str], good: int, points: int) -> None:
    """The table of the lipid campaign, and how it compares with random search."""
    print(f"\nlipid: experiments until one of the best {good} of {points}, at most {LIPID_RUNS}")
    show_table(results, planners)
    endless, cut, drawn = random_search(good, points)
    print(f"  random search: expected {endless:.1f}; ended at {LIPID_RUNS}, {cut:.1f} ", end="")
    print(f"(mean of {DRAWS:,} drawn: {drawn:.1f})")
    for planner in planners:
        runs = [one["runs"] for one in results if one["planner"] == planner]
        mean = statistics.fmean(runs)
        error = statistics.stdev(runs) / math.sqrt(len(runs)) if len(runs) > 1 else math.nan
        aim = beside(mean, "at most", round(cut, 1)) if planner == planners[0] else ""
        print(f"  {planner:<8} mean {mean:.1f} ± {error:.1f} (standard error) {aim}, ", end="")
        print(f"random search needs {cut / mean:.1f} times as many")


def show_table(results: Sequence[Result], planners: Sequence[str]) -> None:
    """One row for each seed; a + where the budget was not enough."""
    print("  seed  " + "".join(f"{planner:>8}" for planner in planners))
    for seed in sorted({one["seed"] for one in results}):
        row = {one["planner"]: one for one in results if one["seed"] == seed}
        cells = (
            f"{row[each]['runs']}{'' if row[each]['reached_at'] else '+'}" for each in planners
        )
        print(f"  {seed:>4}  " + "".join(f"{cell:>8}" for cell in cells))


def main() -> None:
    """Simulate and print."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="from 1 on")
    parser.add_argument("--planner", default="", help="in place of the one the examples name")
    parser.add_argument("--only", choices=tuple(FOLDERS), help="one of the two campaigns")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    kinds = [kind for kind in FOLDERS if chosen.only in {None, kind}]
    trials = [
        Trial(kind=kind, planner=planner, seed=seed, low=window(kind)[0], high=window(kind)[1])
        for kind in kinds
        for seed in range(1, chosen.seeds + 1)
        for planner in dict.fromkeys((chosen.planner, "sobol"))
    ]
    before = machine()
    results = play_all(trials, chosen.processes)
    best, (low, _) = values(), window("lipid")
    good = sum(value >= low for value in best)
    if chosen.json:
        keys = ("expected", "expected_ended_at_budget", "drawn_ended_at_budget")
        search = dict(zip(keys, random_search(good, len(best)), strict=True))
        aim = {"dye_share": DYE_SHARE, "lipid_mean_runs": search["expected_ended_at_budget"]}
        write_json({"machine": before, "aim": aim, "random_search": search, "results": results})
        return
    print(before)
    for kind in kinds:
        found = [one for one in results if one["campaign"] == kind]
        names = sorted({one["planner"] for one in found}, key=lambda name: name == "sobol")
        if kind == "dye":
            show_dye(found, names)
        else:
            show_lipid(found, names, good, len(best))


if __name__ == "__main__":
    main()
