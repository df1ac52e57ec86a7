"""How much faster than the bench `sdl simulate` is, and whether one seed always gives one journal.

A dye campaign of 100 runs with the sobol planner on the bench of examples/first_campaign, with a
second plate. Two figures: lab seconds per wall second of the simulation alone, in this process,
and of the whole `sdl simulate` process with its start and imports. Two runs with one seed must
give the same journal, every line compared byte for byte; another seed must give another one. The
baseline is the same campaign on the wall clock, which takes as long as the lab does: ratio 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from common import EXAMPLES, arguments, beside, machine, say, shown, spread, write_json
from sdl.shell.record import Record
from sdl.sim.simulate import simulate
from sdl.wire.journal import Line

RUNS = 100
AIM = 1000.0
NAME = "dye-100"
CAMPAIGN = f"""[campaign]
name = "{NAME}"
lab = "lab.toml"
protocol = "dye-assay"
parallel = 2
[roles]
handler = "handler"
reader = "reader"
well = ["plate-1", "plate-2"]
[search]
dye_fraction = {{ from = 0.05, to = 0.95 }}
settle_s = {{ choices = [10.0, 30.0, 60.0] }}
[objective]
measure = "absorbance_au"
target = 0.80
[stop]
runs = {RUNS}
[planner]
kind = "sobol"
"""


class Result(TypedDict):
    """What all simulations together came to."""

    runs: int
    lab_s: float
    lines: int
    simulations_compared: int
    same_journal: bool
    heads: list[str]
    head_of_next_seed: str
    next_seed_differs: bool
    times_faster_in_process: dict[str, float]
    times_faster_whole_process: dict[str, float]


def write_files(folder: Path) -> Path:
    """The bench of the first campaign with a second plate; the path of the campaign file."""
    lab = (EXAMPLES / "first_campaign" / "lab.toml").read_text()
    (folder / "lab.toml").write_text(f'{lab}\n[labware.plate-2]\nkind = "plate-96-flat"\n')
    campaign = folder / "campaign.toml"
    campaign.write_text(CAMPAIGN)
    return campaign


def in_process(campaign: Path, seed: int, record: Path) -> tuple[float, str]:
    """Lab seconds per wall second, and the head of the journal."""
    outcome = simulate(campaign, seed=seed, record=record)
    assert outcome.view.runs_ended == RUNS, outcome.view.ended
    return outcome.lab_s / outcome.wall_s, outcome.head


def whole_process(campaign: Path, seed: int, record: Path) -> tuple[float, str]:
    """The same of one `sdl simulate`, timed from outside."""
    words = [sys.executable, "-m", "sdl", "simulate", str(campaign), "--json"]
    words += ["--seed", str(seed), "--record", str(record)]
    began = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    wall_s = time.perf_counter() - began
    said = json.loads(done.stdout)
    return said["lab_s"] / wall_s, said["journal"]["head"]


def journal(path: Path) -> list[Line]:
    """All lines of a record, as they stand in it."""
    record = Record.open(f"sqlite:///{path}", create=False)
    try:
        return list(record.lines(NAME))
    finally:
        record.close()


def measure(folder: Path, seed: int, repeats: int) -> Result:
    """Simulate again and again with one seed, and once with the next."""
    campaign = write_files(folder)
    inside, outside, heads = list[float](), list[float](), set[str]()
    journals: list[list[Line]] = []
    for number in range(repeats):
        say(f"repeat {number + 1} of {repeats} ...")
        for measured, ratios in ((in_process, inside), (whole_process, outside)):
            record = folder / f"{measured.__name__}-{number}.sqlite"
            ratio, head = measured(campaign, seed, record)
            ratios.append(ratio)
            heads.add(head)
            journals.append(journal(record))
    _, other = in_process(campaign, seed + 1, folder / "other.sqlite")
    lines = journals[0]
    return Result(
        runs=RUNS,
        lab_s=lines[-1].at - lines[0].at,
        lines=len(lines),
        simulations_compared=len(journals),
        same_journal=all(each == lines for each in journals),
        heads=sorted(heads),
        head_of_next_seed=other,
        next_seed_differs=other not in heads,
        times_faster_in_process=spread(inside),
        times_faster_whole_process=spread(outside),
    )


def show(found: Result) -> None:
    """Print the figures with the aim beside them."""
    inside, outside = found["times_faster_in_process"], found["times_faster_whole_process"]
    print(f"{RUNS} runs, {found['lab_s']:,.0f} lab seconds, {found['lines']:,} journal lines")
    aim = beside(inside["median"], "at least", AIM)
    print(f"  simulation alone    {shown(inside)} times faster than the lab {aim}")
    aim = beside(outside["median"], "at least", AIM)
    print(f"  whole process       {shown(outside)} times, start and imports included {aim}")
    same = "the same" if found["same_journal"] else "NOT THE SAME"
    print(f"  one seed, {found['simulations_compared']} times   {same}, line by line")
    for head in found["heads"]:
        print(f"    head              {head}")
    differs = "differs" if found["next_seed_differs"] else "DOES NOT DIFFER"
    print(f"  the next seed       {differs}: {found['head_of_next_seed']}")


def main() -> None:
    """Measure and print; exit code 1 if one seed gave two journals."""
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3, help="in process, and as a process")
    chosen = parser.parse_args()
    before = machine()
    with tempfile.TemporaryDirectory() as name:
        found = measure(Path(name), chosen.seed, chosen.repeats)
    if chosen.json:
        write_json({"machine": before, "aim": AIM, **found})
    else:
        print(before)
        show(found)
    sys.exit(0 if found["same_journal"] and found["next_seed_differs"] else 1)


if __name__ == "__main__":
    main()
