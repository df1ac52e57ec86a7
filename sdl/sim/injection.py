"""Faults as they are done to a simulated lab."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sdl.core.events import AbortRequested, PauseRequested
from sdl.errors import Bug
from sdl.sim.disk import Disk, Health
from sdl.sim.faults import Fault, Kind
from sdl.sim.life import Killed, Life, living
from sdl.sim.loop import VirtualLoop
from sdl.sim.network import FAIR, Weather
from sdl.sim.person import Person
from sdl.sim.processes import NodeProcess, OrchestratorProcess, Process, Site

DOWN_S = 2.0
REPAIR_S = 20.0
"""Until a person has moved a journal away that is not to be trusted."""


class Injection:
    """All faults of one simulation."""

    def __init__(
        self, site: Site, standby: str, person: Person, start: Callable[[Process], None]
    ) -> None:
        """``standby``: name of the second orchestrator. ``start`` keeps a process going."""
        self.well_since = 0.0
        """Virtual time at which the last fault was over."""
        self.broker_kills = 0
        self.points: Counter[str] = Counter()
        """Crash points at which a process was killed."""
        self._site = site
        self._standby = standby
        self._person = person
        self._start = start
        self._going_on = 0
        self._armed: list[Fault] = []
        self._passed: Counter[tuple[str, str]] = Counter()

    @property
    def is_well(self) -> bool:
        """Whether no fault is going on, and every process is up that should be."""
        return not self._going_on and not self._armed

    def passing(self, point: str) -> None:
        """A process comes past a crash point; it dies there if it was to."""
        life = living()
        if life is None or life.dead:
            return
        name = life.name.partition("#")[0]
        self._passed[name, point] += 1
        for fault in self._armed:
            due = self._passed[name, point] == fault.passing
            if fault.target == name and fault.point == point and due:
                self._armed.remove(fault)
                self.points[point] += 1
                self._site.note(f"{name} passes {point} ({fault.passing})")
                self._process(name).kill(fault.for_s)
                self._heal_later(fault.for_s)
                raise Killed(point)

    async def inject(self, fault: Fault) -> None:
        """Do one fault when its time comes, and undo it when it is over."""
        if fault.kind == "point":
            self._armed.append(fault)
            return
        self._going_on += 1
        try:
            await asyncio.sleep(fault.at)
            self._site.note(f"fault: {fault}")
            await self._do(fault)
        finally:
            self._going_on -= 1
            self.well_since = asyncio.get_running_loop().time()

    def _heal_later(self, for_s: float) -> None:
        self.well_since = asyncio.get_running_loop().time() + for_s

    async def _do(self, fault: Fault) -> None:
        site, network = self._site, self._site.network
        match fault.kind:
            case "kill":
                await self._kill(fault)
            case "freeze":
                await self._freeze(self._process(fault.target), fault.for_s)
            case "cut":
                await self._cut(fault)
            case "storm":
                network.weather = Weather(
                    drop=fault.amount / 2,
                    repeat=fault.amount / 2,
                    delay=fault.amount,
                    reorder=True,
                )
                await asyncio.sleep(fault.for_s)
                network.weather = FAIR
            case "broker":
                self.broker_kills += 1
                network.die()
                await asyncio.sleep(fault.for_s)
                network.rise()
            case "old":
                await self._bring_back(fault)
            case "record":
                await self._ail(site.record.disk, fault)
            case "journal":
                await self._ail(self._node(fault.target).journal.disk, fault)
            case "restored" | "lost":
                await self._unmake(self._node(fault.target), fault)
            case "clock":
                site.books.clocks_differ = True
                self._process(fault.target).clock_off_s += fault.amount
                await self._kill(fault)
            case "split":
                await self._split(fault)
            case "point":
                raise Bug("a crash point is armed, not done")
            case _:
                await self._do_as_person(fault)

    async def _do_as_person(self, fault: Fault) -> None:
        match fault.kind:
            case "unheard":
                await self._unheard(fault)
            case "copy":
                await self._copy(self._node(fault.target), fault)
            case "anew":
                await self._begin_anew(fault)
            case _:
                await self._intervene(fault)

    async def _bring_back(self, fault: Fault) -> None:
        """The broker dies, and comes back as it was a while ago."""
        network = self._site.network
        kept = network.snapshot()
        await asyncio.sleep(fault.for_s)
        self.broker_kills += 1
        network.die()
        await asyncio.sleep(DOWN_S)
        network.restore(kept, int(fault.amount))

    async def _kill(self, fault: Fault) -> None:
        self._process(fault.target).kill(fault.for_s)
        await asyncio.sleep(fault.for_s)

    async def _freeze(self, process: Process, for_s: float) -> None:
        life = process.life
        if life is None or life.dead:
            return
        life.freeze()
        self._site.network.watch_frozen(life)
        await asyncio.sleep(for_s)
        self._thaw(life)

    def _thaw(self, life: Life) -> None:
        if life.frozen:
            self._site.note(f"{life.name} goes on")
            VirtualLoop.running().thaw(life)

    async def _cut(self, fault: Fault) -> None:
        network = self._site.network
        network.cut(fault.target, silently=fault.how == "silently")
        await asyncio.sleep(fault.for_s)
        network.heal(fault.target)

    async def _ail(self, disk: Disk, fault: Fault) -> None:
        disk.health = cast("Health", fault.how)
        await asyncio.sleep(fault.for_s)
        disk.health = "good"

    async def _unmake(self, node: NodeProcess, fault: Fault) -> None:
        """A node's journal is deleted, or put back to what it was ``amount`` seconds ago."""
        site = self._site
        copy = node.journal.copy() if fault.kind == "restored" else None
        if copy is not None:
            await asyncio.sleep(fault.amount)
        node.kill(fault.for_s)
        site.books.journal_lost(node.instruments)
        if copy is None:
            node.journal.lose()
        else:
            node.journal.put_back(copy)
        site.note(f"the journal of {node.name} is {fault.kind}")
        await asyncio.sleep(fault.for_s)

    async def _split(self, fault: Fault) -> None:
        """A standby waits beside the first; the first is cut off from broker and record, or frozen.

        It stays: whoever leads in the end leads.
        """
        first, second = self._process(fault.target), self._process(self._standby)
        assert isinstance(first, OrchestratorProcess)
        second.is_wanted = True
        await asyncio.sleep(1.0)
        if fault.how == "frozen":
            await self._freeze(first, fault.for_s)
            return
        first.is_off_record = True
        await self._cut(fault)
        first.is_off_record = False

    async def _intervene(self, fault: Fault) -> None:
        """A person stops the lab, pauses an instrument or breaks a run off; then lets it go on."""
        runtime = await self._site.desk()
        instruments = self._site.lab.instruments
        runs = [run for view in runtime.lab().campaigns for run in view.in_flight]
        what = ""
        if fault.kind == "stop":
            await self._person.stop_all()
        elif fault.kind == "pause":
            what = instruments[len(runs) % len(instruments)].name
            await self._site.tell(lambda at: PauseRequested(at=at, what=what, by=fault.target))
        elif runs:
            run = runs[0].run
            await self._site.tell(lambda at: AbortRequested(at=at, what=run, by=fault.target))
        await asyncio.sleep(self._person.patience_s(fault.for_s))
        for goes_on in dict.fromkeys((what, "")):
            await self._person.resume(goes_on)

    async def _copy(self, node: NodeProcess, fault: Fault) -> None:
        """A copy of a node starts beside it; after a while one of the two is taken away.

        Where their journals contradict each other, a person moves that of the other one away, too.
        """
        site = self._site
        if any(each.name == f"{node.name}-copy" for each in site.processes):
            return  # one of it is enough
        site.books.copied(node.instruments)
        copy = node.copied()
        site.processes.append(copy)
        self._start(copy)
        await asyncio.sleep(fault.for_s)
        gone = node if fault.how == "the copy stays" else copy
        gone.is_wanted = False
        gone.kill(fault.for_s)
        if node.journal.contradicts(copy.journal, node.instruments):
            site.trace.count("node and copy contradict")
            await asyncio.sleep(REPAIR_S)
            left = copy if gone is node else node
            await self._unmake(left, replace(fault, kind="lost", for_s=1.0))

    async def _begin_anew(self, fault: Fault) -> None:
        """A person leaves the campaign as it is, and begins another one with fresh plates."""
        first = self._process(fault.target)
        self._site.begin_anew()
        if fault.how == "killed":
            await self._kill(fault)
            return
        self._process(self._standby).is_wanted = True
        await self._freeze(first, fault.for_s)

    async def _unheard(self, fault: Fault) -> None:
        """A person stops the lab or breaks a run off, and some words of that get lost alone.

        A greeting is lost when a node comes back, whatever people do.
        """
        swallows = self._site.network.swallows
        swallows[fault.how] = int(fault.amount)
        kinds: dict[str, Kind] = {"stop": "abort", "greet": "pause"}
        kind = kinds.get(fault.how, "stop")
        await self._intervene(replace(fault, kind=kind))
        await asyncio.sleep(fault.for_s)
        swallows.pop(fault.how, None)

    def _process(self, name: str) -> Process:
        return next(each for each in self._site.processes if each.name == name)

    def _node(self, name: str) -> NodeProcess:
        found = self._process(name)
        assert isinstance(found, NodeProcess)
        return found
