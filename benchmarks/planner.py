"""Planners against each other on measured data: how many experiments until a very good one.

A laboratory that can run only what was measured is asked by each planner for 40 experiments; a
proposal that was never measured is moved to the nearest point that was. What each campaign found
is written to --out at once, and a run that is started again goes on where it stopped. Printed are
tables over all that --out holds, beside the recorded results of other planners in
`planner_results`. Own data: a folder with `data.csv` and `space.json`, or a folder of such folders
(`planner_data/README.md` has the form). Own planner: `module:name`, called with space, pool and
seed, with a method suggest(observations, pending, n) (see `planner_contract.py`).
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from common import arguments, machine, say, write_json
from planner_campaign import BUDGET, MODES, Task, play
from planner_contract import BUILT_IN, offered
from planner_lines import Line, append, key, line_of, mend, note, note_sitting, noted, pack, read
from planner_plot import draw
from planner_sets import DATA, MeasuredSet, sets_in
from planner_table import as_data, parts, tables
from sdl.errors import SdlError, UserMistake

RECORDED = Path(__file__).with_name("planner_results")
"""Results that come with the project."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main(words: Sequence[str] | None = None) -> int:
    """The command line. 1 if a campaign failed, 2 if a word or a file is wrong."""
    given = _parser().parse_args(words)
    try:
        return _run(given)
    except UserMistake as mistake:
        say(str(mistake))
        return 2


def _parser() -> ArgumentParser:
    parser = arguments(__doc__)
    parser.add_argument(
        *("--planner", "-p"),
        action="append",
        metavar="NAME",
        help=f"{', '.join(BUILT_IN)} or module:name; may be given again (ours)",
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of data (those here)")
    parser.add_argument("--sets", default="", help="names with commas, main, further (all)")
    parser.add_argument("--mode", choices=MODES, action="append", help="may be given again (one)")
    parser.add_argument("--seeds", type=int, default=20, help="campaigns on each set (20)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--budget", type=int, default=BUDGET, help=f"experiments ({BUDGET})")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one thread each (1)")
    parser.add_argument(
        "--every-objective", action="store_true", help="tell the planner all, not the first alone"
    )
    parser.add_argument("--out", type=Path, default=Path("planner_runs"), help="results folder")
    parser.add_argument("--table", action="store_true", help="play nothing, print what is there")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="where to draw it as SVG")
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="where to keep it compactly")
    return parser


def _run(given: Namespace) -> int:
    for word in ("budget", "jobs"):
        if vars(given)[word] < 1:
            raise UserMistake(f"--{word} {vars(given)[word]}: has to be 1 or more")
    data = sets_in(given.data, [name for name in given.sets.split(",") if name])
    failed = 0 if given.table else _play(data, given)
    lines = read(given.out)
    if given.pack is not None:
        pack({line.key: line for line in [*read(given.pack), *lines]}.values(), given.pack)
        note(given.pack, noted(given.out))
    known = {line.key: line for line in read(RECORDED)}
    for planner in sorted({line.planner for line in lines}):
        both = [line for line in lines if line.planner == planner and line.key in known]
        same = sum(line.order == known[line.key].order for line in both)
        if both:
            say(f"{planner}: {same} of {len(both)} recorded campaigns came out the same again")
    found = parts([*(known | {line.key: line for line in lines}).values()], data, given.budget)
    if given.plot is not None:
        given.plot.mkdir(parents=True, exist_ok=True)
        for part in found:
            if not part.every_objective:
                draw(part, given.plot / f"{part.mode}.svg", given.budget)
    if given.json:
        write_json({"machine": machine(), "budget": given.budget, "parts": as_data(found)})
    else:
        print(f"{machine()}\n\n{tables(found, given.budget)}")
    return failed


def _play(data: Sequence[MeasuredSet], given: Namespace) -> int:
    """Play what is not there yet. 1 if a campaign failed."""
    planners = given.planner or ["ours"]
    given.out.mkdir(parents=True, exist_ok=True)
    mend(given.out)
    done = {line.key for line in read(given.out)}
    wanted = [
        (one, task)
        for task in _tasks(given, planners)
        for one in data
        if key(one.name, one.digest, task) not in done
    ]
    say(f"{len(wanted)} campaigns to play, {len(done)} results in {given.out}")
    failed = 0
    if wanted:
        note_sitting(given.out, {task.planner for _, task in wanted})
        for number, (line, said) in enumerate(_played(wanted, given), start=1):
            if line is None:
                failed = 1
            else:
                append(given.out, line)
            say(f"{number} of {len(wanted)}: {said}")
    return failed


def _tasks(given: Namespace, planners: Sequence[str]) -> Iterator[Task]:
    """Seed by seed, so that what is there when somebody stops it is a fair part of the table."""
    for mode in given.mode or ["one"]:
        for seed in range(given.first, given.first + given.seeds):
            for planner in planners:
                yield Task(
                    planner=planner,
                    mode=mode,
                    seed=seed,
                    every_objective=given.every_objective,
                    budget=given.budget,
                )


def _played(
    wanted: Sequence[tuple[MeasuredSet, Task]], given: Namespace
) -> Iterator[tuple[Line | None, str]]:
    """Each campaign as it ends, and what to say of it; no line where it failed."""
    for name in THREADS:  # read by the libraries of the processes that are started below
        os.environ[name] = "1"
    for planner in {task.planner for _, task in wanted}:
        offered(planner)  # a mistake is told once, before anything is played
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as workers:
        waiting = {workers.submit(_one, data, task): (data, task) for data, task in wanted}
        for ended in as_completed(waiting):
            data, task = waiting[ended]
            said = f"{task.planner}, {data.name}, {MODES[task.mode]}, seed {task.seed}"
            error = ended.exception()
            if error is None:
                line = ended.result()
                yield line, f"{said}: {sum(line.seconds):.1f} s for {len(line.seconds)} points"
            else:
                kind = "" if isinstance(error, SdlError) else f"{type(error).__name__}: "
                yield None, f"{said} FAILED: {kind}{error}"


def _one(data: MeasuredSet, task: Task) -> Line:
    return line_of(data, task, play(data, offered(task.planner), task))


if __name__ == "__main__":
    sys.exit(main())
