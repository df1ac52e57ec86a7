"""The orchestrator makes itself known: its status, kept by the broker, and its heartbeat.

Nodes listen to both: without an orchestrator they finish what they do, start nothing, and go to
their safe state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sdl.shell.bus import Bus, Message
from sdl.wire.mqtt import Heartbeat, Status, encode
from sdl.wire.topics import Topics

HEARTBEAT_S = 2.0
"""Wall seconds between two heartbeats."""


class Presence:
    """What one orchestrator says of itself."""

    def __init__(
        self,
        bus: Bus,
        topics: Topics,
        *,
        boot: str,
        epoch: int,
        now: Callable[[], float] | None = None,
        heartbeat_s: float | None = HEARTBEAT_S,
        may_speak: Callable[[], bool] = lambda: True,
    ) -> None:
        """``boot``: made anew for each process.

        ``now``: lab time by the clock that commands are dated with, for nodes compare the two;
        None where it does not run yet: silent until ``begin``.
        ``heartbeat_s`` None: no heartbeats, for virtual time. ``may_speak``: whether another one
        cannot have taken over yet; while not, it keeps silent.
        """
        self.boot = boot
        self.epoch = epoch
        self._bus = bus
        self._topics = topics
        self._now = now
        self._heartbeat_s = heartbeat_s
        self._may_speak = may_speak

    def will(self) -> Message:
        """What the broker has to say when our line breaks without a good-bye."""
        return self._status(online=False)

    async def begin(self, now: Callable[[], float]) -> None:
        """The lab's clock runs: speak from now on."""
        self._now = now
        await self.announce()

    async def announce(self) -> None:
        """After every connection, for a broker may have forgotten all that it kept."""
        await self._say(self._status(online=True))

    async def leave(self) -> None:
        """A good-bye."""
        await self._say(self._status(online=False))

    async def beat(self) -> None:
        """Send heartbeats until cancelled."""
        if self._heartbeat_s is None:
            return
        topic, loop, seq = self._topics.orchestrator_heartbeat(), asyncio.get_running_loop(), 0
        while True:
            seq += 1
            if self._may_speak():
                beat = Heartbeat(boot=self.boot, seq=seq, monotonic=loop.time())
                await self._bus.publish(topic, encode(beat), qos=0)
            await asyncio.sleep(self._heartbeat_s)

    async def hear(self, status: Status) -> None:
        """Somebody's status came: the last will of one that we have taken over from is put right.

        One with a higher epoch is left alone; the lease tells by itself that it has taken over.
        """
        if not status.online and (status.boot == self.boot or status.epoch < self.epoch):
            await self.announce()

    async def _say(self, message: Message) -> None:
        if self._now is not None and self._may_speak():
            await self._bus.publish(message.topic, message.payload, retain=True)

    def _status(self, *, online: bool) -> Message:
        at = 0.0 if self._now is None else self._now()
        status = Status(boot=self.boot, epoch=self.epoch, online=online, at=at)
        return Message(self._topics.orchestrator_status(), encode(status), retain=True)
