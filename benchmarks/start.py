"""How long a person waits for `sdl --help`, and for a campaign to begin its first run.

The baseline of the first figure is an interpreter that does nothing, in turn with it. The second
is the wall time from `sdl run` to the first run on the examples' bench with the embedded broker:
broker, node and planner processes come up, the record is made, and the planner has answered.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import EXAMPLES, arguments, beside, machine, shown, spread, write_json
from sdl.core.view import View
from sdl.shell.launch import run_campaign

AIM_HELP_S = 0.3
AIM_READY_S = 2.0


def wall_s(*words: str) -> float:
    """Seconds that a process takes from start to end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - began


def ready_s() -> float:
    """Seconds from the call of ``run_campaign`` to the first run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "first_campaign"
        shutil.copytree(EXAMPLES / "first_campaign", folder, ignore=shutil.ignore_patterns(".*"))
        found: list[float] = []
        stop = asyncio.Event()

        def watch(view: View) -> None:
            if view.runs_begun and not found:
                found.append(time.perf_counter() - began)
                stop.set()

        began = time.perf_counter()
        asyncio.run(run_campaign(folder / "campaign.toml", watch=watch, stop=stop))
        return found[0]


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=15, help="of each process; one warms up")
    parser.add_argument("--starts", type=int, default=4, help="of the campaign; one warms up")
    chosen = parser.parse_args()
    before = machine()
    helps, bares = [], []
    for _ in range(chosen.times):
        helps.append(wall_s("-m", "sdl", "--help"))
        bares.append(wall_s("-c", "pass"))
    readies = [ready_s() for _ in range(chosen.starts)]
    report = {
        "machine": before,
        "help_s": spread(helps[1:]),
        "bare_interpreter_s": spread(bares[1:]),
        "first_run_s": spread(readies[1:]),
    }
    if chosen.json:
        write_json(report)
        return
    print(before)
    asked, bare, ready = (spread(values[1:]) for values in (helps, bares, readies))
    aim = beside(asked["median"], "at most", AIM_HELP_S)
    print(f"sdl --help   {shown(asked, 3)} s {aim}, {asked['median'] / bare['median']:.1f} times")
    print(f"             as long as an interpreter that does nothing: {shown(bare, 3)} s")
    aim = beside(ready["median"], "at most", AIM_READY_S)
    print(f"first run    {shown(ready, 2)} s after sdl run {aim}")


if __name__ == "__main__":
    main()
