"""Start-to-start time of no-op steps through the whole runtime, journal on, over Mosquitto.

    python benchmarks/steps.py [--runs 10] [--json]

A chain of 20 steps on one instrument, then ten such chains on ten instruments. Every step is an
event-sourced command: intent committed (SQLite, synchronous=FULL) before it is published, answered
by the node, journalled, decided on. Times are those of the instrument's own clock. The baseline in
the same run is a bare MQTT round trip of the same messages without runtime and journal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import psutil

from common import machine, percentile, round_trips
from sdl.shell.launch import run_campaign
from sdl.testing.servers import mosquitto

HERE = Path(__file__).parent
AIM = {"gap_p50_ms": 5.0, "steps_per_s": 500.0, "memory_mb": 300.0}


def write_files(folder: Path, url: str, instruments: int, runs: int) -> Path:
    """A lab of tickers and a campaign that does nothing else."""
    names = [f"t{i}" for i in range(instruments)]
    protocol = "one_chain" if instruments == 1 else "ten_chains"
    ticker = HERE / "ticker.py"
    parts = [f'[lab]\nname = "ticks"\nbroker = "{url}"\n']
    parts += [f'[instruments.{n}]\nsimulator = "{ticker}:SimulatedTicker"\n' for n in names]
    (folder / "lab.toml").write_text("\n".join(parts))
    roles = "\n".join(f'{name} = "{name}"' for name in names)
    campaign = folder / "campaign.toml"
    campaign.write_text(
        f'[campaign]\nname = "ticks"\nlab = "lab.toml"\nprotocol = "{ticker}:{protocol}"\n'
        f"[roles]\n{roles}\n"
        f"[search]\nx = {{ from = 0, to = {10 * runs}, integer = true }}\n"
        '[objective]\nmeasure = "steps"\ngoal = "maximise"\n'
        f'[stop]\nruns = {runs}\n[planner]\nkind = "grid"\n'
    )
    return campaign


def starts(record: Path) -> dict[str, list[float]]:
    """When each step started, by chain (run and instrument), in order."""
    chains: dict[str, list[float]] = {}
    with sqlite3.connect(record) as connection:
        rows = connection.execute(
            "SELECT body FROM journal WHERE type = 'CommandDone' ORDER BY seq"
        )
        for (body,) in rows:
            done = json.loads(body)
            run, step = done["cid"].split("/step-")
            branch = step.split("/")[0].rpartition(".")[0]
            chains.setdefault(f"{run}/{branch}", []).append(done["result"])
    return chains


def memory_mb() -> dict[str, float]:
    """Resident memory of this process and of its children, by part."""
    found = {"orchestrator": _rss(psutil.Process())}
    for child in psutil.Process().children(recursive=True):
        words = " ".join(child.cmdline())
        part = next(
            (p for p in ("planner_worker", "node_process", "mosquitto") if p in words), "other"
        )
        found[part] = found.get(part, 0.0) + _rss(child)
    return found


def _rss(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def measure(folder: Path, url: str, instruments: int, runs: int) -> dict[str, object]:
    """Run the campaign once; figures over all its runs but the first, which warms up."""
    campaign = write_files(folder, url, instruments, runs)
    memory: dict[str, float] = {}

    def look(view: object) -> None:
        if view.runs_ended == runs - 1 and not memory:  # type: ignore[attr-defined]
            memory.update(memory_mb())

    outcome = asyncio.run(run_campaign(campaign, watch=look))
    chains = {k: v for k, v in starts(folder / "record.sqlite").items() if "/run-1/" not in k}
    gaps = [b - a for times in chains.values() for a, b in pairwise(times)]
    rates = []
    for number in range(2, runs + 1):
        times = [t for k, v in chains.items() if f"/run-{number}/" in k for t in v]
        rates.append((len(times) - 1) / (max(times) - min(times)))
    without_planner = sum(mb for part, mb in memory.items() if part != "planner_worker")
    return {
        "instruments": instruments,
        "steps": sum(len(times) for times in chains.values()),
        "gap_p50_ms": 1e3 * percentile(gaps, 50),
        "gap_p99_ms": 1e3 * percentile(gaps, 99),
        "steps_per_s": percentile(rates, 50),
        "steps_per_s_min": min(rates),
        "steps_per_s_max": max(rates),
        "memory_mb_without_planner": without_planner,
        "memory_mb": {part: round(mb, 1) for part, mb in memory.items()},
        "ended": outcome.view.ended.ending if outcome.view.ended else None,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", type=int, default=11, help="runs of each campaign; the first warms up"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    results: list[dict[str, object]] = []
    began = time.perf_counter()
    for instruments in (1, 10):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with mosquitto(folder) as url:
                baseline = asyncio.run(round_trips(url, 400))
                results.append(
                    measure(folder, url, instruments, chosen.runs)
                    | {"bare_round_trip_p50_ms": 1e3 * percentile(baseline, 50)}
                )
    report = {
        "machine": machine(),
        "aim": AIM,
        "results": results,
        "wall_s": time.perf_counter() - began,
    }
    if chosen.json:
        print(json.dumps(report, indent=1))
        return
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}")
    for one in results:
        print(
            f"{one['instruments']:>3} instruments: start to start p50 {one['gap_p50_ms']:.1f} ms, "
            f"p99 {one['gap_p99_ms']:.1f} ms; {one['steps_per_s']:.0f} steps/s "
            f"({one['steps_per_s_min']:.0f}-{one['steps_per_s_max']:.0f} over runs); "
            f"bare round trip p50 {one['bare_round_trip_p50_ms']:.2f} ms; "
            f"{one['memory_mb_without_planner']:.0f} MB without the planner {one['memory_mb']}"
        )


if __name__ == "__main__":
    main()
