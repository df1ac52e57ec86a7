"""A node that stands still: how long until the orchestrator knows.

A real campaign on Mosquitto, ten instruments on one node with a process of its own. The node is
stopped with SIGSTOP, so that its lines stay open and nothing tells of it but its silence; measured
to the first view of the campaign in which one of its instruments is offline. Then it goes on, and
the next try waits until all are back, and for a random part of a heartbeat.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from common import arguments, beside, machine, percentile, say, write_json
from sdl.core.view import View
from sdl.shell.launch import run_campaign
from sdl.testing.servers import mosquitto
from ticking import Ticking

AIM_S = 6.0
PATIENCE_S = 60.0
NODE = "node_process"
PAUSES_S = (1.0, 4.0)
"""Between two tries: heartbeats are 2 s apart."""


class Watcher:
    """Sees what the campaign shows, and waits for something in it."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._news = asyncio.Event()

    def look(self, view: View) -> None:
        """There is something new."""
        self._view = view
        self._news.set()

    async def until(self, holds: Callable[[View], bool]) -> None:
        """Wait until something holds. TimeoutError if it does not come."""
        async with asyncio.timeout(PATIENCE_S):
            while self._view is None or not holds(self._view):
                self._news.clear()
                await self._news.wait()


def all_there(view: View) -> bool:
    """Whether every instrument is online."""
    return all(one.state != "offline" for one in view.instruments)


def node() -> int:
    """The process of the campaign's node."""
    children = psutil.Process().children(recursive=True)
    [found] = [int(each.pid) for each in children if NODE in " ".join(each.cmdline())]
    return found


async def freeze(watcher: Watcher, tries: int, seed: int) -> list[float]:
    """Seconds until each freeze was noticed."""
    chance, noticed_s = random.Random(seed), list[float]()
    await watcher.until(lambda view: all_there(view) and view.runs_ended > 0)
    for number in range(tries):
        await asyncio.sleep(chance.uniform(*PAUSES_S))
        began, pid = time.monotonic(), node()
        os.kill(pid, signal.SIGSTOP)
        try:
            await watcher.until(lambda view: not all_there(view))
            noticed_s.append(time.monotonic() - began)
        finally:
            os.kill(pid, signal.SIGCONT)
        say(f"try {number + 1} of {tries}: {noticed_s[-1]:.2f} s")
        await watcher.until(all_there)
    return noticed_s


async def measure(campaign: Path, tries: int, seed: int) -> list[float]:
    """Play a campaign for as long as the tries take."""
    watcher, stop = Watcher(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        freezing = group.create_task(freeze(watcher, tries, seed))
        freezing.add_done_callback(lambda _: stop.set())
        await run_campaign(campaign, watch=watcher.look, stop=stop)
    return freezing.result()


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    before = machine()
    ticking = Ticking(instruments=10, runs=2000, steps=20, pause_s=0.2)
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as url:
        campaign = ticking.write(Path(name), url)
        noticed_s = asyncio.run(measure(campaign, chosen.tries, chosen.seed))
    worst_s = max(noticed_s)
    if chosen.json:
        write_json({"machine": before, "aim_s": AIM_S, "seed": chosen.seed, "noticed_s": noticed_s})
        return
    print(before)
    print(f"a frozen node is noticed, {len(noticed_s)} tries")
    print(
        f"  p50 {percentile(noticed_s, 50):.2f} s  worst {worst_s:.2f} s "
        f"{beside(worst_s, 'at most', AIM_S)}"
    )


if __name__ == "__main__":
    main()
