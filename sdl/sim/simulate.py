"""A whole campaign in one process and in virtual time: the same engine, node, codecs and record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sdl.core.engine import Engine
from sdl.core.events import Verdict
from sdl.core.view import LabView
from sdl.errors import RecordFault, UserMistake
from sdl.model.lab import Lab
from sdl.planner.server import answer
from sdl.scheduling.counted import solve_counted
from sdl.shell.bench import Bench
from sdl.shell.clock import LoopClock
from sdl.shell.foresight import Simulators
from sdl.shell.local_bus import LocalBroker
from sdl.shell.node import Node
from sdl.shell.node_journal_memory import MemoryJournal
from sdl.shell.opening import Opening, new
from sdl.shell.outcome import Outcome, Watch
from sdl.shell.planner_client import DirectPlanner
from sdl.shell.preflight import Prepared, prepare
from sdl.shell.presence import Presence
from sdl.shell.record import Record
from sdl.shell.replanning import PlanningAtOnce
from sdl.shell.runtime import Runtime
from sdl.shell.runtime import Watch as RuntimeWatch
from sdl.sim.attendance import Attendance
from sdl.sim.hands import Hands
from sdl.sim.loop import VirtualLoop, run_virtually
from sdl.sim.plan import Plan
from sdl.wire.journal import Chain, Line
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
    plan: bool = False,
    verdict: Verdict | None = None,
) -> Outcome:
    """Run a campaign in virtual time.

    Where everything waits for a person it ends there: the view has no ``ended`` then.

    ``seed``: in place of the campaign's and the lab's. ``record``: SQLite file, replaced if it is
    there; ``simulated/NAME-SEED.sqlite`` beside ``lab.toml`` if None. ``broker``: what carries
    the messages; one that loses none if None. ``plan``: whether a scheduler plans, as
    ``[scheduling] plan = "auto"`` makes it at work. ``verdict``: what a person says of each action
    that is asked about; None: nobody is there. UserMistake if a file is wrong or an instrument is
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
        run_virtually(
            _play(
                prepared,
                lab,
                opening,
                pages,
                lambda engine: watch(engine.view()),
                broker or LocalBroker(),
                plan=plan,
                verdict=verdict,
            )
        )
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What several campaigns in one lab came to."""

    lab: LabView
    record_url: str
    seq: int
    """Lines in the journal of the session."""
    head: str
    """SHA-256 of the last one: two simulations with the same head went the same way."""
    wall_s: float


def simulate_together(
    campaigns: Sequence[Path],
    *,
    seed: int | None = None,
    record: Path | None = None,
    weights: Sequence[float] = (1.0,),
    plan: bool = False,
    verdict: Verdict | None = None,
) -> Together:
    """Run several campaigns of one lab together in virtual time, in one session.

    All start at the same moment. ``seed``, ``record``, ``plan``, ``verdict``: as for ``simulate``.
    ``weights``: their shares of what they contend for, in turn; one alone is that of all.
    UserMistake if a file is wrong, an instrument is real, or they do not share one lab.
    """
    prepared = [prepare(path) for path in campaigns]
    lab = prepared[0].lab.lab
    only_simulators(lab)
    specs = [each.campaign.campaign for each in prepared]
    if seed is not None:
        lab = replace(lab, seed=seed)
        specs = [replace(spec, seed=seed + n) for n, spec in enumerate(specs)]
    shared = Plan.of(prepared, specs, lab, weights)
    folder = prepared[0].lab.folder / "simulated"
    path = (
        record or folder / f"{'-'.join(spec.name for spec in specs)[:100]}-{specs[0].seed}.sqlite"
    )
    opened = _fresh(path, prepared[0].lab.record_url)
    began, opening = time.perf_counter(), shared.begun(0.0, 1)
    pages = _Pages(opened)
    first = (*opening.first, *shared.heads(0.0))
    try:
        at_once = replace(opening, first=first)
        first_of = prepared[0]
        run_virtually(
            _play(
                first_of,
                lab,
                at_once,
                pages,
                lambda _: None,
                LocalBroker(),
                plan=plan,
                verdict=verdict,
            )
        )
    finally:
        pages.flush()
        opened.close()
    return Together(
        lab=opening.engine.lab_view(),
        record_url=f"sqlite:///{path}",
        seq=opening.chain.seq,
        head=opening.chain.head,
        wall_s=time.perf_counter() - began,
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
    watch: RuntimeWatch,
    broker: LocalBroker,
    *,
    plan: bool,
    verdict: Verdict | None,
) -> None:
    clock = LoopClock(VirtualLoop.running().time)
    bench = Bench(clock=clock, seed=lab.seed, lab=lab)
    node = Node(
        lab=lab,
        folder=prepared.lab.folder,
        bus=broker.client("node"),
        clock=clock,
        bench=bench,
        boot=BOOT,
        journal=MemoryJournal(BOOT),
    )
    bus, topics = broker.client("orchestrator"), Topics(lab.name)

    def look(engine: Engine, _chain: Chain) -> None:
        """People carry what they are asked to, and close a session once its campaigns ended."""
        hands.look(engine)
        is_done = engine.is_shared and engine.ended and not engine.campaigns
        if is_done and not engine.lab.closing:
            runtime.stop("the simulation", "all campaigns have ended")

    runtime = Runtime(
        engine=opening.engine,
        chain=opening.chain,
        append=pages.append,
        bus=bus,
        planner=DirectPlanner(answer),
        clock=clock,
        topics=topics,
        watch=watch,
        presence=Presence(bus, topics, boot=BOOT, epoch=1, now=clock.now),
        keep=look,
        planning=_planning(lab, prepared.lab.folder, clock) if plan else None,
    )
    hands = Hands(bench, lab, clock.now, runtime.post)
    await node.start()
    await bus.connect()
    try:
        attendance = Attendance(opening.engine, opening.chain, clock.now, runtime.post, verdict)
        await _first_of(runtime.run(*opening.first), attendance.until_still())
    finally:
        await bus.aclose()
        await node.aclose()


async def _first_of(*works: Coroutine[object, object, None]) -> None:
    """Until one of them has ended, or failed; the others are broken off."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
            raise error


def _planning(lab: Lab, folder: Path, clock: LoopClock) -> PlanningAtOnce:
    """Plans that follow from the seed alone: no process and no clock has a say in them."""
    simulators = Simulators(lab, folder)
    return PlanningAtOnce(
        solve_counted, (simulators,), now=clock.now, seed=lab.seed, followers=(simulators,)
    )


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
