"""What is physically so in a simulated lab: which machine has done what, whatever anybody says.

A driver's call is handed to a machine of its own. When the node dies, a draw decides whether the
machine stops there or goes on by itself; when the node is frozen, it goes on in any case. To make
an instrument safe takes its time, too, and may fail, as the lab's temper says.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from typing import Protocol, cast

from sdl.capabilities import Device
from sdl.errors import DriverFault
from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.probe import Finding, Interrupted
from sdl.shell.node import Node
from sdl.sim.effect import deed as running
from sdl.sim.life import Life, as_life, living
from sdl.sim.temper import CALM, Halt, Temper
from sdl.sim.trace import Trace

GOES_ON = 0.5
"""Chance that a machine finishes its action after its node has died."""
REST_LOOK_S = 0.5


@dataclass(slots=True, kw_only=True)
class Deed:
    """One action of one machine."""

    cid: str
    instrument: str
    operation: Operation
    machine: Life
    host: Life | None = None
    """The node that called; None where nobody did."""
    begun: float
    """Virtual seconds; so the others."""
    moved: float = 0.0
    """When it did something to the world last."""
    happened: float | None = None
    """When the world changed by it; None: not yet, or never."""
    ended: float | None = None
    is_whole: bool = False
    """Whether all of it was done."""
    result: JsonValue = None

    @property
    def is_under_way(self) -> bool:
        """Whether the machine still works on it."""
        return self.ended is None and not self.machine.dead


class Watcher(Protocol):
    """Who must know what machines do."""

    def begins(self, deed: Deed) -> None:
        """A driver is called."""
        ...

    def happens(self, deed: Deed) -> None:
        """The world changes by it."""
        ...

    def halts(self, instrument: str, making: int) -> None:
        """A driver is told to make safe, and breaks off what it does.

        ``making``: how often it is being told that already, by the same node.
        """
        ...


class World:
    """All machines of one lab."""

    def __init__(
        self, chance: random.Random, trace: Trace, watcher: Watcher, temper: Temper = CALM
    ) -> None:
        self.deeds: dict[str, list[Deed]] = {}
        """By command; more than one would be a disaster."""
        self._nodes: list[tuple[Life, Node]] = []
        self._making: dict[tuple[str, Life | None], int] = {}
        """By instrument and node: how many calls of make_safe are under way."""
        self._made_at: dict[str, float] = {}
        """When a make_safe of each instrument ended last."""
        self._safe_since: dict[str, float] = {}
        """When what each instrument did was last switched off."""
        self._temper = temper
        self._chance = chance
        self._trace = trace
        self._watcher = watcher
        self.let_go: Callable[[str], None] = lambda _: None
        """Is told of each instrument whose machine stops in the middle of its work."""
        self._number = 0

    def equip(self, node: Node, life: Life, started: Mapping[str, str]) -> None:
        """Put the machines between a node and its drivers.

        ``started``: by instrument, the command that its journal says was started last.
        """
        for name, station in node.stations.items():
            device = station.device
            station.device = self._watched(name, device, station.operations, started)
        self._nodes.append((life, node))
        life.on_death.append(lambda: self._abandon(life))

    def has_happened(self, cid: str) -> bool:
        """Whether the world has changed by a command."""
        return any(deed.happened is not None for deed in self.deeds.get(cid, ()))

    def deed(self, cid: str) -> Deed | None:
        """What a machine did for a command; None if nothing was begun."""
        found = self.deeds.get(cid)
        return found[-1] if found else None

    def last_end(self, cid: str) -> float:
        """When a machine ended what it did for a command; 0 if none did."""
        return max((deed.ended or 0.0 for deed in self.deeds.get(cid, ())), default=0.0)

    def is_at_rest(self, instrument: str) -> bool:
        """Whether no machine works there."""
        return not any(
            deed.is_under_way and deed.instrument == instrument
            for deeds in self.deeds.values()
            for deed in deeds
        )

    def is_safe(self, instrument: str) -> bool:
        """Whether no machine works there, and none did since it was made safe."""
        since = self._safe_since.get(instrument, -1.0)
        return not any(
            deed.is_under_way or deed.moved > since
            for deeds in self.deeds.values()
            for deed in deeds
            if deed.instrument == instrument
        )

    def stopped(self, instrument: str) -> str:
        """Why a node that lives obeys nothing at an instrument; empty if all do, or soon will."""
        self._nodes = [(life, node) for life, node in self._nodes if not life.dead]
        hosts = [node.stations.get(instrument) for _, node in self._nodes]
        return next((each.safety.stopped for each in hosts if each and each.safety.refuses), "")

    def is_quiet(self, instrument: str, since: float) -> bool:
        """Whether nothing is being done there, and its last make_safe ended before ``since``."""
        is_making = any(
            count and name == instrument and not (life and life.dead)
            for (name, life), count in self._making.items()
        )
        made_at = self._made_at.get(instrument, -1.0)
        return not is_making and made_at < since and self.is_at_rest(instrument)

    def is_making_safe(self, instrument: str, host: Life | None) -> bool:
        """Whether a node is making an instrument safe."""
        return self._making.get((instrument, host), 0) > 0

    # The machines.

    def _watched(
        self,
        name: str,
        device: Device,
        operations: Mapping[str, Operation],
        started: Mapping[str, str],
    ) -> Device:
        """The driver as its node sees it: each action is the work of a machine."""
        methods: dict[str, object] = {
            "connect": _passed(device, "connect"),
            "disconnect": _passed(device, "disconnect"),
            "make_safe": self._halting(name, device),
        }
        for operation in operations.values():
            methods[operation.name] = self._acting(name, device, operation, started)
            if operation.probe:
                methods[operation.probe] = self._probing(name, device, operation.probe)
        return cast("Device", type(f"Watched_{type(device).__name__}", (), methods)())

    def _halting(self, name: str, device: Device) -> Callable[[object], Awaitable[None]]:
        async def halt(_self: object) -> None:
            how, took_s = self._temper.halt(self._chance)
            self._note(f"{name} is made safe ({how}, {took_s:.1f} s)")
            key = name, living()
            self._watcher.halts(name, self._making.get(key, 0))
            self._making[key] = self._making.get(key, 0) + 1
            self._trace.count(f"make_safe {how}")
            try:
                await self._make_safe(name, device, how, took_s)
            finally:
                self._making[key] -= 1
                self._made_at[name] = asyncio.get_running_loop().time()

        return halt

    async def _make_safe(self, name: str, device: Device, how: Halt, took_s: float) -> None:
        """Switch an instrument off, at some moment of the time that this takes."""
        if how == "endless":
            await asyncio.Event().wait()
        if how == "stubborn":
            await _regardless(took_s)
            took_s = 0.0
        before_s = took_s * self._chance.random()
        if how != "quick":
            await asyncio.sleep(before_s)
        if how == "failing":
            raise DriverFault("it cannot be made safe: the valve does not close")
        self._safe_since[name] = asyncio.get_running_loop().time()
        for deed in self._under_way(name):
            if deed.host is None or deed.host.dead:  # nobody is left to break it off
                deed.machine.kill()
        if self._chance.random() < self._temper.deaf and self._under_way(name):
            self._trace.count("deaf action")
        else:
            await device.make_safe()
        if how != "quick":
            await asyncio.sleep(took_s - before_s)

    def _under_way(self, name: str) -> list[Deed]:
        return [
            deed
            for deeds in self.deeds.values()
            for deed in deeds
            if deed.is_under_way and deed.instrument == name
        ]

    def _acting(
        self, name: str, device: Device, operation: Operation, started: Mapping[str, str]
    ) -> Callable[..., Awaitable[object]]:
        async def act(_self: object, **arguments: object) -> object:
            def call() -> Awaitable[object]:
                return cast("Awaitable[object]", methodcaller(operation.name, **arguments)(device))

            return await self._act(name, operation, started.get(name, ""), call)

        return act

    def _probing(
        self, name: str, device: Device, probe: str
    ) -> Callable[[object, Interrupted], Awaitable[Finding]]:
        async def ask(_self: object, interrupted: Interrupted) -> Finding:
            while not self.is_at_rest(name):  # noqa: ASYNC110 - one that works says it is busy
                await asyncio.sleep(REST_LOOK_S)
            return cast("Finding", await methodcaller(probe, interrupted)(device))

        return ask

    async def _act(
        self, name: str, operation: Operation, cid: str, call: Callable[[], Awaitable[object]]
    ) -> object:
        loop = asyncio.get_running_loop()
        self._number += 1
        machine = Life("machine", f"{name}#{self._number}")
        machine.on_death.append(lambda: self.let_go(name))
        deed = Deed(
            cid=cid,
            instrument=name,
            operation=operation,
            machine=machine,
            host=living(),
            begun=loop.time(),
            moved=loop.time(),
        )
        self.deeds.setdefault(cid, []).append(deed)
        self._note(f"{name} begins {operation.name} for {cid}")
        self._watcher.begins(deed)
        ended: asyncio.Future[object] = loop.create_future()
        working = loop.create_task(self._work(deed, call, ended), context=as_life(machine))
        try:
            return await ended
        except asyncio.CancelledError:
            working.cancel()
            await asyncio.wait((working,))
            raise

    async def _work(
        self, deed: Deed, call: Callable[[], Awaitable[object]], told: asyncio.Future[object]
    ) -> None:
        running.set(lambda: self._happen(deed))
        try:
            value = await call()
            deed.result = deed.operation.dump_result(value)
        except BaseException as error:
            self._end(deed, f"raises {type(error).__name__}")
            if not told.done():
                told.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._happen(deed)
            deed.is_whole = True
            self._end(deed, "has done it")
            if not told.done():
                told.set_result(value)

    def _happen(self, deed: Deed) -> None:
        deed.moved = asyncio.get_running_loop().time()
        if deed.happened is None:
            deed.happened = deed.moved
            self._note(f"{deed.instrument}: {deed.cid} has happened")
            self._watcher.happens(deed)

    def _end(self, deed: Deed, how: str) -> None:
        deed.ended = asyncio.get_running_loop().time()
        self._note(f"{deed.instrument} {how}: {deed.cid}")

    def _abandon(self, host: Life) -> None:
        """Their node has died: each machine at work stops here, or goes on by itself."""
        for deeds in self.deeds.values():
            for deed in deeds:
                if deed.is_under_way and deed.host is host:
                    goes_on = self._chance.random() < GOES_ON
                    self._note(f"{deed.instrument} {'goes on' if goes_on else 'stops'}: {deed.cid}")
                    if not goes_on:
                        deed.machine.kill()

    def _note(self, what: str) -> None:
        self._trace.note(asyncio.get_running_loop().time(), what)


async def _regardless(seconds: float) -> None:
    """Spend virtual seconds, whoever cancels that."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(until - loop.time())


def _passed(device: Device, word: str) -> Callable[[object], Awaitable[object]]:
    async def call(_self: object) -> object:
        return await methodcaller(word)(device)

    return call
