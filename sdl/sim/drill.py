"""One campaign under faults, all from one seed, with every invariant checked all the time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from sdl.core.script import Script
from sdl.model.campaign import Campaign
from sdl.model.lab import Lab
from sdl.model.policy import Rule
from sdl.shell import crash
from sdl.shell.bench import Bench
from sdl.shell.clock import LoopClock
from sdl.shell.preflight import Prepared
from sdl.sim.books import Books, Broken
from sdl.sim.disk import Disk, SimJournal, SimRecord
from sdl.sim.faults import BROKER, ORCHESTRATOR, PLANNER, Fault, draw
from sdl.sim.injection import Injection
from sdl.sim.keeping import SimSnapshots
from sdl.sim.loop import VirtualLoop, run_and_forget
from sdl.sim.network import Network
from sdl.sim.person import Person
from sdl.sim.plan import UNLIKE, Plan
from sdl.sim.processes import (
    EPOCH_S,
    NodeProcess,
    OrchestratorProcess,
    PlannerProcess,
    Process,
    Site,
)
from sdl.sim.starter import Starter
from sdl.sim.stocktaking import Stocktaking
from sdl.sim.storekeeper import Storekeeper
from sdl.sim.temper import CALM, Temper, draw_temper
from sdl.sim.trace import Trace
from sdl.sim.world import World
from sdl.wire.journal import Line

Recorded: TypeAlias = Callable[[Disk, Callable[[Sequence[Line]], None]], SimRecord]
"""Makes a record on a disk, which tells of each group of lines the moment it is durable."""

STANDBY = "orchestrator-2"
COUNTS = (1, 1, 2, 2, 3)
"""How many faults a simulation has."""
ENDS_WITHIN_S = 1800.0
"""Virtual seconds in which a campaign must end when all is well again, where nobody says how long
it takes by itself."""
DOES_NOT_END = "I10: the campaign does not end"
LOOK_S = 5.0
ONE_NODE = 0.3
"""Chance that one node hosts all instruments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one seed came to."""

    seed: int
    faults: tuple[Fault, ...]
    broken: str
    """The invariant that does not hold; empty if all do."""
    campaign: str
    """Name of the last journal, where another was begun."""
    head: str
    """Hash of the journal's last line."""
    trace_sha256: str
    commands: int
    done: int
    """Commands that ended well."""
    kills: Counter[str]
    """Processes killed, by role."""
    points: Counter[str]
    """Crash points at which one was killed."""
    rough: Counter[str]
    """What else befell it, by name."""
    unknown: int
    happened: int
    """Of those that were unknown, how many had happened."""
    wrong: int
    """Steps about which the simulated person was wrong."""
    ending: str
    virtual_s: float


class Drill:
    """One simulation: a lab is built, disturbed, and watched until its campaign ends."""

    def __init__(
        self,
        prepared: Sequence[Prepared],
        seed: int,
        faults: Sequence[Fault] | float,
        tell: Callable[[str], None] | None,
        recorded: Recorded,
        temper: Temper | None,
        ends_within_s: float,
    ) -> None:
        """``prepared``: one campaign, or several that share one lab.

        ``faults``: these, or virtual seconds in which drawn ones begin.

        ``temper``: None draws one where faults are drawn.
        """

        def chance(of: str) -> random.Random:
            return random.Random(f"{seed}/{of}")

        self.seed, self.ends_within_s = seed, ends_within_s
        if temper is None:
            temper = draw_temper(chance("temper")) if isinstance(faults, float) else CALM
        lab = replace(prepared[0].lab.lab, seed=seed)
        campaigns = [_campaign(one, seed + n, temper) for n, one in enumerate(prepared)]
        plan = Plan.of(prepared, campaigns, lab, UNLIKE, clock="wall")  # people come by
        trace = Trace(tell)
        clock = LoopClock(VirtualLoop.running().time, EPOCH_S)
        books = Books(plan.scripts, clock.now)
        network = Network(chance("network"), trace)
        network.received, network.sent = books.received, books.sent
        world = books.world = World(chance("world"), trace, books, temper)
        bench = Bench(clock=clock, seed=seed, lab=lab)
        world.let_go = bench.floor.let_go
        stock = Stocktaking(plan, bench, books, trace)

        def kept(lines: Sequence[Line]) -> None:
            books.keep(lines)
            stock.keep(lines)

        self.site = Site(
            plan=plan,
            lab=lab,
            network=network,
            record=recorded(Disk(chance("record")), kept),
            world=world,
            books=books,
            trace=trace,
            bench=bench,
            stock=stock,
            temper=temper,
            snapshots=SimSnapshots(temper.snapshot_every, chance("snapshots"), trace),
        )
        self.nodes = self._nodes(lab, chance("nodes"))
        planner = PlannerProcess(PLANNER, self.site)
        self.orchestrators = (
            OrchestratorProcess(ORCHESTRATOR, self.site, planner),
            OrchestratorProcess(STANDBY, self.site, planner),
        )
        self.orchestrators[1].is_wanted = False
        self.site.processes += [*self.nodes, planner, *self.orchestrators]
        self.faults = (
            tuple(self._drawn(chance("faults"), faults))
            if isinstance(faults, float)
            else tuple(faults)
        )
        self.person = Person(chance("person"), self.site)
        self.starter = Starter(chance("starter"), self.site)
        self.storekeeper = Storekeeper(chance("storekeeper"), self.site, stock)
        self.injection = Injection(self.site, STANDBY, self.person, self._start)

    def _drawn(self, chance: random.Random, within_s: float) -> list[Fault]:
        names = [node.name for node in self.nodes]
        return draw(chance, nodes=names, count=chance.choice(COUNTS), within_s=within_s)

    def _nodes(self, lab: Lab, chance: random.Random) -> tuple[NodeProcess, ...]:
        """One node for all instruments, or one for each."""
        names = [instrument.name for instrument in lab.instruments]
        shares = [names] if chance.random() < ONE_NODE else [[name] for name in names]
        nodes = []
        for number, share in enumerate(shares, start=1):
            name = f"node-{number}"
            journal = SimJournal(f"memory-{number}", Disk(random.Random(f"{self.seed}/{name}")))
            nodes.append(NodeProcess(name, self.site, tuple(share), journal))
        return tuple(nodes)

    async def play(self) -> Report:
        """Let it happen."""
        site, loop = self.site, VirtualLoop.running()
        for fault in self.faults:
            site.note(f"planned: {fault}")
        crash.hook(self.injection.passing)
        try:
            for process in tuple(site.processes):
                self._start(process)
            tasks = [loop.create_task(self.injection.inject(fault)) for fault in self.faults]
            tasks.append(loop.create_task(self.person.attend(self.orchestrators)))
            if site.plan.is_shared:
                tasks.append(loop.create_task(self.starter.attend()))
            if site.lab.stocks:
                tasks.append(loop.create_task(self.storekeeper.attend()))
            for task in tasks:
                task.add_done_callback(self._look_at)
            await self._watch()
        finally:
            crash.hook(None)
        self._look_at_plates()
        if site.books.broken is None:
            with suppress(Broken):
                site.books.close([node.journal for node in self.nodes])
                site.stock.close()
        return self._report(loop.time())

    def _look_at_plates(self) -> None:
        """Nothing has collided, or was to be worked on elsewhere, unless a person was wrong."""
        books, accidents = self.site.books, self.site.bench.floor.accidents
        if self.person.wrong:
            return
        for broken in accidents[:1]:
            books.note_broken(f"I11: {broken}")
        for broken in books.tally.absent[:1]:
            books.note_broken(f"I12: {broken}")

    def _start(self, process: Process) -> None:
        """Keep a process going until all is over."""
        VirtualLoop.running().create_task(process.keep()).add_done_callback(self._look_at)

    def _look_at(self, task: asyncio.Task[None]) -> None:
        """A part of the simulation itself has ended; it may not fail."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.site.fail(error)

    async def _watch(self) -> None:
        """Until the campaign is over, or something that may not happen has happened."""
        site, loop = self.site, VirtualLoop.running()
        while not site.over.is_set() and site.books.broken is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await site.over.wait()
            since = max(self.injection.well_since, 0.0)
            if self.injection.is_well:
                site.books.check_open(since, loop.time())
                if loop.time() > since + self.ends_within_s:
                    site.books.note_broken(DOES_NOT_END)

    def _report(self, virtual_s: float) -> Report:
        books = self.site.books
        kills: Counter[str] = Counter()
        for process in self.site.processes:
            kills[process.role] += process.kills
        kills[BROKER] = self.injection.broker_kills
        for disk in (self.site.record.disk, *(node.journal.disk for node in self.nodes)):
            self.site.trace.counts["lost answer to a commit"] += disk.lost
        for remedy, times in books.tally.windows.items():
            self.site.trace.counts[f"window broken, then {remedy}"] += times
        plan = self.site.plan
        all_ended = books.tally.endings.keys() == {campaign.name for campaign in plan.campaigns}
        endings = [books.tally.endings.get(campaign.name, "") for campaign in plan.campaigns]
        return Report(
            seed=self.seed,
            faults=self.faults,
            broken="" if books.broken is None else str(books.broken),
            campaign=plan.journal,
            head=self.site.record.head(plan.journal)[1],
            trace_sha256=self.site.trace.sha256,
            commands=books.tally.commands,
            done=books.tally.done,
            kills=kills,
            points=self.injection.points,
            rough=self.site.trace.counts,
            unknown=len(books.tally.unknown),
            happened=sum(self.site.world.has_happened(cid) for cid in books.tally.unknown),
            wrong=len(self.person.wrong),
            ending=", ".join(endings) if all_ended else "",
            virtual_s=virtual_s,
        )


def _campaign(prepared: Prepared, seed: int, temper: Temper) -> Campaign:
    """The campaign under a seed, in which a person is asked where a machine cannot know.

    What is done about broken windows is as drawn, where nobody has said it. Nobody brings fresh
    plates there.
    """
    campaign = prepared.campaign.campaign
    own = (*campaign.policy, *prepared.script.signature.policy)
    is_said = any("window" in rule.on or not rule.on for rule in own)
    late = () if is_said else (Rule(then=temper.late, on=("window",)),)
    policy = (*campaign.policy, *_asks(prepared.script), *late)
    stop = replace(campaign.stop, full_plates="end")
    return replace(campaign, seed=seed, policy=policy, stop=stop)


def _asks(script: Script) -> Iterator[Rule]:
    """A person is asked about what must not be done again, as with real instruments."""
    for role, operations in script.operations.items():
        for operation in operations.values():
            if operation.effect == "once":
                yield Rule(then="ask", action=f"{role}.{operation.name}", on=("unknown",))


def drill(
    prepared: Prepared,
    seed: int,
    *,
    beside: Sequence[Prepared] = (),
    faults: Sequence[Fault] | float,
    tell: Callable[[str], None] | None = None,
    recorded: Recorded = SimRecord,
    temper: Temper | None = None,
    ends_within_s: float = ENDS_WITHIN_S,
) -> Report:
    """Simulate a campaign under faults.

    ``beside``: others, which share its lab in one session.
    ``faults``: these, or virtual seconds in which those that the seed draws begin. ``tell`` is
    given the trace, line by line. ``recorded`` makes the record. ``temper``: how rough the lab is
    besides; None: drawn where the faults are, calm where they are given. ``ends_within_s``: virtual
    seconds in which all must end once all is well again.
    """

    async def play() -> Report:
        all_of_it = (prepared, *beside)
        played = Drill(all_of_it, seed, faults, tell, recorded, temper, ends_within_s)
        return await played.play()

    return run_and_forget(play())
