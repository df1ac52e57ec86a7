"""The processes of a simulated lab: orchestrator, nodes and planner worker.

Each runs the real code that it runs in a lab, and is started again as its supervisor would.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sdl.errors import LabFault, RecordAway, RecordFault, SdlError
from sdl.model.lab import Lab
from sdl.model.planning import Answer, Ask
from sdl.planner.server import answer
from sdl.shell.bench import Bench
from sdl.shell.clock import LoopClock
from sdl.shell.crash import crash_point
from sdl.shell.desk import Word
from sdl.shell.lease import Lease, lead
from sdl.shell.node import Node
from sdl.shell.opening import Opening
from sdl.shell.planner_client import PlannerClient
from sdl.shell.planner_worker import PlannerWorker
from sdl.shell.presence import Presence
from sdl.shell.runtime import Runtime
from sdl.sim.books import Books, Broken, virtual_now
from sdl.sim.disk import Disk, SimJournal, SimRecord
from sdl.sim.keeping import SimSnapshots
from sdl.sim.life import Life, Role, outside
from sdl.sim.loop import VirtualLoop
from sdl.sim.network import Network
from sdl.sim.plan import Plan
from sdl.sim.stocktaking import Stocktaking
from sdl.sim.temper import Temper
from sdl.sim.trace import Trace
from sdl.sim.world import World
from sdl.wire.journal import Line
from sdl.wire.topics import Topics

EPOCH_S = 1_700_000_000.0
"""Lab time at which every simulation with faults begins."""
TELL_S = 20.0
"""For an orchestrator to take what a person says; then it is told again."""
AGAIN_S = 2.0
"""Pause before a process that gave up by itself is started again."""


@dataclass(slots=True, kw_only=True)
class Site:
    """What all processes of one simulation share."""

    plan: Plan
    """What is to be led to its end now."""
    lab: Lab
    network: Network
    record: SimRecord
    world: World
    books: Books
    trace: Trace
    bench: Bench
    temper: Temper
    snapshots: SimSnapshots
    stock: Stocktaking
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """All is concluded, or an invariant is broken."""
    processes: list[Process] = field(default_factory=list)

    @property
    def topics(self) -> Topics:
        """Of this lab."""
        return Topics(self.lab.name)

    def note(self, what: str) -> None:
        """For the trace."""
        self.trace.note(asyncio.get_running_loop().time(), what)

    async def tell(self, word: Word) -> str:
        """Tell an orchestrator something, again and again until one has taken it.

        Returns what it objected; empty if nothing.
        """
        while not self.over.is_set():
            runtime = await self.desk()
            with suppress(TimeoutError, SdlError):
                async with asyncio.timeout(TELL_S):
                    objection = await runtime.tell(word)
                self.note(f"a person is answered: {objection or 'taken'}")
                return objection
        return ""

    async def desk(self) -> Runtime:
        """Of the orchestrator that leads, as far as anybody at its screen can tell."""
        while True:
            found = [
                each.runtime
                for each in self.processes
                if isinstance(each, OrchestratorProcess) and each.is_awake and each.runtime
            ]
            if found:
                return max(found, key=lambda runtime: runtime.presence.epoch)
            await asyncio.sleep(1.0)

    def is_manned(self, runtime: Runtime) -> bool:
        """Whether the process of an orchestrator lives, frozen or not."""
        return any(
            isinstance(each, OrchestratorProcess) and each.is_up and each.runtime is runtime
            for each in self.processes
        )

    def begin_anew(self) -> None:
        """From now on another journal is to be led; the one before is left."""
        self.plan = self.plan.anew()

    def is_dead(self, name: str) -> bool:
        """Whether the process of this name is known to be dead."""
        return not any(each.name == name and each.is_up for each in self.processes)

    def fail(self, error: BaseException) -> None:
        """Something that may never happen."""
        if self.books.broken is None:
            self.books.broken = Broken(f"{type(error).__name__}: {error}")
            self.books.broken.__cause__ = error
        self.over.set()


class Process:
    """One place in the lab where a process runs, again and again."""

    role: Role = "node"

    def __init__(self, name: str, site: Site) -> None:
        self.name = name
        self.site = site
        self.life: Life | None = None
        self.clock_off_s = 0.0
        """How wrong the wall clock of its machine is; a process looks at it once, at its start."""
        self.pause_s = AGAIN_S
        """Before it is started again."""
        self.is_wanted = True
        self.starts = 0
        self.kills = 0

    @property
    def is_up(self) -> bool:
        """Whether it runs, frozen or not."""
        return self.life is not None and not self.life.dead

    @property
    def is_awake(self) -> bool:
        """Whether it runs and is not frozen."""
        return self.life is not None and not self.life.dead and not self.life.frozen

    async def work(self, life: Life) -> None:
        """What the process does."""
        raise NotImplementedError

    async def keep(self) -> None:
        """Start it, and again when it ends, until the simulation is over."""
        while not self.site.over.is_set():
            if self.is_wanted:
                await self._once()
            await asyncio.sleep(self.pause_s)
            self.pause_s = AGAIN_S

    async def _once(self) -> None:
        self.starts += 1
        life = self.life = Life(self.role, f"{self.name}#{self.starts}")
        self.site.note(f"{life.name} starts")
        gone = asyncio.Event()
        life.on_death.append(gone.set)
        task = life.start(self.work(life))
        task.add_done_callback(lambda _: gone.set(), context=outside())
        await gone.wait()
        self.site.note(f"{life.name} is gone")
        if life.dead:
            return
        life.dead = True
        error = _leaf(task.exception())
        if error is not None:
            self.site.note(f"{life.name}: {type(error).__name__}: {error}")
            if not isinstance(error, RecordFault | LabFault):  # of those, anybody may die
                self.site.fail(error)

    def kill(self, pause_s: float) -> None:
        """End it at once; it is started again after a pause."""
        if self.life is not None and not self.life.dead:
            self.kills += 1
            self.pause_s = pause_s
            self.site.note(f"{self.life.name} is killed")
            self.life.kill()

    def clock(self) -> LoopClock:
        """Its machine's wall clock, as a process that starts now keeps it."""
        return LoopClock(VirtualLoop.running().time, EPOCH_S + self.clock_off_s)


class NodeProcess(Process):
    """A node with its instruments and its journal."""

    role: Role = "node"

    def __init__(
        self,
        name: str,
        site: Site,
        instruments: tuple[str, ...],
        journal: SimJournal,
        node_name: str = "",
    ) -> None:
        """``node_name``: what it calls itself, where that is the name of another one."""
        super().__init__(name, site)
        self.instruments = instruments
        self.journal = journal
        self.node_name = node_name or name
        self.started: dict[str, str] = {}
        """By instrument, the command that its journal says was started last."""
        books = site.books
        books.started.append(self.started)
        journal.kept = lambda entries: books.journalled(name, self.started, entries)
        journal.failed = lambda entries: books.not_journalled(self.started, entries)

    def copied(self) -> NodeProcess:
        """A copy of its folder on another machine, with the same instruments."""
        name = f"{self.name}-copy"
        journal = self.journal.copied(
            Disk(random.Random(f"{self.site.plan.campaigns[0].seed}/{name}"))
        )
        copy = NodeProcess(name, self.site, self.instruments, journal, self.node_name)
        copy.started.update(self.started)
        return copy

    async def work(self, life: Life) -> None:
        site = self.site
        clock = self.clock()
        node = Node(
            lab=site.lab,
            folder=site.plan.prepared[0].lab.folder,
            bus=site.network.client(life.name, lasting=True),
            clock=clock,
            bench=site.bench,
            name=self.node_name,
            only=self.instruments,
            boot=life.name,
            journal=self.journal,
        )
        life.on_death.append(lambda: site.books.node_died(self.name, self.started))
        site.world.equip(node, life, self.started)
        await node.start()
        await node.serve(asyncio.Event())


class PlannerProcess(Process):
    """A worker in which planners think."""

    role: Role = "planner"

    async def work(self, life: Life) -> None:
        worker = PlannerWorker(
            lab=self.site.lab.name,
            bus=self.site.network.client(life.name),
            answer=_answer,
            planners=tuple(dict.fromkeys(c.planner.kind for c in self.site.plan.campaigns)),
            boot=life.name,
        )
        await worker.start()
        await worker.serve()

    async def restart(self) -> None:
        """As an orchestrator does with a worker that died or hangs."""
        self.kill(AGAIN_S)


class OrchestratorProcess(Process):
    """``sdl run``: leads the lab if nobody else does."""

    role: Role = "orchestrator"

    def __init__(self, name: str, site: Site, planner: PlannerProcess) -> None:
        super().__init__(name, site)
        self.planner = planner
        self.runtime: Runtime | None = None
        """The desk at which a person finds it."""
        self.is_off_record = False
        """Its line to the database is cut."""

    async def work(self, life: Life) -> None:
        site = self.site
        self.runtime = None
        clock = self.clock()
        lease = await self._lead(clock)
        crash_point("orchestrator.lease.taken")
        if not site.record.head(site.plan.journal)[0]:
            await self._prepared()
        opened = self._open(clock, lease.epoch)
        clock = LoopClock(VirtualLoop.running().time, opened.first[0].at - virtual_now())
        bus = site.network.client(life.name)
        asks = site.network.client(f"{life.name}-asks")
        presence = Presence(
            bus,
            site.topics,
            boot=life.name,
            epoch=lease.epoch,
            now=clock.now,
            may_speak=lease.is_fresh,
        )
        await bus.connect(will=presence.will(), on_connect=presence.announce)
        planner = PlannerClient(
            lab=site.lab.name, bus=asks, restart=self.planner.restart, worker=self.planner.name
        )
        await planner.start()
        runtime = Runtime(
            engine=opened.engine,
            chain=opened.chain,
            append=lambda lines: self._append(lines, lease.epoch),
            bus=bus,
            planner=planner,
            clock=clock,
            topics=site.topics,
            watch=lambda _: None,
            presence=presence,
            vouch=lease.vouch,
            keep=site.snapshots.keeping(opened.restored).look,
        )
        for perform in opened.sent:
            runtime.remember(perform)
        self.runtime = runtime
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(lease.keep())
            await runtime.run(*opened.first)
            keeping.cancel()
        lease.release()
        if opened.chain.campaign == site.plan.journal:  # else another one was begun since
            site.over.set()

    async def _lead(self, clock: LoopClock) -> Lease:
        """Take the lease, at once if its holder is known to be dead, else when its beat is still.

        LabFault if another one leads.
        """
        return await lead(
            self.site.record.leases,
            self.site.lab.name,
            self.name,
            is_dead=lambda held: self.site.is_dead(held.holder),
            now=clock.now,
            monotonic=VirtualLoop.running().time,
            in_thread=self._on_disk,
        )

    async def _append(self, lines: Sequence[Line], epoch: int) -> None:
        await self.site.record.append(lines, self.site.lab.name, epoch, lambda: self.is_off_record)

    async def _on_disk(self, statement: Callable[[], bool]) -> bool:
        """A statement of one row, which takes its time where the disk is not well."""
        if self.is_off_record:
            raise RecordAway("the database cannot be reached")
        if self.site.record.disk.health == "good":
            return statement()
        found: list[bool] = []
        await self.site.record.disk.write("the lease", lambda: found.append(statement()))
        return found[0]

    async def _prepared(self) -> None:
        """Whoever begins a campaign sees to it that nothing moves, and that all is in its place."""
        site = self.site
        names = [one.name for one in site.lab.instruments]
        while not all(map(site.world.is_at_rest, names)):  # noqa: ASYNC110 - they look again
            await asyncio.sleep(AGAIN_S)
        site.bench.clear_up()
        site.stock.make_ready()

    def _open(self, clock: LoopClock, epoch: int) -> Opening:
        """The first lines of the campaign, or its journal folded."""
        site = self.site
        if not site.record.head(site.plan.journal)[0]:
            return site.plan.begun(clock.now(), epoch)
        kept = site.snapshots.of(site.plan.journal)
        opened = site.plan.again(site.record, clock.now(), epoch, kept)
        if opened.restored:
            site.trace.count("snapshot restored")
            site.books.restored(opened.engine)
        return opened


def _leaf(error: BaseException | None) -> BaseException | None:
    """The first of a group of failures."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _answer(ask: Ask) -> Answer:
    """What the planner says, but for how long it took on the wall."""
    return replace(answer(ask), seconds=0.0)
