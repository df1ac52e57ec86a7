"""Runs in random cells whose plates are carried: whether one of them ever locks up.

Each seed draws a cell (five stations of one to three sites, one or two arms of random reach, a
hotel with few sites to spare) and a campaign of runs that each take a plate of their own along a
random way. In every other cell some roles are pools of two stations, in every third one the runs
are those of two campaigns that share the cell, and in every fourth one the arms meet at nests of
one site, or reach some stations only over others, and a plate that nobody uses may stand there.
In every fifth one each plate has a lid, which some of the arms can take off, or people do.
Real engine, real simulators, virtual time. A cell has locked up where a run does not end; where two
plates came to one site, or an arm gripped one that was worked on, is told, too. The aim is none.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypedDict

from sqlalchemy import create_engine, text

from common import arguments, machine, say, write_json
from sdl.errors import SdlError
from sdl.sim.simulate import simulate, simulate_together

CELLS = Path(__file__).parent / "cells"
RUNS = 10_000
RUNS_IN_ONE = 24
TOLD_S = 30.0
NESTED = 3
"""Of four cells, the one with nests."""
LIDDED = 5
"""Of so many cells, one with lids."""
LID = "cor_96_wellplate_360uL_Fb_lid"
COURSES = 6 * 5**6
KIND = "nest_1_troughplate_195000uL_Vb"
"""Of one well: a plate for each run."""


class Result(TypedDict):
    """What all seeds together came to."""

    first_seed: int
    cells: int
    runs: int
    carries: int
    by_people: int
    broken: dict[str, str]
    minutes: float


class One(TypedDict):
    """What one cell came to."""

    seed: int
    runs: int
    carries: int
    by_people: int
    broken: str


def files(folder: Path, seed: int) -> list[Path]:
    """Write the cell and the campaigns of a seed; the campaigns' files."""
    names = "abcde"
    lines = _nested(names, seed) if seed % 4 == NESTED else _cell(names, seed)
    parallel = int(lines.pop())
    if seed % LIDDED == 0:
        lines = _with_lids(lines, seed)
    (folder / "lab.toml").write_text("\n".join(lines))
    shutil.copy(CELLS / "stations.py", folder)
    roles = "\n".join(_roles(names, seed))
    numbers = range(1, RUNS_IN_ONE + 1)
    parts = [numbers] if seed % 3 else [numbers[: RUNS_IN_ONE // 2], numbers[RUNS_IN_ONE // 2 :]]
    found = []
    for count, part in enumerate(parts, start=1):
        plates = ", ".join(f'"plate-{n}"' for n in part)
        found.append(folder / f"campaign-{count}.toml")
        found[-1].write_text(
            f'[campaign]\nname = "wander-{count}"\nlab = "lab.toml"\n'
            f'protocol = "./stations.py:wander"\nseed = {seed + count - 1}\n'
            f"parallel = {min(parallel, len(part))}\n\n[roles]\n{roles}\nwell = [{plates}]\n\n"
            f"[search]\ncourse = {{ from = 0, to = {COURSES - 1}, integer = true }}\n\n"
            f'[objective]\nmeasure = "visits_count"\ngoal = "maximise"\n\n'
            f'[stop]\nruns = {len(part)}\n\n[planner]\nkind = "sobol"\n'
        )
    return found


def _cell(names: str, seed: int) -> list[str]:
    """Arms that all reach the hotel; last, how many runs are in flight."""
    chance = random.Random(seed)
    arms = chance.choice((1, 1, 2))
    lines = _stations(names, seed, chance)
    shared = chance.sample(names, chance.randint(0, len(names)))
    for arm in range(1, arms + 1):
        alone = [name for name in names if arms == 1 or ord(name) % arms == arm % arms]
        reach = ["hotel", *dict.fromkeys((*alone, *shared))]
        if chance.random() < 0.1:
            reach.pop()
        lines.append(_arm(arm, reach))
    return [*lines, *_hotel(chance.randint(0, 2)), str(chance.randint(2, 16))]


def _nested(names: str, seed: int) -> list[str]:
    """A chain of arms, each of which meets an earlier one at one place or two; last, as above."""
    chance = random.Random(seed)
    lines = _stations(names, seed, chance)
    nests = ["nest", "rack", "rail"][: chance.randint(0, 3)]
    lines += [f"[places.{name}]\nsites = 1\nstores = false\n" for name in nests]
    joined, left, arm = ["hotel"], chance.sample([*names, *nests], k=len(names) + len(nests)), 0
    while left:
        more = [left.pop() for _ in range(min(len(left), chance.randint(1, 3)))]
        met = chance.sample(joined, k=min(len(joined), chance.choice((1, 1, 2))))
        joined, arm = [*joined, *more], arm + 1
        lines.append(_arm(arm, [*met, *more]))
    for spare in chance.sample(names, k=chance.randint(0, 2)):
        lines.append(f'[labware.spare-{spare}]\nkind = "{KIND}"\nat = "{spare}"\n')
    return [*lines, *_hotel(chance.randint(2, 4)), str(chance.randint(2, 16))]


def _stations(names: str, seed: int, chance: random.Random) -> list[str]:
    lines = [f'[lab]\nname = "cell-{seed}"\nseed = {seed}\n']
    for name in names:
        sites = chance.choice((1, 1, 1, 2, 3))
        lines.append(
            f'[instruments.{name}]\nsimulator = "./stations.py:Station"\nsites = {sites}\n'
        )
    return lines


def _arm(number: int, reach: list[str]) -> str:
    listed = ", ".join(f'"{place}"' for place in reach)
    return f'[instruments.arm-{number}]\nsimulator = "arm"\nreaches = [{listed}]\n'


def _hotel(spare: int) -> Iterator[str]:
    """With a plate for each run, and some sites to spare."""
    yield f"[places.hotel]\nsites = {RUNS_IN_ONE + spare}\n"
    for number in range(1, RUNS_IN_ONE + 1):
        yield f'[labware.plate-{number}]\nkind = "{KIND}"\nat = "hotel"\n'


def _with_lids(lines: list[str], seed: int) -> list[str]:
    """A cell with a lid on each plate, and who of its arms reaches where they lie."""
    chance = random.Random(f"{seed}/lids")
    able = [chance.random() < 0.8 for _ in lines]
    found = [
        line.replace('reaches = ["', 'reaches = ["lids", "') if is_able else line
        for line, is_able in zip(lines, able, strict=True)
    ]
    found.append(f"[places.lids]\nsites = {RUNS_IN_ONE}\n")
    for number in range(1, RUNS_IN_ONE + 1):
        on, parks = f'on = "plate-{number}"', f'parks = "lids/{number}"'
        found.append(f'[labware.lid-{number}]\nkind = "{LID}"\n{on}\n{parks}\n')
    return found


def _roles(names: str, seed: int) -> Iterator[str]:
    """In every other cell each role may be a pool of two stations."""
    chance = random.Random(f"{seed}/pools")
    for name in names:
        if seed % 2 and chance.random() < 0.5:
            other = chance.choice(names.replace(name, ""))
            yield f'{name} = {{ any_of = ["{name}", "{other}"] }}'
        else:
            yield f'{name} = "{name}"'


def play(seed: int) -> One:
    """One cell, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            url = _played(files(Path(folder), seed), seed)
        except SdlError as error:
            return One(seed=seed, runs=0, carries=0, by_people=0, broken=str(error))
        return told(seed, url)


def _played(campaigns: list[Path], seed: int) -> str:
    """Run them; where the record is."""
    if len(campaigns) == 1:
        return simulate(campaigns[0]).record_url
    weights = (1.0, random.Random(f"{seed}/weights").choice((1.0, 3.0)))
    return simulate_together(campaigns, weights=weights).record_url


def told(seed: int, record_url: str) -> One:
    """What stands on record: all runs should have ended well."""
    engine = create_engine(record_url)
    with engine.connect() as connection:
        carriers = connection.execute(text("SELECT carrier FROM carry")).scalars().all()
        ended = text("SELECT run, outcome, reason FROM run WHERE outcome IS NOT NULL")
        runs = connection.execute(ended).fetchall()
    engine.dispose()
    bad = [run for run in runs if run.outcome != "measured"]
    broken = "" if len(runs) == RUNS_IN_ONE else f"{len(runs)} runs ended"
    if bad:
        broken = f"{len(runs) - len(bad)} runs ended well; {bad[-1].run}: {bad[-1].reason}"
    return One(
        seed=seed,
        runs=len(runs),
        carries=len(carriers),
        by_people=sum(carrier == "" for carrier in carriers),
        broken=broken,
    )


def measure(first: int, runs: int, jobs: int) -> Result:
    """Play cells until so many runs have ended."""
    began = told = time.perf_counter()
    result = Result(
        first_seed=first, cells=0, runs=0, carries=0, by_people=0, broken={}, minutes=0.0
    )
    with ProcessPoolExecutor(jobs) as pool:
        for one in pool.map(play, range(first, first + -(-runs // RUNS_IN_ONE))):
            result["cells"] += 1
            result["runs"] += one["runs"]
            result["carries"] += one["carries"]
            result["by_people"] += one["by_people"]
            if one["broken"]:
                result["broken"][str(one["seed"])] = one["broken"]
                say(f"seed {one['seed']}: {one['broken']}")
            now = time.perf_counter()
            if now - told > TOLD_S:
                told = now
                say(f"{result['cells']} cells, {result['runs']:,} runs, {now - began:.0f} s ...")
    result["minutes"] = (time.perf_counter() - began) / 60.0
    return result


def lines(found: Result) -> Iterator[str]:
    """What was found, for people."""
    yield f"{machine()}"
    yield (
        f"{found['cells']:,} cells from seed {found['first_seed']}, {found['runs']:,} runs, "
        f"{found['carries']:,} carries ({found['by_people']:,} by people), "
        f"{found['minutes']:.1f} min: {len(found['broken'])} locked up or went wrong (aim: 0)"
    )
    for seed, broken in found["broken"].items():
        yield f"  seed {seed}: {broken}"


def main() -> None:
    """Measure and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    found = measure(asked.seed, asked.runs, asked.jobs)
    if asked.json:
        write_json(found)
    else:
        for line in lines(found):
            print(line)
    sys.exit(1 if found["broken"] else 0)


if __name__ == "__main__":
    main()
