"""How long until work goes on after the orchestrator, or the broker, was killed.

A campaign on 1,000 instruments at one command a second each, in real processes: `sdl run`, `sdl
node`, `sdl planner`, Mosquitto. Once its journal holds 10,000 commands, the orchestrator is killed
and started again with `--resume`: measured from the start of its process, the loading of Python
and its modules included, until its first new command is on record, and until every instrument has
been given one. Then Mosquitto is killed, and is back half a second later: measured from the moment
it listens again until the first result, and until every instrument has given one.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypedDict

from common import arguments, beside, machine, percentile, say, write_json
from sdl.testing.servers import Server, mosquitto_server
from ticking import Ticking

AIM = {"orchestrator_first_s": 2.0, "broker_first_s": 5.0}
FIGURES = {
    "orchestrator_folded_s": "orchestrator, until it leads and has folded its journal",
    "orchestrator_online_s": "  until it has heard of the first instrument",
    "orchestrator_first_s": "  until its first new command",
    "orchestrator_all_s": "  until it has commanded every instrument",
    "broker_first_s": "broker, from listening until the first new result",
    "broker_all_s": "  until one of every instrument",
}
PATIENCE_S = 120.0
LOOK_S = 0.05
BROKER_OUT_S = 0.5
PLANNER = "apart"
_PATH = os.pathsep.join((str(Path(__file__).parent), *filter(None, (os.getenv("PYTHONPATH"),))))
"""The protocol imports the tickers."""


class Result(TypedDict):
    """Wall seconds, over all tries."""

    instruments: int
    history: int
    """Commands on record before the first kill."""
    orchestrator_folded_s: list[float]
    """Until it has the lease, and its own start is on record."""
    orchestrator_online_s: list[float]
    """Until the first instrument is there."""
    orchestrator_first_s: list[float]
    orchestrator_all_s: list[float]
    broker_first_s: list[float]
    broker_all_s: list[float]


class Lab:
    """One campaign in real processes."""

    def __init__(self, folder: Path, ticking: Ticking, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._ticking = ticking
        self.broker: Server
        self.orchestrator: subprocess.Popen[bytes]

    def start(self) -> None:
        """Everything, the orchestrator last."""
        self.broker, url = mosquitto_server(self.folder)
        self._stack.callback(self.broker.stop)
        self.broker.start()
        self._ticking.write(self.folder, url)
        self._sdl("node", "lab.toml")
        self._sdl("planner", "lab.toml", "--name", PLANNER)
        self.run()

    def run(self, *more: str) -> None:
        """The orchestrator."""
        words = ("run", "campaign.toml", "--no-host", "--planner", PLANNER)
        self.orchestrator = self._sdl(*words, *more)

    def _sdl(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{words[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sdl", *words],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": _PATH},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def seen(self, kind: str, after: float) -> dict[str, float]:
        """By instrument: when the first of its lines of a kind came after a wall moment.

        ``kind``: ``Perform`` or ``CommandDone``. Moments are seconds since 1970.
        """
        found: dict[str, float] = {}
        query = "SELECT at, body FROM journal WHERE type = ? AND at > ? ORDER BY seq"
        for at, body in self._read(query, (kind, after)):
            cid = json.loads(str(body))["cid"]  # .../step-1.{branch}.{number}/try-1
            found.setdefault(cid.rpartition("/step-")[2].split(".")[1], float(str(at)))
        return found

    def commands(self) -> int:
        """How many there are on record."""
        return len(self._read("SELECT 1 FROM journal WHERE type = 'Perform'", ()))

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        """Rows of the record; none where it is not there yet."""
        path = f"file:{self.folder / 'record.sqlite'}?mode=ro"
        try:
            with closing(sqlite3.connect(path, uri=True)) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a moment in the record."""
        until = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > until:
                said = (self.folder / "run.log").read_text(errors="replace")[-2000:]
                sys.exit(f"{what} did not come in {PATIENCE_S:g} s\n{said}")
            time.sleep(LOOK_S)

    def first(self, kind: str, moment: float) -> float:
        """Seconds from a wall moment until the first line of a kind."""
        query = "SELECT min(at) FROM journal WHERE type = ? AND at > ?"
        [[at]] = self._read(query, (kind, moment))
        return float(str(at)) - moment

    def since(self, kind: str, moment: float, count: int) -> tuple[float, float]:
        """Seconds from a wall moment until the first instrument, and until all of them."""
        self.until(lambda: len(self.seen(kind, moment)) >= count, f"{kind} of all instruments")
        moments = self.seen(kind, moment).values()
        return min(moments) - moment, max(moments) - moment


def measure(instruments: int, history: int, tries: int) -> Result:
    """One campaign, and so many kills of each."""
    ticking = Ticking(instruments=instruments, runs=1, steps=100_000, pause_s=1.0)
    result = Result(
        instruments=instruments,
        history=history,
        orchestrator_folded_s=[],
        orchestrator_online_s=[],
        orchestrator_first_s=[],
        orchestrator_all_s=[],
        broker_first_s=[],
        broker_all_s=[],
    )
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        lab = Lab(Path(name), ticking, stack)
        lab.start()
        lab.until(lambda: lab.commands() >= history, f"{history} commands")
        for number in range(tries):
            say(f"{instruments} instruments, {number + 1} of {tries} ...")
            lab.orchestrator.kill()
            lab.orchestrator.wait()
            moment = time.time()
            lab.run("--resume")
            first_s, all_s = lab.since("Perform", moment, instruments)
            result["orchestrator_folded_s"].append(lab.first("OrchestratorStarted", moment))
            result["orchestrator_online_s"].append(lab.first("InstrumentOnline", moment))
            result["orchestrator_first_s"].append(first_s)
            result["orchestrator_all_s"].append(all_s)
            lab.broker.kill()
            time.sleep(BROKER_OUT_S)
            lab.broker.start()
            first_s, all_s = lab.since("CommandDone", time.time(), instruments)
            result["broker_first_s"].append(first_s)
            result["broker_all_s"].append(all_s)
            say(", ".join(f"{key} {_seconds(result, key)[-1]:.2f}" for key in FIGURES))
    return result


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves no process behind
    parser = arguments(__doc__)
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--instruments", type=int, default=1000)
    parser.add_argument("--history", type=int, default=10_000)
    chosen = parser.parse_args()
    before = machine()
    one = measure(chosen.instruments, chosen.history, chosen.tries)
    if chosen.json:
        write_json({"machine": before, "aim": AIM, "result": one})
        return
    print(before)
    print(f"{one['instruments']} instruments, {one['history']} commands of history")
    for key, what in FIGURES.items():
        seconds = _seconds(one, key)
        median = percentile(seconds, 50)
        aim = beside(median, "at most", AIM[key]) if key in AIM else ""
        print(f"  {what:58} {median:6.2f} s ({min(seconds):.2f}-{max(seconds):.2f}) {aim}")


def _seconds(one: Result, key: str) -> list[float]:
    found = {name: value for name, value in one.items() if isinstance(value, list)}
    return found[key]


if __name__ == "__main__":
    main()
