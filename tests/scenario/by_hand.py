"""A lab without an engine: each plate is brought by its arm to whoever is asked to work on it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from sdl.model.action import Operation
from sdl.model.lab import place_of
from sdl.shell.clock import LoopClock
from sdl.shell.offered import offered_by
from sdl.shell.plugins import construct
from sdl.sim import Bench
from sdl.wire.toml import LabFile
from sdl_simulators.arm import SimulatedArm


@dataclass(frozen=True, slots=True)
class Act:
    """One action that an instrument has done."""

    action: str
    began: float
    ended: float


class Hands:
    """The simulators of a lab in the loop's own time, and the plates carried between them."""

    def __init__(self, lab: LabFile) -> None:
        clock = LoopClock(asyncio.get_running_loop().time)
        self.bench = Bench(clock=clock, seed=lab.lab.seed, lab=lab.lab)
        self.done: list[Act] = []
        self._sites = lab.lab.sites
        self._devices = {
            one.name: construct(one, lab.folder, self.bench)[0] for one in lab.lab.instruments
        }
        (self._arm,) = (one for one in self._devices.values() if isinstance(one, SimulatedArm))

    def instrument(self, name: str) -> SimpleNamespace:
        """An instrument as a protocol sees it."""
        offered = offered_by(type(self._devices[name]))
        return SimpleNamespace(**{each: self._acting(name, offered[each]) for each in offered})

    def _acting(self, name: str, operation: Operation) -> Callable[..., Awaitable[object]]:
        method = attrgetter(operation.name)(self._devices[name])

        async def act(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the action has it
            for labware in operation.labware_of(operation.bind(args, kwargs)):
                await self._bring(labware, name)
            began = self.bench.clock.now()
            result: object = await method(*args, **kwargs)
            self.done.append(Act(operation.name, began, self.bench.clock.now()))
            return result

        return act

    async def _bring(self, labware: str, name: str) -> None:
        site, floor = self.bench.floor.site(labware), self.bench.floor
        if place_of(site) != name:
            free = next(each for each in self._sites[name] if not floor.on(each))
            await self._arm.move(labware, site, free)


def steps(done: list[Act]) -> list[str]:
    """What was done, in order; one action on many wells counts once."""
    return [action for action, _ in groupby(done, key=lambda act: act.action)]


def waits_s(done: list[Act]) -> dict[tuple[str, str], float]:
    """The longest time between two actions of different names that followed each other."""
    found: dict[tuple[str, str], float] = {}
    for before, after in pairwise(done):
        if before.action != after.action:
            names = before.action, after.action
            found[names] = max(found.get(names, 0.0), after.began - before.ended)
    return found
