"""How fast a campaign of a long journal goes on: from the record to the first new command.

Drives the engine by itself through a history of commands that end well, writes its journal into a
record, with a snapshot each so many lines, and stops in the middle of a run. Then measures what a
restart has to do before it can send anything: read the journal, fold it, decide what is open; once
without and once with a snapshot. The start of child processes is not in it.

``--instruments 10 --steps 1`` makes many short runs of it, the defaults few that are very wide.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from common import arguments, machine, say, write_json
from sdl.core import commands as do
from sdl.core import events as ev
from sdl.core.engine import Engine
from sdl.core.snapshot import make_ready
from sdl.model.data import Suggestion
from sdl.shell import opening
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.record import Record
from sdl.shell.snapshots import EVERY, digest_of, kept_of, stamp
from sdl.wire.journal import Chain, load
from ticking import Ticking

PAGE = 2_000


def main() -> None:
    """Measure and report."""
    parser = arguments(__doc__)
    parser.add_argument("--instruments", type=int, default=1_000)
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=EVERY, help="lines between two snapshots")
    parser.add_argument("--steps", type=int, default=20, help="of each instrument in one run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runs = 2 + chosen.commands // (chosen.steps * chosen.instruments)
        ticking = Ticking(instruments=chosen.instruments, runs=runs, steps=chosen.steps)
        prepared = prepare(ticking.write(folder, "embedded"))
        url = f"sqlite:///{folder / 'record.sqlite'}"
        began = time.perf_counter()
        lines, taken = write(prepared, url, chosen.commands, chosen.every)
        say(f"wrote {lines} lines in {time.perf_counter() - began:.1f} s")
        report = measure(prepared, url) | taken
    report |= {"lines": lines, "commands": chosen.commands, "instruments": chosen.instruments}
    if chosen.json:
        write_json({"machine": machine(), **report})
        return
    print(machine())
    for what, figure in report.items():
        print(f"{what:>24}  {figure:g}")


def write(prepared: Prepared, url: str, commands: int, every: int) -> tuple[int, dict[str, float]]:
    """A journal of that many commands, the last of them open: its lines, and what snapshots cost.

    ``every``: lines from one snapshot to the next.
    """
    opened = opening.new(
        prepared.script,
        prepared.campaign.campaign,
        prepared.lab.lab,
        at=0.0,
        clock="wall",
        speed=1.0,
    )
    make_ready()
    record, engine, chain, at = Record.open(url), opened.engine, opened.chain, 0.0
    inbox: deque[ev.Event] = deque(opened.first)
    inbox += [online(each.name, each.driver) for each in prepared.lab.lab.instruments]
    left, points, page = commands, 0, []
    last, taken = 0, {"capture_s": 0.0, "write_s": 0.0, "bytes": 0.0}
    while inbox and left > 0:
        event = inbox.popleft()
        decided = engine.handle(event)
        page += [chain.add(value, event.at) for value in (event, *decided)]
        if len(page) >= PAGE:
            record.append(page)
            page = []
        if chain.seq - last >= every:
            last = chain.seq
            record.append(page)
            page = []
            cost = keep(record, engine, chain, prepared)
            taken = {name: max(taken[name], figure) for name, figure in cost.items()}
        for command in decided:
            at += 0.001
            match command:
                case do.Perform(cid=cid):
                    left -= 1
                    inbox += [
                        ev.CommandAccepted(at=at, cid=cid),
                        ev.CommandStarted(at=at, cid=cid),
                        ev.CommandDone(at=at, cid=cid, result=at, duration_s=0.0),
                    ]
                case do.AskPlanner():
                    inbox.append(answered(command, points, at))
                    points += command.count
                case _:
                    pass
    record.append(page)
    record.close()
    return chain.seq, taken


def keep(record: Record, engine: Engine, chain: Chain, prepared: Prepared) -> dict[str, float]:
    """Put a snapshot on record; what it cost: of the loop, and of the thread that writes it."""
    began = time.perf_counter()
    snapshot = engine.snapshot()
    captured = time.perf_counter()
    kept = kept_of(
        snapshot,
        campaign=chain.campaign,
        seq=chain.seq,
        head=chain.head,
        as_of=stamp({chain.campaign: digest_of(prepared.script)}),
    )
    record.snapshots.add(kept)
    return {
        "capture_s": captured - began,
        "write_s": time.perf_counter() - captured,
        "bytes": float(len(kept.body)),
    }


def online(instrument: str, driver: str) -> ev.InstrumentOnline:
    """A node announces an instrument."""
    return ev.InstrumentOnline(
        at=0.0,
        instrument=instrument,
        boot="boot",
        driver=driver,
        simulated=True,
        actions=("tick",),
        memory="memory",
        effects=(("tick", "once"),),
    )


def answered(ask: do.AskPlanner, points: int, at: float) -> ev.SuggestionsArrived:
    """The next points of a grid."""
    values = range(points, points + ask.count)
    found = tuple(Suggestion(inputs={"x": x}, origin="grid", predicted={}) for x in values)
    return ev.SuggestionsArrived(
        at=at, ask=ask.ask, attempt=ask.attempt, suggestions=found, versions=()
    )


def measure(prepared: Prepared, url: str) -> dict[str, float]:
    """Wall seconds of each part of a resumption, on a record that was just opened."""
    campaign = prepared.campaign.campaign
    marks = [time.perf_counter()]
    record = Record.open(url)
    marks.append(time.perf_counter())
    stored = list(record.lines(campaign.name))
    marks.append(time.perf_counter())
    for _ in values(stored_bodies := [(line.type, line.body) for line in stored]):
        pass
    marks.append(time.perf_counter())
    del stored, stored_bodies
    worked = time.process_time()
    opened = opening.again(prepared.script, record, campaign, prepared.lab.lab, at=1e9)
    marks.append(time.perf_counter())
    whole, hash_ = time.process_time() - worked, opened.engine.state_sha256()
    del opened
    gc.collect()
    marks.append(time.perf_counter())
    worked = time.process_time()
    opened = opening.again(
        prepared.script,
        record,
        campaign,
        prepared.lab.lab,
        at=1e9,
        kept=record.snapshots.of(campaign.name),
    )
    marks.append(time.perf_counter())
    assert opened.engine.state_sha256() == hash_, "the snapshot leads to another state"
    behind = opened.chain.seq - opened.restored
    marks.append(time.perf_counter())
    for event in opened.first:
        opened.engine.handle(event)
    for each in prepared.lab.lab.instruments:
        opened.engine.handle(online(each.name, each.driver))
    marks.append(time.perf_counter())
    worked = time.process_time() - worked
    record.close()
    names = ("open_s", "read_s", "parse_s", "whole_s", "", "snapshot_s", "", "online_s")
    parts = {name: marks[n + 1] - marks[n] for n, name in enumerate(names) if name}
    return {
        **parts,
        "whole_total_s": parts["open_s"] + parts["whole_s"] + parts["online_s"],
        "whole_cpu_s": whole,
        "snapshot_total_s": parts["open_s"] + parts["snapshot_s"] + parts["online_s"],
        "snapshot_cpu_s": worked,
        "behind_lines": float(behind),
    }


def values(bodies: list[tuple[str, str]]) -> Iterator[object]:
    """What the lines hold."""
    return (load(kind, body) for kind, body in bodies)


if __name__ == "__main__":
    main()
