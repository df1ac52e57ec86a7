"""Both ends of the process in which Ax looks at a campaign, for its libraries are large."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from sdl.errors import PlannerFault
from sdl.model.analysis import Analysis
from sdl.model.data import Trial
from sdl.model.planning import Ask, Problem
from sdl.wire.mqtt import decode_ask, encode_ask

TIMEOUT_S = 900.0
"""Wall seconds after which an analysis is given up; a hundred trials of ten inputs take one."""


def analysed(campaign: str, problem: Problem, trials: tuple[Trial, ...], folder: Path) -> Analysis:
    """What Ax says; its files are in ``folder`` then.

    PlannerFault, with Ax's last words, if it cannot.
    """
    ask = Ask(id=campaign, planner="ax", problem=problem, trials=trials, count=1, seed=0)
    words = [sys.executable, "-m", "sdl.shell.analysis", "--out", str(folder)]
    try:
        done = subprocess.run(
            words,
            input=encode_ask(ask),
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as fault:
        raise PlannerFault(f"Ax did not come to an end in {TIMEOUT_S:g} s") from fault
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["without a word"]
        raise PlannerFault(said[-1])
    return TypeAdapter(Analysis).validate_json(done.stdout)


def main() -> None:
    """``python -m sdl.shell.analysis``: an encoded question in, a report as JSON out."""
    parser = ArgumentParser(prog="python -m sdl.shell.analysis", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_args().out
    ask = decode_ask(sys.stdin.buffer.read())
    from sdl.planner.ax_report import report

    try:
        told = report(ask.problem, ask.trials, ask.id, folder)
    except PlannerFault as fault:
        sys.exit(str(fault).replace("\n", " "))
    except OSError as fault:
        sys.exit(f"the files cannot be written to {folder}: {fault}")
    json.dump(asdict(told), sys.stdout)


if __name__ == "__main__":
    main()
