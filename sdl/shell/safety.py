"""The safety of one instrument: what has stopped it, and how it is made safe, once at a time.

A driver's ``make_safe`` talks to the same machine as its actions, so that neither may run beside
another of its kind: who wants the instrument safe while that is being done joins in, and nothing
starts before it is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import TypeAlias

from sdl.shell.action_call import Safe
from sdl.shell.node_journal import Stopped
from sdl.shell.node_journal_pen import Pen
from sdl.wire.mqtt import CID_CAP

ORDERS = 100
"""Orders to stop that are told apart, at one instrument."""

Spawn: TypeAlias = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]

_LOG = logging.getLogger("sdl.node")


class Safety:
    """Whether an instrument may obey, and what has to be done before it may again."""

    def __init__(
        self,
        name: str,
        *,
        make_safe: Callable[[], Awaitable[Safe]],
        is_acting: Callable[[], bool],
        end_action: Callable[[], Awaitable[None]],
        pen: Pen,
        spawn: Spawn,
        free: Callable[[], None],
    ) -> None:
        """``make_safe``: the driver's. ``end_action`` ends what is going on.

        ``free`` is called whenever something may start that could not before.
        """
        self._name = name
        self._make_safe = make_safe
        self._is_acting = is_acting
        self._end_action = end_action
        self._pen = pen
        self._spawn = spawn
        self._free = free
        self.stopped = ""
        """Why it obeys nothing before it is released; empty if it does."""
        self.orders: tuple[str, ...] = ()
        """Ids of the orders to stop that stand."""
        self.stops = 0
        """Orders to stop that came since the node started."""
        self.releasing = False
        """It was told that it may obey, and is about to."""
        self._noting: asyncio.Task[None] | None = None
        self._making: asyncio.Task[None] | None = None
        self._givers: dict[str, str] = {}
        """By order to stop that stands: the journal whose it is."""
        self._lifted: deque[tuple[str, str]] = deque(maxlen=ORDERS)
        """Of those that were lifted, the last ones."""
        self._wrong = ""
        self._leftover: asyncio.Task[None] | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether a make_safe that was given up on still goes on: nothing may begin beside it."""
        return self._leftover is not None

    @property
    def is_making(self) -> bool:
        """Whether the driver is making the instrument safe now."""
        return self._making is not None

    @property
    def refuses(self) -> bool:
        """Whether what comes in is refused, as it is stopped and nobody has released it."""
        return bool(self.stopped) and not self.releasing

    def take_up(self, why: str, orders: tuple[str, ...]) -> None:
        """It was stopped before the node's last death, if there is a reason."""
        self.stopped, self.orders = why, orders

    def is_over(self, order: str, journal: str) -> bool:
        """Whether an orchestrator's order to stop was lifted since: it may be late, or come twice.

        Only of those that name a journal: then nobody makes the same name for another order.
        """
        return (journal, order[:CID_CAP]) in self._lifted

    def stop(self, why: str, order: str, journal: str = "") -> Stopped:
        """Obey nothing from now on; what the journal has to keep of it."""
        lifted, self.releasing = self.releasing, False
        self.stopped = why
        self.stops += 1
        order = order[:CID_CAP]
        stand = () if lifted else tuple(each for each in self.orders if each != order)
        self.orders = (*stand, order)[-ORDERS:]
        self._givers = {each: self._givers.get(each, "") for each in self.orders} | {order: journal}
        return self._as_it_is()

    def note(self, noting: asyncio.Task[None]) -> None:
        """``noting`` makes the last order to stop durable; a release waits for that."""
        self._noting = noting

    async def make_safe(self) -> str:
        """Have the instrument made safe, or join in where that goes on. What went wrong."""
        if self._making is None:
            self._making = self._spawn(self._make())
        await asyncio.wait((self._making,))
        return self._wrong

    async def _make(self) -> None:
        acted = self._is_acting()
        try:
            self._wrong = await self._once()
            await self._end_action()
            if acted:  # up to its last breath it may have switched something on again
                self._wrong = await self._once()
        finally:
            self._making = None
        self._free()

    async def _once(self) -> str:
        """One call of the driver's, unless the one before has not come back."""
        if self._leftover is not None:
            return self._wrong
        began_s = asyncio.get_running_loop().time()
        safe = await self._make_safe()
        self._leftover = safe.leftover
        if safe.leftover is not None:
            safe.leftover.add_done_callback(partial(self._came_back, began_s))
        return safe.wrong

    def _came_back(self, began_s: float, leftover: asyncio.Task[None]) -> None:
        """A make_safe has ended that was given up on: what it was told of stays as it was told."""
        took_s = asyncio.get_running_loop().time() - began_s
        _LOG.warning("%s: make_safe ended at last, after %.0f s", self._name, took_s)
        self._leftover = None
        if not leftover.cancelled() and (error := leftover.exception()) is not None:
            _LOG.error("%s: it raised", self._name, exc_info=error)
        if not self._pen.dead:
            self._free()

    def release(self, lifts: Sequence[str]) -> None:
        """Lift these orders to stop, all that stand if none is named; what came later stands.

        It obeys again once none stands and it is safe; what comes in meanwhile waits for that.
        """
        named = [each[:CID_CAP] for each in lifts]
        left = tuple(each for each in self.orders if each not in named) if named else ()
        over = ((self._givers.get(each, ""), each) for each in self.orders if each not in left)
        self._lifted.extend((journal, order) for journal, order in over if journal)
        if not left:
            self.releasing = True  # until that is durable, the orders stand
            self._spawn(self._release(self.stops))
        elif left == self.orders:
            _LOG.warning("%s: a release lifts no stop that stands: %s", self._name, named)
        else:
            self.orders = left
            self._spawn(self._keep())

    async def _keep(self) -> None:
        await self._pen.keep(self._as_it_is())
        self._free()

    async def _release(self, stops: int) -> None:
        if self._noting is not None:
            await asyncio.wait((self._noting,))
        while self._making is not None:
            await asyncio.wait((self._making,))
        if stops != self.stops:
            return  # stopped once more meanwhile, which counts
        await self._pen.keep(Stopped(device=self._name, why=""))
        if stops != self.stops:
            if not self.releasing:
                await self._pen.keep(self._as_it_is())
            return
        self.stopped, self.orders, self.releasing = "", (), False
        self._free()

    def _as_it_is(self) -> Stopped:
        return Stopped(device=self._name, why=self.stopped, orders=self.orders)
