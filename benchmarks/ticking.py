"""Campaigns of tickers: writes their files, runs them, and reads from the record how it went."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sdl.core.view import View
from sdl.shell.launch import run_campaign

TICKER = Path(__file__).with_name("ticker.py")
PARTS = ("planner_worker", "node_process", "mosquitto")

PROTOCOL = '''"""Chains on {count} instruments at once, {pause_s} s between two steps."""

from __future__ import annotations

from sdl import protocol
from ticker import Ticker, Ticks, side_by_side


@protocol
async def chains({roles}, *, x: int, steps: int, pause_s: float) -> Ticks:
    """One chain on each instrument."""
    return await side_by_side(({names},), steps + 0 * x, pause_s)
'''
LAB = '[lab]\nname = "ticks"\nbroker = "{url}"\n'
INSTRUMENT = '[instruments.{name}]\nsimulator = "{ticker}:SimulatedTicker"\n'
CAMPAIGN = """[campaign]
name = "ticks"
lab = "lab.toml"
protocol = "./chains.py:chains"
[roles]
{roles}
[search]
x = {{ from = 0, to = {points}, integer = true }}
[fixed]
steps = {steps}
pause_s = {pause_s}
[objective]
measure = "steps"
goal = "maximise"
[stop]
runs = {runs}
[planner]
kind = "grid"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticking:
    """A campaign of nothing but steps that take no time."""

    instruments: int
    runs: int
    """The first one warms up."""
    steps: int
    """In the chain of each instrument and run."""
    pause_s: float = 0.0
    """Between two steps of a chain."""

    def write(self, folder: Path, url: str) -> Path:
        """Lab, protocol and campaign; the path of the campaign file."""
        names = [f"t{number}" for number in range(self.instruments)]
        instruments = [INSTRUMENT.format(name=name, ticker=TICKER) for name in names]
        (folder / "lab.toml").write_text("\n".join((LAB.format(url=url), *instruments)))
        (folder / "chains.py").write_text(
            PROTOCOL.format(
                count=self.instruments,
                pause_s=self.pause_s,
                roles=", ".join(f"{name}: Ticker" for name in names),
                names=", ".join(names),
            )
        )
        campaign = folder / "campaign.toml"
        campaign.write_text(
            CAMPAIGN.format(
                roles="\n".join(f'{name} = "{name}"' for name in names),
                points=10 * self.runs,
                steps=self.steps,
                pause_s=self.pause_s,
                runs=self.runs,
            )
        )
        return campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the processes had used at one moment."""

    at: float
    """Wall seconds by the monotonic clock."""
    cpu_s: dict[str, float] = field(default_factory=dict)
    """By part: user and system time."""
    memory_mb: dict[str, float] = field(default_factory=dict)
    """By part: resident memory."""

    @classmethod
    def now(cls) -> Usage:
        """Of this process and its children."""
        cpu_s: dict[str, float] = {}
        memory_mb: dict[str, float] = {}
        for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
            words = " ".join(process.cmdline())
            own = process.pid == psutil.Process().pid
            found = "orchestrator" if own else next((p for p in PARTS if p in words), "other")
            times = process.cpu_times()
            cpu_s[found] = cpu_s.get(found, 0.0) + times.user + times.system
            used_mb = process.memory_info().rss / 2**20
            memory_mb[found] = memory_mb.get(found, 0.0) + used_mb
        return cls(at=time.monotonic(), cpu_s=cpu_s, memory_mb=memory_mb)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One command as the record has it."""

    run: int
    chain: str
    """The branch of the protocol that it belongs to; unique within its run."""
    started: float
    """By the instrument itself, on the monotonic clock of the machine."""
    answered_s: float
    """From the decision to command it until its result was heard; its commit lies between."""


def run_ticks(campaign: Path) -> tuple[Usage, Usage]:
    """Run a campaign of tickers; the usage when the first run had ended, and at the end."""
    seen: list[Usage] = []

    def look(view: View) -> None:
        if view.ended is not None and seen:  # the last view may come twice
            seen[1:] = [Usage.now()]
        elif view.runs_ended and not seen:
            seen.append(Usage.now())

    outcome = asyncio.run(run_campaign(campaign, watch=look))
    ended = outcome.view.ended
    assert ended is not None, "the campaign did not end"
    assert ended.ending == "budget", ended.reason
    assert len(seen) == 2, "the campaign was too short to be measured; give it more runs"
    return seen[0], seen[1]


def ticks(record: Path) -> Iterator[Tick]:
    """The commands of all runs but the first, in the order of their results."""
    decided: dict[str, float] = {}
    with closing(sqlite3.connect(record)) as connection:
        lines = connection.execute(
            "SELECT type, at, body FROM journal WHERE type IN ('Perform', 'CommandDone') "
            "ORDER BY seq"
        )
        for kind, at, body in lines:
            fields = json.loads(body)
            cid = str(fields["cid"])
            if kind == "Perform":
                decided[cid] = at
                continue
            run, _, path = cid.rpartition("/try-")[0].rpartition("/step-")
            number = int(run.rpartition("-")[2])
            if number > 1:
                yield Tick(
                    run=number,
                    chain=path.rpartition(".")[0],
                    started=fields["result"],
                    answered_s=at - decided[cid],
                )


def chains(found: list[Tick]) -> dict[tuple[int, str], list[float]]:
    """When the steps of each chain started, in order, by run and branch."""
    starts: dict[tuple[int, str], list[float]] = {}
    for tick in found:
        starts.setdefault((tick.run, tick.chain), []).append(tick.started)
    return starts


def rates(found: list[Tick]) -> list[float]:
    """Steps per second of each run."""
    by_run: dict[int, list[float]] = {}
    for tick in found:
        by_run.setdefault(tick.run, []).append(tick.started)
    return [(len(times) - 1) / (max(times) - min(times)) for times in by_run.values()]
