"""Schedules for instances of five file formats, for anyone's checker to judge.

`benchmarks/scheduling.py FILE... --seconds S --out FOLDER` writes FOLDER/NAME.json for each file
(for S-LAB: folder): status, makespan, bound, seconds and operations, numbered as in the file.
Without FILE it prints the table over all instances in `scheduling_data` against the best known
values, greedy insertion, FIFO and EDF. Formats are told by content. Each file gets S seconds.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

from instance import Instance, Operation
from instance_files import read_instance
from sdl.errors import SdlError
from sdl.scheduling.client import solve_apart
from sdl.scheduling.contest import Contest
from sdl.scheduling.index import Indexed
from sdl.scheduling.model import Answer, Question
from sdl.scheduling.solve import start

START_S = 0.25
"""Wall seconds by which the process that solves may start late and end late."""


def solved(instance: Instance, seconds: float, seed: int) -> Answer:
    """The answer of the solver's process within so many seconds of wall time."""
    limit_s = max(0.1, seconds - START_S)
    answer = solve_apart(Question(problem=instance.problem, seconds=limit_s, seed=seed))
    if answer.status == "unknown":  # on a crowded machine it may not even get to a rule
        contest = Contest(Indexed(instance.problem), lambda _: None, time.monotonic())
        start(contest)
        return contest.answer()
    return answer


def document(instance: Instance, answer: Answer, seconds: float) -> dict[str, object]:
    """What is written for an instance. ``makespan`` is null where there is no schedule."""
    operations: list[Operation] = []
    if answer.plan is not None:
        operations = instance.operations(answer.plan)
    return {
        "instance": instance.name,
        "status": answer.status,
        "makespan": None if answer.plan is None else answer.plan.makespan_s,
        "bound": None if answer.status == "infeasible" else answer.bound,
        "seconds": round(seconds, 3),
        "operations": operations,
    }


def solve_files(files: list[Path], seconds: float, out: Path, seed: int) -> int:
    """Solve each and write it down at once. Exit code 1 if one could not be read."""
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for file in files:
        began = time.monotonic()
        try:
            instance = read_instance(file)
            answer = solved(instance, seconds - (time.monotonic() - began), seed)
        except SdlError as error:
            print(error, file=sys.stderr)
            failed = 1
            continue
        report = document(instance, answer, time.monotonic() - began)
        target = out / f"{instance.name}.json"
        target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(
            f"{instance.name}: {report['status']}, makespan {report['makespan']},"
            f" bound {report['bound']}, {report['seconds']} s"
        )
    return failed


def main(words: list[str] | None = None) -> int:
    """The command line."""
    head, _, body = (__doc__ or "").partition("\n\n")
    parser = ArgumentParser(description=head, epilog=" ".join(body.split()))
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="instances to solve")
    parser.add_argument("--seconds", type=float, default=10.0, help="wall time for each (10)")
    parser.add_argument("--out", type=Path, default=Path("schedules"), help="where to write")
    parser.add_argument("--seed", type=int, default=0, help="of every choice by chance (0)")
    given = parser.parse_args(words)
    if given.files:
        return solve_files(given.files, given.seconds, given.out, given.seed)
    from schedule_table import print_table  # noqa: PLC0415 -- loads what solving files needs not

    return print_table(lambda instance, seconds: solved(instance, seconds, given.seed))


if __name__ == "__main__":
    sys.exit(main())
