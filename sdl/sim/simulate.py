"""A whole campaign in one process and in virtual time: the same engine, node, codecs and record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sdl.errors import RecordFault, UserMistake
from sdl.model.lab import Lab
from sdl.planner.server import answer
from sdl.shell.bench import Bench
from sdl.shell.clock import LoopClock
from sdl.shell.local_bus import LocalBroker
from sdl.shell.node import Node
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.opening import Opening, new
from sdl.shell.outcome import Outcome, Watch
from sdl.shell.planner_client import DirectPlanner
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.presence import Presence
from sdl.shell.record import Record
from sdl.shell.runtime import Runtime
from sdl.sim.loop import VirtualLoop, run_virtually
from sdl.wire.journal import Line
from sdl.wire.topics import Topics

PAGE_LINES = 500
"""Journal lines that one transaction of a simulation holds."""
BOOT = "virtual"
"""The boot id of node and orchestrator in virtual time, where every run must be the same."""


def simulate(
    campaign_path: Path,
    *,
    seed: int | None = None,
    watch: Watch = lambda _: None,
    record: Path | None = None,
    broker: LocalBroker | None = None,
) -> Outcome:
    """Run a campaign in virtual time.

    ``seed``: in place of the campaign's and the lab's. ``record``: SQLite file, replaced if it is
    there; ``simulated/NAME-SEED.sqlite`` beside ``lab.toml`` if None. ``broker``: what carries
    the messages; one that loses none if None. UserMistake if a file is wrong or an instrument is
    real.
    """
    prepared = prepare(campaign_path)
    lab = prepared.lab.lab
    only_simulators(lab)
    campaign = prepared.campaign.campaign
    if seed is not None:
        campaign, lab = replace(campaign, seed=seed), replace(lab, seed=seed)
    path = record or prepared.lab.folder / "simulated" / f"{campaign.name}-{campaign.seed}.sqlite"
    opened = _fresh(path, prepared.lab.record_url)
    began = time.perf_counter()
    opening = new(prepared.script, campaign, lab, at=0.0, clock="virtual", speed=1.0)
    pages = _Pages(opened)
    try:
        run_virtually(_play(prepared, lab, opening, pages, watch, broker or LocalBroker()))
    finally:
        pages.flush()
        opened.close()
    view = opening.engine.view()
    return Outcome(
        view=view,
        record_url=f"sqlite:///{path}",
        seq=opening.chain.seq,
        head=opening.chain.head,
        wall_s=time.perf_counter() - began,
        lab_s=view.at - view.started_at,
        folder=path.parent,
    )


def _only_a_simulation(path: Path, lab_record: str) -> None:
    """UserMistake if a file holds anything that cannot be made again."""
    refusal = f"{path} is there and is no record of simulations; choose another --record"
    if not path.is_file() or lab_record == f"sqlite:///{path.resolve()}":
        raise UserMistake(refusal)
    try:
        former = Record.open(f"sqlite:///{path}", create=False)
    except RecordFault as fault:
        raise UserMistake(f"{refusal} ({fault})") from fault
    try:
        if any(each.campaign.clock != "virtual" for each in former.campaigns()):
            raise UserMistake(refusal)
    finally:
        former.close()


class _Pages:
    """Writes the journal in large groups.

    No robot moves on these lines, and the whole record can be made again from its seed, so it may
    reach the disk later than a real one.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lines: list[Line] = []

    async def append(self, lines: Sequence[Line]) -> None:
        self._lines += lines
        if len(self._lines) >= PAGE_LINES:
            self.flush()

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        self._record.append(lines)


async def _play(
    prepared: Prepared,
    lab: Lab,
    opening: Opening,
    pages: _Pages,
    watch: Watch,
    broker: LocalBroker,
) -> None:
    clock = LoopClock(VirtualLoop.running().time)
    node = Node(
        lab=lab,
        folder=prepared.lab.folder,
        bus=broker.client("node"),
        clock=clock,
        bench=Bench(clock=clock, seed=lab.seed, labware=lab.labware),
        boot=BOOT,
        journal=MemoryJournal(BOOT),
    )
    bus, topics = broker.client("orchestrator"), Topics(lab.name)
    runtime = Runtime(
        engine=opening.engine,
        chain=opening.chain,
        append=pages.append,
        bus=bus,
        planner=DirectPlanner(answer),
        clock=clock,
        topics=topics,
        watch=lambda engine: watch(engine.view()),
        presence=Presence(bus, topics, boot=BOOT, epoch=1, now=clock.now),
    )
    await node.start()
    await bus.connect()
    try:
        await runtime.run(*opening.first)
    finally:
        await bus.aclose()
        await node.aclose()


def only_simulators(lab: Lab) -> None:
    """UserMistake if an instrument is real: virtual time would not wait for it."""
    real = [instrument.name for instrument in lab.instruments if not instrument.simulated]
    if real:
        raise UserMistake(
            f"{', '.join(real)} of lab {lab.name!r} is a real instrument; virtual time needs a "
            "lab file that gives a simulator in its place"
        )


def _fresh(path: Path, lab_record: str) -> Record:
    """An empty record; what a former simulation wrote there can be made again from its seed."""
    if path.exists():
        _only_a_simulation(path, lab_record)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise UserMistake(
            f"cannot write {path}: {error.strerror}; choose another --record"
        ) from error
    return Record.open(f"sqlite:///{path}")
